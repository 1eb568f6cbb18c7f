"""How many tokens an agent is spared of the files that matter, on this repository's own tree.

    python -m benchmarks.context [--room 12000] [--json]

Each row is a workstream that might be written for uet. The baseline is what it takes to give every file that matters
whole. Beside it is what a reader is told, a list with outlines, and with it the files in its scope, which it has yet to
read; and what an agent is given that cannot read: the same files within a room, large ones in outline.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from uet_tui.agents.context.choosing import Sources, choose, weigh
from uet_tui.agents.context.counts import Counts
from uet_tui.settings.layers import load_settings
from uet_tui.workspace.control import ControlRepository
from uet_tui.workspace.operator import OperatorRepository
from uet_tui.workspace.search import holding

ROOT = Path(__file__).resolve().parent.parent
SCOPES = (
    ("uet_tui/core/retries.py",),
    ("uet_tui/workspace/sandbox.py",),
    ("uet_tui/store/queries.py", "uet_tui/store/views.py"),
    ("uet_tui/console/workstream/",),
    ("uet_tui/merge/",),
    ("uet_tui/engine/keeper.py", "uet_tui/engine/attempts.py"),
    ("docs/reference.md",),
    ("uet_tui/core/", "tests/core/"),
)
LEAST_SAVED = 0.2
"""The share of tokens that is to be saved, at least, over all rows."""


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--room", type=int, default=12_000, help="tokens for an agent that is given the files")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    settings = load_settings(None, {}).settings.context
    rows = []
    with tempfile.TemporaryDirectory(prefix="uet-context-") as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "-q", "--shared", ROOT, clone], check=True)
        operator = OperatorRepository.discover(clone)
        with ControlRepository.open_or_create(Path(folder) / "control.git", operator) as control:
            sources = _sources(control, operator.head)
            for scope in SCOPES:
                began = time.perf_counter()
                files, _ = weigh(sources, scope, Counts(Path(folder) / "tokens"))
                listed = choose(sources, files, settings.list_tokens, whole=False, large=settings.large_tokens)
                seconds = time.perf_counter() - began
                given = choose(sources, files, asked.room, whole=True, large=settings.large_tokens)
                whole = sum(max(0, file.tokens) for file in files)
                rows.append(
                    (
                        scope,
                        len(files),
                        whole,
                        listed.selection.tokens + listed.to_read,
                        given.selection.tokens,
                        seconds,
                    )
                )
    return _tell(rows, asked.room, as_json=asked.json)


def _sources(control: ControlRepository, commit: str) -> Sources:
    tree = control.tree_of(commit)
    empty = control.commit_tree(control.objects.empty_tree, (), "Nothing")
    oids = {change.path: change.new.oid for change in control.changes(empty, commit) if change.new is not None}

    def naming(words: Sequence[str]) -> dict[str, int]:
        return holding(control, tree, words)

    return Sources(oids, control.read_blob, naming)


def _tell(rows: Sequence[tuple[tuple[str, ...], int, int, int, int, float]], room: int, *, as_json: bool) -> int:
    whole, listed, given = (sum(row[column] for row in rows) for column in (2, 3, 4))
    saved = 1 - listed / whole
    if as_json:
        names = ("scope", "files", "whole", "list", "given", "seconds")
        told = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps({"rows": told, "saved_by_list": saved, "saved_by_room": 1 - given / whole, "room": room}))
    else:
        print(f"Tokens of the files that matter: whole, as a list with the scope to be read, given within {room}")
        for scope, files, *tokens, seconds in rows:
            shares = "".join(f"{one:9,} {one / tokens[0] - 1:+5.0%}" for one in tokens[1:])
            print(f"  {files:4} files {tokens[0]:9,} {shares}   {seconds * 1e3:5.0f} ms   {' '.join(scope)}")
        print(f"  {'all':>10} {whole:9,} {listed:9,} {-saved:+5.0%}{given:9,} {given / whole - 1:+5.0%}", end="")
        print(f"   goal: {LEAST_SAVED:.0%} fewer: {'met' if saved >= LEAST_SAVED else 'NOT met'}")
    return int(saved < LEAST_SAVED)


if __name__ == "__main__":
    sys.exit(main())
