"""A plan is checked here, whole, before anything starts: all that is wrong at once, each with its place."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uet_tui.plan.bundles import read_bundles, shown_path
from uet_tui.plan.documents import quoted
from uet_tui.plan.fields import nearest
from uet_tui.plan.graph import CycleError, build_plan
from uet_tui.plan.model import Bundle, Plan, Problem
from uet_tui.plan.overlaps import overlapping_pairs

OverlapPolicy = Literal["serialize", "allow", "error"]

_MOST_OVERLAPS = 20
"""How many overlapping pairs are named; the rest is counted."""
_OVERLAP_ADVICE: Mapping[OverlapPolicy, str] = {
    "serialize": "they run one after the other; depends_on can say which goes first",
    "allow": "they may run at the same time and conflict",
    "error": "let one depend on the other, or give them different files",
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a plan on disk came to."""

    plan: Plan | None
    """None where there are errors."""
    bundles: tuple[Bundle, ...]
    errors: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Whether it can be run."""
        return self.plan is not None


def load_plan(
    path: Path,
    *,
    tools: Collection[str],
    gates: Collection[str],
    overlap: OverlapPolicy,
    default_seconds: float = 1.0,
) -> Loaded:
    """The plan in a bundle file or a folder of them. Never raises for what it reads; the errors say what is wrong.

    `tools` are the names of the agents there are, `gates` those of the gates that have commands, `default_seconds` the
    duration of a workstream that declares none.
    """
    read = read_bundles(path)
    bundles = read.bundles
    errors = [*read.errors, *_unknown_tools(bundles, tools)]
    warnings = [*read.warnings, *_unconfigured_gates(bundles, gates)]
    tangled = [*_duplicates(bundles), *_self_dependencies(bundles)]
    if not read.errors:  # else what seems unknown may be in what could not be read
        tangled += _unknown_dependencies(bundles)
    plan = None
    if not read.errors and not tangled:
        try:
            plan = build_plan((bundle.workstream for bundle in bundles), default_seconds=default_seconds)
            (errors if overlap == "error" else warnings).extend(_overlaps(bundles, plan, overlap))
        except CycleError as error:
            tangled.append(_cycle(bundles, error))
    errors += tangled
    return Loaded(None if errors else plan, bundles, _in_order(errors), _in_order(warnings))


def _in_order(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """By file and line; what belongs to no file comes last."""
    return tuple(sorted(problems, key=lambda problem: (not problem.file, problem.file, problem.line)))


def _at(bundle: Bundle, message: str, *place: str | int) -> Problem:
    return Problem(shown_path(bundle.file), bundle.line_of(*place), message)


def _duplicates(bundles: Sequence[Bundle]) -> Iterator[Problem]:
    first: dict[str, Bundle] = {}
    for bundle in bundles:
        id_ = bundle.workstream.id
        if id_ in first:
            before = _at(first[id_], "", "id")
            message = f"{id_} is declared a second time, first at {before.file}:{before.line}: rename one of them"
            yield _at(bundle, message, "id")
        first.setdefault(id_, bundle)


def _unknown_tools(bundles: Sequence[Bundle], tools: Collection[str]) -> Iterator[Problem]:
    known = sorted(tools)
    wanting: dict[str, list[Bundle]] = {}
    for bundle in bundles:
        if bundle.workstream.tool not in tools:
            wanting.setdefault(bundle.workstream.tool, []).append(bundle)
    for tool, where in wanting.items():
        message = f"{_who(where)} wants the tool {quoted(tool)}, which is not configured{nearest(tool, known)}"
        yield _at(where[0], f"{message}: write one of {', '.join(known)}, or add it to config/agents.yaml", "tool")


def _self_dependencies(bundles: Sequence[Bundle]) -> Iterator[Problem]:
    for bundle in bundles:
        ws = bundle.workstream
        if ws.id in ws.depends_on:
            place = ws.depends_on.index(ws.id)
            yield _at(bundle, f"{ws.id} depends on itself: remove it from depends_on", "depends_on", place)


def _unknown_dependencies(bundles: Sequence[Bundle]) -> Iterator[Problem]:
    known = {bundle.workstream.id for bundle in bundles}
    for bundle in bundles:
        ws = bundle.workstream
        for place, id_ in enumerate(ws.depends_on):
            if id_ not in known:
                message = f"{ws.id} depends on {quoted(id_)}, which is not in the plan{nearest(id_, sorted(known))}"
                yield _at(bundle, f"{message}: correct the id, or remove it from depends_on", "depends_on", place)


def _unconfigured_gates(bundles: Sequence[Bundle], gates: Collection[str]) -> Iterator[Problem]:
    wanting: dict[str, list[Bundle]] = {}
    for bundle in bundles:
        for gate_type in sorted({gate.type for gate in bundle.workstream.test_gates if gate.type not in gates}):
            wanting.setdefault(gate_type, []).append(bundle)
    for name, where in wanting.items():
        message = f"{_who(where)} wants {name}, which has no commands and holds nothing up"
        yield _at(where[0], f"{message}: add some to config/gates.yaml", "test_gates")


def _who(bundles: Sequence[Bundle]) -> str:
    others = f" (and {len(bundles) - 1} more)" if len(bundles) > 1 else ""
    return bundles[0].workstream.id + others


def _cycle(bundles: Sequence[Bundle], error: CycleError) -> Problem:
    bundle = next(bundle for bundle in bundles if bundle.workstream.id == error.cycle[0])
    place = bundle.workstream.depends_on.index(error.cycle[1])
    return _at(bundle, str(error), "depends_on", place)


def _overlaps(bundles: Sequence[Bundle], plan: Plan, policy: OverlapPolicy) -> list[Problem]:
    found = overlapping_pairs(plan, _MOST_OVERLAPS)
    if not found.total:
        return []
    by_id = {bundle.workstream.id: bundle for bundle in bundles}
    problems = [
        _at(
            by_id[pair.b],
            f"{pair.a} and {pair.b} both write {quoted(pair.path)} and neither depends on the other: "
            f"{_OVERLAP_ADVICE[policy]}",
            "files_scope",
        )
        for pair in found.first
    ]
    if found.total > len(problems):
        more = found.total - len(problems)
        problems.append(Problem("", 0, f"and {more:,} more pairs overlap in the same way"))
    return problems
