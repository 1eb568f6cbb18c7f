"""`uet validate`: checks a plan and prints its profile."""

from difflib import get_close_matches
from pathlib import Path

import typer

from uet_tui.agents.prompt_layers import effective_prompts
from uet_tui.cli.options import Json, PlanArgument, Sets, Workers
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import repository, settings
from uet_tui.core.forecast import forecast
from uet_tui.errors import UetError
from uet_tui.plan.bundles import read_bundles
from uet_tui.plan.model import Plan
from uet_tui.plan.validate import Loaded, load_plan
from uet_tui.report.profile import Profile, document, rendered
from uet_tui.settings.model import Settings

app = typer.Typer()

REHEARSAL = "simulated"
"""The agent whose durations are known beforehand."""
_TRIED = (1, 2, 4, 8)
"""Numbers of workers that every forecast shows."""


def find_plan(given: str | None) -> Path:
    """The plan that was named, else `workstreams/` here or at the root of the repository."""
    if given is not None:
        return Path(given)
    root = repository()
    places = [Path("workstreams")] + ([root / "workstreams"] if root else [])
    for place in places:
        if place.is_dir():
            return place
    raise UetError("there is no workstreams/ here; name a plan, or write a sample one with: uet init")


def load(path: Path, chosen: Settings, *, agent: str | None = None) -> Loaded:
    """Reads and checks a plan; with an agent for all, what tools the workstreams ask for does not matter."""
    if agent is None:
        tools = frozenset(chosen.agents)
    else:
        known_agent(agent, chosen)
        tools = frozenset(bundle.workstream.tool for bundle in read_bundles(path).bundles)
    gates = frozenset(name for name, gate in chosen.gates.items() if gate.commands)
    return load_plan(path, tools=tools, gates=gates, overlap=chosen.overlap)


def valid(loaded: Loaded) -> Plan:
    """The plan; raises `UetError` with the first of its errors and how many more there are."""
    if loaded.plan is None:
        more = f" (and {len(loaded.errors) - 1} more: uet validate)" if len(loaded.errors) > 1 else ""
        raise UetError(f"{loaded.errors[0]}{more}")
    return loaded.plan


def profile(loaded: Loaded, chosen: Settings, *, agent: str | None = None) -> Profile:
    """Forecasts a plan for some numbers of workers and the one that is set.

    A workstream without a known duration counts as one unit; in a rehearsal every duration is known.
    """
    plan = loaded.plan
    if plan is None:
        return Profile(None, chosen.workers, (), loaded.errors, loaded.warnings, timed=False)
    rehearsed = {}
    if agent == REHEARSAL:
        unit, speed = chosen.simulated.unit_seconds, chosen.simulated.speed
        rehearsed = {ws.id: (ws.estimated_seconds or unit) / speed for ws in plan.workstreams.values()}
    rows = forecast(
        plan,
        sorted({*_TRIED, chosen.workers}),
        schedule=chosen.schedule,
        overlap=chosen.overlap,
        learned=rehearsed,
    )
    timed = bool(rehearsed) or any(ws.estimated_seconds for ws in plan.workstreams.values())
    return Profile(plan, chosen.workers, rows, loaded.errors, loaded.warnings, timed)


def known_agent(name: str, chosen: Settings) -> None:
    """Raises `UetError` with the nearest name if there is no such agent."""
    if name not in chosen.agents:
        near = get_close_matches(name, chosen.agents, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(chosen.agents)}"
        raise UetError(f"--agent {name}: no such agent; {hint}")


def report(found: Profile, *, json: bool) -> None:
    """Prints a profile and ends with 2 if the plan is not valid."""
    if json:
        emit(document(found))
    else:
        show(rendered(found))
    if found.errors:
        raise typer.Exit(UetError.exit_code)


@app.command()
def validate(plan: PlanArgument = None, workers: Workers = None, json: Json = False, sets: Sets = None) -> None:
    """Check a plan and print its profile."""
    chosen = settings(sets, {"workers": workers}).settings
    effective_prompts(repository())  # a wrong template is an error like a wrong setting
    report(profile(load(find_plan(plan), chosen), chosen), json=json)
