"""Whatever is accepted without a human contains every line that either side added, by definitions of others."""

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping

import pytest

from tests.merge.edits import Pair, pairs
from tests.merge.workshops import climbed, ladder
from tests.support.repository import make_repository
from tests.workspace.bench import Bench
from uet_tui.core.conflicts import ConflictFile, holds
from uet_tui.merge.merging import Clean, Conflicted, merge

PAIRS = 200
SEED = 20_260
NAIVE = (
    ("**/*[05]_*.py", "cp {ours} {output}"),  # takes a side, as a careless tool does
    ("**/*[16]_*.py", "git merge-file -p --theirs {ours} {base} {theirs} > {output}; true"),
    ("**/*[27]_*.py", "sort -u {ours} {theirs} > {output}"),
    ("**/*[38]_*.py", "cat {ours} {theirs} > {output}"),
    ("**/*[49]_*.py", "git merge-file -p --union {ours} {base} {theirs} | grep -v '_1[0-9] =' > {output}"),
)
"""Programs that merge as if nobody looked; most of them drop lines."""


def bare(text: bytes) -> list[bytes]:
    return [line.removesuffix(b"\r") for line in text.removesuffix(b"\n").split(b"\n")]


def by_difflib(base: bytes, side: bytes) -> set[bytes]:
    diff = difflib.unified_diff(*([line.decode("latin-1") for line in bare(text)] for text in (base, side)), n=0)
    return {line[1:].encode("latin-1") for line in list(diff)[2:] if line.startswith("+")}


def by_git(bench: Bench, base: str, side: str, *options: str) -> dict[str, set[bytes]]:
    """The lines that `git diff` marks with a plus, by path."""
    out = bench.control.git.run("diff", "-U0", "--no-renames", "--ignore-cr-at-eol", *options, base, side).out
    found: dict[str, set[bytes]] = {}
    for part in out.split(b"diff --git ")[1:]:
        head, _, hunks = part.partition(b"\n@@")
        path = head.splitlines()[0].rpartition(b" b/")[2].decode()
        lines = hunks.split(b"\n")[1:]
        found[path] = {line[1:].removesuffix(b"\r") for line in lines if line.startswith(b"+")}
    return found


def lacking(pair: Pair, result: bytes, gits: Mapping[str, Mapping[str, set[bytes]]]) -> list[str]:
    """What of the lines that a side added the result does not hold, by each definition of added."""
    has = Counter(bare(result))
    base = Counter(bare(pair.base))
    found: list[str] = []
    for name, side in (("ours", pair.ours), ("theirs", pair.theirs)):
        added = by_difflib(pair.base, side) | gits[name].get(pair.path, set())
        found += [f"{pair.path}: {name} {line!r}" for line in added if line not in has]
        new = {line: count for line, count in Counter(bare(side)).items() if line not in base and line.strip()}
        found += [f"{pair.path}: {name} {line!r} {has[line]} of {n}" for line, n in new.items() if has[line] < n]
    return found


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    bench = Bench.over(make_repository(tmp_path_factory.mktemp("lost") / "repository"))
    yield bench
    bench.control.close()


def judged(bench: Bench, count: int, seed: int, union: tuple[str, ...], structural: tuple[tuple[str, str], ...]):
    """Merges many pairs at once; gives what is lacking of what was accepted, how much was, and of what was not."""
    made = pairs(count, seed)
    first = bench.first({pair.path: pair.base for pair in made})
    sides = [bench.commit(first, {pair.path: getattr(pair, side) for pair in made}) for side in ("ours", "theirs")]
    found = merge(bench.control, *sides)
    tree, files = (found.tree, ()) if isinstance(found, Clean) else (found.tree, found.files)
    if isinstance(found, Conflicted):
        files = climbed(bench, found, ladder(union=union, structural=structural)).files
    conflicts: Mapping[str, ConflictFile] = {file.path: file for file in files}
    gits = {
        name: {
            path: mine.get(path, set()) | other.get(path, set())
            for mine, other in [(by_git(bench, first, side), by_git(bench, first, side, "--histogram"))]
            for path in mine.keys() | other.keys()
        }
        for name, side in zip(("ours", "theirs"), sides, strict=True)
    }
    tally: Counter[tuple[str, str, bool]] = Counter()
    bad: list[str] = []
    for pair in made:
        file = conflicts.get(pair.path)
        if file is not None and not holds(file):
            if file.proposed is not None:
                refused = bench.control.read_blob(file.proposed.oid)
                tally["refused", file.proposed_by, bool(lacking(pair, refused, gits))] += 1
            continue
        text = bench.control.read_blob(file.proposed.oid) if file and file.proposed else bench.text(tree, pair.path)
        assert text is not None
        tally["accepted", file.proposed_by if file else "clean", True] += 1
        bad += lacking(pair, text, gits)
    return bad, tally


@pytest.mark.slow
def test_what_is_accepted_of_two_hundred_pairs_of_edits_holds_every_line_that_a_side_added(lasting: Bench) -> None:
    bad, tally = judged(lasting, PAIRS, SEED, union=("**/1*_*.py",), structural=NAIVE)
    assert bad == []
    for accepted in ("clean", "union", "structural"):
        assert tally["accepted", accepted, True] > 10, tally
    assert tally["refused", "structural", True] > 10, f"the check had nothing to find: {tally}"
