"""What an integration branch tells of who changed what."""

from tests.workspace.bench import Bench
from uet_tui.workspace.history import REVERTS, changed_by, merge_trailers


def merge(bench: Bench, tip: str, *results: tuple[str, str]) -> str:
    """A merge commit of results by workstream, as the queue makes them."""
    tree = bench.control.tree_of(tip)
    for _, result in results:
        changes = bench.control.changes(bench.control.objects.commit(result).parents[0], result)
        tree = bench.control.tree_with(tree, {change.path: change.new for change in changes})
    parents = (tip, *(result for _, result in results))
    return bench.control.commit_tree(tree, parents, "Merge", merge_trailers((id, 1) for id, _ in results))


def test_each_workstream_of_a_batch_has_its_own_changes(bench: Bench) -> None:
    base = bench.base
    one = bench.commit(base, {"a.txt": b"a", "src/b.txt": b"b"})
    two = bench.commit(base, {"c.txt": b"c", "README.md": None})
    three = bench.commit(base, {"d.txt": b"d"})
    tip = merge(bench, merge(bench, base, ("ws-one", one), ("ws-two", two)), ("ws-three", three))
    assert changed_by(bench.control, tip, base, ["ws-one", "ws-two", "ws-none"]) == {
        "ws-one": ("a.txt", "src/b.txt"),
        "ws-two": ("README.md", "c.txt"),
    }
    assert changed_by(bench.control, tip, base, ["ws-three"]) == {"ws-three": ("d.txt",)}
    assert changed_by(bench.control, base, base, ["ws-one"]) == {}


def test_what_was_undone_is_not_told(bench: Bench) -> None:
    base = bench.base
    merged = merge(bench, base, ("ws-one", bench.commit(base, {"a.txt": b"a"})))
    undone = bench.control.commit_tree(bench.control.tree_of(base), (merged,), "Undo", [(REVERTS, merged)])
    assert changed_by(bench.control, undone, base, ["ws-one"]) == {}
    again = merge(bench, undone, ("ws-one", bench.commit(base, {"b.txt": b"b"})))
    assert changed_by(bench.control, again, base, ["ws-one"]) == {"ws-one": ("b.txt",)}
