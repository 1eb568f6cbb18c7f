"""JSON with comments: strict JSON, but `//` and `/* */` comments and a comma after the last item are accepted.

Both leave no doubt about what is meant; everything else that JSON does not allow is an error with its line.
"""

import json
import re

from uet_tui.plan.documents import DocumentError, Node, Value, check_depth, check_new, number_value, quoted, text_value

_BLANK = re.compile(r"(?:[ \t\n]++|//[^\n]*+|/\*(?s:.*?)\*/)*+")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
_WORD = re.compile(r"[^\s,:\[\]{}\"/]++")
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}
_NOT_FINITE = frozenset({"nan", "inf", "infinity"})


def read_json(text: str) -> Node:
    """The document that the text is.

    Raises:
        DocumentError: with the first line that is not JSON.
    """
    return _Reader(text).document()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._line = 1

    def document(self) -> Node:
        if not self._next():
            raise DocumentError(0, "is empty: write one workstream as an object, or a list of them")
        node = self._value(0)
        if self._next():
            raise self._error(f"{self._found()} comes after the end: write several workstreams as one list, [ , ]")
        return node

    def _next(self) -> str:
        """The next character that means something, or an empty string at the end."""
        start = self._at
        match = _BLANK.match(self._text, start)
        if match and match.end() > start:
            self._at = match.end()
            self._line += self._text.count("\n", start, self._at)
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Node:
        line = self._line
        match self._next():
            case "{":
                return self._object(depth + 1)
            case "[":
                return self._list(depth + 1)
            case '"':
                line = self._line
                return Node(self._string(), line)
        line = self._line
        found = _WORD.match(self._text, self._at)
        word = found[0] if found else ""
        if word in _CONSTANTS:
            self._at += len(word)
            return Node(_CONSTANTS[word], line)
        number = number_value(word, line)
        if number is None:
            raise self._not_a_value(word)
        self._at += len(word)
        return Node(number, line, written=word)

    def _object(self, depth: int) -> Node:
        line = self._line
        check_depth(depth, line)
        self._at += 1
        members: dict[str | int, Node] = {}
        values: dict[str, Value] = {}
        while (char := self._next()) != "}":
            if char != '"':
                raise self._error(f'expected a key in double quotes or "}}", found {self._found()}')
            key_line = self._line
            key = self._string()
            check_new(key, members, key_line)
            if self._next() != ":":
                raise self._error(f'expected ":" after the key {quoted(key)}, found {self._found()}')
            self._at += 1
            node = self._value(depth)
            members[key] = node._replace(line=key_line)
            values[key] = node.value
            self._comma("}", "object", line)
        self._at += 1
        return Node(values, line, members)

    def _list(self, depth: int) -> Node:
        line = self._line
        check_depth(depth, line)
        self._at += 1
        items: list[Node] = []
        while self._next() != "]":
            items.append(self._value(depth))
            self._comma("]", "list", line)
        self._at += 1
        return Node([item.value for item in items], line, dict(enumerate(items)))

    def _comma(self, end: str, what: str, opened: int) -> None:
        char = self._next()
        if char == ",":
            self._at += 1
        elif char != end:
            raise self._error(
                f'expected "," or "{end}" in the {what} that begins on line {opened}, found {self._found()}'
            )

    def _string(self) -> str:
        match = _STRING.match(self._text, self._at)
        if match is None:
            raise self._error(
                "the text in double quotes that begins here does not end on its line, or has a tab or an unknown "
                'escape in it: write \\n for a new line, \\t for a tab, \\\\ for a backslash, \\" for a quote'
            )
        self._at = match.end()
        written = match[0]
        return text_value(str(json.loads(written)), self._line) if "\\" in written else written[1:-1]

    def _not_a_value(self, word: str) -> DocumentError:
        if word.lstrip("+-").lower() in _NOT_FINITE:
            return self._error(f"{quoted(word)} is not a number that can be used: write a finite one")
        if word[:1] in "+-.0123456789" and word:
            return self._error(f"{quoted(word)} is not a number: write it like 12 or 0.5, or in double quotes")
        if word and word[0] != "'":
            return self._error(f"{quoted(word)} is not a value: text stands in double quotes")
        return self._error(f"expected a value, found {self._found()}")

    def _found(self) -> str:
        rest = self._text[self._at : self._at + 40]
        if rest.startswith("/*"):
            return "a comment that never ends: close it with */"
        if rest.startswith("'"):
            return "a single quote: use double quotes"
        if rest.startswith('"'):
            return quoted(rest[1:].partition('"')[0], 30)
        word = _WORD.match(rest)
        return quoted(word[0] if word else rest[:1]) if rest else "the end of the file"

    def _error(self, message: str) -> DocumentError:
        return DocumentError(self._line, message)
