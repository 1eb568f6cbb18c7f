"""A worker's sandbox: a working copy that is kept, reset to a commit before each attempt, and read off after it.

All git here runs with the control repository as its git directory and an index of the orchestrator's own, so what
an agent wrote into the sandbox's `.git` (hooks, filters, fsmonitor, attributes) is never read, let alone executed.
"""

import os
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from uet_tui import folders
from uet_tui.errors import UetError
from uet_tui.text import one_line
from uet_tui.workspace import trees
from uet_tui.workspace.agent_git import AgentGit
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.git import Git, GitError
from uet_tui.workspace.survey import files, glance, lead_nowhere, leaves, oddities, strays
from uet_tui.workspace.trees import Change

_LINK = "120000"
ENDLESS = 1 << 32
"""Bytes above which a file is left out: git alone would take a minute for so many."""
_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All of a sandbox as one commit."""

    commit: str | None
    """None: nothing was changed."""
    tree: str
    changes: tuple[Change, ...]
    """Against the parent, in path order."""
    problems: tuple[str, ...]
    """What could not be taken into the commit, or should not be merged; a harmless line each, for the operator."""


class Sandbox:
    """One working copy. Not for two threads at once."""

    def __init__(self, control: ControlRepository, folder: Path, index: Path, keep: Sequence[str] = ()) -> None:
        """`index` is outside the folder; what ignore patterns of `keep` match, resets leave alone and snapshots out."""
        self.folder = folder.absolute()
        self.index = index.absolute()
        self._control = control
        self.keep = tuple(keep)
        self.excludes = self.index.with_name(self.index.name + ".exclude")
        self._agent_git = AgentGit(self.folder / ".git", control.path, control.operator.object_format)
        self._git = Git(
            self.folder,
            variables={
                "GIT_DIR": str(control.path),
                "GIT_WORK_TREE": str(self.folder),
                "GIT_INDEX_FILE": str(self.index),
            },
        )

    @property
    def environment(self) -> dict[str, str]:
        """What whoever runs in the sandbox needs: without it an agent that deletes its `.git` finds the operator's."""
        return {"GIT_CEILING_DIRECTORIES": str(self.folder.parent)}

    def reset(self, commit: str, keep_git: Path | None = None) -> None:
        """Makes the working copy exactly the commit, with a clean `.git` of its own.

        What an agent committed or stashed in there itself, and repositories that it made, are moved to the folder
        `keep_git` (beside the index if None): no snapshot holds them.

        Raises:
            GitError: git could not, even with permissions restored and from an empty index.
        """
        if self.folder.is_symlink() or not self.folder.is_dir():
            self.folder.unlink(missing_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.index.parent.mkdir(parents=True, exist_ok=True)
        self._unlock()
        kept = keep_git or self.index.with_name(self.index.name + ".kept")
        try:
            self._come_to(commit, kept)
        except (GitError, OSError):
            # An agent took permissions away or went too deep, or the power went while the index was written.
            self.index.unlink(missing_ok=True)
            folders.permit(str(self.folder))
            folders.prune(str(self.folder))
            self._come_to(commit, kept)

    def _come_to(self, commit: str, kept: Path) -> None:
        self.put_away(kept)
        self._check_out(commit)
        exclude = self._control.path / "info" / "exclude"
        self._agent_git.make(commit, self.index, exclude.read_bytes() + b"\n" + self._copied())

    def _check_out(self, commit: str) -> None:
        self._git.run("read-tree", "--reset", "-u", commit)
        copied = self._copied().splitlines()
        left = strays(self._control.objects, self.folder, self._control.tree_of(commit), self.keep)
        if any(_pattern(os.fsdecode(path)) not in copied for path in left):
            keep = (*self.keep, *map(os.fsdecode, copied))
            self._git.run("clean", "-ffdxq", *(f"--exclude={pattern}" for pattern in keep))

    def put_away(self, place: Path) -> None:
        """Moves to a folder what no snapshot holds: what an agent committed or stashed, repositories that it made."""
        if self._agent_git.holds_work():
            self._agent_git.move_to(_free(place / ".git"))
        for path, kind in list(oddities(self.folder, self.keep)):
            here = self.folder / os.fsdecode(path)
            if "repository" not in kind:
                here.unlink(missing_ok=True)  # holds nothing, and `git clean` does not see it
            elif kind == "repository" and here.is_dir():  # it went with the repository around it otherwise
                target = _free(place / os.fsdecode(path))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.move(here, target)

    def holds_more(self, commit: str) -> bool:
        """Whether it holds anything beside a commit that it was just reset to: what resets leave alone."""
        return bool(strays(self._control.objects, self.folder, self._control.tree_of(commit), ()))

    def holds_unsaved(self, commit: str) -> bool:
        """Whether anything in it that git does not ignore is not in the commit: looks only, and changes nothing."""
        if self._agent_git.holds_work() or any(kind == "repository" for _, kind in oddities(self.folder, self.keep)):
            return True
        if self._git.run("diff", "--quiet", commit, "--", ok=(0, 1)).code:
            return True
        return bool(self._git.run(*self.overlooking(), "ls-files", "-z", "--others", "--exclude-standard").out)

    def remove(self) -> None:
        """Deletes it, whatever permissions an agent took away, with its index: only where nothing in it is unsaved."""
        folders.remove(str(self.folder))
        self.index.unlink(missing_ok=True)

    def files(self, since_ns: int) -> list[tuple[bytes, bool]]:
        """Its files and links, ignored ones too, and whether each was written since a time; not what was copied in."""
        copied = self._copied().splitlines()
        found = files(self.folder, since_ns)
        return [(path, new) for path, new in found if _pattern(os.fsdecode(path)) not in copied]

    def drop_endless(self) -> list[str]:
        """Removes files that a snapshot would take and nobody could read through in good time, and tells which.

        A file of a terabyte costs an agent nothing.
        """
        large = glance(self.folder, self.keep, ENDLESS).large
        ignored = self._ignored(large)
        found = [path for path in large if path not in ignored]
        for path in found:
            (self.folder / os.fsdecode(path)).unlink(missing_ok=True)
        return [f"{one_line(os.fsdecode(path))} has more than {ENDLESS >> 30} GiB: left out" for path in found]

    def snapshot(self, parent: str, message: str) -> Snapshot:
        """All files that are not ignored, as one commit on `parent`; the sandbox is left as it is.

        But for what git might wait for: FIFOs and their like go, and what leads out of a repository in it.

        Raises:
            GitError: git could not read the sandbox at all.
        """
        self._unlock()
        problems = self._odd()
        added = self._git.run(*self.overlooking(), "add", "--all", "--ignore-errors", ok=(0, 1, 128))
        if added.code and not problems:
            said = (one_line(line) for line in added.err.splitlines() if line.startswith(("error:", "fatal:")))
            problems += [f"git could not take all of it: {line}" for line in said]
        tree = self._git.run("write-tree").out.decode().strip()
        before = self._control.tree_of(parent)
        changes = trees.compare(self._control.objects, before, tree)
        submodules = {c.path: c.old for c in changes if c.new is not None and c.new.mode == _SUBMODULE}
        if submodules:
            tree = self._control.tree_with(tree, submodules)
            changes = trees.compare(self._control.objects, before, tree)
        problems += self.doubts(changes)
        commit = self._control.commit_tree(tree, (parent,), message) if changes else None
        return Snapshot(commit, tree, changes, tuple(problems))

    def _odd(self) -> list[str]:
        found: dict[bytes, str] = {}
        for path, kind in list(oddities(self.folder, self.keep)):
            here = self.folder / os.fsdecode(path)
            if "repository" in kind:
                lead_nowhere(os.fsencode(here / ".git"))
            else:
                here.unlink(missing_ok=True)
            if kind != "kept repository":
                found[path] = kind
        ignored = self._ignored(found)
        return [
            f"{one_line(os.fsdecode(path))} is a {kind}: "
            + ("its history is not part of the commit" if kind == "repository" else "left out of the commit")
            for path, kind in sorted(found.items())
            if path not in ignored
        ]

    def _ignored(self, paths: Collection[bytes]) -> frozenset[bytes]:
        """Those of some paths that no snapshot takes."""
        if not paths:
            return frozenset()
        said = self._git.run(
            *self.overlooking(), "check-ignore", "-z", "--stdin",
            input=b"".join(b"./" + path + b"\0" for path in paths),
            env={"GIT_LITERAL_PATHSPECS": "0"},  # it knows no pathspecs, not even literal ones
            ok=(0, 1, 128),
        )  # fmt: skip
        return frozenset(path.removeprefix(b"./") for path in said.out.split(b"\0"))

    def doubts(self, changes: Sequence[Change]) -> list[str]:
        """Why changes should not be merged that this sandbox may have brought forth, whoever made a commit of them."""
        modules = [c.path for c in changes if c.new is not None and c.new.mode == _SUBMODULE]
        return [f"{one_line(path)} is a repository: its history is not part of the commit" for path in modules] + (
            self._links_out(changes)
        )

    def _links_out(self, changes: Sequence[Change]) -> list[str]:
        links = [(c.path, c.new.oid) for c in changes if c.new is not None and c.new.mode == _LINK]
        targets = ((path, self._control.read_blob(oid)) for path, oid in links)
        return [
            f"{one_line(path)} is a link out of the repository, to {one_line(os.fsdecode(target))}"
            for path, target in targets
            if leaves(path, target)
        ]

    def prepare(self, copy_from: Path, copy_globs: Sequence[str]) -> tuple[str, ...]:
        """Copies the operator's untracked files that match the globs, such as `.env`, and gives their paths.

        Once: what is there already is left alone. They survive resets and are never part of a snapshot.

        Raises:
            UetError: a glob that is absolute or leaves the checkout.
        """
        tracked = {trees.decode(p) for p in self._git.run("ls-files", "-z").out.split(b"\0")}
        copied: list[str] = []
        for glob in copy_globs:
            if Path(glob).is_absolute() or ".." in Path(glob).parts or not glob.strip():
                raise UetError(f"sandbox.copy_untracked: {one_line(glob)!r} must be a path below the repository's root")
            for source in sorted(copy_from.glob(glob)):
                path = source.relative_to(copy_from)
                if {".git", ".uet"} & set(path.parts) or path.as_posix() in tracked:
                    continue
                if source.is_symlink() or not source.is_file() or (self.folder / path).exists():
                    continue
                (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, self.folder / path)
                copied.append(path.as_posix())
        if copied:
            for excludes in (self.excludes, self.folder / ".git" / "info" / "exclude"):
                with excludes.open("ab") as file:
                    file.write(b"".join(_pattern(path) + b"\n" for path in copied))
        return tuple(copied)

    def overlooking(self) -> tuple[str, str]:
        """What makes git leave out what is no attempt's work: what resets leave alone, and what was copied in.

        The repository may ignore none of that; what is kept may have been left by a gate of the attempt before.
        """
        wanted = b"".join(os.fsencode(pattern) + b"\n" for pattern in self.keep) + self._copied()
        file = self.index.with_name(self.index.name + ".overlook")
        if not file.exists() or file.read_bytes() != wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            new = file.with_name(file.name + ".new")
            new.write_bytes(wanted)
            new.replace(file)
        return "-c", f"core.excludesFile={file}"

    def _copied(self) -> bytes:
        return self.excludes.read_bytes() if self.excludes.exists() else b""

    def _unlock(self) -> None:
        """A lock on an index that only this process uses was left by a git that was killed."""
        self.index.with_name(self.index.name + ".lock").unlink(missing_ok=True)


def _pattern(path: str) -> bytes:
    """An ignore pattern that matches this one path."""
    escaped = "".join(f"\\{c}" if c in "*?[]\\ " else c for c in path)
    return os.fsencode(f"/{escaped}")


def _free(place: Path) -> Path:
    """A path that nothing is at: the given one, or with a number."""
    numbered = (place.with_name(f"{place.name}-{n}") for n in count(2))
    return next(p for p in chain((place,), numbered) if not os.path.lexists(p))
