"""`uet land`, `uet rollback`: moves the target branch to the integration branch, the last step; and its opposite."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from uet_tui.cli.asking import ask
from uet_tui.cli.looking import Look, look
from uet_tui.cli.options import Json, Run, RunArgument, Sets, chosen
from uet_tui.cli.output import emit, show
from uet_tui.core.commands import Verb
from uet_tui.core.states import RunState, WorkstreamState
from uet_tui.report.words import several
from uet_tui.text import one_line

if TYPE_CHECKING:
    from uet_tui.engine.dry_landing import Foreseen

app = typer.Typer()

_FILES_SHOWN = 20
_WORDS = {"A": "added", "M": "changed", "D": "deleted", "T": "of another type"}


@app.command()
def land(
    run: RunArgument = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="BRANCH", help="The branch to move; the run's own unless said.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")] = False,
    named: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Move the target branch to what the run merged."""
    with look(chosen(run, named)) as at:
        if not dry_run:
            ask(at, Verb.LAND, target=target, json=json)
            return
        from uet_tui.engine.dry_landing import foresee

        foreseen = foresee(at.home, at.run, at.reader, target)
    if json:
        emit(_document(foreseen))
    else:
        branch = one_line(foreseen.landing.branch or "a branch")
        show(f"run {foreseen.run} would {'not ' if foreseen.refusals else ''}land on {branch}")
        for word, fact in _facts(foreseen):
            show(f"  {word:<10}  {one_line(fact, limit=2000)}")
    raise typer.Exit(1 if foreseen.refusals else 0)


def _document(foreseen: "Foreseen") -> dict[str, object]:
    landing = foreseen.landing
    return {
        "run": foreseen.run,
        "would_land": not foreseen.refusals,
        "target": landing.branch,
        "from": landing.old,
        "to": landing.new,
        "how": landing.way.value,
        "refusals": list(foreseen.refusals),
        "merges": [{"commit": step.commit, "workstreams": list(step.workstreams)} for step in foreseen.merges],
        "not_merged": [{"id": id, "state": state} for id, state in foreseen.not_merged],
        "files": [{"path": one_line(change.path), "status": change.status} for change in foreseen.changes],
        "gates": [
            {"gate": gate, "verdict": said.verdict if said else None, "where": said.where if said else None}
            for gate, said in foreseen.gates
        ],
    }


def _facts(foreseen: "Foreseen") -> Iterator[tuple[str, str]]:
    """What is told line by line, each with a word for what it is."""
    landing = foreseen.landing
    yield from (("refused", why) for why in foreseen.refusals)
    yield "from", landing.old or "no such branch"
    yield "to", landing.new
    yield "how", landing.way.value
    merged = [id for step in foreseen.merges for id in step.workstreams]
    yield "merges", " ".join([f"{len(foreseen.merges)}:", ", ".join(merged)]) if merged else "none"
    yield from (("not merged", f"{id} ({state})") for id, state in foreseen.not_merged)
    counts: Counter[str] = Counter(change.status for change in foreseen.changes)
    kinds = ", ".join(f"{counts[status]} {word}" for status, word in _WORDS.items() if counts[status])
    yield "files", f"{len(foreseen.changes)} ({kinds})" if kinds else "none"
    for change in foreseen.changes[:_FILES_SHOWN]:
        yield "", f"{change.status} {change.path}"
    if len(foreseen.changes) > _FILES_SHOWN:
        yield "", f"and {len(foreseen.changes) - _FILES_SHOWN} more"
    for gate, said in foreseen.gates:
        yield "gate", f"{gate} {said.verdict} on this very tree" if said else f"{gate} runs before the branch moves"
    if not foreseen.gates:
        yield "gate", "none is required"


@app.command()
def rollback(
    run: RunArgument = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    named: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Undo the merges of a run, newest first, and run its compensation actions; go on with it if it stopped."""
    with look(chosen(run, named)) as at:
        if not yes and sys.stdin.isatty():
            _confirm(at)
        ask(at, Verb.ROLLBACK, json=json)


def _confirm(at: Look) -> None:
    """Asks once whether it is meant, where there is something to undo; raises `typer.Abort` if it is not."""
    view = at.reader.run(at.run)
    if not view.merged or view.state in (RunState.RUNNING, RunState.DRAINING):
        return  # it is refused, or there is nothing to lose
    merged = [ws.id for ws in view.workstreams if ws.state is WorkstreamState.MERGED]
    over = [ws.id for ws in view.workstreams if not ws.over]
    told = f"Roll back run {view.id}: undo the work of {several(len(merged), 'workstream')} ({', '.join(merged)})"
    told += f", give up {', '.join(over)}" if over else ""
    told += f", also on {view.target_branch}, where it landed" if view.landed_at and view.target_branch else ""
    typer.confirm(f"{one_line(told, limit=1000)}?", abort=True, err=True)
