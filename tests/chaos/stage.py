"""A stage for runs by the real program, each orchestrator a process that may die, and what must hold of them."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from tests.chaos import plans
from tests.support import leftovers
from tests.support.repository import make_repository
from tests.support.wait import until
from tests.workspace.test_untouched import fingerprint
from uet_tui import failpoints
from uet_tui.plan.model import Workstream
from uet_tui.store.paths import Home

ROOT = Path(__file__).parents[2]
_ENOUGH = 180
"""Seconds that no command here takes."""
_ROUNDS = 12


class Stage:
    """One repository with one run of a plan."""

    def __init__(self, folder: Path, plan: list[Workstream]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.repository = make_repository(folder / "repository", plans.FILES)
        self.home = Home(self.repository.path / ".uet")
        self.trace = folder / "trace"
        self._ids = [ws.id for ws in plan]
        self._sets = [word for text in plans.settings(folder) for word in ("--set", text)]
        self._plan = folder / "plan.json"
        self._plan.write_text(json.dumps([ws.model_dump(mode="json") for ws in plan]))
        self.repository.write("README.md", "stashed\n")
        self.repository.git("stash", "-q")
        self.repository.write("untracked.txt", "the operator's\n")
        self.repository.write("staged.txt", "the operator's\n")
        self.repository.git("add", "staged.txt")
        self._before = fingerprint(self.repository)

    # What is done

    def begin(self, *words: str, point: str = "") -> "subprocess.Popen[str]":
        """Starts a command of the program in a process of its own; a failpoint fails in it and in its keepers."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        if point:
            environment |= {failpoints.VARIABLE: point, failpoints.TRACE: str(self.trace)}
        return subprocess.Popen(
            [sys.executable, "-m", "uet_tui", *words],
            cwd=self.repository.path,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def do(self, *words: str, point: str = "") -> int:
        """How a command ends; it never shows what only a programmer would understand."""
        process = self.begin(*words, point=point)
        try:
            _, told = process.communicate(timeout=_ENOUGH)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"uet {' '.join(words)} does not end") from None
        assert "Traceback" not in told, told
        return process.returncode

    def orchestrate(self) -> list[str]:
        """The command that goes on from wherever the run is."""
        if self.run:
            return ["resume", "--headless", "--json"]
        return ["run", str(self._plan), "--headless", "--json", *self._sets]

    def to_the_end(self) -> None:
        """Does what an operator would, until all is merged: resumes, retries what could not be done, asks again."""
        for _ in range(_ROUNDS):
            if self.run:
                if self.state == "COMPLETED":
                    return
                for (id,) in self.sql("SELECT id FROM workstreams WHERE state IN ('FAILED', 'QUARANTINED')"):
                    self.do("retry", id)
                for (id,) in self.sql("SELECT id FROM merge_conflicts WHERE state IN ('PENDING', 'PROPOSED')"):
                    self.do("conflicts", "again", id)
            self.do(*self.orchestrate())
        raise AssertionError(f"it does not come to its end: {self.sql('SELECT id, state, reason FROM workstreams')}")

    # What is seen

    def sql(self, query: str) -> list[tuple]:
        """What the store holds."""
        with closing(sqlite3.connect(self.home.database)) as connection:
            return connection.execute(query).fetchall()

    @property
    def run(self) -> str:
        """The run's id; empty while there is none on record."""
        if not self.home.database.exists():
            return ""
        return next((id for (id,) in self.sql("SELECT id FROM runs")), "")

    @property
    def state(self) -> str:
        """The run's state."""
        return str(self.sql("SELECT state FROM runs")[0][0])

    @property
    def tip(self) -> str:
        """The integration branch as the operator's repository has it."""
        return self.repository.git("rev-parse", f"refs/heads/uet/{self.run}")

    @property
    def tree(self) -> str:
        """What all of it comes to."""
        return self.repository.git("rev-parse", f"{self.tip}^{{tree}}")

    def lines(self, name: str) -> list[str]:
        """What agents wrote beside the repository."""
        path = self.folder / name
        return path.read_text().split() if path.exists() else []

    def keepers(self) -> dict[int, str]:
        """The keepers that run, by process id."""
        found = leftovers.processes("none", self.folder)
        return {pid: words for pid, words in found.items() if "keeper.py" in words}

    # What must hold

    def check_always(self) -> None:
        """What must hold whenever no orchestrator has the run."""
        assert fingerprint(self.repository) == self._before, "the operator's repository is as it was"
        if not self.run:
            return
        self.check_events()
        merges = self._merges()
        assert max(merges.values(), default=1) == 1, merges
        ran = self.lines("ran")
        assert len(ran) == len(set(ran)), "no attempt runs twice"
        recorded = self.sql("SELECT coalesce(sum(usd), 0) FROM cost_tracking")[0][0]
        assert recorded <= self.spent + 1e-9, "no cost is counted twice"

    def check_events(self) -> None:
        """That the store is whole."""
        assert self.sql("PRAGMA quick_check") == [("ok",)]
        ids = [id for (id,) in self.sql("SELECT id FROM uet_events ORDER BY id")]
        assert ids == list(range(1, len(ids) + 1)), "no event is missing"

    def check(self, tree: str, *, every_cost: bool = True) -> None:
        """What must hold at the end; `every_cost`: no keeper died that would have told what its agent used."""
        self.check_always()
        assert self.tree == tree, self.repository.git("diff", "--stat", tree, self.tree)
        assert self._merges() == Counter(self._ids), "each is merged exactly once"
        assert self.tip == self.sql("SELECT tip FROM runs")[0][0]
        until(lambda: not leftovers.processes("none", self.folder), 10, "all processes to be gone")
        locks = [path for path in self.home.folder.glob("**/*.lock") if path.parent.name in ("control.git", "indexes")]
        assert not locks
        assert not list(self.home.folder.glob("control.git.new-*"))
        assert not list(self.home.run(self.run).sandbox(1).parent.glob("resolve-*")), "no sandbox of a conflict is left"
        if every_cost:
            recorded = self.sql("SELECT coalesce(sum(usd), 0) FROM cost_tracking")[0][0]
            assert abs(recorded - self.spent) < 1e-9, "no cost is lost"
        assert self.sql("SELECT coalesce(sum(reserved_usd), 0) FROM attempts WHERE state = 'RUNNING'")[0][0] == 0

    @property
    def spent(self) -> float:
        """What agents really used, in US dollars."""
        return plans.USD * len(self.lines("ran")) + plans.ASK_USD * len(self.lines("asked"))

    def _merges(self) -> Counter[str]:
        git = ["git", "--git-dir", str(self.home.control), "log", "--format=%(trailers:key=UET-Workstream,valueonly)"]
        branch = f"refs/heads/uet/{self.run}"
        done = subprocess.run([*git, f"{self.repository.head}..{branch}"], check=True, capture_output=True, text=True)
        return Counter(done.stdout.split())


def died(code: int) -> bool:
    """Whether a process was killed."""
    return code == -signal.SIGKILL
