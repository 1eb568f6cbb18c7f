"""The control repository: the orchestrator's own bare repository, where all commits and merges are made."""

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from uet_tui.core.conflicts import Entry
from uet_tui.errors import UetError
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.git import Git, GitError
from uet_tui.workspace.objects import Objects
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.publish import carry
from uet_tui.workspace.refs import RefUpdate, RefWriter
from uet_tui.workspace.trees import Change

ABSENT = "absent"
"""As the old value of a ref: it must not exist yet."""
_OURS = re.compile(r"refs/(?:heads/)?uet/[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")
_CONFIG = """\
[core]
\trepositoryformatversion = 1
\tbare = true
\tfilemode = true
\tlogAllRefUpdates = false
[gc]
\tauto = 0
[extensions]
\tpreciousObjects = true
\tobjectFormat = {object_format}
"""
_ABANDONED_LOCK_SECONDS = 60.0
"""A ref lock this old is nobody's: git holds one for milliseconds."""
_HISTORY = 10_000
"""How many merges back a merge base is looked for: far more than a run has workstreams."""


class StaleRefError(UetError):
    """A ref is not where it was expected to be; nothing was changed."""


class ControlRepository:
    """The orchestrator's own repository, borrowing the operator's objects. Threads may share it."""

    def __init__(self, path: Path, operator: OperatorRepository, clock: Callable[[], float]) -> None:
        """Use `open_or_create`."""
        self.path = path
        self.operator = operator
        self.git = Git(path, variables={"GIT_DIR": str(path)})
        self.objects = Objects(self.git, path / "objects", operator.object_format)
        self._refs = RefWriter(self.git)
        self._published_refs = RefWriter(operator.git)
        self._clock = clock

    @classmethod
    def open_or_create(
        cls, path: Path, operator: OperatorRepository, clock: Callable[[], float] = time.time
    ) -> "ControlRepository":
        """The control repository at `path`, made if it is not there: all of it at one instant, so never half of it.

        `clock` gives the time of commits, in seconds since the epoch.
        """
        path = path.absolute()
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            new = Path(tempfile.mkdtemp(prefix=f"{path.name}.new-", dir=path.parent))
            _make(new, operator)
            try:
                new.rename(path)
            except OSError:  # another process was faster
                shutil.rmtree(new)
        _borrow(path, operator)
        for lock in (*path.glob("*.lock"), *path.glob("refs/**/*.lock")):
            if lock.stat().st_mtime < clock() - _ABANDONED_LOCK_SECONDS:
                lock.unlink(missing_ok=True)
        return cls(path, operator, clock)

    def close(self) -> None:
        """Ends the lasting git processes."""
        for lasting in (self.objects, self._refs, self._published_refs):
            lasting.close()

    def __enter__(self) -> "ControlRepository":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def head_of(self, ref: str) -> str | None:
        """The commit that a ref of the control repository is at, by its full name; None if there is no such ref."""
        return self.objects.find(ref) if _OURS.fullmatch(ref) else None

    def tree_of(self, commit: str) -> str:
        """The tree of a commit."""
        return self.objects.commit(commit).tree

    def commit_tree(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        trailers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
    ) -> str:
        """Makes a commit; the trailers are its last paragraph, whatever the message says. Pairs may repeat a key."""
        who = f"uet <uet@localhost> {int(self._clock())} +0000"
        text = message.replace("\0", "").strip() or "(no message)"
        lines = [
            f"tree {tree}",
            *(f"parent {parent}" for parent in parents),
            f"author {who}",
            f"committer {who}",
            "",
            text,
        ]
        if trailers:
            pairs = trailers.items() if isinstance(trailers, Mapping) else trailers
            lines += ["", *(f"{key}: {one_line(value)}" for key, value in pairs)]
        return self.objects.write("commit", ("\n".join(lines) + "\n").encode("utf-8", "replace"))

    def update_refs(self, updates: Sequence[tuple[str, str, str | None]]) -> None:
        """Sets refs `(ref, new, old)`, all or none.

        `old` is where the ref must be now: `ABSENT` for nowhere, None if it does not matter.

        Raises:
            StaleRefError: one of them is not where it must be.
            UetError: a ref outside `refs/heads/uet/` and `refs/uet/`.
        """
        for ref, _, _ in updates:
            _check(ref)
        self.objects.settle()
        olds = {ABSENT: "0" * len(self.objects.empty_tree), None: ""}
        try:
            self._refs.update([RefUpdate(ref, new, olds.get(old) or old or "") for ref, new, old in updates])
        except GitError as error:
            if all(self.head_of(ref) == new for ref, new, _ in updates):
                return  # git ended before it could say so, but had done it
            for ref, _, old in updates:
                now = self.head_of(ref)
                if old is not None and now != (None if old == ABSENT else old):
                    raise StaleRefError(f"{ref} is at {now or 'no commit'}, not at {old}") from error
            raise

    def changes(self, old: str, new: str) -> tuple[Change, ...]:
        """What changed from one commit to another, in path order; a rename is a deletion and an addition."""
        return trees.compare(self.objects, self.tree_of(old), self.tree_of(new))

    def diff(self, old: str, new: str, limit: int = 1_000_000) -> str:
        """The unified diff from one commit or tree to another, cut at `limit` bytes, which it then says.

        Not made harmless: it is written to a file and made so by whoever shows it.
        """
        out, more = self.git.first(
            limit, "diff-tree", "-p", "-r", "--no-commit-id", "--no-ext-diff", "--no-textconv", "--no-renames",
            "--no-color", "--src-prefix=a/", "--dst-prefix=b/", old, new, "--",
        )  # fmt: skip
        return out.decode("utf-8", "replace") + (f"\n(cut at {limit} bytes)\n" if more else "")

    def read_blob(self, oid: str) -> bytes:
        """The content of a file."""
        return self.objects.read(oid, "blob")

    def write_blob(self, data: bytes) -> str:
        """Stores the content of a file, byte for byte."""
        return self.objects.write("blob", data)

    def tree_with(self, tree: str, edits: Mapping[str, Entry | None]) -> str:
        """The tree with files put in, replaced or (None) taken out.

        Raises:
            UetError: a path that cannot be in a repository.
        """
        return trees.edited(self.objects, tree, edits)

    def entry(self, tree: str, path: str) -> Entry | None:
        """What a tree has at a path."""
        return trees.entry_at(self.objects, tree, path)

    def publish(self, refs: Mapping[str, str]) -> tuple[str, ...]:
        """Brings commits into the operator's repository and sets refs there to them, whatever they were.

        Gives the refs that were held back, because the operator has that branch checked out: moving it would make
        their checkout look changed.

        Raises:
            UetError: a ref outside `refs/heads/uet/` and `refs/uet/`; nothing was changed then.
        """
        for ref in refs:
            _check(ref)
        carry(self.objects, self.path / "objects", self.operator.objects, tuple(refs.values()))
        used = self.operator.refs_checked_out()
        free = {ref: oid for ref, oid in refs.items() if ref not in used}
        if free:
            self._published_refs.update([RefUpdate(ref, oid) for ref, oid in free.items()])
        return tuple(ref for ref in refs if ref in used and self.operator.resolve(ref) != refs[ref])

    def lend(self, commit: str) -> None:
        """Brings a commit into the operator's repository, without a ref."""
        carry(self.objects, self.path / "objects", self.operator.objects, (commit,))

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether one commit is in the history of another; either may be the operator's."""
        return self.git.run("merge-base", "--is-ancestor", old, new, ok=(0, 1)).code == 0

    def merge_base(self, tip: str, commit: str) -> str | None:
        """The one merge base of the integration tip and a snapshot, if it is plain to see; None lets git find it.

        Plain is: `commit` is in the tip already, or its only parent is on the tip's first-parent chain.
        """
        parents = self.objects.commit(commit).parents
        at: str | None = tip if len(parents) == 1 else None
        for _ in range(_HISTORY):
            if at is None or at == commit:
                return at
            above = self.objects.commit(at).parents
            if commit in above:
                return commit
            if at == parents[0]:
                return at
            at = above[0] if above else None
        return None


def _check(ref: str) -> None:
    if not _OURS.fullmatch(ref) or ".." in ref or ref.endswith((".lock", ".")):
        raise UetError(f"{one_line(ref)!r} is not a ref that uet may set: only refs/heads/uet/* and refs/uet/*")


def _make(new: Path, operator: OperatorRepository) -> None:
    new.chmod(0o700)
    for folder in ("objects/info", "objects/pack", "refs/heads", "info"):
        (new / folder).mkdir(parents=True)
    (new / "config").write_text(_CONFIG.format(object_format=operator.object_format))
    (new / "HEAD").write_text("ref: refs/heads/uet/none\n")


def _borrow(path: Path, operator: OperatorRepository) -> None:
    """What follows from the operator's repository, each time anew: it may have been moved or deepened."""
    _write(path / "objects" / "info" / "alternates", os.fsencode(operator.objects) + b"\n")
    _write(path / "info" / "exclude", operator.ignored())
    shallow = operator.common_dir / "shallow"
    if shallow.is_file():
        _write(path / "shallow", shallow.read_bytes())
    else:
        (path / "shallow").unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_bytes(data)
    temporary.replace(path)
