"""Driving a program in a real terminal, as a person would: a tmux server of the test's own, or a bare pty.

`Terminal` shows what a person sees; `Wire` keeps every byte that left the program, for tests of what must not.
"""

import contextlib
import fcntl
import os
import pty
import re
import select
import shlex
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from tests.support.wait import until

TMUX = shutil.which("tmux")

Seen = str | re.Pattern[str] | Callable[[str], object]
"""What to wait for on a screen: a text, a pattern, or a function of the whole screen."""

_CONFIGURATION = """\
set -g remain-on-exit on
set -gq remain-on-exit-format ''
set -g status off
set -g escape-time 0
set -g history-limit 5000
set -g default-terminal tmux-256color
set -g exit-empty off
set -g set-titles off
set -g mouse off
set -g set-clipboard on
"""
"""Nothing of tmux's own on the screen: what tells of the end of a program would push a line off it."""


class Terminal:
    """One program in one window of a private tmux server; a context manager that ends both."""

    def __init__(self, columns: int = 120, rows: int = 40) -> None:
        self.columns = columns
        self.rows = rows
        # A socket's path may be 107 bytes at most: a test's own folder is often deeper.
        self._folder = Path(tempfile.mkdtemp(prefix="tmux-"))
        self._status = self._folder / "status"
        self._configuration = self._folder / "tmux.conf"
        self._configuration.write_text(_CONFIGURATION)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(
        self,
        command: Sequence[str],
        *,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
        record: Path | None = None,
    ) -> None:
        """Starts the program; `environment` is added to the test's own, `record` takes every byte that it sends."""
        go = self._folder / "go"
        begin = f"until [ -e {shlex.quote(str(go))} ]; do sleep 0.02; done"
        inner = f"{begin}; {shlex.join(command)}; echo $? >{shlex.quote(str(self._status))}"
        variables = {"LANG": "C.UTF-8", **os.environ, **(environment or {})}
        size = ("-x", str(self.columns), "-y", str(self.rows))
        self._tmux("new-session", "-d", *size, "-c", str(folder or Path.cwd()), "sh", "-c", inner, env=variables)
        if record is not None:
            self._tmux("pipe-pane", "-O", f"exec cat >{shlex.quote(str(record))}")
        go.touch()

    def press(self, *keys: str) -> None:
        """Presses keys by tmux's names: `a`, `Enter`, `Escape`, `Space`, `Tab`, `C-c`, `Up`, `F1`."""
        for key in keys:
            self._tmux("send-keys", *(["-H", f"{ord(key):x}"] if len(key) == 1 and key.isascii() else [key]))

    def type(self, text: str) -> None:
        """Types a text as it is."""
        self._tmux("send-keys", "-l", "--", text)

    def click(self, column: int, row: int) -> None:
        """Clicks with the left button, 0-based, as a terminal with SGR mouse reports does."""
        for final in "Mm":
            report = f"\x1b[<0;{column + 1};{row + 1}{final}"
            self._tmux("send-keys", "-H", *(f"{byte:x}" for byte in report.encode()))

    def click_on(self, text: str) -> None:
        """Clicks on the first letter of a text on the screen, or soon on it: one may look while it is half drawn."""
        lines = self.wait_for(text, 2).splitlines()
        row = next(number for number, line in enumerate(lines) if text in line)
        self.click(lines[row].index(text), row)

    def screen(self, *, colours: bool = False) -> str:
        """What is on the screen now, without trailing blanks; with `colours`, their escape sequences too."""
        return self._tmux("capture-pane", "-p", *(["-e"] if colours else []))

    def wait_for(self, what: Seen, seconds: float = 15) -> str:
        """The first screen with `what` on it.

        Raises:
            AssertionError: it did not come in time, or the program ended before; shows the last screen.
        """
        matches = _matcher(what)
        end = time.monotonic() + seconds
        while True:
            ended = self.exit_code()  # before the screen: what it last drew still counts
            screen = self.screen()
            if matches(screen):
                return screen
            if ended is not None or time.monotonic() > end:
                why = f"in {seconds:g} s" if ended is None else f"before the program ended with {ended}"
                raise AssertionError(f"{what!r} was not on the screen {why}:\n{screen}")
            time.sleep(0.05)

    def exit_code(self) -> int | None:
        """What the program ended with; None while it runs."""
        try:
            return int(self._status.read_text())
        except (FileNotFoundError, ValueError):  # not there, or not written to the end yet
            return None

    def wait_for_end(self, seconds: float = 15) -> int:
        """The exit code of a program that is about to end."""
        until(lambda: self.exit_code() is not None, seconds, "the program to end")
        code = self.exit_code()
        assert code is not None
        return code

    def resize(self, columns: int, rows: int) -> None:
        """Gives the terminal another size."""
        self.columns, self.rows = columns, rows
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))

    def wait_for_effect(self, key: str, what: Seen, seconds: float = 15) -> float:
        """Presses a key and tells how many seconds it took until `what` was on the screen."""
        began = time.monotonic()
        self.press(key)
        self.wait_for(what, seconds)
        return time.monotonic() - began

    def pid(self) -> int:
        """The process id of the shell that started the program; the program is its child."""
        return int(self._tmux("display-message", "-p", "#{pane_pid}"))

    def program(self) -> psutil.Process:
        """The program itself, once it runs."""
        return until(
            lambda: [child for child in psutil.Process(self.pid()).children() if child.name() != "sleep"],
            5,
            "the program to be started",
        )[0]

    def title(self) -> str:
        """The title that the program gave the terminal."""
        return self._tmux("display-message", "-p", "#{pane_title}")

    def clipboard(self) -> str:
        """What the program put into the clipboard; empty if it left it alone."""
        return self._tmux("list-buffers", "-F", "#{buffer_sample}")

    def lose(self) -> None:
        """Takes the terminal away, as a closed window or a broken connection does."""
        self._tmux("kill-session")

    def close(self) -> None:
        """Ends the server and with it the program."""
        with contextlib.suppress(AssertionError):  # the server may never have been started
            self._tmux("kill-server")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tmux(self, *arguments: str, env: Mapping[str, str] | None = None) -> str:
        assert TMUX is not None, "tmux is not installed"
        command = [TMUX, "-u", "-S", str(self._folder / "socket"), "-f", str(self._configuration), *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=env, timeout=30)
        assert done.returncode == 0, f"tmux {arguments[0]}: {done.stderr.strip()}"
        return done.stdout.rstrip("\n")


