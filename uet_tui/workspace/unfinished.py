"""Snapshots of what an agent is still at: taken beside it, without a trace in its files, its index or its `.git`."""

import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from uet_tui.workspace.sandbox import Sandbox
from uet_tui.workspace.scratch import Scratch
from uet_tui.workspace.survey import glance, oddities, would_hang

LARGEST = 4_000_000
"""Bytes above which a file is left out: it is not merged line by line, and storing it again and again costs."""
_TICK = 0.1
"""Seconds within which two changes of a file may bear one time; file systems count in 4 to 10 ms."""


class Unfinished:
    """The work of one attempt, whose agent may be writing at this moment. For one thread."""

    def __init__(self, scratch: Scratch, sandbox: Sandbox, base: str) -> None:
        """`base` is the commit that the attempt began at."""
        self.commit: str | None = None
        """The newest snapshot, on `base`."""
        self._scratch = scratch
        self._sandbox = sandbox
        self._base = base
        self._index = scratch.folder / "indexes" / sandbox.index.name
        self._git = scratch.snapshotting(sandbox.folder, self._index)
        self._seen = b""
        self._begin()

    def _begin(self) -> None:
        """Begins with the index that the sandbox was reset with, so that only what changed since is read."""
        self._index.parent.mkdir(parents=True, exist_ok=True)
        for left in (self._index, Path(f"{self._index}.lock")):
            left.unlink(missing_ok=True)
        with suppress(OSError):
            # With its time, by which git tells what it must look at again.
            shutil.copy2(self._sandbox.index, self._index)
            return
        self._git.run("read-tree", self._base)

    def look(self, leaving_out: Sequence[bytes] = ()) -> bool:
        """Takes a snapshot if any file changed since the last look, and says whether there is a new one.

        Files of `leaving_out` stay as they were in the last one.
        Files that are ignored, very large, or in repositories of their own are left out. A file that changes or goes
        away meanwhile is as it was before or after; the next look sees it again.

        Raises:
            GitError: git cannot read the sandbox.
        """
        began = time.time()
        seen = glance(self._sandbox.folder, self._sandbox.keep, LARGEST)
        if seen.signature == self._seen:
            return False
        odd = list(oddities(self._sandbox.folder, self._sandbox.keep))
        if would_hang(odd):
            return False
        left_out = [*leaving_out, *seen.large, *(path for path, kind in odd if kind == "repository")]
        self._add(left_out)
        tree = self._git.run("write-tree").out.decode().strip()
        settled = seen.newest < began - _TICK
        self._seen = seen.signature if settled else b""
        commit = self._scratch.commit(tree, (self._base,))
        new, self.commit = commit != self.commit, commit
        return new

    def _add(self, left_out: list[bytes]) -> None:
        paths = b"".join(b":(exclude,literal)" + path + b"\0" for path in left_out)
        self._git.run(
            *self._sandbox.overlooking(),
            "add", "--all", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul",
            input=b".\0" + paths,
            env={"GIT_LITERAL_PATHSPECS": "0"},
            ok=(0, 1, 128),
        )  # fmt: skip
