"""The sandbox's own `.git`: what an agent sees when it runs git. Made of plain files, and made anew at each reset."""

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

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
        """Makes it anew: HEAD detached at the commit, the index as it is in the sandbox, nothing else of before."""
        self._remove()
        for folder in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info"):
            (self.folder / folder).mkdir(parents=True)
        sha256 = self.object_format == "sha256"
        (self.folder / "config").write_text(_CONFIG.format(version=int(sha256)) + (_SHA256 if sha256 else ""))
        (self.folder / "info" / "exclude").write_bytes(excludes)
        (self.folder / "objects" / "info" / "alternates").write_bytes(os.fsencode(self.control / "objects") + b"\n")
        shallow = self.control / "shallow"
        if shallow.is_file():
            shutil.copyfile(shallow, self.folder / "shallow")
        # The time of the index decides which files git looks at again, so it is copied with it.
        shutil.copy2(index, self.folder / "index")
        (self.folder / "HEAD").write_text(commit + "\n")

    def _remove(self) -> None:
        try:
            mode = self.folder.lstat().st_mode
        except FileNotFoundError:
            return
        if stat.S_ISDIR(mode):
            shutil.rmtree(self.folder)
        else:
            self.folder.unlink()


def _folders(folder: Path) -> list[Path]:
    return [p for p in folder.iterdir() if p.is_dir()] if folder.is_dir() else []


def _files(folder: Path) -> bool:
    return any(names for _, _, names in os.walk(folder))
