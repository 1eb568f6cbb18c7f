"""`uet agents`: which agents are here, and trying one of them."""

import os
import sys
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.text import Text

from uet_tui.cli.options import Json, Sets
from uet_tui.cli.output import complain, emit, show
from uet_tui.cli.place import settings
from uet_tui.engine.headless import say_on_stderr
from uet_tui.engine.inventory import Found, inventory, look
from uet_tui.engine.trying import Trial, clear, try_agent
from uet_tui.errors import UetError
from uet_tui.report.cells import cell, columns

app = typer.Typer()
_agents = typer.Typer(help="See which agents are here, and try one.")
app.add_typer(_agents, name="agents")


@_agents.callback(invoke_without_command=True)
def agents(context: typer.Context, json: Json = False, sets: Sets = None) -> None:
    """List all agents: installed or not, version, key, model, and whether their cost is known."""
    if context.invoked_subcommand is not None:
        return
    found = inventory(settings(sets).settings, os.environ)
    if json:
        emit({"agents": [_document(one) for one in found]})
        return
    table = columns("agent", "", "version", "key or login", "provider", "model", "cost", "sandbox", "shown")
    for one in found:
        ready = ("✓ ready", "green") if one.ready else ("✗ not here", "dim") if not one.path else ("! no key", "yellow")
        table.add_row(
            cell(one.name),
            Text(*ready),
            cell(one.version),
            cell(one.key if one.agent.keys else "needs none"),
            cell(one.agent.provider),
            cell(one.agent.model or "its own"),
            _cost(one),
            cell(one.sandbox.partition(":")[0]),
            "tried" if one.agent.tried else "documented",
        )
    show(table)
    show(*[f"{one.name}: {one.missing}" for one in found if one.path and one.missing])


def _cost(one: Found) -> str:
    if one.agent.usage.format == "none":
        return "not told"
    if one.agent.billing == "tokens":
        return "in tokens"
    return "known" if one.price_known else "unknown"


def _document(one: Found) -> dict[str, object]:
    return {
        "name": one.name,
        "ready": one.ready,
        "program": one.agent.command[0],
        "path": one.path or None,
        "version": one.version or None,
        "key": one.key or None,
        "keys": list(one.agent.keys),
        "login": list(one.agent.login),
        "missing": one.missing or None,
        "provider": one.agent.provider,
        "model": one.agent.model,
        "sandbox": one.sandbox,
        "billing": one.agent.billing,
        "price_known": one.price_known,
        "tried": one.agent.tried,
        "can": list(one.can),
    }


@_agents.command("try")
def try_one(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The agent.")],
    model: Annotated[str, typer.Option("--model", metavar="MODEL", help="Use this model instead of its own.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first: it may cost money.")] = False,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Have an agent do one small task on a scratch repository, and say what was understood; 1 if it did not work."""
    chosen = settings(sets).settings
    if name not in chosen.agents:
        raise UetError(f"there is no agent {name}; there are {', '.join(sorted(chosen.agents))}")
    found = look(name, chosen, os.environ)
    if not found.path:
        raise UetError(f"{name} cannot be tried: {found.missing}")
    if not found.keyed:
        complain(f"{name} may not work: {found.missing}")
    if (found.agent.keys or found.agent.login) and not yes:
        if not sys.stdin.isatty():
            raise UetError(f"trying {name} may cost money; add --yes")
        typer.confirm(
            f"{name} does a small task with a real model, which may cost some cents. Go on?", abort=True, err=True
        )
    trial = try_agent(chosen, name, model, say_on_stderr)
    steps = list(_steps(found, trial))
    if json:
        emit(_trial_document(name, trial, steps))
    else:
        _tell(trial, steps)
    if trial.good:
        clear(trial)
    else:
        complain(
            f"all that it left is in {trial.folder}" + (f"; what it printed in {trial.output}" if trial.output else "")
        )
        raise typer.Exit(1)


_LOOK = "see what it printed"
Step = tuple[str, bool | None, str, str]
"""What was looked at, whether it is so (None: it is not to be expected), what was found, and what to do if not."""


def _steps(found: Found, trial: Trial) -> Iterator[Step]:
    attempt = trial.attempt
    error = (attempt.error if attempt else "") or trial.workstream.reason or ""
    yield "started", trial.started, found.path if trial.started else error, f"see that {found.agent.command[0]} runs"
    yield "worked", trial.worked if trial.started else None, "" if trial.worked else error, found.missing or _LOOK
    changed = "merged what it changed" if trial.edited else trial.workstream.reason if trial.worked else ""
    yield "edited", trial.edited if trial.worked else None, changed or "", _LOOK
    used = f"{attempt.tokens_in} tokens in, {attempt.tokens_out} out" if attempt and trial.usage_read else ""
    expected = trial.worked and found.agent.usage.format != "none"
    yield "usage read", trial.usage_read if expected or used else None, used, f"see agents.{found.name}.usage"
    cost = (
        f"${attempt.cost_usd:.4f}" + (" by a list of prices" if attempt.listed_usd else "") if attempt and used else ""
    )
    model = trial.unpriced or (attempt.model if attempt else "")
    fix = f"set its price: budget.models.{model}" if model else f"name a model: agents.{found.name}.model, or --model"
    yield "cost known", trial.cost_known if used else None, cost if trial.cost_known else "", fix


def _tell(trial: Trial, steps: list[Step]) -> None:
    table = columns("", "", "")
    for name, good, what, fix in steps:
        mark = Text("-", "dim") if good is None else Text("✓", "green") if good else Text("✗", "red")
        more = f"{chr(10) if what else ''}-> {fix}" if good is False else ""
        table.add_row(mark, name, Text.assemble(cell(what), (more, "dim")))
    show(table, f"it took {trial.seconds:.1f} s")


def _trial_document(name: str, trial: Trial, steps: list[Step]) -> dict[str, object]:
    attempt = trial.attempt
    return {
        "agent": name,
        "good": trial.good,
        "seconds": round(trial.seconds, 3),
        **{step.replace(" ", "_"): good for step, good, _, _ in steps},
        "model": attempt.model if attempt else "",
        "tokens_in": attempt.tokens_in if attempt else 0,
        "tokens_out": attempt.tokens_out if attempt else 0,
        "cost_usd": attempt.cost_usd if attempt and trial.cost_known else None,
        "error": "" if trial.good else trial.workstream.reason,
    }
