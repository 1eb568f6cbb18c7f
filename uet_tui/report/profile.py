"""A plan's profile: what `uet validate` and a dry run print."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from uet_tui.plan.model import ForecastRow, Plan, Problem
from uet_tui.report.cells import cell, columns
from uet_tui.report.documents import Document
from uet_tui.report.words import clock, several


@dataclass(frozen=True, slots=True)
class Profile:
    """What is known of a plan before it runs."""

    plan: Plan | None
    """None when errors left nothing to plan with."""
    workers: int
    """The parallelism that is set."""
    rows: Sequence[ForecastRow]
    errors: Sequence[Problem]
    warnings: Sequence[Problem]
    timed: bool
    """Whether the forecast is in seconds; else in units, one for each workstream."""

    @property
    def speedup(self) -> float | None:
        """With the parallelism that is set; None without a plan."""
        return next((row.speedup for row in self.rows if row.workers == self.workers), None)


def document(profile: Profile) -> Document:
    """The profile as `uet validate --json` prints it."""
    plan = profile.plan
    return {
        "valid": not profile.errors,
        "errors": [_problem(one) for one in profile.errors],
        "warnings": [_problem(one) for one in profile.warnings],
        "workstreams": len(plan.workstreams) if plan else 0,
        "waves": [list(wave) for wave in plan.waves] if plan else [],
        "critical_path": list(plan.critical_path) if plan else [],
        "bottlenecks": list(plan.bottlenecks) if plan else [],
        "workers": profile.workers,
        "speedup": profile.speedup,
        "forecast": [{"workers": row.workers, "seconds": row.seconds, "speedup": row.speedup} for row in profile.rows],
    }


def _problem(problem: Problem) -> Document:
    return {"file": problem.file, "line": problem.line, "message": problem.message}


def rendered(profile: Profile) -> RenderableType:
    """The profile for people: shape, forecast, then warnings and errors, each with its place."""
    parts: list[RenderableType] = []
    if profile.plan and not profile.errors:
        parts += [*_shape(profile.plan), Text(), _forecast(profile)]
    for name, look, problems in (("warning", "yellow", profile.warnings), ("error", "red", profile.errors)):
        parts += [Text.assemble((name + "  ", look), cell(str(one))) for one in problems]
    return Group(*parts)


def _shape(plan: Plan) -> list[RenderableType]:
    waves = columns("wave", "width", "workstreams", right=frozenset({"wave", "width"}))
    for number, wave in enumerate(plan.waves, start=1):
        waves.add_row(str(number), str(len(wave)), cell("  ".join(wave)))
    total = several(len(plan.workstreams), "workstream")
    head = Text(f"{total} in {several(len(plan.waves), 'wave')}, critical path of {len(plan.critical_path)}", "bold")
    facts = [Text.assemble(("critical path  ", "dim"), cell(" → ".join(plan.critical_path)))]
    if plan.bottlenecks:
        facts.append(Text.assemble(("bottlenecks    ", "dim"), cell("  ".join(plan.bottlenecks))))
    return [head, Text(), waves, Text(), *facts]


def _forecast(profile: Profile) -> RenderableType:
    table = columns(
        "workers", "time" if profile.timed else "units", "speedup", right=frozenset({"workers", "time", "units"})
    )
    for row in profile.rows:
        time = clock(row.seconds) if profile.timed else f"{row.seconds:g}"
        look = "bold" if row.workers == profile.workers else ""
        table.add_row(str(row.workers), time, f"{row.speedup:.2f}", style=look)
    return table
