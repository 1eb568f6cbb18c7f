"""`uet run`, `resume`, `console`: carries plans out, in the console or without."""

import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from uet_tui.agents.prompt_layers import effective_prompts
from uet_tui.cli.check import find_plan, load, profile, report, valid
from uet_tui.cli.facts import setting_shown
from uet_tui.cli.options import Json, PlanArgument, Run, RunArgument, Sets, Workers, chosen
from uet_tui.cli.output import complain, show
from uet_tui.cli.place import repository, settings
from uet_tui.core.states import RunState
from uet_tui.errors import UetError
from uet_tui.report import tables

if TYPE_CHECKING:
    from uet_tui.engine.start import OpenRun
    from uet_tui.settings.layers import Loaded
    from uet_tui.settings.model import Settings

app = typer.Typer()

_LIMITS = {
    "budget.max_cost_total": "--total",
    "budget.max_cost_per_phase": "--per-phase",
    "budget.max_cost_per_task": "--per-task",
}
"""The settings that a run takes its limits from when it begins, by what changes them from then on."""
Headless = Annotated[bool, typer.Option("--headless", help="Without the console; ends when the run does.")]


def need_terminal(instead: str) -> None:
    """Raises `UetError` where there is no terminal for the console, before anything was begun."""
    # Textual draws on standard error; without it being a terminal the screen would stay empty.
    for name, stream in {"input": sys.stdin, "output": sys.stdout, "error": sys.stderr}.items():
        if not stream.isatty():
            raise UetError(f"there is no terminal for the console: standard {name} is none; {instead}")
    if os.environ.get("TERM") == "dumb":
        raise UetError(f"this terminal cannot show the console (TERM=dumb); {instead}")


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
    now = settings(sets, {"workers": workers, "schedule": schedule, "land": land}).settings
    if dry_run:
        loaded = load(find_plan(plan), now, agent=agent)
        effective_prompts(repository())
        report(profile(loaded, now, agent=agent), json=json)
        return
    opened, told = _begin(find_plan(plan), now, agent=agent, target=target, headless=headless)
    _go_on(opened, "run", told, headless=headless, json=json)


def _begin(
    path: Path, now: "Settings", *, agent: str | None, target: str | None, headless: bool
) -> "tuple[OpenRun, str]":
    """A new run of a plan, and what it is, in words. What else was read of its files is let go by returning."""
    from uet_tui.engine import start
    from uet_tui.engine.inventory import need_agents

    loaded = load(path, now, agent=agent)
    operator = start.repository_at(Path.cwd())
    valid_plan = valid(loaded)
    for warning in need_agents({agent or ws.tool for ws in valid_plan.workstreams.values()}, now, os.environ):
        complain(f"warning: {warning}")
    if not headless:
        need_terminal("add --headless, or --dry-run to see the plan")
    many = len(valid_plan.workstreams)
    told = f"a plan of {many} workstream{'' if many == 1 else 's'}{f', all for agent {agent}' if agent else ''}"
    return start.new_run(operator, valid_plan, now, agent=agent, target=target), told


def _changed(loaded: "Loaded") -> str:
    """What `--set` changes, as it may be shown."""
    sets = sorted(key for key, origin in loaded.origins.items() if origin.layer == "--set")
    return ", ".join(f"{key}={setting_shown(key, loaded.values[key], loaded.settings)}" for key in sets)


def _go_on(opened: "OpenRun", verb: str, told: str, *, headless: bool, json: bool) -> None:
    from uet_tui.engine.headless import act_of

    act = act_of(verb, "cli" if headless else "console", opened.place.redactor.text(told))
    opened = replace(opened, act=act)
    if headless:
        from uet_tui.cli.driving import drive

        raise typer.Exit(drive(opened, json=json))
    from uet_tui.cli.screen import drive_on_screen

    view, code = drive_on_screen(opened)
    show(*tables.summary(view, datetime.now(UTC)))
    raise typer.Exit(code)


@app.command()
def resume(
    run: RunArgument = None, headless: Headless = False, named: Run = None, json: Json = False, sets: Sets = None
) -> None:
    """Go on with a run after a crash, a halt, a drain or a stop."""
    changed = settings(sets)
    if not headless:
        need_terminal("add --headless")
    from uet_tui.cli.looking import home as runs_here
    from uet_tui.cli.looking import look
    from uet_tui.engine import start
    from uet_tui.engine.mending import mend

    for line in mend(runs_here()):
        complain(line)
    with look(chosen(run, named)) as at:
        home, wanted = at.home, at.run
        cancelled = at.reader.run(wanted).state is RunState.CANCELLED
    if cancelled:
        raise UetError(
            f"run {wanted} was rolled back, so there is nothing to go on with: `uet retry WS` brings work back, "
            "`uet rollback` finishes a rollback that stopped"
        )
    for key, option in _LIMITS.items():
        if key in changed.origins and changed.origins[key].layer == "--set":
            raise UetError(f"{key} of a run that has begun is changed by `uet budget {option} USD --run {wanted}`")
    tops = {key.partition(".")[0] for key, origin in changed.origins.items() if origin.layer == "--set"}
    overrides = changed.settings.model_dump(mode="json", include=tops)
    told = _changed(changed)
    told = f"with {told}" if told else "with the settings it has"
    _go_on(start.open_run(home, wanted, overrides=overrides), "resume", told, headless=headless, json=json)


@app.command()
def console(run: RunArgument = None, named: Run = None, sets: Sets = None) -> None:
    """Attach the console to a run, live or over."""
    need_terminal("see the run with: uet status, or uet events --follow")
    from uet_tui.cli.looking import look
    from uet_tui.cli.screen import attach

    with look(chosen(run, named)) as at:
        home, wanted = at.home, at.run
    raise typer.Exit(attach(home, wanted, settings(sets).settings.editor))
