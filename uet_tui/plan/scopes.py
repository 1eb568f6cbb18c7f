"""Scopes: which paths a workstream may write, how two of them meet, and who holds what.

A scope is a path or a glob, relative to the repository. A path covers itself and everything under it, with or without
a trailing slash. In a glob, `*` `?` and `[a-z]` stand for characters within one name and `**` for any number of whole
names; it covers the paths that it matches, and with a trailing slash all that is under them. A name with brackets, such
as `pages/[id].tsx`, also stands for itself.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from uet_tui.plan.names import Part, literal, names_meet, parsed, sequences_meet

_WILD = re.compile(r"[*?\[]")
_DRIVE = re.compile(r"[A-Za-z]:")
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")  # git's own list, in utf8.c
_DEEP: Part = ()
"""Any number of whole names, none included."""


class _Scope(NamedTuple):
    text: str
    """Without a trailing slash."""
    root: str
    """The whole names before the first wildcard; the scope covers nothing outside of it."""
    around: tuple[str, ...]
    """`root` and all directories around it, the repository (an empty string) included."""
    fixed: str
    """What every covered path begins with."""
    parts: tuple[Part, ...]
    """One for each name; empty for a path without wildcards, which is compared as text."""


def normalise(scope: str) -> str:
    """The one spelling of a scope: slashes, no `./`, a trailing slash kept.

    Raises:
        ValueError: it leaves the repository, is git's own, or names nothing; the message says what to write instead.
    """
    if any(unicodedata.category(char) in {"Cc", "Cs"} for char in scope):
        raise ValueError("holds a control character: remove it")
    if not scope.strip():
        raise ValueError("is empty: write a path, a directory such as src/, or a glob such as src/**/*.py")
    slashed = scope.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed):
        raise ValueError("is absolute: write it relative to the repository")
    names = [name for name in slashed.split("/") if name not in ("", ".")]
    if ".." in names:
        raise ValueError('leads upwards with "..": write it relative to the repository, without ".."')
    if not names:
        raise ValueError("is the whole repository: write ** if that is meant")
    if any(_is_git(name) for name in names):
        raise ValueError("is inside git's own directory .git, which no workstream may touch: remove it")
    return "/".join(names) + ("/" if slashed.endswith(("/", "/.")) else "")


def is_glob(scope: str) -> bool:
    """Whether it has wildcards."""
    return _WILD.search(scope) is not None


def _is_git(name: str) -> bool:
    """Whether some file system takes the name for `.git`: letter case, NTFS short names and streams, HFS+ blanks."""
    plain = _HFS_IGNORED.sub("", name).partition(":")[0].rstrip(" .").casefold()
    return plain in (".git", "git~1")


@lru_cache(maxsize=1 << 16)
def _parse(scope: str) -> _Scope:
    text = scope.rstrip("/")
    wild = _WILD.search(text)
    if wild is None:
        return _Scope(text, text, tuple(_around(text)), text, ())
    root = text[: wild.start()].rpartition("/")[0]
    parts = tuple(_DEEP if name == "**" else parsed(name) for name in text.split("/"))
    if scope.endswith("/"):
        parts = (*parts, _DEEP)
    return _Scope(text, root, tuple(_around(root)), text[: wild.start()].rstrip("/"), parts)


def _around(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def overlaps(a: str, b: str) -> bool:
    """Whether some path is covered by both scopes. Never wrongly no; wrongly yes only for two `[..]` at one place."""
    return _meet(_parse(a), _parse(b))


def _meet(a: _Scope, b: _Scope) -> bool:
    if not a.parts and not b.parts:
        return a.text == b.text or a.text.startswith(b.text + "/") or b.text.startswith(a.text + "/")
    if not (a.fixed.startswith(b.fixed) or b.fixed.startswith(a.fixed)):
        return False
    return _parts_meet(_spelled(a), _spelled(b))


def _spelled(scope: _Scope) -> tuple[Part, ...]:
    return scope.parts or (*map(literal, scope.text.split("/")), _DEEP)


def _parts_meet(a: Sequence[Part], b: Sequence[Part]) -> bool:
    return sequences_meet(a, b, _DEEP, names_meet)


def covers(scopes: Sequence[str], path: str) -> bool:
    """Whether a changed path, as git names it, is inside one of the scopes. Git's own directory never is."""
    if any(_is_git(name) for name in path.split("/")):
        return False
    spelled: tuple[Part, ...] | None = None
    for scope in map(_parse, scopes):
        if not scope.parts:
            if path == scope.text or path.startswith(scope.text + "/"):
                return True
        elif path.startswith(scope.fixed):
            spelled = spelled or tuple(map(literal, path.split("/")))
            if _parts_meet(scope.parts, spelled):
                return True
    return False


class ScopeIndex:
    """Many scopes, arranged by where they lie, so that the few that may meet another one are found at once."""

    def __init__(self) -> None:
        self._at: defaultdict[str, set[str]] = defaultdict(set)
        self._below: defaultdict[str, set[str]] = defaultdict(set)

    def add(self, scope: str) -> None:
        """Put a scope in; once more changes nothing."""
        root, *around = _parse(scope).around
        self._at[root].add(scope)
        for directory in around:
            self._below[directory].add(scope)

    def remove(self, scope: str) -> None:
        """Take a scope out; one that is not there changes nothing."""
        root, *around = _parse(scope).around
        self._discard(self._at, root, scope)
        for directory in around:
            self._discard(self._below, directory, scope)

    def meeting(self, scope: str) -> Iterator[str]:
        """The scopes in it that overlap with this one, itself included, in no particular order."""
        own = _parse(scope)
        for directory in own.around:
            if found := self._at.get(directory):
                yield from self._kept(own, found)
        if found := self._below.get(own.root):
            yield from self._kept(own, found)

    @staticmethod
    def _discard(scopes: defaultdict[str, set[str]], directory: str, scope: str) -> None:
        scopes[directory].discard(scope)
        if not scopes[directory]:
            del scopes[directory]

    @staticmethod
    def _kept(own: _Scope, candidates: Iterable[str]) -> Iterator[str]:
        for other in candidates:
            parsed_other = _parse(other)
            if (not own.parts and not parsed_other.parts) or _meet(own, parsed_other):
                yield other


class ScopeLedger:
    """Which workstream holds which scopes. Scopes are as `normalise` spells them."""

    def __init__(self) -> None:
        self._index = ScopeIndex()
        self._holders: dict[str, set[str]] = {}
        self._held: dict[str, tuple[str, ...]] = {}

    def acquire(self, ws_id: str, scopes: Sequence[str]) -> None:
        """Let a workstream hold these scopes, instead of what it held."""
        self.release(ws_id)
        self._held[ws_id] = tuple(scopes)
        for scope in scopes:
            self._index.add(scope)
            self._holders.setdefault(scope, set()).add(ws_id)

    def release(self, ws_id: str) -> None:
        """Let a workstream hold nothing."""
        for scope in set(self._held.pop(ws_id, ())):
            self._holders[scope].discard(ws_id)
            if not self._holders[scope]:
                del self._holders[scope]
                self._index.remove(scope)

    def holder(self, scopes: Sequence[str]) -> str | None:
        """The workstream with the smallest id that holds something overlapping one of these scopes, if any does."""
        found = (min(self._holders[other]) for scope in scopes for other in self._index.meeting(scope))
        return min(found, default=None)
