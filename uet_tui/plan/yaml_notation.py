"""YAML, read for what it says and not for what it might mean.

A plain scalar is a number, `true`, `false` or `null` exactly where JSON would say so, and text otherwise: `on`, `0123`,
`12:30:45` and dates stay text. Anchors, aliases and tags are refused, so a text is never larger than it looks, and
nothing in it is executed. Built from the parser's events, because the composer would expand and guess first.
"""

import re
from collections.abc import Iterator

import yaml

from uet_tui.plan.documents import (
    MAX_DEPTH,
    DocumentError,
    Node,
    Value,
    check_depth,
    check_new,
    number_value,
    quoted,
    text_value,
)

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser where PyYAML was built with it: ten times faster
_TOO_DEEP = "exceeded maximum nesting depth"
"""How the C parser of PyYAML 6.0.4 says that it reads no further: it looks ahead, so it comes to it before we do."""
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None, "~": None, "": None}
_NOT_FINITE = re.compile(r"[+-]?(?:\.inf|\.nan|inf|nan|infinity)", re.IGNORECASE)


def read_yaml(text: str) -> Node:
    """The document that the text is.

    Raises:
        DocumentError: with the first line that is not YAML, or that uses what is refused.
    """
    try:
        return _document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        if error.problem == _TOO_DEEP:
            check_depth(MAX_DEPTH + 1, line)
        raise DocumentError(line, _explained(text, line, error.problem or error.context or "")) from None
    except yaml.YAMLError:
        raise DocumentError(0, "holds a character that YAML does not allow, such as U+FFFE: remove it") from None


def _explained(text: str, line: int, problem: str) -> str:
    written = text.split("\n")[line - 1 : line] if line else []
    if written and re.match(r" *\t", written[0]):
        return "a tab cannot indent YAML: use spaces"
    return f"is not YAML ({problem}): check the indentation, the quotes and the colons here"


def _document(events: Iterator[yaml.Event]) -> Node:
    root: Node | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                raise DocumentError(_line(event), "a second YAML document begins here: write one list instead")
            root = _value(next(events), events, 0)
    if root is None or root.value is None:
        raise DocumentError(0, "is empty: write one workstream as an object, or a list of them")
    return root


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def _value(event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
    line = _line(event)
    if isinstance(event, yaml.AliasEvent):
        raise DocumentError(line, f"aliases such as {quoted(f'*{event.anchor}')} are not read: write the value out")
    if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
        raise DocumentError(line, f"anchors such as {quoted(f'&{event.anchor}')} are not read: remove it")
    if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
        raise DocumentError(line, f"tags such as {quoted(event.tag)} are not read: remove it")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event, line)
    check_depth(depth + 1, line)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, line, depth + 1)
    return _mapping(events, line, depth + 1)


def _sequence(events: Iterator[yaml.Event], line: int, depth: int) -> Node:
    items: list[Node] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        items.append(_value(event, events, depth))
    return Node([item.value for item in items], line, dict(enumerate(items)))


def _mapping(events: Iterator[yaml.Event], line: int, depth: int) -> Node:
    members: dict[str | int, Node] = {}
    values: dict[str, Value] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key_line = _line(event)
        if not isinstance(event, yaml.ScalarEvent):
            raise DocumentError(key_line, "a key is plain text, not a list, an object or an alias")
        if event.anchor is not None or event.tag is not None:
            raise DocumentError(key_line, f"the key {quoted(event.value)} has an anchor or a tag: remove it")
        key = text_value(event.value, key_line)
        check_new(key, members, key_line)
        node = _value(next(events), events, depth)
        members[key] = node._replace(line=key_line)
        values[key] = node.value
    return Node(values, line, members)


def _scalar(event: yaml.ScalarEvent, line: int) -> Node:
    text: str = event.value
    if event.style not in (None, ""):  # quoted, or a block: text by its author's will
        return Node(text_value(text, line), line)
    if text in _CONSTANTS:
        return Node(_CONSTANTS[text], line)
    if _NOT_FINITE.fullmatch(text):
        raise DocumentError(line, f"{quoted(text)} is not a number that can be used: write a finite one, or quote it")
    number = number_value(text, line)
    return Node(text_value(text, line), line) if number is None else Node(number, line, written=text)
