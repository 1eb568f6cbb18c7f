"""`uet config`: every effective value and where it came from."""

import json as json_text

import typer

from uet_tui.cli.options import Json, Sets
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import settings
from uet_tui.report.cells import cell, columns

app = typer.Typer()


@app.command()
def config(json: Json = False, sets: Sets = None) -> None:
    """Every effective setting and where it came from."""
    loaded = settings(sets)
    if json:
        found = {key: {"value": value, "from": str(loaded.origins[key])} for key, value in loaded.values.items()}
        emit({"settings": found})
        return
    table = columns("setting", "from", "value")
    for key, value in loaded.values.items():
        table.add_row(cell(key), cell(str(loaded.origins[key]), "dim"), cell(json_text.dumps(value)))
    show(table)
