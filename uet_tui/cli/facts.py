"""`uet config`: every effective value and where it came from."""

import json as json_text

import typer

from uet_tui.cli.options import Json, Sets
from uet_tui.cli.output import emit, show
from uet_tui.cli.place import settings
from uet_tui.report.cells import cell, columns
from uet_tui.settings.frozen import shown
from uet_tui.settings.model import Settings

app = typer.Typer()


@app.command()
def config(json: Json = False, sets: Sets = None) -> None:
    """Every effective setting and where it came from."""
    loaded = settings(sets)
    values = {key: setting_shown(key, value, loaded.settings) for key, value in loaded.values.items()}
    if json:
        found = {key: {"value": value, "from": str(loaded.origins[key])} for key, value in values.items()}
        emit({"settings": found})
        return
    table = columns("setting", "from", "value")
    for key, value in values.items():
        table.add_row(
            cell(key), cell(str(loaded.origins[key]), "dim"), cell(json_text.dumps(value, ensure_ascii=False))
        )
    show(table)


def setting_shown(key: str, value: object, chosen: Settings) -> object:
    """A setting's value; of a secret that is set for an agent, only that there is one."""
    path = key.split(".")
    return shown(path[-1], value, chosen.agents[path[1]].keys) if path[0] == "agents" and path[-2] == "set" else value
