"""What an operator can ask of a run, from the console or from any terminal."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from uet_tui.plan.model import MOST_USD
from uet_tui.text import one_line

FROM_AGENT: Final = "agent:"
"""How the source of a command begins that an agent gave. It is refused, and on record."""


class Verb(StrEnum):
    """The acts; a command carries the fields that its act needs and no others."""

    PAUSE = "pause"  # worker=None: the run
    CONTINUE = "continue"  # worker or provider; else the run
    DRAIN = "drain"  # worker=None: all, and finish
    STOP = "stop"  # ends what runs, gently; the run can be resumed
    DETACH = "detach"  # the orchestrator lets go of the run; agents go on
    SCALE = "scale"  # number
    KILL = "kill"  # workstream
    FREEZE = "freeze"  # worker
    THAW = "thaw"  # worker
    RETRY = "retry"  # workstream
    SKIP = "skip"  # workstream
    BUDGET = "budget"  # amount, limit, until?, note
    TAKE = "take"  # conflict, side, file?, hunk?
    UNDO = "undo"  # conflict, file?, hunk?
    EDIT = "edit"  # conflict, file, content (the whole resolved file)
    APPROVE = "approve"  # conflict
    AGAIN = "again"  # conflict, note
    DEFER = "defer"  # conflict
    REDO = "redo"  # conflict
    QUARANTINE = "quarantine"  # conflict
    FORGET = "forget"  # note: which resolutions; who asks takes them off record
    HOLD = "hold"  # workstream
    RELEASE = "release"  # workstream
    FIRST = "first"  # workstream
    LAND = "land"
    ROLLBACK = "rollback"


class Side(StrEnum):
    """Which text a hunk or file of a conflict takes."""

    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"
    BOTH_THEIRS_FIRST = "both-theirs-first"
    PROPOSAL = "proposal"


def _sendable(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return one_line(text)
    return text


Typed = Annotated[str, AfterValidator(_sendable)]
"""What an operator typed. File names and so command lines need not be text: then it is as screens show it."""


class Command(BaseModel):
    """One act of the operator."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    verb: Verb
    worker: int | None = None
    workstream: Typed | None = None
    conflict: Typed | None = None
    number: Annotated[int, Field(ge=1, le=256)] | None = None
    amount: Annotated[float, Field(ge=0, lt=MOST_USD, allow_inf_nan=False)] | None = None
    """US dollars."""
    limit: Literal["total", "phase", "task"] = "total"
    """For `budget`: of the whole run, of each phase, or of each workstream."""
    until: AwareDatetime | None = None
    """For `budget`: when the former limit holds again."""
    provider: Typed | None = None
    """For `continue`: the provider that is asked again."""
    side: Side | None = None
    file: Typed | None = None
    hunk: Annotated[int, Field(ge=1)] | None = None
    content: Typed | None = None
    settle: bool = False
    """For `take` and `edit`: merge as soon as nothing is left to decide, without a separate approval."""
    target: Typed | None = None
    """For `land`: the branch to move, instead of the run's own target."""
    note: Typed = ""
    by: Typed
    """The operator's login name."""
    source: str
    """`console` or `cli`, with the process id: `cli:4242`; `FROM_AGENT` and which one, where an agent gave it."""
    at: datetime


class Refusal(Exception):
    """The command cannot be carried out; the message says why and what to do instead."""


def _said(message: str) -> str:
    return one_line(message, limit=1000)


class Answer(BaseModel):
    """What became of a command."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    ok: bool
    message: Annotated[str, AfterValidator(_said)]
    """One line for the operator: what happened, or why not and what to do instead; harmless, whatever it names."""
