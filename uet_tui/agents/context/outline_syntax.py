"""Outlines by tree-sitter: the headers of what a file defines, as they are written. Its grammars come in wheels."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Language, Node

_GRAMMARS = {
    "c": (".c", ".h"),
    "cpp": (".cc", ".cpp", ".cxx", ".hpp", ".hh", ".hxx"),
    "go": (".go",),
    "java": (".java",),
    "javascript": (".js", ".jsx", ".mjs", ".cjs"),
    "ruby": (".rb",),
    "rust": (".rs",),
    "typescript": (".ts", ".mts", ".cts"),
    "tsx": (".tsx",),
}
_GRAMMAR_OF = {ending: grammar for grammar, endings in _GRAMMARS.items() for ending in endings}


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HOLDERS = _words(
    """
    abstract_class_declaration class class_declaration class_specifier enum_declaration impl_item
    interface_declaration internal_module mod_item module namespace_definition record_declaration
    singleton_class struct_specifier trait_item union_specifier
    """
)
"""What holds definitions of its own: its header is told, and what is in it."""
_CODE = _words(
    """
    compact_constructor_declaration constructor_declaration function_declaration function_definition
    function_item generator_function_declaration macro_definition method method_declaration method_definition
    singleton_method
    """
)
"""What has code: only its header is told."""
_WHOLE = _words(
    """
    abstract_method_signature alias_declaration const_declaration const_item declaration enum_item
    enum_specifier field_declaration function_signature function_signature_item method_signature
    preproc_function_def property_signature public_field_definition static_item struct_item
    type_alias_declaration type_declaration type_definition type_item union_item
    """
)
"""What is told as it is, if it is not long."""
_AROUND = _words(
    """
    ambient_declaration declaration_list expression_statement export_statement lexical_declaration
    linkage_specification preproc_else preproc_if preproc_ifdef template_declaration variable_declaration
    variable_declarator
    """
)
"""What stands around a definition, and belongs to its header."""
_FUNCTIONS = frozenset({"arrow_function", "function_expression", "generator_function"})
_FIELDS = frozenset(
    {"field_declaration", "public_field_definition", "property_signature", "declaration", "const_declaration"}
)
"""Left out where only the outermost is told."""
_DEEPEST = 5
_MOST_LINES, _DOC_LINES = 12, 3
_LONGEST = 300
"""Characters of a header: some are tables."""


def outline_syntax(ending: str, data: bytes, *, brief: bool = False) -> str:
    """The outline of a file, by the language of its ending; empty for other languages and where nothing is defined."""
    grammar = _GRAMMAR_OF.get(ending)
    if grammar is None:
        return ""
    from tree_sitter import Parser

    tree = Parser(_language(grammar)).parse(data)
    return "\n".join(_inside(tree.root_node, _Reading(data, brief=brief), 0))


@lru_cache
def _language(grammar: str) -> "Language":
    from tree_sitter import Language

    package = import_module(f"tree_sitter_{'typescript' if grammar == 'tsx' else grammar}")
    make: Callable[[], object] = getattr(
        package, f"language_{grammar}" if "typescript" in package.__name__ else "language"
    )
    return Language(make())


class _Reading:
    """One file being read."""

    def __init__(self, data: bytes, *, brief: bool) -> None:
        self._data = data
        self.brief = brief

    def text(self, start: int, end: int) -> str:
        return self._data[start:end].decode("utf-8", "replace")


def _inside(node: "Node", reading: _Reading, depth: int) -> Iterator[str]:
    if depth <= _DEEPEST:
        for child in node.named_children:
            yield from _told(child, child, reading, depth)


def _told(node: "Node", outer: "Node", reading: _Reading, depth: int) -> Iterator[str]:
    """The lines of one definition; `outer` is what stands around it and begins its header."""
    if reading.brief and node.type in _FIELDS:
        return
    if node.type in _HOLDERS | _CODE | _FUNCTIONS:
        body = node.child_by_field_name("body")
        if body is None and node.type in _HOLDERS and node.parent is not None and node.type.endswith("_specifier"):
            return  # a mention of a type, no definition
        yield from _doc(outer, reading, depth)
        end = body.start_byte if body is not None else node.end_byte
        yield _line(reading.text(outer.start_byte, end).rstrip().removesuffix("=>"), depth)
        if node.type in _HOLDERS and body is not None:
            yield from _inside(body, reading, depth + 1)
    elif node.type in _WHOLE:
        yield from _doc(outer, reading, depth)
        lines = reading.text(outer.start_byte, node.end_byte).splitlines()
        yield from (_line(line, depth, strip=False) for line in lines[:_MOST_LINES])
        if len(lines) > _MOST_LINES:
            yield _line("...", depth + 1)
    elif node.type in _AROUND:
        found = [
            child for child in node.named_children if child.type in _HOLDERS | _CODE | _WHOLE | _AROUND | _FUNCTIONS
        ]
        for number, child in enumerate(found):
            yield from _told(child, outer if number == 0 and len(found) == 1 else child, reading, depth)


def _doc(node: "Node", reading: _Reading, depth: int) -> Iterator[str]:
    """The first lines of the comments right above."""
    if reading.brief:
        return
    above: list[str] = []
    below, at = node, node.prev_sibling
    while at is not None and ("comment" in at.type or at.type == "attribute_item"):
        if below.start_point.row - at.end_point.row > 1:
            break
        above[:0] = reading.text(at.start_byte, at.end_byte).splitlines()
        below, at = at, at.prev_sibling
    yield from (_line(text, depth) for text in above[:_DOC_LINES])
    if len(above) > _DOC_LINES and above[0].lstrip().startswith("/*"):
        yield _line("*/", depth)


def _line(text: str, depth: int, *, strip: bool = True) -> str:
    flat = " ".join(text.split()) if strip else text.rstrip()
    return "    " * depth + (flat if len(flat) <= _LONGEST else f"{flat[:_LONGEST]}...")
