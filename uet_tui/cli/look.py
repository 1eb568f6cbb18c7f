"""`uet status`, `runs`, `workers`: looks at runs, never touches them."""

from contextlib import closing
from datetime import UTC, datetime

import typer

from uet_tui.cli.looking import home, look
from uet_tui.cli.options import Json, Run, RunArgument, Sets, chosen
from uet_tui.cli.output import emit, show
from uet_tui.report import documents, tables
from uet_tui.store.queries import Reader

app = typer.Typer()


@app.command()
def status(run: RunArgument = None, named: Run = None, json: Json = False, sets: Sets = None) -> None:
    """How a run goes: every workstream, what it costs, what needs you."""
    with look(chosen(run, named)) as at:
        view = at.reader.run(at.run)
    if json:
        emit(documents.status(view))
    else:
        show(tables.status(view, datetime.now(UTC)))


@app.command()
def runs(json: Json = False, sets: Sets = None) -> None:
    """All runs of this repository, newest first."""
    with closing(Reader(home().database)) as reader:
        found = reader.runs()
    if json:
        emit(documents.runs(found))
    else:
        show(tables.runs(found, datetime.now(UTC)))


@app.command()
def workers(run: RunArgument = None, named: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Who does what."""
    with look(chosen(run, named)) as at:
        view = at.reader.run(at.run)
    if json:
        emit(documents.workers(view))
    else:
        show(tables.workers(view.workers, datetime.now(UTC)))
