"""`uet land`: moves the target branch to the integration branch, the last step."""

from typing import Annotated

import typer

from uet_tui.cli.asking import ask
from uet_tui.cli.looking import look
from uet_tui.cli.options import Json, Run, RunArgument, Sets, chosen
from uet_tui.core.commands import Verb

app = typer.Typer()


@app.command()
def land(
    run: RunArgument = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="BRANCH", help="The branch to move; the run's own unless said.")
    ] = None,
    named: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Move the target branch to what the run merged."""
    with look(chosen(run, named)) as at:
        ask(at, Verb.LAND, target=target, json=json)
