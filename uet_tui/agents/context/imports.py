"""What a source file imports, as paths: read off its text by expressions, so wrong now and then, in many languages."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

_LONGEST = 200_000
"""Characters of a file that are looked at: imports stand at the top."""
_PYTHON = re.compile(
    r"^[ \t]*(?:from[ \t]+([.\w]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#;]+)|import[ \t]+([^\n#;]+))", re.M
)
_SCRIPT = re.compile(r"""(?:\bfrom|\bimport|\brequire\s*\(|\bimport\s*\()\s*['"]([^'"\n]+)['"]""")
_GO = re.compile(r'^\s*(?:import\s+)?(?:[\w.]+\s+)?"([\w./-]+)"\s*$', re.M)
_JAVA = re.compile(r"^\s*import\s+(?:static\s+)?([\w.]+)", re.M)
_RUST = re.compile(r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:use\s+([\w:]+)|mod\s+(\w+)\s*;)", re.M)
_INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"\n]+)"', re.M)
_RUBY = re.compile(r"""^\s*require(_relative)?\s*\(?\s*['"]([^'"\n]+)['"]""", re.M)
_INDEXES = ("__init__", "index", "mod", "lib")
"""Files that stand for their folder."""


def imported(path: str, text: str) -> Iterator[str]:
    """The names that a file imports, as paths without an ending: `/` before one that must match from the root on."""
    text = text[:_LONGEST]
    match posixpath.splitext(path)[1]:
        case ".py" | ".pyi":
            yield from _python(path, text)
        case ".js" | ".jsx" | ".ts" | ".tsx" | ".mjs" | ".cjs" | ".vue" | ".svelte":
            yield from (_beside(path, name) for name in _SCRIPT.findall(text))
        case ".go":
            yield from _GO.findall(text)
        case ".java" | ".kt" | ".scala":
            yield from (name.replace(".", "/") for name in _JAVA.findall(text))
        case ".rs":
            for used, module in _RUST.findall(text):
                names = [part for part in used.split("::") if part not in ("crate", "self", "super")]
                yield module or "/".join(names)
                yield "/".join(names[:-1])  # the last one is an item, more often than not
        case ".c" | ".h" | ".cc" | ".cpp" | ".cxx" | ".hpp" | ".hh":
            yield from (posixpath.splitext(name)[0] for name in _INCLUDE.findall(text))
        case ".rb":
            for relative, name in _RUBY.findall(text):
                yield _beside(path, f"./{name}") if relative else name


def _python(path: str, text: str) -> Iterator[str]:
    for module, names, plain in _PYTHON.findall(text):
        if plain:
            yield from (name.split()[0].replace(".", "/") for name in plain.split(",") if name.strip())
            continue
        dots = len(module) - len(module.lstrip("."))
        base = module.lstrip(".").replace(".", "/")
        if dots:
            folder = posixpath.join("/" + posixpath.dirname(path), *[".."] * (dots - 1))
            base = posixpath.normpath(posixpath.join(folder, base))
        yield base
        for name in re.split(r"[\s,()]+", re.sub(r"#[^\n]*|\bas\s+\w+", " ", names)):
            if name.isidentifier():
                yield f"{base}/{name}"


def _beside(path: str, name: str) -> str:
    """A name that may be relative to the file that has it; an ending that it may carry is taken off."""
    if not name.startswith("."):
        return name
    whole = posixpath.normpath(posixpath.join("/" + posixpath.dirname(path), name))
    stem, ending = posixpath.splitext(whole)
    return stem if ending in (".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".rb", ".json") else whole


class Paths:
    """The files of a repository, to be found by the ends of their paths."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._by_name: defaultdict[str, list[str]] = defaultdict(list)
        self._below: defaultdict[str, list[str]] = defaultdict(list)
        for path in paths:
            folder, _, name = path.rpartition("/")  # not posixpath: a repository may have very many files
            above = folder.rpartition("/")[2]
            stem = _stem(name)
            self._by_name[stem].append(path)
            if stem in _INDEXES:
                self._by_name[above].append(path)
            self._below[above].append(path)

    def named(self, name: str, ending: str) -> list[str]:
        """The files that an import means, in path order: those with the ending of the file that imports come first.

        A name of one word may mean many files; more than one of them is no answer, unless they lie beside each other.
        """
        wanted = name.strip("/")
        if not wanted:
            return []
        found = [path for path in self._by_name.get(posixpath.basename(wanted), ()) if _ends(path, wanted, name)]
        if ending == ".go":  # a package is a folder
            found = [p for p in self._below.get(posixpath.basename(wanted), ()) if _is_folder(p, wanted)]
        same = [path for path in found if posixpath.splitext(path)[1] == ending]
        return sorted(same or found) if len({posixpath.dirname(path) for path in same or found}) == 1 else []


def _stem(name: str) -> str:
    dot = name.find(".", 1)
    return name if dot < 0 else name[:dot]


def _without_ending(path: str) -> str:
    folder, slash, name = path.rpartition("/")
    return folder + slash + _stem(name)


def _ends(path: str, wanted: str, name: str) -> bool:
    stem = _without_ending(path)
    if posixpath.basename(stem) in _INDEXES and not stem.endswith(wanted):
        stem = posixpath.dirname(path)
    return stem == wanted if name.startswith("/") else f"/{stem}".endswith(f"/{wanted}")


def _is_folder(path: str, wanted: str) -> bool:
    folder = posixpath.dirname(path)
    return path.endswith(".go") and not path.endswith("_test.go") and f"/{wanted}".endswith(f"/{folder}")
