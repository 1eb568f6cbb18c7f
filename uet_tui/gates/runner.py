"""Running the commands of gates in a sandbox, each with its tree ended at the time limit."""

import os
import re
import select
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from uet_tui.core import verdicts
from uet_tui.gates.checks import Step
from uet_tui.gates.telling import last_line, telling_line
from uet_tui.output import Log
from uet_tui.redaction import Redactor, Stream
from uet_tui.store.files import open_to_append
from uet_tui.text import harmless, one_line

_OUTPUT_KEPT = 4_000
"""Bytes of a gate's output that go on record; its end is where the failure is told."""
_OUTPUT_LIMIT = 1 << 26
"""Bytes of what one command prints that are kept, and the end of it: a disk is not filled by one."""
_LOOK = 0.2
"""Seconds between looks at whether the orchestrator leaves while a command runs."""
_CHUNK = 1 << 18
"""Bytes of output that are read at once; more than a pipe holds."""
_NOT_FOUND = re.compile(
    r"^(?:\S*sh: )?(?:(?:line )?\d+: )?([^:\s][^:]*): (?:command )?not found$"  # dash, bash
    r"|^make(?:\[\d+\])?: ([^:]+): No such file or directory$",
    re.MULTILINE,
)
"""How shells and make tell of a program that is not there."""
_MADE_NOTHING = re.compile(r"^make(?:\[\d+\])?: \*\*\*.* 127$")
"""How make, which itself ends with 2, tells that a command of a target ended with 127."""
_NO_MODULE = re.compile(r"^\S*python[\d.]*: No module named (\S+)$", re.MULTILINE)
"""How `python -m` tells of a module that is not there; it then ends with 1, like a test run that failed."""

_NOT_CONFINED = "bwrap: "
"""How bubblewrap tells, ending with 1, why it could not even start a command."""
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")


class InterruptedRunError(Exception):
    """The orchestrator leaves: what was under way was ended, and is begun anew by whoever goes on."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one command said."""

    verdict: str
    output: str
    """The end of what it printed, harmless."""
    trouble: str = ""
    """One line: what speaks against the work, or why it could not be run."""
    absent: bool = False
    """The command's own program is not on this machine: no change of the tree can help."""


def run_step(
    step: Step,
    *,
    sandbox: Path,
    log: Path,
    environ: Mapping[str, str],
    seconds: float,
    no_tests: str,
    leaving: threading.Event,
    redactor: Redactor,
    before: Sequence[str] = (),
) -> Said:
    """Runs one command of a check.

    Args:
        step: the command.
        sandbox: where it runs.
        log: gets the command and all that it prints, after what is there.
        environ: its environment.
        seconds: what is left of the time limit.
        no_tests: the verdict when it found nothing to test.
        leaving: set when the orchestrator leaves.
        redactor: knows the secrets that it may print.
        before: what confines it, as the words before a command; none if nothing does.

    Raises:
        InterruptedRunError: `leaving` was set before it had ended.
    """
    with open_to_append(log) as out:
        out.write(f"$ {step.run}\n".encode("utf-8", "replace"))
        began = out.tell()
    code = run_command(step.run, sandbox, log, environ, time.monotonic() + seconds, leaving, redactor, before)
    output = redactor.text(harmless(end_of(log, began)))
    if code == 0:
        return Said(verdicts.PASSED, output)
    if code is None:
        return Said(verdicts.TIMEOUT, output, f"`{one_line(step.run, 80)}` did not end in time: {last_line(output)}")
    if code == step.no_tests_exit:
        return Said(no_tests, output, "it found no tests")
    if before and code == 1 and last_line(output).startswith(_NOT_CONFINED):
        return Said(verdicts.ERROR, output, f"it could not be confined: {last_line(output)}")
    missing = _missing(code, output)
    if missing is not None:
        program, trouble = missing
        return Said(verdicts.ERROR, output, trouble, absent=program == _program(step.run))
    return Said(verdicts.FAILED, output, telling_line(output, f"it printed nothing and ended with {code}"))


def _missing(code: int, output: str) -> tuple[str, str] | None:
    """The program that a command could not be run without, if it is known, and what to do about it."""
    advice = "install it where gates run (`sandbox.setup` can), or change the command"
    if code == 126:
        return "", f"a program may not be executed: {last_line(output)}"
    if code == 127 or _MADE_NOTHING.match(last_line(output)):
        found = list(_NOT_FOUND.finditer(output))
        program = (found[-1][1] or found[-1][2]) if found else ""
        return program, f"the program {program or 'that it needs'} is not there: {advice}"
    modules = list(_NO_MODULE.finditer(output))
    if modules and output.rstrip().endswith(modules[-1][0]):
        return "", f"the Python module {modules[-1][1]} is not there: {advice}"
    return None


def _program(command: str) -> str | None:
    """The program that a command starts with, if it is looked for on the PATH."""
    words = (word for word in command.split() if not _ASSIGNMENT.match(word))
    first = next(words, "")
    return first if first and "/" not in first else None


def run_command(
    command: str,
    sandbox: Path,
    log: Path,
    environ: Mapping[str, str],
    deadline: float,
    leaving: threading.Event,
    redactor: Redactor,
    before: Sequence[str] = (),
) -> int | None:
    """Runs one shell command with its output, without secrets, at the end of `log`; ends its whole group with it.

    `before` are the words that confine it, if anything does.

    Returns:
        its exit code; None if it had not ended at the deadline, which is a monotonic time.

    Raises:
        InterruptedRunError: `leaving` was set before it had ended.
    """
    source, target = os.pipe()
    with open_to_append(log) as file, os.fdopen(source, "rb", buffering=0) as printed:
        try:
            process = subprocess.Popen(
                [*before, "/bin/sh", "-c", command],
                cwd=sandbox,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                start_new_session=True,
            )
        finally:
            os.close(target)
        printing = _Printing(process, printed, Log(os.dup(file.fileno()), _OUTPUT_LIMIT), Stream(redactor))
        try:
            while not leaving.is_set():
                left = deadline - time.monotonic()
                code = printing.take(max(0.0, min(left, _LOOK)))
                if code is not None:
                    return code
                if left <= 0:
                    return None
            raise InterruptedRunError
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            printing.close()


class _Printing:
    """What a process prints, on its way to a file."""

    def __init__(self, process: "subprocess.Popen[bytes]", source: IO[bytes], out: Log, stream: Stream) -> None:
        self._process = process
        self._source = source
        self._out = out
        self._stream = stream
        self._open = True
        self._poll = select.poll()
        self._poll.register(self._source, select.POLLIN)
        os.set_blocking(self._source.fileno(), False)

    def take(self, seconds: float) -> int | None:
        """Waits a while for output, or for the end; gives the exit code once the process has ended.

        The end does not wait for the output to be closed: what the process left in the background may hold it open.
        """
        if not self._open:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(seconds)
        elif self._poll.poll(seconds * 1000):
            self._read()
        return self._process.poll()

    def close(self) -> None:
        """Takes what is left once the process is gone; not what others, who are still to be ended, go on printing."""
        if self._open:
            self._read()
        self._out.write(self._stream.close())
        self._out.close()

    def _read(self) -> None:
        with suppress(BlockingIOError):
            data = os.read(self._source.fileno(), _CHUNK)
            self._open = bool(data)
            self._out.write(self._stream.feed(data))


def end_of(log: Path, since: int = 0) -> str:
    """The end of what commands printed, from a byte of the file on."""
    with log.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(since, file.tell() - _OUTPUT_KEPT))
        return file.read().decode("utf-8", "replace")
