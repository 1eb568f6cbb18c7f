"""The verdict on pairs of branches: what plain git says of each, and who is really at odds with whom."""

import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path

import pytest

from tests.workspace.bench import Bench
from uet_tui.core.conflicts import Entry
from uet_tui.merge.pairs import Branch, Pair, Pairs
from uet_tui.workspace import mergetree
from uet_tui.workspace import scratch as scratch_module
from uet_tui.workspace.mergetree import merge_tree, merge_trees
from uet_tui.workspace.scratch import Scratch

LINES = b"".join(b"line %d\n" % number for number in range(1, 21))
Edits = Mapping[str, bytes | Entry | None]


@pytest.fixture
def scratch(bench: Bench, tmp_path: Path) -> Iterator[Scratch]:
    scratch = Scratch(bench.control, tmp_path / "forecast")
    yield scratch
    scratch.close()


@pytest.fixture
def pairs(bench: Bench, scratch: Scratch) -> Pairs:
    return Pairs(bench.control, scratch)


def branches(bench: Bench, base: str, **edits: Edits) -> list[Branch]:
    return [Branch(id, bench.commit(base, edit), base) for id, edit in edits.items()]


def looked(pairs: Pairs, at: Sequence[Branch]) -> tuple[Pair, ...]:
    return tuple(pairs.look(at))


def changed(number: int, text: bytes) -> bytes:
    return LINES.replace(b"line %d\n" % number, text)


def test_a_pair_is_clean_or_shares_a_file_or_conflicts(bench: Bench, pairs: Pairs) -> None:
    base = bench.first({"src/f": LINES, "g": LINES})
    found = looked(
        pairs,
        branches(
            bench,
            base,
            a={"src/f": changed(2, b"a\n")},
            b={"src/f": changed(2, b"b\n")},
            c={"src/f": changed(19, b"c\n")},
            d={"src/new": b"d\n"},
        ),
    )
    assert found == (
        Pair("a", "b", "conflict", ("src/f",)),
        Pair("a", "c", "same file", ("src/f",)),
        Pair("a", "d", "clean"),
        Pair("b", "c", "same file", ("src/f",)),
        Pair("b", "d", "clean"),
        Pair("c", "d", "clean"),
    )


