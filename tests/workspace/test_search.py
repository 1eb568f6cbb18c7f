"""Looking for words in a tree."""

from tests.workspace.bench import Bench
from uet_tui.workspace.search import holding


def test_whole_words_are_found_as_they_are_with_how_often(bench: Bench) -> None:
    bench.repository.write("a b.txt", "src/app\nsrc/app\nsrc/apple\n")
    bench.repository.write("new\nline.txt", "see src/app.\n")
    bench.repository.write("case.txt", "SRC/APP src.app srcxapp\n")
    bench.repository.write("größe.txt", "src/app\n")
    (bench.repository.path / "binary").write_bytes(b"src/app\0")
    tree = bench.control.tree_of(bench.repository.commit("Words"))
    assert holding(bench.control, tree, ["src/app"]) == {"a b.txt": 2, "new\nline.txt": 1, "größe.txt": 1}
    assert set(holding(bench.control, tree, ["src.app"])) == {"case.txt", "tests/test_app.py"}
    assert set(holding(bench.control, tree, ["-e", "--", "src/apple"])) == {"a b.txt"}


def test_nothing_is_found_where_nothing_is(bench: Bench) -> None:
    tree = bench.control.tree_of(bench.repository.head)
    assert holding(bench.control, tree, ["nowhere to be found"]) == {}
    assert holding(bench.control, tree, []) == holding(bench.control, tree, ["", "two\nlines"]) == {}
    assert holding(bench.control, bench.control.objects.empty_tree, ["a"]) == {}
