"""A plan whose agents print, write, name and fail with everything that could be taken for a command or for markup."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

CLIPBOARD: Final = "aGFja2Vk"
"""What the payloads try to put into the clipboard: `hacked`."""
VISIBLE: Final = "[/x][@click=app.bell()]"
"""Markup, to be seen as it is: it tells where a payload came to be shown."""
PAYLOAD: Final = (
    f"A{VISIBLE}B"
    f"\x1b]52;c;{CLIPBOARD}\x07"
    f"\x1b]52;c;{CLIPBOARD}\x1b\\"
    "\x1b]0;hacked\x07\x1b]2;hacked\x07"
    "\x1b]8;;http://hacked.invalid\x07link\x1b]8;;\x07"
    "\x1bPq#0;2;0;0;0\x1b\\\x1b_apc\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\"
    "\x1b[2J\x1b[?1049l\x1b[31m\x1b[6n\x1b[21t\x1bc\x1b#8\x1b(0"
    f"\x9b2J\x9d52;c;{CLIPBOARD}\x9c\x900\x9c\x9eq\x9c\x9fr\x9c\x98s\x9c\x85"
    "\x07\x08\x0b\x0c\x0e\x7f"
    "\u202eevil\u2066x\u2069\u200f\u061c\ufeff\u2028\U000e0041"
    "over\rCARRIAGE"
    "\x1b]0;no end"
)
"""Text for every place that takes text; it ends in a sequence that is not ended."""
LAST: Final = "".join(part for part in PAYLOAD if part not in "\r\x0b\x0c\x85\u2028\x1c")
"""As above, on one line: what an agent says last becomes the reason of its failure."""
RAW: Final = PAYLOAD.encode() + b"\x00\x9b31m\x9d0;hacked\x9c\xff\xfe\xc3(\xed\xa0\x80\xf4\x90\x80\x80"
"""As above, with what no text can hold: NUL, controls of 8 bits, broken UTF-8."""
NAME: Final = (
    f"A{VISIBLE}\x1b]52;c;{CLIPBOARD}\x07\x1b]0;hacked\x07\x9b31m\u202e\r\n".encode() + b"\x9d0;hacked\x9c\xff.txt"
)
"""The path of a file; its folder is `A[`."""
LONG: Final = 2_000_000
"""Characters of the longest line."""

_AGENT: Final = """\
#!/bin/sh
# The agents of the plan: $1 is which, $2 the folder with the payloads.
raw() { cat "$2/raw"; }
name=$(cat "$2/name")
write() { mkdir -p "${name%/*}"; cat "$2/$3" >"$name"; }
started() { : >"$2/started-$1"; until [ -e "$2/started-$3" ]; do sleep 0.02; done; }
case $1 in
  loop) until [ -e "$2/word" ]; do raw "$@"; echo; sleep 0.3; done ;;
  long) raw "$@"; echo; cat "$2/long"; echo; cp "$2/raw" long.txt; mkdir -p long; cp "$2/long" long/line.txt ;;
  ours) raw "$@"; write "$@" ours; echo ours | cat - "$2/raw" >no-text; started "$@" theirs ;;
  theirs) raw "$@"; write "$@" theirs; echo theirs | cat - "$2/raw" >no-text; started "$@" ours ;;
  fails) raw "$@"; echo; cat "$2/last"; exit 3 ;;
  strays) raw "$@"; write "$@" last ;;
  gated) raw "$@"; echo gated >gated.txt ;;
esac
"""


def write_plan(folder: Path) -> Path:
    """Writes the plan and what its agents print into a new folder, and returns the path of the plan."""
    folder.mkdir()
    lines = [f"line {number}".encode() for number in range(12)]
    files: Mapping[str, bytes] = {
        "raw": RAW,
        "name": NAME,
        "long": (VISIBLE + "\x1b]0;hacked\x07").encode() + b"x" * LONG,
        "last": LAST.encode(),
        "ours": b"\n".join([*lines[:3], b"ours " + RAW.replace(b"\0", b""), *lines[4:]]),
        "theirs": b"\n".join([*lines[:3], b"theirs " + RAW.replace(b"\0", b""), *lines[4:]]),
        "agent": _AGENT.encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    plan = folder / "plan.json"
    plan.write_text(json.dumps(list(_workstreams(folder))))
    return plan


def _workstreams(folder: Path) -> Sequence[Mapping[str, Any]]:
    def workstream(name: str, **more: Any) -> Mapping[str, Any]:
        return {
            "id": f"ws-{name}",
            "openspec_change": PAYLOAD,
            "ccpm_issue": PAYLOAD,
            "gate": 1,
            "tool": "shell",
            "capability": PAYLOAD,
            "conflict_group": f"{name} {PAYLOAD}",
            "acceptance_tests": [PAYLOAD],
            "files_scope": ["**"],
            "tasks": [
                f"# {PAYLOAD}",
                f"exec sh {shlex.quote(str(folder / 'agent'))} {name} {shlex.quote(str(folder))}",
            ],
            "circuit_breaker": {"max_attempts": 1},
            "metadata": {"owner": PAYLOAD, PAYLOAD: PAYLOAD},
            **more,
        }

    return [
        workstream("loop"),
        workstream("long"),
        workstream("ours"),
        workstream("theirs"),
        workstream("fails"),
        workstream("strays", files_scope=[f"only{VISIBLE}\u202e.txt"]),
        workstream("gated", test_gates=[{"type": "GATE_LINT"}]),
        workstream("after", depends_on=["ws-fails"]),
        workstream("behind", depends_on=["ws-ours", "ws-theirs"]),
    ]


def sets(folder: Path) -> Sequence[str]:
    """Options of `uet run` that go with the plan."""
    gate = json.dumps([f"test ! -e gated.txt || {{ cat {shlex.quote(str(folder / 'last'))}; exit 1; }}"])
    return ("--workers", "4", "--set", "overlap=allow", "--set", f"gates.GATE_LINT.commands={gate}")
