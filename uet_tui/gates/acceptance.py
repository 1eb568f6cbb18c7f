"""Telling an acceptance test that is a command from one that is prose. What is not plainly a command is prose."""

import re
import shlex
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Final

_MARK: Final = "$ "
"""What a plan's author writes before a command that does not look like one."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PROGRAMS: Final = _words(
    """
    ant awk bandit bash bats bazel black bun bundle cargo cat cmake cmp composer coverage ctest curl deno diff
    docker docker-compose dotnet du echo egrep eslint fgrep find flake8 gcc git go golangci-lint gradle grep
    head helm isort jest jq just kubectl ls make markdownlint mkdocs mocha mvn mypy nox node npm npx perl php
    phpunit pip pip3 playwright pnpm poetry pre-commit prettier pwsh powershell pylint pyright pytest python
    python3 rake rg rspec ruby ruff rustc sed sh shellcheck sort sqlite3 stat tail task terraform test timeout
    tox tree tsc tsx uv uvx vitest wc yamllint yarn zsh [
    """
)
"""Programs that checks are made of. Some are English words as well: alone with words they are prose."""

_SUBCOMMANDS: Final[Mapping[str, AbstractSet[str]]] = {
    "npm": {"test", "ci", "run", "audit", "install", "start"},
    "pnpm": {"test", "run", "install", "lint", "build"},
    "yarn": {"test", "run", "install", "lint", "build"},
    "cargo": {"test", "build", "check", "clippy", "fmt", "bench", "doc"},
    "go": {"test", "build", "vet", "generate"},
    "git": {"status", "diff", "log", "fsck"},
    "dotnet": {"test", "build"},
    "mvn": {"test", "verify", "package"},
    "gradle": {"test", "build", "check"},
    "make": {"test", "tests", "check", "lint", "build", "all", "docs", "integration", "install", "unit", "coverage"},
    "just": {"test", "check", "lint", "build"},
    "task": {"test", "check", "lint", "build"},
    "bundle": {"exec"},
    "terraform": {"validate", "plan"},
}
"""Words that make a program's name and nothing but words a command."""

_PROSE: Final = _words(
    """
    about after against all an and any are as at be been before both but by can cannot certain contain
    contains correct displays do does each error errors every exist exists fail fails fine for from generates
    given go goes green happens has have if into is it it's its must no not nothing of on once one only or ought
    pass passed passes prints reports return returns run runs shall should shows so still succeed succeeds sure
    than that the their them then there they this to under until up validates via was were when where which
    while will with without work works would you your
    """
)
"""Words that stand in sentences, and hardly ever by themselves in a command."""

_WORDS: Final = frozenset({"find", "head", "just", "task", "test", "time"})
"""Programs whose name alone is no command."""

_SELECTING: Final = frozenset({"-k", "-m", "-t", "--filter", "--grep"})
"""Options whose value may be any word, such as `pytest -k error`."""

_ADVERB = re.compile(r"[a-z]{3,}ly")
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=\S*")
_OPERATOR = re.compile(r"&&|\|\|?|;|\d?>{1,2}(?!\s*\d)|<(?!\s*\d)")
_PATHLIKE = re.compile(r"\.{1,2}|.*/.*|[\w*-]+\.[a-z][a-z0-9]{0,4}")
_OPTION = re.compile(r"--?[A-Za-z0-9][\w-]*(?:=.*)?")
_SENTENCE_END = re.compile(r"[A-Za-z]{2,}[.,:;!?]$")
_DOCUMENT = re.compile(r".*\.(?:md|rst|txt|ya?ml|json|jsonc|toml|ini|cfg|csv|html|sql|xml|lock)", re.IGNORECASE)
_PROGRAM = re.compile(r"[a-z][a-z0-9_.+-]*")


def command_in(entry: str) -> str | None:
    """The shell command that an acceptance test is; None if it is prose."""
    text = entry.strip()
    if text.startswith(_MARK):
        return text.removeprefix(_MARK).strip() or None
    if len(text) > 1 and text[0] == text[-1] == "`" and "`" not in text[1:-1]:
        return text[1:-1].strip() or None
    return text if text and _is_command(text) else None


def _is_command(text: str) -> bool:
    if "\n" in text or not _QUOTED.sub("", text).isascii():
        return False
    try:
        shlex.split(text)
    except ValueError:  # a quote that does not end: an apostrophe
        return False
    bare = _QUOTED.sub(' "" ', text)
    operated = _OPERATOR.search(bare) is not None
    words = _OPERATOR.sub(" ", bare).split()
    while words and (words[0] == "!" or _ASSIGNMENT.fullmatch(words[0])):
        words.pop(0)
    if not words or any(_SENTENCE_END.search(word) for word in words):
        return False
    program, rest = words[0], words[1:]
    own = _SUBCOMMANDS.get(program, frozenset[str]())
    free = [
        word
        for at, (before, word) in enumerate(pairwise(words))
        if before not in _SELECTING and (at or word not in own)
    ]
    if any(word.lower() in _PROSE or _ADVERB.fullmatch(word) for word in free):
        return False
    marked = operated or any(_OPTION.fullmatch(word) or word == '""' for word in rest)
    if program in _PROGRAMS:
        if marked or any(_PATHLIKE.fullmatch(word) for word in rest):
            return True
        return len(rest) <= 2 and rest[0] in own if rest else program not in _WORDS
    if "/" in program or program.endswith((".py", ".sh")):
        return not _DOCUMENT.fullmatch(program) and not program.endswith("/") and (not rest or marked)
    return marked and _PROGRAM.fullmatch(program) is not None and not _DOCUMENT.fullmatch(program)
