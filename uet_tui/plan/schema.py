"""The JSON schema of a bundle, for editors and other programs: generated from the model, checked in under `schema/`.

`python -m uet_tui.plan.schema` prints it.
"""

import json
import sys

from uet_tui.plan.model import Workstream


def render() -> str:
    """The text of `schema/workstream.schema.json`."""
    workstream = Workstream.model_json_schema(ref_template="#/$defs/{model}")
    definitions = {**workstream.pop("$defs"), "Workstream": workstream}
    one = {"$ref": "#/$defs/Workstream"}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bundle",
        "description": "A file of a plan: one workstream, or a list of them.",
        "anyOf": [one, {"type": "array", "minItems": 1, "items": one}],
        "$defs": dict(sorted(definitions.items())),
    }
    return json.dumps(schema, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(render())
