"""What a protocol has to say of requests and answers; each has a module that says it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.provider.script import Answer, Fail, Refuse, Run, Say, Write

Json = dict[str, Any]
"""A JSON object from or for a program that is not ours."""
Said = Write | Run | Say | Refuse
"""An answer that a model gives."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A body, as far as all protocols have it."""

    model: str
    stream: bool
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """An answer in one piece."""

    status: int
    body: Json
    headers: Mapping[str, str]


class Speaks(Protocol):
    """A protocol of a provider."""

    def asked(self, body: Json) -> Asked:
        """What a body asks."""

    def whole(self, body: Json, said: Said, answer: Answer, name: str) -> Json:
        """An answer in one piece; `name` is the request's own, unlike any other's."""

    def events(self, body: Json, said: Said, answer: Answer, name: str) -> Iterator[bytes]:
        """The same as a stream; the last piece but those that end the stream tells the tokens."""

    def failure(self, fail: Fail) -> Whole:
        """An error."""

    def late_failure(self, body: Json, fail: Fail, name: str) -> Iterator[bytes]:
        """An error as the events of a stream."""


def event(data: Json, type: str = "") -> bytes:
    """One event of a stream."""
    head = f"event: {type}\n" if type else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def text_of(value: object) -> str:
    """All the text in a JSON value, in order."""
    match value:
        case str():
            return value
        case list():
            return "\n".join(filter(None, map(text_of, value)))
        case dict():
            return text_of(list(value.values()))
        case _:
            return ""


def pieces(text: str, size: int = 40) -> Iterator[str]:
    """A text in the small pieces in which models stream it."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


def headers_of(fail: Fail) -> dict[str, str]:
    """The headers of an error."""
    return {} if fail.retry_after is None else {"retry-after": fail.retry_after}
