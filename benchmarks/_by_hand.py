"""The baseline of `overhead.py`: the git work of a plan as a careful person scripts it, with make and nothing else.

Per workstream a worktree and branch of its own, the edit, a commit, and the worktree away again, as many at once as
make runs jobs; at the end every branch is merged, one after another, without a checkout. It keeps no state, notices
no failure, runs no gate and resumes nothing.
"""

import subprocess
from collections.abc import Sequence
from pathlib import Path

_RECIPE = """\
{name}:
\t@flock turn git -C {repository} worktree add -q -b {branch} {tree} HEAD
\t@cd {tree} && {{ {script}; }} && git add -A && git commit -q -m '{name}'
\t@flock turn git -C {repository} worktree remove --force {tree}
"""
"""Adding and removing take turns: git loses a race between them now and then."""


def by_hand(repository: Path, scripts: Sequence[str], jobs: int, scratch: Path) -> str:
    """Does the work of the scripts, merges it, and gives the commit with all of it."""
    scratch.mkdir()
    recipes = [
        _RECIPE.format(
            name=f"w{n}", repository=repository, branch=_branch(n), tree=scratch / f"tree-{n}", script=script
        )
        for n, script in enumerate(scripts)
    ]
    (scratch / "Makefile").write_text(
        "all: " + " ".join(f"w{n}" for n in range(len(scripts))) + "\n" + "".join(recipes)
    )
    subprocess.run(["make", "-s", f"-j{jobs}", "all"], cwd=scratch, check=True)
    tip = _git(repository, "rev-parse", "HEAD")
    for n in range(len(scripts)):
        tree = _git(repository, "merge-tree", "--write-tree", tip, _branch(n))
        merge = _git(repository, "commit-tree", "-p", tip, "-p", _branch(n), "-m", f"Merge w{n}", tree)
        _git(repository, "update-ref", "refs/heads/by-hand/all", merge, "" if n == 0 else tip)
        tip = merge
    return tip


def _branch(number: int) -> str:
    return f"by-hand/w{number}"


def _git(repository: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True, text=True)
    return done.stdout.split("\n", 1)[0]
