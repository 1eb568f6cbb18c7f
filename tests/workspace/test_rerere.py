"""Resolutions on record: taken again, listed, forgotten, and safe with many at once."""

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.repository import Repository
from tests.workspace.bench import Bench
from uet_tui.errors import UetError
from uet_tui.workspace import rerere


def marked(ours: str, theirs: str, before: str = "before", end: str = "\n") -> bytes:
    lines = [before, "<<<<<<< ours", ours, "=======", theirs, ">>>>>>> theirs", "after", ""]
    return end.join(lines).encode()


def resolved(line: str, before: str = "before", end: str = "\n") -> bytes:
    return end.join([before, line, "after", ""]).encode()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_was_resolved_is_resolved_so_again_in_any_file(bench: Bench, end: str) -> None:
    control = bench.control
    conflict, decided = marked("o", "t", end=end), resolved("both", end=end)
    assert rerere.recall(control, {"f": conflict}) == {}
    (id,) = rerere.record(control, {"dir/f": conflict}, {"dir/f": decided})
    assert rerere.recall(control, {"other": conflict, "new": marked("o", "x", end=end)}) == {"other": decided}
    assert (control.path / "rr-cache" / id / "postimage").exists(), "it is git's own store"


def test_the_sides_may_have_changed_places_and_the_lines_around_too(bench: Bench) -> None:
    rerere.record(bench.control, {"f": marked("o", "t")}, {"f": resolved("both")})
    longer = b"more\nand\nstill\nmore\n" + marked("t", "o") + b"1\n2\n3\n"
    assert rerere.recall(bench.control, {"f": longer}) == {
        "f": b"more\nand\nstill\nmore\n" + resolved("both") + b"1\n2\n3\n"
    }


def test_a_last_line_without_an_end_stays_so(bench: Bench) -> None:
    conflict = b"a\n<<<<<<< ours\no\n=======\nt\n>>>>>>> theirs\n"
    rerere.record(bench.control, {"f": conflict}, {"f": b"a\nboth"})
    assert rerere.recall(bench.control, {"f": conflict}) == {"f": b"a\nboth"}


def test_a_later_decision_replaces_an_earlier_one(bench: Bench) -> None:
    for line in ("first", "second", "second"):
        rerere.record(bench.control, {"f": marked("o", "t")}, {"f": resolved(line)})
    assert rerere.recall(bench.control, {"f": marked("o", "t")}) == {"f": resolved("second")}
    assert len(rerere.listing(bench.control)) == 1


def test_the_same_hunks_in_two_files_may_be_decided_differently(bench: Bench) -> None:
    conflicts = {name: marked("o", "t", before=f"this is {name}") for name in ("a", "b")}
    decided = {name: resolved(f"for {name}", before=f"this is {name}") for name in ("a", "b")}
    rerere.record(bench.control, conflicts, decided)
    assert rerere.recall(bench.control, conflicts) == decided


def test_what_still_has_markers_is_not_recorded(bench: Bench) -> None:
    conflicts = {"f": marked("o", "t"), "g": marked("x", "y")}
    made = rerere.record(bench.control, conflicts, {"f": marked("o", "t"), "g": resolved("z")})
    assert len(made) == 1
    assert rerere.recall(bench.control, conflicts) == {"g": resolved("z")}


def test_the_record_is_listed_newest_first_with_where_and_what(bench: Bench) -> None:
    store = bench.control.path / "rr-cache"
    ids = []
    for number, path in enumerate(["old\nname\udcff", "new"]):
        conflict, decided = marked(f"o{number}", "t"), resolved(f"\x1b[1mline {number}")
        (id,) = rerere.record(bench.control, {path: conflict}, {path: decided})
        os.utime(store / id / "postimage", (1_000 + number, 1_000 + number))
        ids.append(id)
    new, old = rerere.listing(bench.control)
    assert (new.id, new.paths, new.time, new.preview) == (ids[1], ("new",), 1_001.0, ("line 1",))
    assert (old.id, old.paths, old.preview) == (ids[0], ("old\nname\udcff",), ("line 0",))
    rerere.recall(bench.control, {"x": marked("o0", "t")})
    assert rerere.listing(bench.control)[0].id == ids[0], "what is taken is as good as new"


