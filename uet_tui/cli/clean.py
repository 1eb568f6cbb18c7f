"""`uet clean`: frees disk, and removes nothing that is not merged."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from uet_tui.cli.looking import look
from uet_tui.cli.options import Json, RunArgument, Sets
from uet_tui.cli.output import emit, show
from uet_tui.engine.cleaning import Place, remove, survey
from uet_tui.errors import UetError
from uet_tui.report.cells import cell, columns
from uet_tui.report.words import several
from uet_tui.workspace.operator import OperatorRepository

app = typer.Typer()


@app.command()
def clean(
    run: RunArgument = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would go, and what stays, and why.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    json: Json = False,
    sets: Sets = None,
) -> None:
    """Remove the sandboxes of runs that are over, where all in them is merged; of all runs unless one is named."""
    operator = OperatorRepository.discover(Path.cwd())
    with look(run) as at:
        home = at.home
        runs = [at.run] if run else [one.id for one in at.reader.runs()]
    places = survey(home, operator, runs)
    going = [place for place in places if not place.kept]
    if not dry_run and going:
        if not yes:
            if not sys.stdin.isatty():
                raise UetError(
                    "clean asks before it removes, and there is nobody to ask: add --yes, or --dry-run to look"
                )
            show(_table(places))
            typer.confirm(
                f"Remove {several(len(going), 'sandbox', 'sandboxes')} ({_size(going)})?", abort=True, err=True
            )
        places = remove(home, operator, places)
        going = [place for place in places if not place.kept]
    if json:
        listed = [{**asdict(place), "removed": not place.kept and not dry_run} for place in places]
        emit({"dry_run": dry_run, "bytes": sum(place.bytes for place in going), "sandboxes": listed})
        return
    said = "would free" if dry_run else "freed"
    show(_table(places), f"{said} {_size(going)}: {several(len(going), 'sandbox', 'sandboxes')}")


def _size(places: list[Place]) -> str:
    return f"{sum(place.bytes for place in places) / 1e6:.1f} MB"


def _table(places: list[Place]) -> RenderableType:
    table = columns("run", "sandbox", "size", "merged", "dirty", "stays because", right=frozenset({"size"}))
    for one in places:
        merged, dirty = ("yes" if one.merged else "no"), ("yes" if one.dirty else "no")
        table.add_row(one.run, cell(one.name), _size([one]), merged, dirty, cell(one.kept))
    return table
