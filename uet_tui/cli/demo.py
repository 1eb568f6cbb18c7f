"""`uet demo`: the whole product at work in a scratch repository, without a key."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from uet_tui.cli.check import find_plan, load, valid
from uet_tui.cli.options import Sets
from uet_tui.cli.place import settings
from uet_tui.cli.run import Headless, need_terminal

app = typer.Typer()


@app.command()
def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where to make it; a new temporary folder unless said.")
    ] = None,
    headless: Headless = False,
    sets: Sets = None,
) -> None:
    """See the whole product at work, without a key: a scratch repository, a plan, a real conflict."""
    if not headless:
        need_terminal("add --headless, and the demo plays your part too")
    from uet_tui.demo.scratch import make_scratch
    from uet_tui.demo.tour import Tour, pace

    if headless:
        how = pace(sets or ())  # a wrong setting is told before anything is made
        Tour(make_scratch(folder), how, typer.echo).run()
    else:
        _on_screen(make_scratch(folder), sets)


def _on_screen(scratch: Path, sets: list[str] | None) -> None:
    from uet_tui.cli.output import show
    from uet_tui.cli.screen import drive_on_screen
    from uet_tui.demo.farewell import farewell
    from uet_tui.engine import start
    from uet_tui.report import tables

    os.chdir(scratch)  # as if the operator had gone there: its configuration and plan hold
    now = settings(sets).settings
    plan = valid(load(find_plan(None), now))
    opened = start.new_run(start.repository_at(scratch), plan, now)
    view, code = drive_on_screen(opened)
    show(*tables.summary(view, datetime.now(UTC)), "", *farewell(scratch, view))
    raise typer.Exit(code)
