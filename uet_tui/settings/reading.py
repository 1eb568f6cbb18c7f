"""YAML -> a tree of settings, stricter than YAML 1.1: `off` is a word, a key stands once, numbers are finite."""

import math
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import yaml

from uet_tui.errors import UetError
from uet_tui.settings.tree import Leaf, Origin, Section

_TAG = "tag:yaml.org,2002:"
_MAX_BYTES = 1024 * 1024
"""The largest file that is read: YAML of a megabyte takes seconds already, and nobody sets so much."""


class _Loader(yaml.SafeLoader):
    """Resolves plain scalars as YAML 1.2 does, so that `scope: off` is a word and `1:30` no number."""

    yaml_implicit_resolvers = {}  # noqa: RUF012  # PyYAML's own protocol: a class attribute that each loader replaces


for _name, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.inf|\.nan", list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(
        _TAG + _name, re.compile(f"(?:{_pattern})$", re.IGNORECASE if _name == "float" else 0), _first
    )


class _Reading:
    """One text being read; remembers which nodes it saw, because an alias could make a small file endless."""

    def __init__(self, layer: str, place: str, *, lines: bool) -> None:
        self._layer = layer
        self._place = place
        self._lines = lines
        self._seen: set[int] = set()

    def origin(self, mark: yaml.Mark | None) -> Origin:
        return Origin(self._layer, self._place, mark.line + 1 if mark and self._lines else 0)

    def node(self, node: yaml.Node) -> Section | Leaf:
        if not isinstance(node, yaml.MappingNode):
            inside: dict[tuple[str | int, ...], Origin] = {}
            return Leaf(self._value(node, (), inside), self.origin(node.start_mark), inside)
        section = Section(self.origin(node.start_mark))
        for key, key_node, value_node in self._items(node):
            child = self.node(value_node)
            at = self.origin(key_node.start_mark)
            section.children[key] = replace(child, origin=at)
        return section

    def _items(self, node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
        self._enter(node)
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = self._value(key_node, (), {})
            if not isinstance(key, str):
                raise self._wrong(key_node, f"a key must be a word, not {key!r}")
            if key in seen:
                raise self._wrong(key_node, f"`{key}` stands here twice; keep one of them")
            seen.add(key)
            yield key, key_node, value_node

    def _value(
        self, node: yaml.Node, path: tuple[str | int, ...], inside: dict[tuple[str | int, ...], Origin]
    ) -> object:
        """The value of a list, of what is in one, or of a scalar; `inside` gets where each item stands."""
        if path:
            inside.setdefault(path, self.origin(node.start_mark))
        if isinstance(node, yaml.SequenceNode):
            self._enter(node)
            return [self._value(item, (*path, index), inside) for index, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            found = {}
            for key, key_node, value_node in self._items(node):
                inside[*path, key] = self.origin(key_node.start_mark)
                found[key] = self._value(value_node, (*path, key), inside)
            return found
        return self._scalar(node)

    def _scalar(self, node: yaml.Node) -> object:
        kind, text = node.tag.removeprefix(_TAG), str(node.value)
        match kind:
            case "str":
                return text
            case "null":
                return None
            case "bool":
                return text.lower() == "true"
            case "int" | "float":
                return self._number(node, text, kind)
        raise self._wrong(node, f"the tag {node.tag} is not allowed here")

    def _number(self, node: yaml.Node, text: str, kind: str) -> int | float:
        try:
            number = int(text) if kind == "int" else float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except ValueError as error:  # more digits than Python reads
            raise self._wrong(node, "this number is too long") from error
        if not math.isfinite(number):
            raise self._wrong(node, f"{text} is not a finite number")
        return number

    def _enter(self, node: yaml.Node) -> None:
        if id(node) in self._seen:
            raise self._wrong(node, "anchors and aliases are not understood here; write the value again")
        self._seen.add(id(node))

    def _wrong(self, node: yaml.Node, message: str) -> UetError:
        return UetError(f"{self.origin(node.start_mark)}: {message}")


def _parse(text: str, reading: _Reading) -> Section | Leaf | None:
    try:
        node = yaml.compose(text, _Loader)
    except yaml.MarkedYAMLError as error:
        raise UetError(f"{reading.origin(error.problem_mark)}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        told = str(error).splitlines()[0] if isinstance(error, yaml.YAMLError) else "nested too deep"
        raise UetError(f"{reading.origin(None)}: not valid YAML: {told}") from error
    return None if node is None else reading.node(node)


def read_file(path: Path, layer: str, shown: str) -> Section:
    """The settings in a YAML file; one that is empty or only comments holds none.

    Args:
        path: The file.
        layer: The layer it belongs to.
        shown: The path as errors and `uet config` write it.

    Raises:
        UetError: it cannot be read, is too large, not YAML or not a mapping, has a key twice, or a number that is not
            finite.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise UetError(f"{shown}: is larger than {_MAX_BYTES // 1024**2} MiB: nothing that is set is so long")
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UetError(f"{shown}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UetError(f"{shown}: cannot be read: {error.strerror}") from error
    node = _parse(text, _Reading(layer, shown, lines=True))
    if node is None:
        return Section(Origin(layer, shown))
    if isinstance(node, Leaf):
        raise UetError(f"{node.origin}: settings are written as `key: value`, not {node.value!r}")
    return node


def read_value(text: str, origin: Origin) -> Section | Leaf:
    """A value from the environment or from `--set`, written as YAML; a mapping becomes a section.

    Raises:
        UetError: it is not YAML, or a number that is not finite.
    """
    node = _parse(text, _Reading(origin.layer, origin.place, lines=False))
    return Leaf(None, origin) if node is None else node