def test_a_pair_is_not_merged_again_while_both_stay_as_they_are(
    bench: Bench, pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(self: Scratch, wanted: Sequence[tuple[str, str]]) -> object:
        asked.append(len(wanted))
        return original(self, wanted)

    original = Scratch.try_merge
    monkeypatch.setattr(Scratch, "try_merge", counting)
    base = bench.first({"f": LINES})
    before = branches(bench, base, **{f"b{n}": {"f": changed(n, b"changed\n")} for n in range(1, 6)})
    first = looked(pairs, before)
    assert looked(pairs, before) == first
    moved = bench.control.commit_tree(bench.control.tree_of(before[0].commit), (base,), "the same tree")
    assert looked(pairs, [Branch("b1", moved, base), *before[1:]]) == first
    pairs.look([*branches(bench, base, b1={"f": changed(2, b"other\n")}), *before[1:]])
    assert asked == [10, 0, 0, 4]


def test_what_only_conflicts_with_merged_work_is_not_held_against_who_came_later(bench: Bench, pairs: Pairs) -> None:
    base = bench.first({"f": LINES, "g": LINES})
    merged = bench.commit(base, {"f": changed(2, b"merged\n")})
    later = bench.commit(merged, {"f": changed(2, b"merged\n").replace(b"line 12\n", b"later\n")})
    at_odds = bench.commit(base, {"f": changed(2, b"early\n"), "g": changed(2, b"early\n")})
    rival = bench.commit(merged, {"g": changed(2, b"rival\n")})
    apart = bench.commit(merged, {"new": b"new\n"})
    found = looked(
        pairs,
        [
            Branch("early", at_odds, base),
            Branch("later", later, merged),
            Branch("rival", rival, merged),
            Branch("apart", apart, merged),
        ],
    )
    assert {(p.first, p.second): (p.verdict, p.files) for p in found if "early" in (p.first, p.second)} == {
        ("apart", "early"): ("clean", ()),
        ("early", "later"): ("conflict", ("f",)),  # it conflicts with f as it is, and later goes on with f as it is
        ("early", "rival"): ("conflict", ("g",)),
    }


def test_branches_from_different_times_are_tried_from_the_later_one(bench: Bench, pairs: Pairs) -> None:
    base = bench.first({"f": LINES})
    merged = bench.commit(base, {"f": changed(2, b"merged\n")})
    early = bench.commit(base, {"f": changed(12, b"early\n")})
    later = bench.commit(merged, {"f": changed(2, b"merged\n").replace(b"line 12\n", b"later\n")})
    beside = bench.commit(merged, {"f": changed(2, b"again\n")})
    found = pairs.look([Branch("a", early, base), Branch("b", later, merged), Branch("c", beside, merged)])
    assert [pair.verdict for pair in found] == ["conflict", "same file", "same file"]


def test_a_file_that_was_renamed_between_the_beginnings_of_two_branches_is_followed(bench: Bench, pairs: Pairs) -> None:
    base = bench.first({"old/f": LINES, "g": LINES})
    early = bench.commit(base, {"old/f": changed(12, b"early\n")})
    merged = bench.commit(base, {"old/f": None, "new/f": LINES})
    late = bench.commit(merged, {"new/f": changed(12, b"late\n")})
    [found] = pairs.look([Branch("early", early, base), Branch("late", late, merged)])
    assert (found.verdict, "new/f" in found.files) == ("conflict", True)


KINDS = ("edit", "edit", "edit", "add", "delete", "rename", "rename folder", "mode", "binary", "link", "folder")


def history(bench: Bench, seed: int) -> tuple[str, list[str]]:
    """A commit with a few files, and seven with random changes of all kinds on it."""
    chance = random.Random(seed)
    texts = {f"d{n % 3}/f{n}": b"".join(b"%d %d\n" % (n, line) for line in range(12)) for n in range(9)}
    base = bench.first(texts | {"top": LINES, "data": b"\0\1" * 40})
    return base, [bench.commit(base, dict(_changes(bench, chance, texts))) for _ in range(7)]


def _changes(bench: Bench, chance: random.Random, texts: Mapping[str, bytes]) -> Iterator[tuple[str, object]]:
    for _ in range(chance.randrange(1, 4)):
        path = chance.choice(sorted(texts))
        folder, _, name = path.partition("/")
        lines = texts[path].splitlines(keepends=True)
        lines[chance.randrange(len(lines))] = b"%d\n" % chance.randrange(3)
        match chance.choice(KINDS):
            case "edit":
                yield path, b"".join(lines)
            case "add":
                yield f"{folder}/new{chance.randrange(3)}", b"%d\n" % chance.randrange(3)
            case "delete":
                yield path, None
            case "rename":
                yield path, None
                yield f"{chance.choice(('d0', 'e'))}/{name}", b"".join(lines)
            case "rename folder":
                for other, text in texts.items():
                    if other.startswith(folder + "/"):
                        yield other, None
                        yield f"moved/{other.partition('/')[2]}", text
            case "mode":
                yield path, Entry("100755", bench.control.write_blob(texts[path]))
            case "binary":
                yield "data", b"\0%d" % chance.randrange(4) * 40
            case "link":
                yield path, Entry("120000", bench.control.write_blob(b"%d" % chance.randrange(3)))
            case "folder":
                yield path, None
                yield f"{path}/inside", b"x"


def git(bench: Bench, *words: str) -> tuple[int, list[str]]:
    done = subprocess.run(["git", *words], cwd=bench.control.path, capture_output=True, check=False)
    return done.returncode, [path.decode() for path in done.stdout.split(b"\0") if path]


@pytest.mark.parametrize("seed", range(12))
def test_git_says_the_same_of_each_pair(bench: Bench, pairs: Pairs, seed: int) -> None:
    base, commits = history(bench, seed)
    found = looked(pairs, [Branch(f"b{n}", commit, base) for n, commit in enumerate(commits)])
    verdicts: list[Pair] = []
    for (n, one), (m, other) in combinations(enumerate(commits), 2):
        code, said = git(bench, "merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", one, other)
        diffs = [git(bench, "diff", "-z", "--no-renames", "--name-only", base, c)[1] for c in (one, other)]
        both = tuple(sorted(set(diffs[0]) & set(diffs[1])))
        if code:
            verdicts.append(Pair(f"b{n}", f"b{m}", "conflict", tuple(sorted(said[1:]))))
        else:
            verdicts.append(Pair(f"b{n}", f"b{m}", "same file" if both else "clean", both))
    plain = [pair if pair.verdict != "conflict" else (pair.first, pair.second) for pair in verdicts]
    assert [pair if pair.verdict != "conflict" else (pair.first, pair.second) for pair in found] == plain
    for pair, wanted in zip(found, verdicts, strict=True):
        if pair.verdict == "conflict":
            assert set(wanted.files) <= set(pair.files)


@pytest.mark.parametrize("seed", range(3))
def test_one_process_for_all_merges_and_one_for_each_say_the_same(bench: Bench, seed: int) -> None:
    _, commits = history(bench, seed)
    wanted = list(combinations(commits, 2))
    git = bench.control.git
    each = tuple(merge_tree(bench.control, *pair) for pair in wanted)
    assert merge_trees(git, wanted, at_once=True) == merge_trees(git, wanted, at_once=False) == each
    assert len({tree.tree for tree in each}) > 10


def test_a_pair_that_git_cannot_merge_at_all_keeps_no_other_from_being_merged(bench: Bench) -> None:
    base, commits = history(bench, 1)
    stranger = bench.first({"f": b"x"})
    found = merge_trees(bench.control.git, [(base, commits[0]), (base, stranger), (base, commits[1])])
    assert [tree and tree.tree for tree in found] == [
        bench.control.tree_of(commits[0]),
        None,
        bench.control.tree_of(commits[1]),
    ]


def test_submodules_that_cannot_be_merged_do_not_confuse_what_follows(bench: Bench) -> None:
    def pinned(commit: str) -> Entry:
        return Entry("160000", commit)

    one, two, three = (bench.first({"x": b"%d" % n}) for n in range(3))
    base = bench.commit(bench.base, {"sub": pinned(one)})
    ours, theirs = bench.commit(base, {"sub": pinned(two)}), bench.commit(base, {"sub": pinned(three)})
    other = bench.commit(base, {"f": b"f"})
    found = merge_trees(bench.control.git, [(ours, theirs), (ours, other), (theirs, ours)], at_once=True)
    assert [tree and bool(tree.stages) for tree in found] == [True, False, True]


def test_an_older_git_merges_them_one_by_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    _, commits = history(bench, 2)
    wanted = list(combinations(commits, 2))
    at_once = merge_trees(bench.control.git, wanted)

    def refuse(*_: object) -> None:
        raise AssertionError("this git cannot")

    monkeypatch.setattr(mergetree, "version", lambda: (2, 38))
    monkeypatch.setattr(mergetree, "_merge_all", refuse)
    assert merge_trees(bench.control.git, wanted) == at_once


def test_looking_leaves_nothing_in_the_control_repository(bench: Bench, scratch: Scratch) -> None:
    base, commits = history(bench, 3)
    before = {path for path in bench.control.path.rglob("*") if path.is_file()}
    Pairs(bench.control, scratch).look([Branch(f"b{n}", commit, base) for n, commit in enumerate(commits)])
    assert {path for path in bench.control.path.rglob("*") if path.is_file()} == before
    scratch.close()
    assert not scratch.folder.exists()
    assert not any(path.exists() for path in scratch._passing)


def test_what_a_look_left_that_was_killed_is_removed_by_the_next(bench: Bench, scratch: Scratch) -> None:
    left = [scratch.folder / "objects/left", *(path / "left" for path in scratch._passing)]
    for path in left:
        path.mkdir(parents=True, exist_ok=True)
    again = Scratch(bench.control, scratch.folder)
    assert not any(path.exists() for path in left)
    again.close()


def test_a_machine_with_little_memory_merges_on_disk(
    bench: Bench, scratch: Scratch, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores: list[Path] = []

    def noting(self: Scratch) -> Path:
        stores.append(original(self))
        return stores[-1]

    original = Scratch._make_passing
    monkeypatch.setattr(Scratch, "_make_passing", noting)
    _, commits = history(bench, 4)
    wanted = list(combinations(commits, 2))
    usual = scratch.try_merge(wanted)
    monkeypatch.setattr(scratch_module, "_ROOM", 1 << 62)
    assert scratch.try_merge(wanted) == usual == merge_trees(bench.control.git, wanted)
    assert stores[-1].is_relative_to(scratch.folder)
    assert not any(store.exists() for store in stores)
