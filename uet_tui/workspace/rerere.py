"""Resolutions that were made before: `git rerere`, with its store `rr-cache` in the control repository.

Git works in a repository of its own that lives for one call, with only the files in question in it, under names that
say nothing, so neither an attribute nor another process can meddle. The store is read by copying and written by
renaming whole folders: threads and processes may use it at once. For hunks that were decided twice the later counts.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from uet_tui.errors import UetError
from uet_tui.text import harmless, one_line
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.git import Git

_STORE = "rr-cache"
_PATHS = "paths"
"""Beside git's own files of a resolution: the paths that it was made in, as JSON. Git itself keeps none."""
_ID = re.compile(r"[0-9a-f]{40,64}")
_SHORTEST = 4
"""Digits of an id that are enough to name it, if only one begins so."""
_PREVIEW = 12
"""Lines of a resolution that are shown."""
_CONFIG = "[core]\n\trepositoryformatversion = {version}\n\tbare = false\n"
_SHA256 = "[extensions]\n\tobjectFormat = sha256\n"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One resolution on record."""

    id: str
    """What git knows it by: a digest of what both sides did."""
    paths: tuple[str, ...]
    """Where it was made; it is taken wherever the same two changes meet again."""
    time: float
    """When it was made or taken last, in seconds since the epoch."""
    preview: tuple[str, ...]
    """The first lines of what was decided, as people read them."""


class _Desk:
    """The repository that git works in, for one call."""

    def __init__(self, home: Path, control: ControlRepository) -> None:
        self._git_dir = home / "git"
        self._files = home / "files"
        self.cache = self._git_dir / _STORE
        for folder in (self._git_dir / "objects", self._git_dir / "refs", self.cache, self._files):
            folder.mkdir(parents=True)
        sha256 = control.operator.object_format == "sha256"
        (self._git_dir / "config").write_text(_CONFIG.format(version=int(sha256)) + (_SHA256 if sha256 else ""))
        (self._git_dir / "HEAD").write_text("ref: refs/heads/none\n")
        self._width = len(control.objects.empty_tree)
        self._git = Git(self._files, variables={"GIT_DIR": str(self._git_dir), "GIT_WORK_TREE": str(self._files)})

    def conflict(self, texts: Iterable[bytes]) -> None:
        """Puts in texts with conflict markers, numbered from 0, as files that are in conflict."""
        oid = "1" * self._width  # git looks at no object here
        for number, text in enumerate(texts):
            self.write(number, text)
            stages = "".join(f"100644 {oid} {stage}\t{number}\n" for stage in (1, 2, 3))
            self._git.run("update-index", "--add", "--index-info", input=stages.encode())

    def write(self, number: int, text: bytes) -> None:
        (self._files / str(number)).write_bytes(text)

    def read(self, number: int) -> bytes:
        return (self._files / str(number)).read_bytes()

    def rerere(self) -> dict[int, str]:
        """Lets git take what is on record and keep what was resolved; gives the ids of what is still in conflict."""
        self._git.run("-c", "rerere.enabled=true", "-c", "rerere.autoUpdate=false", "rerere")
        try:
            listed = (self._git_dir / "MERGE_RR").read_bytes()
        except FileNotFoundError:
            return {}
        entries = (entry.partition(b"\t") for entry in listed.split(b"\0") if entry)
        return {int(path): id.decode().partition(".")[0] for id, _, path in entries}

    def begin_again(self) -> None:
        """Forgets which conflicts it has seen, and what it has on record."""
        (self._git_dir / "MERGE_RR").unlink(missing_ok=True)
        shutil.rmtree(self.cache)
        self.cache.mkdir()


@contextmanager
def _desk(control: ControlRepository) -> Iterator[_Desk]:
    with tempfile.TemporaryDirectory(prefix="rerere-", dir=control.path) as home:
        yield _Desk(Path(home), control)


def recall(control: ControlRepository, marked: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files that a resolution on record resolves whole, by path.

    `marked` are files with conflict markers of the usual length of seven.
    """
    if not marked or not (control.path / _STORE).is_dir():
        return {}
    with _desk(control) as desk:
        desk.conflict(marked.values())
        ids = desk.rerere()
        desk.begin_again()
        known = {id for id in set(ids.values()) if _copy(control.path / _STORE / id, desk.cache / id)}
        if not known:
            return {}
        left = desk.rerere()
        taken = {path: desk.read(number) for number, path in enumerate(marked) if number in ids and number not in left}
        for id in {ids[number] for number, path in enumerate(marked) if path in taken} & known:
            _touch(control.path / _STORE / id)
    return {path: text for path, text in taken.items() if text != marked[path]}


