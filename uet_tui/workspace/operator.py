"""The operator's repository: found, read, and left as it is. Nothing here writes its index, HEAD or configuration."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from uet_tui.errors import UetError
from uet_tui.workspace.git import Git, Trust, check_version

_EXCLUDED = b"/.uet/"
_HEADS = "refs/heads/"


@dataclass(frozen=True, slots=True)
class Worktree:
    """A checkout of the operator's repository."""

    path: Path
    branch: str | None
    """The branch it has checked out, or is in the middle of rebasing; None: detached."""
    busy: bool = False
    """Whether a rebase of `branch` is under way there."""


@dataclass(frozen=True, slots=True)
class OperatorRepository:
    """The repository that uet was started in, as it was found."""

    root: Path
    """The top of the checkout that uet was started in."""
    git_dir: Path
    """The checkout's own git directory."""
    common_dir: Path
    """The git directory that all checkouts of the repository share."""
    head: str
    """The commit that is checked out: where a run starts."""
    branch: str | None
    """The branch that is checked out; None: HEAD is detached."""
    object_format: str
    """`sha1` or `sha256`."""
    shallow: bool

    @classmethod
    def discover(cls, cwd: Path) -> "OperatorRepository":
        """The repository around a folder; linked worktrees are repositories like any.

        Raises:
            UetError: not a git repository, a bare one, one without a commit, or git is too old or missing.
        """
        check_version()
        if not cwd.is_dir():
            raise UetError(f"{cwd} is not a folder")
        done = Git(cwd, trust=Trust.READ).run(
            "rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir", "--show-object-format",
            "--is-shallow-repository", "--is-bare-repository", "--show-toplevel", "HEAD", "--symbolic-full-name",
            "HEAD", ok=range(256),
        )  # fmt: skip
        said = done.out.decode("utf-8", "surrogateescape").splitlines()
        if not said:
            if "dubious ownership" in done.err:
                raise UetError(
                    f"{cwd} is in a git repository that belongs to another user; "
                    f"if you trust it: git config --global --add safe.directory {cwd}"
                )
            raise UetError(f"{cwd} is not in a git repository: go to one, or make one with `git init`")
        if len(said) > 4 and said[4] == "true":
            raise UetError(
                f"{said[0]} is a bare repository, without a checkout: go to a clone of it, or `git worktree add` one"
            )
        if len(said) < 6:
            raise UetError(f"{cwd} is inside a git directory: go to the checkout it belongs to")
        if len(said) != 8 or done.code:
            raise UetError(f"{said[5]} has no commit yet: make a first one, then run uet again")
        git_dir, common_dir, object_format, shallow, _, root, head, name = said
        return cls(
            root=Path(root),
            git_dir=Path(git_dir),
            common_dir=Path(common_dir),
            head=head,
            branch=name.removeprefix(_HEADS) if name.startswith(_HEADS) else None,
            object_format=object_format,
            shallow=shallow == "true",
        )

    @property
    def name(self) -> str:
        """What the operator calls it: the name of its folder."""
        return self.root.name

    @property
    def objects(self) -> Path:
        """Where its objects are."""
        return self.common_dir / "objects"

    @property
    def git(self) -> Git:
        """Git in the checkout, reading the operator's configuration and running nothing that it names."""
        return Git(
            self.root, trust=Trust.READ, variables={"GIT_DIR": str(self.git_dir), "GIT_WORK_TREE": str(self.root)}
        )

    def exclude_uet(self) -> None:
        """Makes git overlook `/.uet/` in every checkout, through `info/exclude`; nothing if it does already."""
        exclude = self.common_dir / "info" / "exclude"
        known = exclude.read_bytes() if exclude.exists() else b""
        if _EXCLUDED in known.splitlines():
            return
        exclude.parent.mkdir(exist_ok=True)
        with exclude.open("ab") as file:
            file.write((b"\n" if known and not known.endswith(b"\n") else b"") + _EXCLUDED + b"\n")

    def ignored(self) -> bytes:
        """The operator's own ignore patterns, those outside the tracked files: what they never want in a commit."""
        named = self.git.run("config", "--type=path", "--get", "core.excludesFile", ok=(0, 1)).out
        own = Path(named.decode("utf-8", "surrogateescape").rstrip("\n")) if named else _default_excludes()
        parts = [p.read_bytes() for p in (own, self.common_dir / "info" / "exclude") if p.is_file()]
        return b"\n".join(parts)

    def refs_checked_out(self) -> frozenset[str]:
        """The full names of the branches that are checked out somewhere, read from the HEAD files: no process."""
        heads = [self.common_dir / "HEAD", *self.common_dir.glob("worktrees/*/HEAD")]
        texts = (head.read_text("utf-8", "surrogateescape") for head in heads if head.is_file())
        return frozenset(text[5:].strip() for text in texts if text.startswith("ref: "))

    def resolve(self, name: str) -> str | None:
        """The commit that a ref or any other name stands for; None if there is none."""
        done = self.git.run("rev-parse", "--verify", "-q", "--end-of-options", name + "^{commit}", ok=range(256))
        return done.out.decode().strip() or None

    def branch_now(self) -> str | None:
        """The branch that the checkout has now, which may be another than when it was found; None: HEAD is detached."""
        said = self.git.run("symbolic-ref", "-q", "HEAD", ok=(0, 1)).out.decode("utf-8", "surrogateescape").strip()
        return said.removeprefix(_HEADS) or None

    def worktrees(self) -> Sequence[Worktree]:
        """Every checkout of the repository, with the branch that must not be moved under it."""
        listed = self.git.run("worktree", "list", "--porcelain", "-z").out.decode("utf-8", "surrogateescape")
        rebased = self._rebased()
        found: list[Worktree] = []
        for record in listed.split("\0\0"):
            facts = dict(line.partition(" ")[::2] for line in record.split("\0") if line)
            if "worktree" not in facts or "bare" in facts:
                continue
            path = Path(facts["worktree"])
            branch = facts.get("branch", "").removeprefix(_HEADS) or None
            found.append(Worktree(path, branch or rebased.get(path), branch is None and path in rebased))
        return found

    def _rebased(self) -> Mapping[Path, str]:
        """Branches in the middle of a rebase, by checkout: HEAD is detached meanwhile, and yet they are in use."""
        found: dict[Path, str] = {}
        linked = {Path(p.read_text().strip()).parent: p.parent for p in self.common_dir.glob("worktrees/*/gitdir")}
        main = {self.common_dir.parent: self.common_dir} | {self.root: self.git_dir}
        for checkout, git_dir in (main | linked).items():
            for state in ("rebase-merge", "rebase-apply"):
                head = git_dir / state / "head-name"
                if head.is_file():
                    found[checkout] = head.read_text().strip().removeprefix(_HEADS)
        return found

    def dirty(self) -> tuple[str, ...]:
        """Tracked paths of the checkout that differ from its commit, staged or not."""
        said = self.git.run("status", "--porcelain", "-z", "--untracked-files=no", "--no-renames").out
        return tuple(line[3:] for line in said.decode("utf-8", "surrogateescape").split("\0") if line)

    def fast_forward(self, commit: str) -> None:
        """Moves the checkout and its branch to a later commit, as the operator: their configuration, filters and hooks.

        The branch is the one that is checked out by then.

        Raises:
            GitError: git would not; files may have changed if a filter failed.
        """
        Git(self.root, trust=Trust.OPERATOR).run("merge", "--ff-only", "--no-edit", commit)

    def move_branch(self, branch: str, new: str, old: str, reason: str) -> None:
        """Moves a branch that is checked out nowhere, if it still is at `old`; as the operator, with a reflog entry.

        Raises:
            GitError: it is somewhere else by now.
        """
        Git(self.root, trust=Trust.OPERATOR).run("update-ref", "-m", reason, f"{_HEADS}{branch}", new, old)


def _default_excludes() -> Path:
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111 - never raises
    return Path(settings, "git", "ignore")
