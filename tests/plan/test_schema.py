import json
import subprocess
import sys
from pathlib import Path

from uet_tui.plan.model import Workstream
from uet_tui.plan.schema import render
from uet_tui.resources import SCHEMA


def test_the_checked_in_schema_is_what_the_model_says():
    assert (SCHEMA / "workstream.schema.json").read_text() == render()


def test_the_schema_describes_every_field():
    fields = json.loads(render())["$defs"]["Workstream"]["properties"]
    assert fields.keys() == Workstream.model_fields.keys()
    assert [name for name, field in fields.items() if "description" not in field] == []


def test_the_schema_can_be_printed():
    root = Path(__file__).parents[2]
    command = [sys.executable, "-m", "uet_tui.plan.schema"]
    assert subprocess.run(command, cwd=root, capture_output=True, check=True, text=True).stdout == render()
