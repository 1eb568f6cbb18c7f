"""What is kept of what was read: enough to be of use, and never more than its weight."""

from tests.workspace.bench import Bench
from uet_tui.core.conflicts import Entry
from uet_tui.workspace.kept import Kept


def test_the_oldest_go_where_they_get_too_heavy() -> None:
    kept: Kept[str] = Kept(100, len)
    for number in range(1000):
        kept.keep(f"name {number}", "12345")
    assert len(kept) == 20
    assert [number for number in range(1000) if kept.get(f"name {number}")] == [*range(980, 1000)]


def test_a_few_are_kept_whatever_they_weigh() -> None:
    kept: Kept[str] = Kept(100, len)
    for number in range(50):
        kept.keep(f"name {number}", "x" * 1000)
    assert len(kept) == 16
    assert kept.get("name 49")


def test_what_is_kept_again_weighs_nothing_more() -> None:
    kept: Kept[str] = Kept(10)
    for _ in range(100):
        assert kept.keep("name", "value") == "value"
    assert len(kept) == 1


def test_folders_that_are_not_kept_any_more_are_read_again(bench: Bench) -> None:
    objects = bench.control.objects
    content = bench.control.write_blob(b"a\n")
    trees = [
        objects.write_tree({f"{number}-{name}".encode(): Entry("100644", content) for name in range(500)})
        for number in range(100)
    ]
    read = [objects.tree(tree) for tree in trees]
    assert [objects.tree(tree) for tree in trees] == read
    assert sum(objects.tree(tree) is before for tree, before in zip(reversed(trees), reversed(read), strict=True)) < 80
