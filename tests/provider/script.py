"""What a test has the provider answer: values, decided request by request."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum, auto
from typing import Literal


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the provider says that one request used, counted as in `uet_tui.core.usage`."""

    tokens_in: int = 0
    """All that was read, from a cache or not."""
    tokens_out: int = 0
    """All that was written, thinking included."""
    cached: int = 0
    """How much of `tokens_in` came from a cache."""
    reasoning: int = 0
    """How much of `tokens_out` was thinking; not every protocol tells."""

    def __add__(self, other: "Tokens") -> "Tokens":
        return Tokens(
            self.tokens_in + other.tokens_in,
            self.tokens_out + other.tokens_out,
            self.cached + other.cached,
            self.reasoning + other.reasoning,
        )


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an agent, as far as scripts care."""

    session: str
    """The first part of the path that it asked."""
    subject: str
    """Which of the session's scripts it is for: the mark that its text holds; empty where it holds none."""
    number: int
    """Which request on this subject it is, from 1."""
    step: int
    """How many results of tools it brings: 0 as an agent begins."""
    protocol: str
    model: str
    key: str
    """What it showed as its key."""
    stream: bool
    text: str
    """Everything that the model is told."""


@dataclass(frozen=True, slots=True)
class Write:
    """Has the agent write a file, with the tools that it offers; however many requests that takes."""

    path: str
    """Relative to where the agent works."""
    text: str
    words: str = "Done."
    """What the model says when it is written."""


@dataclass(frozen=True, slots=True)
class Run:
    """Has the agent run a shell command, where it can."""

    command: str
    words: str = "Done."


@dataclass(frozen=True, slots=True)
class Say:
    """Says something and has nothing done."""

    words: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Refuses, in the way that the protocol has for it."""

    words: str = "I can't help with that."


class Failure(Enum):
    """What providers answer instead of a model's words."""

    BAD_KEY = auto()
    RATE_LIMIT = auto()
    """Too many requests in a while: again soon."""
    QUOTA = auto()
    """A period's use is used up: again in the next one."""
    ACCOUNT = auto()
    """No money left: never again, until somebody pays."""
    CONTEXT = auto()
    OVERLOADED = auto()
    INTERNAL = auto()


@dataclass(frozen=True, slots=True)
class Fail:
    """Answers with an error."""

    what: Failure
    again: float | datetime | None = None
    """When to come back: seconds, or a date; None says nothing of it."""
    in_stream: bool = False
    """Whether it comes as an event of a stream that began well, as providers do when they notice late."""

    @property
    def moment(self) -> datetime | None:
        """When to come back, by the clock."""
        if self.again is None or isinstance(self.again, datetime):
            return self.again
        return datetime.now(UTC) + timedelta(seconds=self.again)

    @property
    def retry_after(self) -> str | None:
        """The header of that name."""
        match self.again:
            case None:
                return None
            case datetime():
                return format_datetime(self.again, usegmt=True)
            case seconds:
                return f"{seconds:g}"


@dataclass(frozen=True, slots=True)
class Garble:
    """Answers with JSON that is none."""


Act = Write | Run | Say | Refuse | Fail | Garble


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered to one request."""

    act: Act
    tokens: Tokens = Tokens(1000, 50)
    """What it is said to have used, if the answer comes through."""
    pause: float = 0.0
    """Seconds before each piece of it: before it, and between the events of a stream."""
    cut: Literal["", "before", "middle"] = ""
    """Where the connection is cut."""


Script = Callable[[Request], Answer]


def always(act: Act, tokens: Tokens | None = None, **more: float | str) -> Script:
    """The same answer each time."""
    answer = Answer(act, **({} if tokens is None else {"tokens": tokens}), **more)
    return lambda _: answer


def first(answers: list[Answer], then: Script) -> Script:
    """These answers to the first requests on a subject, then what another script says."""
    return lambda request: answers[request.number - 1] if request.number <= len(answers) else then(request)


@dataclass(frozen=True, slots=True)
class Session:
    """What one base URL answers: a script for each mark that prompts may hold."""

    scripts: Mapping[str, Script]
    otherwise: Script = field(default=always(Say("There is nothing to do."), Tokens(10, 5)))
    """For what holds no mark: what an agent asks on its own account, such as for a title."""

    def subject(self, text: str) -> str:
        """The mark that comes first in a text, the longest of those that begin there: what follows is context."""
        marks = (mark for mark in self.scripts if mark in text)
        return min(marks, key=lambda mark: (text.index(mark), -len(mark)), default="")

    def script(self, subject: str) -> Script:
        """What answers requests on a subject."""
        return self.scripts.get(subject, self.otherwise)