def _matcher(what: Seen) -> Callable[[str], object]:
    if isinstance(what, str):
        return lambda screen: what in screen
    return what.search if isinstance(what, re.Pattern) else what


class Wire:
    """A program on a bare pty: every byte that it sends to the terminal is kept in `sent`."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 120,
        rows: int = 40,
        folder: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.sent = b""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        variables = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env=variables,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def press(self, keys: str | bytes) -> None:
        """Sends bytes as the keyboard does."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def read(self, seconds: float = 0.1) -> bytes:
        """What comes within `seconds`; kept in `sent` too."""
        came = b""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._master], [], [], left)[0]:
                break
            try:
                part = os.read(self._master, 65536)
            except OSError:  # EIO: nobody holds the other end any more
                break
            if not part:
                break
            came += part
        self.sent += came
        return came

    def wait_for(self, what: bytes | Callable[[bytes], object], seconds: float = 15) -> bytes:
        """All that was sent, once it has `what` in it."""
        end = time.monotonic() + seconds
        while not (what in self.sent if isinstance(what, bytes) else what(self.sent)):
            self.read(0.05)
            if time.monotonic() > end:
                raise AssertionError(
                    f"{what!r} did not come in {seconds:g} s; the end of what did: {self.sent[-2000:]!r}"
                )
        return self.sent

    def wait_for_end(self, seconds: float = 15) -> int:
        """The exit code of a program that is about to end; all that it still sends is kept."""
        end = time.monotonic() + seconds
        while self._process.poll() is None:
            self.read(0.05)
            if time.monotonic() > end:
                raise AssertionError(f"the program still runs after {seconds:g} s")
        while self.read(0.05):
            continue
        return self._process.returncode

    def close(self) -> None:
        """Ends the program and whatever it started in its session."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        os.close(self._master)
