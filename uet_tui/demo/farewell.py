"""What the demo says when the console is closed: where things are, and what to try next."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from uet_tui.store.views import RunView

_WIDTH = 36
"""Columns for a command; what it does stands beside it."""


def farewell(scratch: Path, view: RunView) -> Sequence[str]:
    """Lines that follow the summary of the demo's run."""
    uet = uet_command()
    steps = [(f"cd {shlex.quote(str(scratch))}", "")]
    if view.alive:
        steps += [(f"{uet} console", "the run goes on in the background: back to its screens")]
    elif any(conflict.open for conflict in view.conflicts):
        steps += [
            (f"{uet} conflicts show", "both sides of what waits for you"),
            (f"{uet} conflicts take --both", "decide it from here"),
            (f"{uet} resume", "go on in the console"),
        ]
    elif not view.ended_at:
        steps += [(f"{uet} resume", "go on in the console")]
    elif view.merged and not view.landed_at:
        steps += [(f"{uet} land", f"move {view.target_branch or 'your branch'} to what was merged")]
    steps += [(f"{uet} status", "where every workstream is, and why")]
    if not view.alive:
        steps += [(f"{uet} console", "the same screens, of the run as it is now")]
    steps += [
        (f"git log --oneline --graph uet/{view.id}", "every merge, with who made it"),
        ("python3 -m ledger list", "what the agents worked on"),
        ("$EDITOR workstreams/", "the plan; change it, and run it again with: uet run"),
    ]
    return [
        f"The repository is {scratch}; nothing outside of it was touched, and you can delete it.",
        "Try next:",
        *(f"  {command:<{_WIDTH}}  {what}".rstrip() for command, what in steps),
    ]


def uet_command() -> str:
    """How this program is called from a shell."""
    return "uet" if shutil.which("uet") else f"{shlex.quote(sys.executable)} -m uet_tui"
