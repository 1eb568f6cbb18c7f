"""Settings before they are typed: a tree whose every value knows where it came from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was set."""

    layer: str
    """`shipped`, `operator`, `repository`, `environment`, `--set` or `flag`."""
    place: str
    """A file as the operator knows it, the name of a variable, or the option as it was typed."""
    line: int = 0
    """1-based; 0 where the place has no lines."""

    def __str__(self) -> str:
        return f"{self.place}:{self.line}" if self.line else self.place


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is replaced as a whole: a scalar, a list, or null. Mappings in a list are part of it."""

    value: object
    origin: Origin
    inside: Mapping[tuple[str | int, ...], Origin] = field(default_factory=dict)
    """Where the items of a list were set, and what is in them, by their path in the value."""


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping; layers merge into it key by key."""

    origin: Origin
    children: dict[str, "Section | Leaf"] = field(default_factory=dict)

    def find(self, path: tuple[str, ...]) -> "Section | Leaf":
        """The node at the path, or the nearest one above it."""
        node: Section | Leaf = self
        for key in path:
            if not isinstance(node, Section) or key not in node.children:
                break
            node = node.children[key]
        return node

    def origin_of(self, path: tuple[str | int, ...]) -> Origin:
        """Where the value at the path was set, or the nearest one around it."""
        node: Section | Leaf = self
        for depth, key in enumerate(path):
            if isinstance(node, Leaf):
                rest = path[depth:]
                found = (node.inside.get(rest[:length]) for length in range(len(rest), 0, -1))
                return next((origin for origin in found if origin is not None), node.origin)
            if not isinstance(key, str) or key not in node.children:
                break
            node = node.children[key]
        return node.origin

    def leaves(self, prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Leaf]]:
        """Every leaf with its path, in the order of the layers' files."""
        for key, node in self.children.items():
            if isinstance(node, Section):
                yield from node.leaves((*prefix, key))
            else:
                yield (*prefix, key), node

    def plain(self) -> dict[str, object]:
        """The same without origins, for validation."""
        return {key: node.plain() if isinstance(node, Section) else node.value for key, node in self.children.items()}


def merged(lower: Section, upper: Section) -> Section:
    """Both layers in one: mappings merge deep, everything else is replaced.

    A null where the lower layer has a mapping sets nothing: it is what is left of a section when all that is below
    its key is commented out.
    """
    children = dict(lower.children)
    for key, node in upper.children.items():
        below = children.get(key)
        if isinstance(below, Section) and isinstance(node, Section):
            children[key] = merged(below, node)
        elif not (isinstance(below, Section) and isinstance(node, Leaf) and node.value is None):
            children[key] = node
    return Section(upper.origin, children)


def nested(path: tuple[str, ...], leaf: Leaf) -> Section:
    """A tree that holds one leaf."""
    node: Section | Leaf = leaf
    for key in reversed(path):
        node = Section(leaf.origin, {key: node})
    if isinstance(node, Leaf):
        raise ValueError("a leaf needs a path")
    return node
