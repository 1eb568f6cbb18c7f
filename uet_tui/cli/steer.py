"""`uet pause`, `continue`, `drain`, `stop`, `scale`, `freeze`, `thaw`, `retry`, `skip`, `hold`, `first`, `budget`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import typer

from uet_tui.cli.asking import ask
from uet_tui.cli.detail import Workstream, find
from uet_tui.cli.looking import look
from uet_tui.cli.options import Json, Run, Sets
from uet_tui.core.commands import Verb
from uet_tui.errors import UetError
from uet_tui.plan.model import MOST_USD

app = typer.Typer()

_LONGEST_OVERRIDE = 366 * 86_400.0
"""Seconds: a year."""

OneWorker = Annotated[
    int | None, typer.Option("--worker", metavar="N", min=1, help="This worker only, instead of the whole run.")
]
OneProvider = Annotated[
    str | None, typer.Option("--provider", metavar="NAME", help="This provider of models is asked again.")
]
Note = Annotated[str, typer.Option("--note", metavar="TEXT", help="What the agent is to be told.")]


@app.command()
def pause(worker: OneWorker = None, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Start no new attempts; what runs goes on to its end."""
    with look(run) as at:
        ask(at, Verb.PAUSE, worker=worker, json=json)


@app.command(name="continue")
def continue_(
    worker: OneWorker = None,
    provider: OneProvider = None,
    run: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Go on after a pause."""
    if worker is not None and provider is not None:
        raise UetError("continue takes a worker or a provider, not both")
    with look(run) as at:
        ask(at, Verb.CONTINUE, worker=worker, provider=provider, json=json)


@app.command()
def drain(
    worker: Annotated[int | None, typer.Argument(metavar="WORKER", min=1, help="This worker only.")] = None,
    run: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Let what runs finish, then end the worker, or all of them and the run."""
    with look(run) as at:
        ask(at, Verb.DRAIN, worker=worker, json=json)


@app.command()
def stop(run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """End what runs, gently; uet resume goes on with it."""
    with look(run) as at:
        ask(at, Verb.STOP, json=json)


@app.command()
def scale(
    number: Annotated[int, typer.Argument(metavar="N", min=1, max=256, help="How many workers.")],
    run: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Change how many workers run at once."""
    with look(run) as at:
        ask(at, Verb.SCALE, number=number, json=json)


AWorker = Annotated[int, typer.Argument(metavar="WORKER", min=1, help="The worker's number: uet workers.")]


@app.command()
def freeze(worker: AWorker, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Stop a worker's processes where they are until uet thaw; their time does not count."""
    with look(run) as at:
        ask(at, Verb.FREEZE, worker=worker, json=json)


@app.command()
def thaw(worker: AWorker, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Let the processes of a frozen worker go on."""
    with look(run) as at:
        ask(at, Verb.THAW, worker=worker, json=json)


@app.command()
def retry(id: Workstream, note: Note = "", run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Try a workstream again that failed or was quarantined."""
    with look(run) as at:
        ask(at, Verb.RETRY, workstream=find(at.reader.run(at.run), id).id, note=note, json=json)


@app.command()
def skip(id: Workstream, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Leave a workstream out, and with it what depends on it."""
    with look(run) as at:
        ask(at, Verb.SKIP, workstream=find(at.reader.run(at.run), id).id, json=json)


@app.command()
def hold(id: Workstream, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Neither start nor merge a workstream until uet release; an agent that is at it goes on."""
    with look(run) as at:
        ask(at, Verb.HOLD, workstream=find(at.reader.run(at.run), id).id, json=json)


@app.command()
def release(id: Workstream, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Let a workstream that is held go on."""
    with look(run) as at:
        ask(at, Verb.RELEASE, workstream=find(at.reader.run(at.run), id).id, json=json)


@app.command()
def first(id: Workstream, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Merge a workstream before what else is in the merge queue."""
    with look(run) as at:
        ask(at, Verb.FIRST, workstream=find(at.reader.run(at.run), id).id, json=json)


def _dollars(value: float | None) -> float | None:
    if value is not None and not 0 <= value < MOST_USD:
        raise typer.BadParameter(f"money is a finite number of US dollars, 0 or more and below {MOST_USD:.0f}")
    return value


def _expiry(text: str) -> datetime:
    """When an override expires, from a number of seconds or a time; raises `UetError` if it is neither."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            return datetime.fromisoformat(text).astimezone()
        except (ValueError, OverflowError) as error:
            raise UetError(f"--expires takes seconds, or a time such as 2026-01-31T18:00, not {text}") from error
    if not 0 < seconds <= _LONGEST_OVERRIDE:
        raise UetError(f"--expires takes more than 0 and at most {_LONGEST_OVERRIDE:.0f} seconds, not {text}")
    return datetime.now(UTC) + timedelta(seconds=seconds)


@app.command()
def budget(
    total: Annotated[
        float | None, typer.Option("--total", metavar="USD", help="For the whole run, US dollars.", callback=_dollars)
    ] = None,
    per_phase: Annotated[
        float | None,
        typer.Option(
            "--per-phase",
            metavar="USD",
            help="For a phase, US dollars.",
            callback=_dollars,
        ),
    ] = None,
    per_task: Annotated[
        float | None,
        typer.Option("--per-task", metavar="USD", help="For a workstream, US dollars.", callback=_dollars),
    ] = None,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept on record.")] = "",
    expires: Annotated[
        str | None,
        typer.Option("--expires", metavar="SECONDS|TIME", help="When what held before holds again."),
    ] = None,
    run: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Change what the run may spend, for good or for a while."""
    limits: Mapping[Literal["total", "phase", "task"], float | None] = {
        "total": total,
        "phase": per_phase,
        "task": per_task,
    }
    named = [(limit, amount) for limit, amount in limits.items() if amount is not None]
    if len(named) != 1:
        raise UetError("budget takes one of --total, --per-phase and --per-task")
    limit, amount = named[0]
    until = None if expires is None else _expiry(expires)
    with look(run) as at:
        ask(at, Verb.BUDGET, amount=amount, limit=limit, note=reason, until=until, json=json)
