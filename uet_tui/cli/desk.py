"""`uet conflicts`: the conflict desk without the console."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from uet_tui.cli import editing
from uet_tui.cli.asking import ask, deliver, login, source
from uet_tui.cli.looking import Look, home, look
from uet_tui.cli.options import Json, Run, Sets
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import settings
from uet_tui.cli.steer import Note
from uet_tui.console.editing import editor
from uet_tui.core.commands import Command, Side, Verb
from uet_tui.errors import UetError
from uet_tui.report import details, documents, tables
from uet_tui.report.cells import cell, columns
from uet_tui.report.words import iso, local_time
from uet_tui.store.conflict_text import conflict_text
from uet_tui.store.conflict_views import ConflictView

if TYPE_CHECKING:
    from uet_tui.workspace.control import ControlRepository

app = typer.Typer()
_desk = typer.Typer(help="See and settle the merges that git could not make alone.")
app.add_typer(_desk, name="conflicts")

Id = Annotated[str | None, typer.Argument(metavar="ID", help="The conflict; the only open one unless said.")]
File = Annotated[str | None, typer.Option("--file", metavar="PATH", help="This file only.")]
HunkNumber = Annotated[int | None, typer.Option("--hunk", metavar="N", min=1, help="This hunk of the file only.")]


def _find(at: Look, id: str | None) -> ConflictView:
    conflicts = at.reader.run(at.run).conflicts
    open_ones = [one for one in conflicts if one.open]
    if id is None and len(open_ones) == 1:
        return open_ones[0]
    found = next((one for one in conflicts if one.id == id), None)
    if found is None:
        which = f"run {at.run} has no conflict {id}" if id else "say which conflict"
        known = ", ".join(f"{one.id} ({one.workstream})" for one in open_ones)
        raise UetError(f"{which}; open: {known}" if known else f"run {at.run} has no open conflict")
    return found


def _list(run: str | None, *, json: bool) -> None:
    with look(run) as at:
        view = at.reader.run(at.run)
    if json:
        emit(documents.conflicts(view.conflicts))
    else:
        show(tables.conflicts(view.conflicts, datetime.now(UTC)))


@_desk.callback(invoke_without_command=True)
def conflicts(context: typer.Context, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """See and settle the merges that git could not make alone."""
    if context.invoked_subcommand is None:
        _list(run, json=json)


@_desk.command(name="list")
def list_(run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """All conflicts of a run, open ones first."""
    _list(run, json=json)


@_desk.command(name="show")
def show_(id: Id = None, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """A conflict hunk by hunk, with both sides."""
    with look(run) as at:
        view = _find(at, id)
    if json:
        emit(documents.shown_conflict(view))
    else:
        show(details.conflict(view, datetime.now(UTC)))


@_desk.command()
def take(
    id: Id = None,
    ours: Annotated[bool, typer.Option("--ours", help="What the integration branch has.")] = False,
    theirs: Annotated[bool, typer.Option("--theirs", help="What the workstream wrote.")] = False,
    both: Annotated[bool, typer.Option("--both", help="Ours, then theirs.")] = False,
    both_theirs_first: Annotated[bool, typer.Option("--both-theirs-first", help="Theirs, then ours.")] = False,
    proposal: Annotated[bool, typer.Option("--proposal", help="What was proposed.")] = False,
    file: File = None,
    hunk: HunkNumber = None,
    run: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Take a side for a hunk, a file, or the whole conflict; merged as soon as nothing is left to decide."""
    wanted = {
        Side.OURS: ours,
        Side.THEIRS: theirs,
        Side.BOTH: both,
        Side.BOTH_THEIRS_FIRST: both_theirs_first,
        Side.PROPOSAL: proposal,
    }
    sides = [side for side in Side if wanted[side]]
    if len(sides) != 1:
        raise UetError(f"say which side to take: one of {', '.join(f'--{side.value}' for side in Side)}")
    with look(run) as at:
        ask(at, Verb.TAKE, conflict=_find(at, id).id, side=sides[0], file=file, hunk=hunk, settle=True, json=json)


