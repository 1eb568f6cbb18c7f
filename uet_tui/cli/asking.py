"""Asking a run for something: through the inbox where an orchestrator has it, else by doing it here."""

import getpass
import os
from datetime import UTC, datetime
from functools import partial
from typing import Final, Literal
from uuid import uuid4

from uet_tui.cli.looking import Look
from uet_tui.cli.output import complain, emit, show
from uet_tui.core.commands import FROM_AGENT, Answer, Command, Side, Verb
from uet_tui.errors import UetError
from uet_tui.store import inbox

_PATIENCE_SECONDS: Final = 30.0
_WAITS_FOR_OPERATOR: Final = 4
_LONG: Final = frozenset({Verb.LAND, Verb.ROLLBACK})
"""What may take as long as gates and compensation actions do: waited for while somebody has the run."""


class RefusedError(UetError):
    """The run said no; the message says why and what to do instead."""


class LandingRefusedError(UetError):
    """The integration branch cannot land yet, or not all is undone: something is the operator's to settle first."""

    exit_code = _WAITS_FOR_OPERATOR


def ask(
    at: Look,
    verb: Verb,
    *,
    json: bool,
    worker: int | None = None,
    workstream: str | None = None,
    conflict: str | None = None,
    number: int | None = None,
    amount: float | None = None,
    side: Side | None = None,
    file: str | None = None,
    hunk: int | None = None,
    content: str | None = None,
    settle: bool = False,
    target: str | None = None,
    note: str = "",
    provider: str | None = None,
    limit: Literal["total", "phase", "task"] = "total",
    until: datetime | None = None,
) -> None:
    """Has a command carried out and prints the answer.

    Raises:
        UetError: it was refused; nobody runs the run and the command needs somebody who does; or no answer came.
    """
    command = Command(
        id=uuid4().hex,
        verb=verb,
        worker=worker,
        workstream=workstream,
        conflict=conflict,
        number=number,
        amount=amount,
        side=side,
        file=file,
        hunk=hunk,
        content=content,
        settle=settle,
        target=target,
        note=note,
        provider=provider,
        limit=limit,
        until=until,
        by=login(),
        source=source(at),
        at=datetime.now(UTC),
    )
    answer = deliver(at, command)
    if json:
        emit({"run": at.run, "ok": answer.ok, "message": answer.message})
    else:
        show(answer.message)


def deliver(at: Look, command: Command) -> Answer:
    """Has a command carried out; raises what `ask` does."""
    verb = command.verb
    answer = inbox.deliver(at.paths, command, None if verb in _LONG else _PATIENCE_SECONDS, partial(_here, at))
    if answer is None:
        raise UetError(
            f"the orchestrator of {at.run} gave no answer in {_PATIENCE_SECONDS:g} s; "
            "the command waits for it: see uet status"
        )
    if not answer.ok:
        raise (LandingRefusedError if verb in _LONG else RefusedError)(answer.message)
    return answer


def source(at: Look) -> str:
    """Where the command comes from: this process, or the agent that started it."""
    from uet_tui.engine.ancestry import agent_above

    agent = agent_above(at.home)
    return f"{FROM_AGENT}{agent}" if agent else f"cli:{os.getpid()}"


def _here(at: Look, command: Command) -> Answer:
    from uet_tui.engine.offline import carry_out

    return carry_out(at.home, at.run, command, complain)


def login() -> str:
    """The operator's login name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no such user, as in a container
        return str(os.getuid())
