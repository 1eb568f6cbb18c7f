"""A script of the operator's: `uet` commands one after the other, and how each ended, as JSON lines on standard output.

A process of its own that calls the command line as `uet` does, so that two hundred commands do not start Python two
hundred times. Reads JSON lists of arguments from standard input, one a line.
"""

import contextlib
import io
import json
import os
import sys

from uet_tui.cli import run


def main() -> None:
    """Carries out what comes on standard input."""
    for line in sys.stdin:
        arguments = json.loads(line)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(arguments)
        said = {"arguments": arguments, "code": code, "out": out.getvalue(), "err": err.getvalue(), "pid": os.getpid()}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