@_desk.command()
def undo(
    id: Id = None, file: File = None, hunk: HunkNumber = None, run: Run = None, json: Json = False, sets: Sets = None
) -> None:
    """Take a choice back."""
    with look(run) as at:
        ask(at, Verb.UNDO, conflict=_find(at, id).id, file=file, hunk=hunk, json=json)


@_desk.command()
def edit(id: Id = None, file: File = None, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Write the result of a file yourself, in the editor; merged as soon as nothing is left to decide."""
    command = editor(settings(sets).settings.editor)
    with look(run) as at:
        view = _find(at, id)
        index = editing.which_file(view, file)
        path = view.files[index].path
        try:
            marked = conflict_text(at.paths.conflict(view.id), index, lambda: _find(at, view.id).version)
        except UetError as error:
            raise UetError(f"{path}: {error}") from None
        content = editing.edited(command, marked, Path(path).name)
        ask(at, Verb.EDIT, conflict=view.id, file=path, content=content, settle=True, json=json)


@_desk.command()
def approve(id: Id = None, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Merge what was chosen, and what was proposed wherever nothing was."""
    with look(run) as at:
        ask(at, Verb.APPROVE, conflict=_find(at, id).id, json=json)


@_desk.command()
def again(id: Id = None, note: Note = "", run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Ask the agent again, with a note."""
    with look(run) as at:
        ask(at, Verb.AGAIN, conflict=_find(at, id).id, note=note, json=json)


@_desk.command()
def defer(id: Id = None, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Put a conflict off, so that it no longer comes up as what needs you next; or take that back."""
    with look(run) as at:
        ask(at, Verb.DEFER, conflict=_find(at, id).id, json=json)


@_desk.command()
def redo(id: Id = None, note: Note = "", run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Send the workstream back, to be done again on the new tip."""
    with look(run) as at:
        ask(at, Verb.REDO, conflict=_find(at, id).id, note=note, json=json)


@_desk.command()
def quarantine(id: Id = None, run: Run = None, json: Json = False, sets: Sets = None) -> None:
    """Give the workstream up; its branch stays."""
    with look(run) as at:
        ask(at, Verb.QUARANTINE, conflict=_find(at, id).id, json=json)


@contextmanager
def _control() -> "Iterator[ControlRepository]":
    from uet_tui.workspace.control import ControlRepository
    from uet_tui.workspace.operator import OperatorRepository

    place = home()
    with ControlRepository.open_or_create(place.control, OperatorRepository.discover(place.folder.parent)) as control:
        yield control


@_desk.command()
def recorded(json: Json = False, sets: Sets = None) -> None:
    """The resolutions on record: where the same two changes meet again, they are resolved in the same way."""
    from uet_tui.workspace import rerere

    with _control() as control:
        known = rerere.listing(control)
    found = [
        {
            "id": one.id,
            "paths": list(one.paths),
            "time": iso(datetime.fromtimestamp(one.time, UTC)),
            "preview": list(one.preview),
        }
        for one in known
    ]
    if json:
        emit({"recorded": found})
        return
    table = columns("id", "recorded", "paths", "resolution")
    for one in known:
        when = local_time(datetime.fromtimestamp(one.time, UTC))
        table.add_row(one.id[:12], when, cell(", ".join(one.paths)), cell("\n".join(one.preview)))
    show(table if known else "no resolution is on record")


@_desk.command()
def forget(
    what: Annotated[str, typer.Argument(metavar="PATH|ID", help="A file it was made in, or how its id begins.")],
    run: Run = None,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Take a resolution off record, so that it is not taken again."""
    from uet_tui.workspace import rerere

    with look(run) as at, _control() as control:
        known = rerere.named(control, what)
        meant = ", ".join(f"{one.id[:12]} ({', '.join(one.paths)})" for one in known)
        command = Command(
            id=uuid4().hex, verb=Verb.FORGET, note=meant, by=login(), source=source(at), at=datetime.now(UTC)
        )
        deliver(at, command)  # on record first: what is gone can no longer be told
        rerere.forget(control, known)
    if json:
        emit({"forgotten": [one.id for one in known]})
    else:
        show(f"forgotten: {', '.join(one.id[:12] for one in known)}")
