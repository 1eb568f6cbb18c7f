"""`uet events`: what happened, and what happens."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from uet_tui.cli.looking import Look, look
from uet_tui.cli.options import Run, RunArgument, Sets, chosen
from uet_tui.cli.output import console, emit_line
from uet_tui.core import vocabulary
from uet_tui.core.states import RUN_OVER
from uet_tui.report import documents, tables
from uet_tui.store import inbox
from uet_tui.store.views import EventView

app = typer.Typer()

_POLL_SECONDS = 0.1
_PAGE = 1000


@app.command()
def events(
    run: RunArgument = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens, until the run ends.")
    ] = False,
    tail: Annotated[
        int | None, typer.Option("--tail", "-n", metavar="N", min=0, help="Begin with the newest N.")
    ] = None,
    operator: Annotated[
        bool, typer.Option("--operator", help="Only what the operator did: who, when, and from where.")
    ] = False,
    named: Run = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON document a line and nothing else.")] = False,
    sets: Sets = None,
) -> None:
    """What happened, oldest first."""
    out = console()
    with look(chosen(run, named)) as at:
        for event in _events(at, tail, vocabulary.OPERATOR_COMMAND if operator else None, follow=follow):
            if json:
                emit_line(documents.event(event))
            else:
                out.print(tables.operator_act(event) if operator else tables.event(event), soft_wrap=True)


def _events(at: Look, tail: int | None, type: str | None, *, follow: bool) -> Iterator[EventView]:
    last, judged = 0, -1
    if tail is not None:
        # `tail` may be 0: then only what comes is wanted, and the newest event says where that begins.
        newest = at.reader.last_events(at.run, max(1, tail), type=type)
        last = newest[-1].id if newest else 0
        yield from newest if tail else ()
    while True:
        revision, held = at.reader.revision(at.run), inbox.held(at.paths)
        while page := at.reader.events(at.run, after=last, limit=_PAGE, type=type):
            last = page[-1].id
            yield from page
        if not follow:
            return
        if not held and revision != judged:  # nobody has it: ended, or it waits to be resumed
            judged = revision
            if at.reader.run(at.run).state in RUN_OVER:
                return
        while at.reader.revision(at.run) == revision and inbox.held(at.paths) == held:
            time.sleep(_POLL_SECONDS)
