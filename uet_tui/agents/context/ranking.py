"""Which files of a repository matter to a workstream, most relevant first: pure functions of paths and texts."""

import posixpath
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from uet_tui.agents.context.imports import Paths, imported
from uet_tui.plan.scopes import covers, is_glob

_MOST_READ = 100
"""Files in scope that are read for what they import and are called by: more say no more of what matters."""
_TEST_FOLDERS = frozenset({"test", "tests", "__tests__", "spec", "specs"})
_TEST_NAME = re.compile(r"^(?:test_.+|.+[_.-](?:test|tests|spec)|.+Tests?|test)$")
_TEST_MARK = re.compile(r"^test_|[_.-](?:test|tests|spec)$|Tests?$")
_DOCS = (".md", ".rst", ".adoc", ".txt")
_COMMON = frozenset({"__init__", "__main__", "index", "main", "mod", "lib", "readme", "conftest"})
"""Names of files that say nothing of what is in them."""


class Rank(IntEnum):
    """Why a file matters, most relevant first."""

    SCOPE = 0
    RELATED = 1
    """A file in scope imports it, or it names one."""
    TESTS = 2
    DOCS = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that matters."""

    path: str
    rank: Rank
    why: str
    """As the agent and the operator are told."""


def ranked(
    paths: Sequence[str],
    scope: Sequence[str],
    read: Callable[[str], str],
    naming: Callable[[Sequence[str]], Mapping[str, int]],
) -> tuple[Candidate, ...]:
    """The files that matter, in an order that depends on nothing but these.

    Args:
        paths: all files of the repository.
        scope: what the workstream may write.
        read: the text of a file, empty for one that has none.
        naming: how often each file has one of some words; files that have none may be left out.
    """
    inside = sorted(path for path in paths if covers(scope, path))
    known = frozenset(inside)
    looked_at = inside[:_MOST_READ]
    imports: Counter[str] = Counter()
    first: dict[str, str] = {}
    where = Paths(paths)
    for path in looked_at:
        ending = posixpath.splitext(path)[1]
        found = {other for name in imported(path, read(path)) for other in where.named(name, ending)}
        for other in found - known:
            imports[other] += 1
            first.setdefault(other, path)
    literal = [one.rstrip("/") for one in scope if not is_glob(one)]
    words = sorted({word for path in (*looked_at, *literal) for word in words_of(path)})
    named = {path: count for path, count in naming(words).items() if path not in known} if words else {}
    stems = {_stem(path) for path in looked_at} - _COMMON
    rest: list[tuple[Rank, int, str, str]] = []
    for path in sorted({*imports, *named, *(p for p in paths if _tested(p) in stems and is_test(p))} - known):
        weight = -(1000 * imports[path] + named.get(path, 0))
        if is_test(path):
            rest.append((Rank.TESTS, weight, path, "tests what is in scope"))
        elif is_document(path):
            rest.append((Rank.DOCS, weight, path, "is about what is in scope"))
        elif path in imports:
            rest.append((Rank.RELATED, weight, path, f"imported by {first[path]}"))
        else:
            rest.append((Rank.RELATED, weight, path, "names what is in scope"))
    return (
        *(Candidate(path, Rank.SCOPE, "in scope") for path in inside),
        *(Candidate(path, rank, why) for rank, _, path, why in sorted(rest)),
    )


def words_of(path: str) -> Iterable[str]:
    """What a text holds that names a file: its path, or as languages spell it, with the folder that it is in."""
    folder, stem = posixpath.basename(posixpath.dirname(path)), _stem(path)
    if stem in _COMMON:
        folder, stem = posixpath.basename(posixpath.dirname(posixpath.dirname(path))), folder
    if folder and stem:
        yield from (f"{folder}/{stem}", f"{folder}.{stem}", f"{folder}::{stem}", f"{folder} import {stem}")
    elif posixpath.basename(path) != stem:
        yield posixpath.basename(path)


def is_test(path: str) -> bool:
    """Whether a file is a test, by its path."""
    *folders, name = path.split("/")
    return bool(_TEST_FOLDERS.intersection(folders)) or bool(_TEST_NAME.match(posixpath.splitext(name)[0]))


def is_document(path: str) -> bool:
    """Whether a file is for people to read, by its path."""
    return path.endswith(_DOCS) or "docs" in path.split("/")[:-1]


def _stem(path: str) -> str:
    return posixpath.basename(path).partition(".")[0]


def _tested(path: str) -> str:
    """What a test is of, by its name."""
    name = path.rpartition("/")[2]
    return _TEST_MARK.sub("", name[: name.rfind(".")] if "." in name else name)
