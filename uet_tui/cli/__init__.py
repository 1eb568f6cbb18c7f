"""The `uet` command: parses, calls, prints, and turns every ending into an exit code.

Only the module of the command that was called is imported, so that none pays for what it does not use.
"""

import errno
import gc
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Final

from uet_tui import __version__
from uet_tui.errors import UetError

if TYPE_CHECKING:
    import typer

_MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "demo": ("demo",),
    "check": ("validate",),
    "run": ("run", "console", "resume"),
    "look": ("status", "runs", "workers"),
    "costs": ("costs",),
    "forecast": ("forecast",),
    "follow": ("events",),
    "detail": ("show", "why"),
    "steer": (
        *("pause", "continue", "drain", "stop", "scale", "freeze", "thaw"),
        *("retry", "skip", "hold", "release", "first", "budget"),
    ),
    "desk": ("conflicts",),
    "land": ("land", "rollback"),
    "setup": ("init",),
    "facts": ("config",),
    "health": ("health",),
    "clean": ("clean",),
    "agents": ("agents",),
}
_INTERRUPTED: Final = 130


def main() -> None:
    """The console script."""
    _fill_in_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except OSError as error:
        code = 1
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at exit
        if error.errno != errno.EPIPE:
            told = f"cannot write: {error.strerror}" if error.errno == errno.ENOSPC else error
            print(f"uet: {told}", file=sys.stderr)  # noqa: T201  # standard error is for this
    gc.freeze()  # or Python looks for garbage in all that was imported as it ends: a sixth of a short command's time
    sys.exit(code)


def _fill_in_streams() -> None:
    """Opens standard streams that were closed (`>&-`), so that no file of ours gets their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # as Python does


def run(arguments: Sequence[str]) -> int:
    """Carries out one command line and returns its exit code; prints errors that are the operator's to mend."""
    if list(arguments[:1]) == ["--version"]:
        print(f"uet {__version__}")  # noqa: T201  # this is what the command is for
        return 0

    import typer

    from uet_tui.cli.output import complain

    try:
        _stand_somewhere()
        return _app(arguments)(list(arguments) or ["--help"], prog_name="uet", standalone_mode=False) or 0
    except UetError as error:
        complain(str(error))
        return error.exit_code
    except typer.TyperException as error:
        known = any(arguments[0] in commands for commands in _MODULES.values())
        complain(f"{error.format_message()} (see: uet {arguments[0] + ' ' if known else ''}--help)")
        return error.exit_code
    except typer.Abort:
        return _INTERRUPTED


def _stand_somewhere() -> None:
    from pathlib import Path

    try:
        Path.cwd()
    except FileNotFoundError:
        raise UetError("the folder that you are in is gone: cd to another") from None


def _app(arguments: Sequence[str]) -> "typer.Typer":
    import typer

    called = arguments[0] if arguments else ""
    wanted = [name for name, commands in _MODULES.items() if called in commands] or list(_MODULES)
    app = typer.Typer(
        help="Runs a plan of workstreams through many coding agents at once, on real git branches.",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback(invoke_without_command=False)
    def _root(version: bool = typer.Option(False, "--version", help="Print the version and exit.")) -> None:
        """Without this an application of one command would lose that command's name."""

    for name in wanted:
        app.add_typer(import_module(f"uet_tui.cli.{name}").app)
    return app
