"""`uet run`, `resume`, `console`, `demo`: carries plans out, in the console or without."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from uet_tui.cli.check import find_plan, profile, report
from uet_tui.cli.options import Json, PlanArgument, Run, RunArgument, Sets, Workers, chosen
from uet_tui.cli.place import settings
from uet_tui.errors import UetError

app = typer.Typer()

Headless = Annotated[bool, typer.Option("--headless", help="Without the console; ends when the run does.")]


def need_terminal(instead: str) -> None:
    """Raises `UetError` where there is no terminal for the console, before anything was begun."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UetError(f"there is no terminal for the console; {instead}")


@app.command()
def run(
    plan: PlanArgument = None,
    workers: Workers = None,
    headless: Headless = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    schedule: Annotated[
        Literal["eager", "waves"] | None, typer.Option("--schedule", help="At once, or wave by wave.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="NAME", help="This agent for every workstream, as in a rehearsal.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="BRANCH", help="What to land on; the branch that is checked out.")
    ] = None,
    land: Annotated[
        Literal["ask", "auto", "never"] | None, typer.Option("--land", help="What to do when all is merged.")
    ] = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Run a plan."""
    flags = {"workers": workers, "schedule": schedule, "land": land}
    now = settings(sets, flags).settings
    path = find_plan(plan)
    if dry_run:
        report(profile(path, now, agent=agent), json=json)
        return
    if not headless:
        need_terminal("add --headless, or --dry-run to see the plan")


@app.command()
def resume(
    run: RunArgument = None, headless: Headless = False, named: Run = None, json: Json = False, sets: Sets = None
) -> None:
    """Go on with a run after a crash, a halt, a drain or a stop."""
    now = settings(sets).settings
    wanted = chosen(run, named)
    if not headless:
        need_terminal("add --headless")


@app.command()
def console(run: RunArgument = None, named: Run = None, sets: Sets = None) -> None:
    """Attach the console to a run, live or over."""
    now = settings(sets).settings
    wanted = chosen(run, named)
    need_terminal("see the run with: uet status, or uet events --follow")


@app.command()
def demo(
    folder: Annotated[
        Path | None, typer.Option("--dir", metavar="DIR", help="Where to make it; a new temporary folder unless said.")
    ] = None,
    headless: Headless = False,
    sets: Sets = None,
) -> None:
    """See the whole product at work, without a key: a scratch repository, a plan, a real conflict."""
    now = settings(sets).settings
