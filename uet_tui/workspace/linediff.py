"""What git's own line diffs say that one file added to another."""

from typing import Final

from uet_tui.workspace.control import ControlRepository

_ALGORITHMS: Final = ("myers", "histogram")
"""What `git diff` uses unless it is told otherwise, and what git merges by. They differ on what was moved."""


def added_lines(control: ControlRepository, old: str, new: str) -> set[bytes]:
    """The lines, without their ends, that either algorithm takes for added from one file's content to another's."""
    found: set[bytes] = set()
    for algorithm in _ALGORITHMS:
        out = control.git.run(
            "diff", "-U0", "--text", "--no-ext-diff", "--no-textconv", "--no-color", "--ignore-cr-at-eol",
            f"--diff-algorithm={algorithm}", old, new, "--",
        ).out  # fmt: skip
        _, _, hunks = out.partition(b"\n@@")
        found.update(line[1:].removesuffix(b"\r") for line in hunks.split(b"\n")[1:] if line.startswith(b"+"))
    return found
