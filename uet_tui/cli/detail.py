"""`uet show` and `uet why`: one workstream at length."""

from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated

import typer

from uet_tui.cli.looking import look
from uet_tui.cli.options import Json, Run, Sets
from uet_tui.cli.output import emit, show
from uet_tui.core.states import WorkstreamState
from uet_tui.errors import UetError
from uet_tui.report import details, documents
from uet_tui.store.views import RunView, WorkstreamView

app = typer.Typer()

Workstream = Annotated[str, typer.Argument(metavar="WS", help="The workstream's id.")]

_EVENTS_SHOWN = 10


def find(view: RunView, id: str) -> WorkstreamView:
    """The workstream with this id; raises `UetError` with the nearest one."""
    found = view.workstream(id)
    if found is None:
        near = get_close_matches(id, [one.id for one in view.workstreams], n=1)
        hint = f"did you mean {near[0]}?" if near else "uet status lists them"
        raise UetError(f"run {view.id} has no workstream {id}; {hint}")
    return found


@app.command(name="show")
def show_workstream(id: Workstream, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """All that is known of a workstream."""
    with look(run) as at:
        view = find(at.reader.run(at.run), id)
        attempts = at.reader.attempts(at.run, id)
        gates = at.reader.gates(at.run, id)
        events = at.reader.last_events(at.run, _EVENTS_SHOWN, workstream=id)
    if json:
        emit(documents.shown_workstream(view, attempts, gates))
    else:
        show(details.workstream(view, attempts, gates, events, datetime.now(UTC)))


@app.command()
def why(id: Workstream, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Why a workstream is where it is."""
    with look(run) as at:
        whole = at.reader.run(at.run)
    view = find(whole, id)
    above = [one for one in whole.workstreams if one.id in view.depends_on]
    waits_for = [] if view.over else [one for one in above if one.state is not WorkstreamState.MERGED]
    if json:
        emit(documents.why(view, waits_for))
    else:
        show(details.why(view, waits_for))
