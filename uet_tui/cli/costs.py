"""`uet costs`: where the money went."""

from typing import Annotated, get_args

import typer

from uet_tui.cli.accuracy import tell_accuracy
from uet_tui.cli.looking import look
from uet_tui.cli.options import Json, Run, RunArgument, Sets, chosen
from uet_tui.cli.output import emit, show
from uet_tui.errors import UetError
from uet_tui.report import costs as report

app = typer.Typer()

Way = Annotated[
    report.By | None,
    typer.Option("--by", help="Look at it by workstream (unless said), attempt, model, wave or outcome."),
]
Csv = Annotated[bool, typer.Option("--csv", help="Comma-separated values on standard output and nothing else.")]

Estimates = Annotated[
    bool, typer.Option("--accuracy", help="How good estimates of tokens were, by agent and model, over all runs.")
]


@app.command()
def costs(
    run: RunArgument = None,
    by: Way = None,
    csv: Csv = False,
    estimates: Estimates = False,
    named: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Where the money went."""
    if estimates:
        if run or named or by or csv:
            raise UetError("--accuracy is about all runs of this repository: leave RUN, --by and --csv out")
        tell_accuracy(json=json)
        return
    if csv and json:
        raise UetError("either --csv or --json: it is one document")
    with look(chosen(run, named)) as at:
        view, breakdown = at.reader.run(at.run), at.reader.costs(at.run)
    if json:
        emit(report.document(view.id, view.costs, breakdown, view.providers))
    elif csv:
        text = report.lines(breakdown, [by] if by else get_args(report.By))
        print(text, end="")  # noqa: T201  # this is what the command is for
    else:
        show(report.table(view.costs, report.rows(breakdown, by or "workstream"), by or "workstream"))
