"""`uet validate`: checks a plan and prints its profile."""

from difflib import get_close_matches
from pathlib import Path

import typer

from uet_tui.cli.options import Json, PlanArgument, Sets, Workers
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import repository, settings
from uet_tui.core.forecast import forecast
from uet_tui.errors import UetError
from uet_tui.plan.bundles import read_bundles
from uet_tui.plan.model import ForecastRow
from uet_tui.plan.validate import load_plan
from uet_tui.report.profile import Profile, document, rendered
from uet_tui.settings.model import Settings

app = typer.Typer()

_TRIED = (1, 2, 4, 8)


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


def profile(path: Path, chosen: Settings, *, agent: str | None = None) -> Profile:
    """Reads and checks a plan and forecasts it for some numbers of workers and the one that is set.

    With an agent for all, what tools the workstreams ask for does not matter, and one without a known duration takes
    as long as the rehearsal would; else it counts as one unit.
    """
    if agent is None:
        tools, unit = frozenset(chosen.agents), 1.0
    else:
        tools, unit = _any_tool(path), chosen.simulated.unit_seconds
        known_agent(agent, chosen)
    gates = frozenset(name for name, gate in chosen.gates.items() if gate.commands)
    loaded = load_plan(path, tools=tools, gates=gates, overlap=chosen.overlap, default_seconds=unit)
    rows: tuple[ForecastRow, ...] = ()
    if loaded.plan:
        counts = sorted({*_TRIED, chosen.workers})
        rows = forecast(loaded.plan, counts, schedule=chosen.schedule, overlap=chosen.overlap, default_seconds=unit)
    timed = agent is not None or any(one.workstream.estimated_seconds for one in loaded.bundles)
    return Profile(loaded.plan, chosen.workers, rows, loaded.errors, loaded.warnings, timed)


def known_agent(name: str, chosen: Settings) -> None:
    """Raises `UetError` with the nearest name if there is no such agent."""
    if name not in chosen.agents:
        near = get_close_matches(name, chosen.agents, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(chosen.agents)}"
        raise UetError(f"--agent {name}: no such agent; {hint}")


def _any_tool(path: Path) -> frozenset[str]:
    return frozenset(bundle.workstream.tool for bundle in read_bundles(path).bundles)


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
    report(profile(find_plan(plan), chosen), json=json)