def record(control: ControlRepository, marked: Mapping[str, bytes], resolved: Mapping[str, bytes]) -> tuple[str, ...]:
    """Keeps how files with conflict markers were resolved; gives the ids of what is on record now.

    `marked` as for `recall`; `resolved` has the same paths. A file that still holds markers is left out.
    """
    paths = list(marked)
    with _desk(control) as desk:
        desk.conflict(marked.values())
        ids = desk.rerere()
        desk.begin_again()
        for id in set(ids.values()):
            _copy(control.path / _STORE / id, desk.cache / id)
        left = desk.rerere()
        other = {ids[n] for n in ids.keys() - left.keys() if desk.read(n) != resolved[paths[n]]}
        if other:  # it was decided otherwise before
            desk.begin_again()
            for id in set(ids.values()) - other:
                _copy(control.path / _STORE / id, desk.cache / id)
            for number, text in enumerate(marked.values()):
                desk.write(number, text)
            left = desk.rerere()
        for number in left:
            desk.write(number, resolved[paths[number]])
        still = desk.rerere()
        made = {ids[number]: [p for n, p in enumerate(paths) if ids.get(n) == ids[number]] for number in left}
        kept = sorted(id for number, id in ids.items() if number in left and number not in still)
        for id in dict.fromkeys(kept):
            _keep(control.path / _STORE, desk.cache / id, made[id])
        return tuple(dict.fromkeys(kept))


def listing(control: ControlRepository) -> tuple[Recorded, ...]:
    """What is on record, newest first."""
    store = control.path / _STORE
    places = list(store.iterdir()) if store.is_dir() else []
    found = (_recorded(place) for place in places if _ID.fullmatch(place.name))
    return tuple(sorted((r for r in found if r), key=lambda r: (-r.time, r.id)))


def named(control: ControlRepository, what: str) -> tuple[Recorded, ...]:
    """The resolutions on record with an id (or how it begins), or a path that they were made in.

    Raises:
        UetError: nothing is on record under that name, or an id is cut so short that several begin with it.
    """
    known = listing(control)
    by_path = [r for r in known if what in (*r.paths, *map(one_line, r.paths))]
    by_id = [r for r in known if len(what) >= _SHORTEST and r.id.startswith(what)]
    if not by_path and len(by_id) > 1:
        raise UetError(f"{len(by_id)} resolutions on record begin with {what}: give more digits of the id")
    meant = by_path or by_id
    if not meant:
        raise UetError(f"no resolution of {one_line(what)!r} is on record: name a path, or 4 or more digits of an id")
    return tuple(meant)


def forget(control: ControlRepository, recorded: Iterable[Recorded]) -> None:
    """Takes resolutions off record; one that is not there any more is no error."""
    for one in recorded:
        _remove(control.path / _STORE / one.id)


def _copy(source: Path, target: Path) -> bool:
    """Copies a resolution for git to use; another process may be taking it away."""
    try:
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(_PATHS, "thisimage*"))
    except (FileNotFoundError, shutil.Error):
        shutil.rmtree(target, ignore_errors=True)
        return False
    return True


def _keep(store: Path, made: Path, paths: Iterable[str]) -> None:
    """Puts a resolution in its place in the store, in one step."""
    store.mkdir(exist_ok=True)
    before = _paths(store / made.name)
    (made / _PATHS).write_text(json.dumps(sorted({*before, *paths})))
    for image in made.glob("thisimage*"):
        image.unlink()
    new = Path(tempfile.mkdtemp(prefix="new-", dir=store))
    shutil.copytree(made, new, dirs_exist_ok=True)
    _touch(new)
    for last_try in (False, True):
        _remove(store / made.name)
        try:
            new.rename(store / made.name)
        except OSError:  # another process put its own there meanwhile
            if last_try:
                shutil.rmtree(new)
        else:
            return


def _remove(place: Path) -> None:
    """Takes a folder away in one step, so that nobody finds half of it."""
    grave = Path(tempfile.mkdtemp(prefix="old-", dir=place.parent))
    try:
        place.rename(grave / place.name)
    except FileNotFoundError:
        pass
    finally:
        shutil.rmtree(grave, ignore_errors=True)


def _touch(place: Path) -> None:
    try:
        for image in place.glob("postimage*"):
            os.utime(image)
    except FileNotFoundError:
        return  # it was taken off record meanwhile


def _paths(place: Path) -> tuple[str, ...]:
    try:
        found = json.loads((place / _PATHS).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(path for path in found if isinstance(path, str)) if isinstance(found, list) else ()


def _recorded(place: Path) -> Recorded | None:
    try:
        images = sorted(place.glob("postimage*"), key=lambda image: image.stat().st_mtime)
        if not images:
            return None
        after = images[-1].read_bytes().split(b"\n")
        before = images[-1].with_name(images[-1].name.replace("post", "pre")).read_bytes().split(b"\n")
        time = images[-1].stat().st_mtime
    except OSError:
        return None
    return Recorded(place.name, _paths(place), time, _preview(before, after))


def _preview(before: list[bytes], after: list[bytes]) -> tuple[str, ...]:
    """What a text has where the other has something else, cut."""
    shorter = min(len(before), len(after))
    start = next((i for i in range(shorter) if before[i] != after[i]), shorter)
    stop = next((i for i in range(shorter - start) if before[-1 - i] != after[-1 - i]), shorter - start)
    decided = after[start : len(after) - stop]
    lines = [harmless(line.decode("utf-8", "replace").rstrip("\r")) for line in decided[:_PREVIEW]]
    return (*lines, "…") if len(decided) > _PREVIEW else tuple(lines)
