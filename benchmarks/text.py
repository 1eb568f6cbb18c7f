"""How fast agents' output is made harmless, beside the one expression that most programs strip colours with.

    python -m benchmarks.text [--rounds 9] [--json]

A megabyte each of ordinary output, of output in colour, and of the begins of sequences that never end: these show
whether a hostile agent can make a reader slow.
"""

import argparse
import re
import sys
from functools import partial

from benchmarks._report import Figure, medians, tell
from uet_tui.text import harmless

MEGABYTE = 1_000_000
COMMON = re.compile(r"\x1b(?:[@-Z\\-_]|\[[0-?]*[ -/]*[@-~])")
"""Takes CSI sequences out, and leaves the rest of what a terminal acts on."""
PIECES = {
    "ordinary ASCII": "def main(argv): return run(parse(argv))  # ordinary\n",
    "ordinary Unicode": "größer — 日本語 ✓ ordinary\n",
    "coloured": "\x1b[32mPASSED\x1b[0m tests/test_main.py::test_it [ 50%]\n",
    "hostile ESC": "\x1b",
    "hostile ESC [": "\x1b[",
    "hostile ESC ]": "\x1b]",
    "hostile ESC P ESC": "\x1bP\x1b",
    "hostile OSC": "\x9d0;x",
    "hostile returns": "\r",
}


def main() -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    figures = []
    for name, piece in PIECES.items():
        text = (piece * MEGABYTE).encode()[:MEGABYTE].decode("utf-8", "replace")
        took = medians(asked.rounds, {"uet": partial(harmless, text), "bare": partial(COMMON.sub, "", text)})
        figures.append(Figure(name, took["uet"], "one expression", took["bare"]))
    return tell(f"A megabyte of output made harmless, medians of {asked.rounds}", figures, as_json=asked.json)


if __name__ == "__main__":
    sys.exit(main())
