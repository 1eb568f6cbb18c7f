"""What the demo says when the console is closed: where things are, and what to try next."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from uet_tui.store.views import RunView

_WIDTH = 38
"""Columns for a command; what it does stands beside it."""


def farewell(scratch: Path, view: RunView) -> Sequence[str]:
    """Lines that follow the summary of the demo's run."""
    steps = [(f"cd {shlex.quote(str(scratch))}", "")]
    if shutil.which("uet") is None:
        steps += [(f"alias uet={shlex.quote(f'{shlex.quote(sys.executable)} -m uet_tui')}", "")]
    if view.alive:
        steps += [("uet console", "the run goes on in the background: back to its screens")]
    elif any(conflict.open for conflict in view.conflicts):
        steps += [
            ("uet conflicts show", "both sides of what waits for you"),
            ("uet conflicts take --both", "decide it from here"),
            ("uet resume", "go on in the console"),
        ]
    elif not view.ended_at:
        steps += [("uet resume", "go on in the console")]
    elif view.merged and not view.landed_at:
        steps += [("uet land", f"move {view.target_branch or 'your branch'} to what was merged")]
    steps += [("uet status", "where every workstream is, and why")]
    if not view.alive:
        steps += [("uet console", "the same screens, of the run as it is now")]
    steps += [
        (f"git log --oneline --graph uet/{view.id}", "every merge, by workstream"),
        ("python3 -m ledger list", "what the agents worked on"),
        ("ls config workstreams", "how it was set, and the plan in all three notations"),
    ]
    return [
        f"The repository is {scratch}; nothing outside of it was touched, and you can delete it.",
        "Try next:",
        *(f"  {command:<{_WIDTH}}  {what}".rstrip() for command, what in steps),
    ]