def test_a_long_resolution_is_shown_in_part(bench: Bench) -> None:
    rerere.record(bench.control, {"f": marked("o", "t")}, {"f": resolved("\n".join("abcdefghijklmnop"))})
    (found,) = rerere.listing(bench.control)
    assert found.preview == (*"abcdefghijkl", "…")


@pytest.mark.parametrize("by", ["path", "shown path", "id", "short id"])
def test_what_is_forgotten_is_not_taken_again(bench: Bench, by: str) -> None:
    conflicts = {"a b\x1b": marked("o", "t"), "g": marked("x", "y")}
    decided = {"a b\x1b": resolved("both"), "g": resolved("z")}
    rerere.record(bench.control, conflicts, decided)
    (id,) = (r.id for r in rerere.listing(bench.control) if "g" not in r.paths)
    named = {"path": "a b\x1b", "shown path": "a b␛", "id": id, "short id": id[:6]}
    found = rerere.named(bench.control, named[by])
    assert [one.id for one in found] == [id]
    for _ in range(2):  # another may have been faster
        rerere.forget(bench.control, found)
    assert rerere.recall(bench.control, conflicts) == {"g": resolved("z")}
    assert [r.paths for r in rerere.listing(bench.control)] == [("g",)]


def test_forgetting_what_is_not_on_record_says_so(bench: Bench) -> None:
    for what in ("nosuch", "abc", ""):
        with pytest.raises(UetError, match="is on record: name a path"):
            rerere.named(bench.control, what)


def test_nothing_is_left_behind_and_nothing_of_the_operators_is_read(bench: Bench) -> None:
    """Neither attributes in the files nor git's configuration have a say, and no half-made record stays."""
    hook = bench.repository.path / "ran"
    bench.repository.git("config", "merge.evil.driver", f"touch {hook}; false")
    conflicts = {".gitattributes": b"* merge=evil filter=evil conflict-marker-size=3\n" + marked("o", "t")}
    rerere.recall(bench.control, conflicts)
    rerere.record(bench.control, conflicts, {".gitattributes": resolved("both")})
    assert rerere.recall(bench.control, {"f": marked("o", "t")}) == {"f": resolved("both")}
    assert not hook.exists()
    left = [p.name for p in bench.control.path.iterdir() if p.name.startswith(("rerere-", "merge-"))]
    assert left == []
    assert [p.name for p in (bench.control.path / "rr-cache").iterdir()] == [rerere.listing(bench.control)[0].id]


def test_many_may_record_take_and_forget_at_once(bench: Bench) -> None:
    control = bench.control

    def work(number: int) -> dict[str, bytes]:
        conflicts = {"shared": marked("o", "t"), f"own{number}": marked(f"o{number}", "t")}
        rerere.record(control, conflicts, {"shared": resolved("s"), f"own{number}": resolved(f"r{number}")})
        if number % 3 == 0:
            with contextlib.suppress(UetError):  # another was faster
                rerere.forget(control, rerere.named(control, "shared"))
        return rerere.recall(control, conflicts)

    with ThreadPoolExecutor(6) as pool:
        for number, found in enumerate(pool.map(work, range(18))):
            assert found[f"own{number}"] == resolved(f"r{number}")
            assert found.get("shared", resolved("s")) == resolved("s")
    names = {p.name for p in (control.path / "rr-cache").iterdir()}
    assert names - {r.id for r in rerere.listing(control)} == set()


def test_a_repository_with_longer_ids_has_a_record_as_well(tmp_path) -> None:
    folder = tmp_path / "sha256"
    folder.mkdir()
    repository = Repository(folder)
    repository.git("init", "-q", "-b", "main", "--object-format=sha256")
    repository.git("config", "user.name", "o")
    repository.git("config", "user.email", "o@example.invalid")
    repository.write("f", "f\n")
    repository.commit("first")
    bench = Bench.over(repository)
    with bench.control:
        (id,) = rerere.record(bench.control, {"f": marked("o", "t")}, {"f": resolved("both")})
        assert len(id) == 64
        assert rerere.recall(bench.control, {"f": marked("o", "t")}) == {"f": resolved("both")}
