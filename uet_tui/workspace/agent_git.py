"""The sandbox's own `.git`: what an agent sees when it runs git. Made of plain files, and made anew at each reset."""

import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from uet_tui import folders

_CONFIG = """\
[core]
\trepositoryformatversion = {version}
\tbare = false
\tfilemode = true
\tlogAllRefUpdates = true
[user]
\tname = uet
\temail = uet@localhost
[gc]
\tauto = 0
[advice]
\tdetachedHead = false
"""
_FOLDERS = ("info", "objects", "objects/info", "refs")
_MOST = 12
"""More paths than this are not as they were made."""
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"


@dataclass(frozen=True, slots=True)
class AgentGit:
    """The `.git` of one sandbox; its objects are borrowed from the control repository, its refs are the agent's."""

    folder: Path
    """The sandbox's `.git`."""
    control: Path
    object_format: str

    def holds_work(self) -> bool:
        """Whether the agent made objects or refs in it: commits, branches, a stash, staged content."""
        if self.folder.is_symlink() or not self.folder.is_dir():
            return False
        if (self.folder / "packed-refs").exists():
            return True
        objects = (p for p in _folders(self.folder / "objects") if p.name != "info")
        return any(_files(p) for p in (*objects, self.folder / "refs"))

    def move_to(self, place: Path) -> None:
        """Puts it away with all that the agent made."""
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.folder, place)

    def make(self, commit: str, index: Path, excludes: bytes) -> None:
        """Makes it what it is at the start of an attempt: HEAD detached at the commit, the index as the sandbox is.

        Where the last attempt left it as it was made, only these two are written: making and removing folders is the
        dearest part of a reset otherwise.
        """
        files = self._files(excludes)
        if not self._is_as_made(files):
            self._remove()
            for name, data in files.items():
                (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                (self.folder / name).write_bytes(data)
            (self.folder / "refs").mkdir()
        # Put in place by renaming: what an agent made a link of is replaced, never written through. The time of the
        # index decides which files git looks at again, so it is copied with it.
        new = self.folder / "new"
        shutil.copy2(index, new)
        new.replace(self.folder / "index")
        new.write_text(commit + "\n")
        new.replace(self.folder / "HEAD")

    def _files(self, excludes: bytes) -> dict[str, bytes]:
        sha256 = self.object_format == "sha256"
        files = {
            "config": (_CONFIG.format(version=int(sha256)) + (_SHA256 if sha256 else "")).encode(),
            "info/exclude": excludes,
            "objects/info/alternates": os.fsencode(self.control / "objects") + b"\n",
        }
        shallow = self.control / "shallow"
        return files | ({"shallow": shallow.read_bytes()} if shallow.is_file() else {})

    def _is_as_made(self, files: Mapping[str, bytes]) -> bool:
        found: set[str] = set()
        for path, inner, names in folders.walk(str(self.folder)):
            here = os.path.relpath(path, self.folder)
            found.update(os.path.normpath(f"{here}/{name}") for name in (*inner, *names))
            if len(found) > _MOST:
                return False
        if found != {*files, *_FOLDERS, "HEAD", "index"}:
            return False
        facts = {name: (self.folder / name).lstat() for name in found}
        return all(
            stat.S_ISDIR(fact.st_mode) if name in _FOLDERS else stat.S_ISREG(fact.st_mode)
            for name, fact in facts.items()
        ) and all(
            facts[name].st_size == len(data) and (self.folder / name).read_bytes() == data
            for name, data in files.items()
        )

    def _remove(self) -> None:
        try:
            mode = self.folder.lstat().st_mode
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            folders.remove(str(self.folder))
        else:
            self.folder.unlink()


def _folders(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.is_dir()] if folder.is_dir() else []


def _files(folder: Path) -> bool:
    return any(names for _, _, names in folders.walk(str(folder)))
