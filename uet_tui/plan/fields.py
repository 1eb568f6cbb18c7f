"""One object of a bundle -> a workstream, or what is wrong with it in the operator's words, each with its line."""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import groupby
from typing import NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from uet_tui.plan.documents import Node, quoted
from uet_tui.plan.model import CircuitBreaker, TestGate, Workstream
from uet_tui.plan.scopes import normalise
from uet_tui.text import one_line

_MUST_BE: Mapping[str, str] = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "an object",
    "mapping_type": "an object",
    "model_type": "an object",
    "string_pattern_mismatch": "ws- followed by small letters, digits and hyphens",
    "string_too_long": "at most {max_length} characters long",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:.0f}",
    "greater_than": "more than {gt:g}",
    "enum": "{expected}",
    "literal_error": "{expected}",
}
"""What a value must be, by pydantic's name for the error, with pydantic's figures in it."""


class Complaint(NamedTuple):
    """Something wrong in a file."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What one object of a bundle came to."""

    workstream: Workstream | None
    errors: tuple[Complaint, ...]
    warnings: tuple[Complaint, ...] = ()


def declared(node: Node) -> Declared:
    """The workstream that an object declares, with its scopes in their one spelling."""
    if not isinstance(node.value, dict):
        return Declared(None, (Complaint(node.line, f"a workstream is an object, not {_shown(node.value)}"),))
    if not node.value.keys() & Workstream.model_fields.keys():
        return Declared(None, (Complaint(node.line, f"this object is no workstream: {_missing(Workstream, node)}"),))
    warnings = tuple(_unknown_keys(node))
    errors = tuple(_scope_errors(node))
    try:
        # By way of JSON, because only there pydantic can be strict and still take lists and names for what they are.
        workstream = Workstream.model_validate_json(json.dumps(node.value), strict=True)
    except ValidationError as error:
        return Declared(None, (*_complaints(node, error.errors(include_url=False)), *errors), warnings)
    if errors:
        return Declared(None, errors, warnings)
    scopes = {
        "files_scope": tuple(map(normalise, workstream.files_scope)),
        "files_create": tuple(map(normalise, workstream.files_create)),
    }
    return Declared(workstream.model_copy(update=scopes), (), warnings)


def nearest(word: str, known: Sequence[str]) -> str:
    """A half sentence that offers the known word that is most like this one, or nothing."""
    close = get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _unknown_keys(node: Node) -> Iterator[Complaint]:
    yield from _unknown_in(node, Workstream)
    if breaker := node.inside.get("circuit_breaker"):
        yield from _unknown_in(breaker, CircuitBreaker)
    if gates := node.inside.get("test_gates"):
        for gate in gates.inside.values():
            yield from _unknown_in(gate, TestGate)


def _unknown_in(node: Node, model: type[BaseModel]) -> Iterator[Complaint]:
    if not isinstance(node.value, dict):
        return
    for key, member in node.inside.items():
        name = str(key)
        if name not in model.model_fields and name != "doc_id" and not name.startswith("_comment"):
            near = nearest(name, list(model.model_fields))
            yield Complaint(member.line, f"the key {quoted(name)} is not known and is ignored{near}")


def _scope_errors(node: Node) -> Iterator[Complaint]:
    written = ((field, node.inside[field]) for field in ("files_scope", "files_create") if field in node.inside)
    for field, scopes in written:
        for scope in scopes.inside.values():
            if isinstance(scope.value, str):
                try:
                    normalise(scope.value)
                except ValueError as error:
                    yield Complaint(scope.line, f"{field}: {quoted(scope.value)} {error}")


def _complaints(node: Node, errors: Sequence[ErrorDetails]) -> Iterator[Complaint]:
    absent = [error["loc"][:-1] for error in errors if error["type"] == "missing"]
    for place in dict.fromkeys(absent):
        model = Workstream if not place else TestGate
        inner = _at(node, place)
        where = f"in {_named(place)}" if place else ""
        yield Complaint(inner.line, where + _missing(model, inner))
    wrong = [(_existing(node, error["loc"]), error) for error in errors if error["type"] != "missing"]
    for place, group in groupby(wrong, key=lambda pair: pair[0]):
        found = _at(node, place)
        # Pydantic also calls a list too short when its items are wrong.
        if errors_here := [error for _, error in group if error["type"] != "too_short" or not found.value]:
            yield Complaint(found.line, _wrong(place, found, errors_here))


def _existing(node: Node, place: Sequence[int | str]) -> tuple[int | str, ...]:
    """The part of a place that is in the document; pydantic also names the alternatives that it tried."""
    found: list[int | str] = []
    for step in place:
        if step not in node.inside:
            break
        node = node.inside[step]
        found.append(step)
    return tuple(found)


def _at(node: Node, place: Sequence[int | str]) -> Node:
    for step in place:
        node = node.inside[step]
    return node


def _missing(model: type[BaseModel], node: Node) -> str:
    absent = [name for name, field in model.model_fields.items() if field.is_required() and name not in node.inside]
    examples = (f'"{name}": {json.dumps((model.model_fields[name].examples or [...])[0])}' for name in absent)
    verb = "is" if len(absent) == 1 else "are"
    return f"{_listed(absent, 'and')} {verb} missing: write it like {', '.join(examples)}"


def _wrong(place: Sequence[int | str], found: Node, errors: Sequence[ErrorDetails]) -> str:
    value = found.value
    if errors[0]["type"] == "too_short":
        example = (Workstream.model_fields[str(place[-1])].examples or [[]])[0]
        return f"{_named(place)}is an empty list: write at least one, such as {json.dumps(example)}"
    known = [_MUST_BE[error["type"]].format_map(_figures(error)) for error in errors if error["type"] in _MUST_BE]
    must_be = _listed(known, "or") if known else "as schema/workstream.schema.json describes it"
    shown = one_line(found.written, 60) or _shown(value)
    return f"{_named(place)}must be {must_be}, not {shown}{_instead(errors[0], found)}"


def _figures(error: ErrorDetails) -> dict[str, object]:
    figures: dict[str, object] = dict(error.get("ctx", {}))
    if "expected" in figures:
        figures["expected"] = str(figures["expected"]).replace("'", "")
    return figures


def _instead(error: ErrorDetails, found: Node) -> str:
    value = found.value
    match error["type"]:
        case "string_pattern_mismatch":
            plain = unicodedata.normalize("NFKD", str(value)).encode("ascii", "ignore").decode().lower()
            name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-").removeprefix("ws-")
            return f": write it like ws-{name[:60] or 'parser'}"
        case "tuple_type" if value is None:
            return ": write []"
        case "tuple_type" if isinstance(value, str):
            return f": write [{quoted(value)}]"
        case "enum" | "literal_error" if isinstance(value, str):
            return nearest(value, re.findall(r"\w+", str(_figures(error)["expected"]).replace(" or ", ", ")))
        case "string_type" if isinstance(value, int | float):
            return f': write "{one_line(found.written, 60) or json.dumps(value)}"'
        case "int_type" | "float_type" if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value):
            return f": write {value}"
    return ""


def _named(place: Sequence[int | str]) -> str:
    """A place as the beginning of a sentence; items count from 1."""
    names = [f"item {step + 1}" if isinstance(step, int) else step for step in place]
    return " of ".join(reversed(names)) + " " if names else ""


def _shown(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return "a list"
        case dict():
            return "an object"
    return quoted(value)


def _listed(words: Sequence[str], last: str) -> str:
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))
