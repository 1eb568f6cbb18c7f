"""`uet forecast`: which active workstreams would conflict if all were merged as they are now."""

from datetime import UTC, datetime

import typer

from uet_tui.cli.looking import look
from uet_tui.cli.options import Json, Run, RunArgument, Sets, chosen
from uet_tui.cli.output import emit, show
from uet_tui.report import forecast as report

app = typer.Typer()


@app.command()
def forecast(run: RunArgument = None, named: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Which active workstreams would conflict, unfinished work included."""
    with look(chosen(run, named)) as at:
        view = at.reader.run(at.run)
    if json:
        emit(report.document(view))
    else:
        show(report.table(view, datetime.now(UTC)))
