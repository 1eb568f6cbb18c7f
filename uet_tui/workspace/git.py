"""The one way git is run: an absolute program, a scrubbed environment, nothing that a repository could make it run."""

import os
import re
import shutil
import subprocess
from collections.abc import Container, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path

from uet_tui.errors import UetError, tells_no_room
from uet_tui.text import one_line

MINIMUM = (2, 38)
"""The first git with `merge-tree --write-tree`."""

_SAFE = (
    "--no-pager",
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "core.attributesFile=/dev/null",
    "-c", "core.logAllRefUpdates=false",
    "-c", "core.safecrlf=false",
    "-c", "core.protectHFS=true",
    "-c", "core.protectNTFS=true",
    "-c", "advice.addEmbeddedRepo=false",
    "-c", "submodule.recurse=false",
    "-c", "protocol.ext.allow=never",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip
_DURABLE = (
    "-c", "core.fsync=committed,reference",
    "-c", "core.fsyncMethod=batch",
)  # fmt: skip
"""What git writes survives a power loss before the store says that it is there: else the store could be ahead of it."""
_SAFE_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
}
_COMMON_ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "GIT_EDITOR": "true",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_AUTHOR_NAME": "uet",
    "GIT_AUTHOR_EMAIL": "uet@localhost",
    "GIT_COMMITTER_NAME": "uet",
    "GIT_COMMITTER_EMAIL": "uet@localhost",
    "LC_ALL": "C",
}
_PATIENCE_SECONDS = 600.0
"""After this a git that does not end is ended: a network file system that went away must not hold a run for ever."""


class Trust(Enum):
    """Whose configuration git may read, and whether it may run what that configuration names."""

    OURS = "ours"
    """Control repository and sandboxes: only the control repository's own configuration."""
    READ = "read"
    """The operator's repository: their configuration is read (`safe.directory`, extensions), no program of it runs."""
    OPERATOR = "operator"
    """As if the operator had typed it, hooks and filters included: for landing in their checkout, nothing else."""


class GitError(UetError):
    """A git command that failed."""

    def __init__(self, arguments: tuple[str, ...], code: int, stderr: str) -> None:
        said = "; ".join(one_line(line) for line in stderr.strip().splitlines()[:3]) or "it said nothing"
        super().__init__(f"git {one_line(' '.join(arguments), 120)} ended with {code}: {said}")
        self.code = code
        self.stderr = stderr
        self.no_room = tells_no_room(stderr)


@dataclass(frozen=True, slots=True)
class Done:
    """How a git command ended."""

    code: int
    out: bytes
    err: str


@cache
def find_git() -> str:
    """The absolute path of the git program.

    Raises:
        UetError: there is none.
    """
    found = shutil.which("git")
    if found is None:
        raise UetError("git was not found on PATH: install git 2.38 or newer")
    return str(Path(found).resolve())


@cache
def version() -> tuple[int, int]:
    """Which git this is: its first two numbers; (0, 0) if it says nothing that looks like a version."""
    return _version_in(os.fsdecode(Git(Path("/")).run("version").out))


def _version_in(text: str) -> tuple[int, int]:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def check_version(text: str | None = None) -> None:
    """Checks that git is new enough; `text` stands for what `git version` prints.

    Raises:
        UetError: git is older than 2.38, or says nothing that looks like a version.
    """
    said = os.fsdecode(Git(Path("/")).run("version").out) if text is None else text
    if _version_in(said) < MINIMUM:
        raise UetError(f"{one_line(said) or 'git'} is too old: uet merges in memory, which needs git 2.38 or newer")


class Git:
    """Runs git in one folder, for one repository. Has no state of its own, so threads may share it."""

    __slots__ = ("_environment", "_flags", "cwd")

    def __init__(self, cwd: Path, *, trust: Trust = Trust.OURS, variables: Mapping[str, str] | None = None) -> None:
        """`variables` name the repository: `GIT_DIR`, `GIT_WORK_TREE`, `GIT_INDEX_FILE`."""
        self.cwd = cwd
        self._flags = {Trust.OPERATOR: (), Trust.READ: _SAFE, Trust.OURS: _SAFE + _DURABLE}[trust]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        if trust is Trust.OPERATOR:
            own = {"GIT_TERMINAL_PROMPT": "0", "GIT_MERGE_AUTOEDIT": "no"}
        else:
            own = _COMMON_ENVIRONMENT | (_SAFE_ENVIRONMENT if trust is Trust.OURS else {})
        self._environment = inherited | own | dict(variables or {})

    def run(
        self, *args: str, input: bytes | None = None, env: Mapping[str, str] | None = None, ok: Container[int] = (0,)
    ) -> Done:
        """Runs one git command to its end; `env` adds variables for it alone.

        Raises:
            GitError: it ended with a code that is not in `ok`, or did not end in ten minutes.
        """
        try:
            done = subprocess.run(
                (find_git(), *self._flags, *args),
                check=False,
                capture_output=True,
                cwd=self.cwd,
                env=self._environment | dict(env) if env else self._environment,
                input=b"" if input is None else input,
                timeout=_PATIENCE_SECONDS,
                process_group=0,  # the operator's Ctrl-C is for the orchestrator, which lets git finish
            )
        except subprocess.TimeoutExpired as error:
            raise GitError(args, -1, f"it did not end in {_PATIENCE_SECONDS:.0f} seconds") from error
        err = done.stderr.decode("utf-8", "replace")
        if done.returncode not in ok:
            raise GitError(args, done.returncode, err)
        return Done(done.returncode, done.stdout, err)

    def first(self, limit: int, *args: str) -> tuple[bytes, bool]:
        """The first `limit` bytes of what a command prints, and whether there was more; the rest is never made."""
        with self.start(*args) as process:
            if process.stdin is None or process.stdout is None:
                raise AssertionError("start() opens both")
            process.stdin.close()
            out = process.stdout.read(limit + 1)
            if len(out) > limit:
                process.kill()
                return out[:limit], True
        if process.returncode:
            raise GitError(args, process.returncode, "")
        return out, False

    def start(self, *args: str) -> subprocess.Popen[bytes]:
        """Starts a command that is spoken to over its standard input and output; its errors are not kept."""
        return subprocess.Popen(
            (find_git(), *self._flags, *args),
            cwd=self.cwd,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            process_group=0,
        )
