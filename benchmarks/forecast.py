"""What looking ahead costs, beside one `git merge-tree` for each pair, and `git status` for each sandbox.

    python -m benchmarks.forecast [--rounds 5] [--json]

Fifty branches, 1,225 pairs, in a repository of 1,000 files; each branch changes ten. Once all of them change one file
in common, so that git must merge every pair; once each changes files by chance, as work that was planned apart does.
Then eight sandboxes of 1,000 files: a look at agents that write nothing, and one at agents that each changed a file.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from itertools import combinations, count
from pathlib import Path

from benchmarks._report import Figure, medians, tell
from uet_tui.core.conflicts import Entry
from uet_tui.merge.pairs import Branch, Pairs
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.sandbox import Sandbox
from uet_tui.workspace.scratch import Scratch
from uet_tui.workspace.unfinished import Unfinished

FILES, BRANCHES, CHANGED, SANDBOXES, LINES = 1000, 50, 10, 8, 40


def name(number: int) -> str:
    """The path of a file."""
    return f"src/p{number % 20:02}/q{number % 5}/m{number:04}.py"


def text(number: int, changed: str = "", at: int = 0) -> bytes:
    """A file of 40 lines, one of them changed."""
    lines = [f"def f{line}(): return {line * number}\n" for line in range(LINES)]
    if changed:
        lines[at] = changed
    return "".join(lines).encode()


class Ground:
    """A repository, and branches in it."""

    def __init__(self, folder: Path) -> None:
        repository = folder / "repository"
        for number in range(FILES):
            (repository / name(number)).parent.mkdir(parents=True, exist_ok=True)
            (repository / name(number)).write_bytes(text(number))
        for words in (
            ("init", "-q", "-b", "main"),
            ("config", "gc.auto", "0"),
            ("add", "-A"),
            ("-c", "user.name=o", "-c", "user.email=o@example.invalid", "commit", "-q", "-m", "Begin"),
            ("repack", "-adq"),
        ):
            subprocess.run(["git", *words], cwd=repository, check=True)
        self.folder = folder
        operator = OperatorRepository.discover(repository)
        self.control = ControlRepository.open_or_create(folder / "control.git", operator)
        self.base = operator.head
        self.chance = random.Random(1)
        self.scratches = count()

    def branch(self, id: str, *, common: bool) -> Branch:
        """A branch that changes a line in each of ten files, and in one that all change if `common`."""
        numbers = self.chance.sample(range(1, FILES), CHANGED - common) + ([0] if common else [])
        edits: dict[str, Entry | None] = {}
        for number in numbers:
            changed = text(number, f"# {id} {self.chance.random()}\n", self.chance.randrange(LINES))
            edits[name(number)] = Entry("100644", self.control.write_blob(changed))
        tree = self.control.tree_with(self.control.tree_of(self.base), edits)
        return Branch(id, self.control.commit_tree(tree, (self.base,), id), self.base)

    def branches(self, *, common: bool) -> list[Branch]:
        """Fifty of them."""
        return [self.branch(f"ws-{n:02}", common=common) for n in range(BRANCHES)]

    def scratch(self) -> Scratch:
        """A new one."""
        return Scratch(self.control, self.folder / f"forecast-{next(self.scratches)}")

    def cold(self, branches: Sequence[Branch]) -> None:
        """A first look at all of them."""
        scratch = self.scratch()
        Pairs(self.control, scratch).look(branches)
        scratch.close()

    def one_by_one(self, pairs: Sequence[tuple[Branch, Branch]]) -> None:
        """The baseline: a process for each pair."""
        for one, other in pairs:
            self.control.git.run("merge-tree", "--write-tree", "-z", one.commit, other.commit, ok=(0, 1))


def pair_figures(ground: Ground, rounds: int, what: str, *, common: bool) -> list[Figure]:
    """All pairs, and those of one branch that changed."""
    branches = ground.branches(common=common)
    every = list(combinations(branches, 2))
    scratch = ground.scratch()
    kept = Pairs(ground.control, scratch)
    kept.look(branches)
    fresh = (ground.branch(branches[0].id, common=common) for _ in count())
    ready = [next(fresh) for _ in range(rounds)]
    took = medians(
        rounds,
        {
            "cold": partial(ground.cold, branches),
            "one": lambda: kept.look([ready.pop(), *branches[1:]]),
            "each": partial(ground.one_by_one, every),
            "each of one": partial(ground.one_by_one, every[: BRANCHES - 1]),
        },
    )
    scratch.close()
    return [
        Figure(f"{len(every):,} pairs, {what}", took["cold"], "a process for each", took["each"], goal=2.0),
        Figure(f"one of 50 changed, {what}", took["one"], "a process for each", took["each of one"], goal=0.1),
    ]


def sandbox_figures(ground: Ground, rounds: int) -> list[Figure]:
    """Looks at eight sandboxes."""
    scratch = ground.scratch()
    sandboxes = [
        Sandbox(ground.control, ground.folder / "sandboxes" / str(n), ground.folder / "indexes" / str(n))
        for n in range(SANDBOXES)
    ]
    for sandbox in sandboxes:
        sandbox.reset(ground.base)
    works = [Unfinished(scratch, sandbox, ground.base) for sandbox in sandboxes]
    time.sleep(0.2)  # until the files are older than what a file system counts in
    numbers = count()

    def look() -> None:
        for work in works:
            work.look()

    def change() -> None:
        number = next(numbers)
        for sandbox in sandboxes:
            (sandbox.folder / name(number % FILES)).write_text(f"{number}\n")

    def changed() -> None:
        change()
        look()

    def settle() -> None:
        time.sleep(0.2)
        look()

    def status() -> None:
        for sandbox in sandboxes:
            subprocess.run(["git", "status", "--porcelain"], cwd=sandbox.folder, check=True, capture_output=True)

    def by_hand() -> None:
        change()
        for sandbox in sandboxes:
            for words in (("add", "-A"), ("write-tree",)):
                subprocess.run(["git", *words], cwd=sandbox.folder, check=True, capture_output=True)

    look()
    took = medians(rounds, {"settle": settle, "idle": look, "status": status, "changed": changed, "by hand": by_hand})
    scratch.close()
    return [
        Figure("8 agents that write nothing", took["idle"], "git status in each", took["status"]),
        Figure("8 agents that changed a file", took["changed"], "git add, write-tree in each", took["by hand"]),
    ]


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ground = Ground(Path(folder))
        figures = [
            *pair_figures(ground, asked.rounds, "all with a file in common", common=True),
            *pair_figures(ground, asked.rounds, "files by chance", common=False),
            *sandbox_figures(ground, asked.rounds),
        ]
        ground.control.close()
    title = f"Looking ahead in a repository of {FILES:,} files, medians of {asked.rounds}"
    return tell(title, figures, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
