"""The drivers themselves, tried on `sh`: what a person sees, and every byte on the wire."""

import re
import sys
from pathlib import Path

import pytest

from tests.e2e.terminal import TMUX, Terminal, Wire
from tests.support.wait import until

needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")


@needs_tmux
def test_a_program_is_seen_typed_to_and_ends_with_its_code(tmp_path: Path) -> None:
    with Terminal(60, 10) as terminal:
        terminal.start(["sh", "-c", 'pwd; echo "$GREETING ≠"; read line; echo "got <$line>"; exit 7'],
                       folder=tmp_path, environment={"GREETING": "hello"})  # fmt: skip
        terminal.wait_for("hello ≠")
        assert terminal.exit_code() is None
        terminal.type("a; b -- 'c'")
        terminal.press(";", "Space", "Enter")
        terminal.wait_for(re.compile(r"got <a; b -- 'c'; ?>"))
        assert terminal.wait_for_end() == 7
        with pytest.raises(AssertionError, match="'the moon' was not on the screen before the program ended with 7"):
            terminal.wait_for("the moon")


@needs_tmux
def test_the_terminal_has_the_size_asked_for_and_can_be_resized() -> None:
    with Terminal(80, 24) as terminal:
        terminal.start(["sh", "-c", "trap 'stty size' WINCH; stty size; while :; do read line; done"])
        terminal.wait_for("24 80")
        terminal.resize(120, 40)
        terminal.wait_for("40 120")
        with pytest.raises(AssertionError, match=r"'the moon' was not on the screen in 0\.1 s:"):
            terminal.wait_for("the moon", 0.1)


@needs_tmux
def test_a_click_arrives_as_a_mouse_report() -> None:
    program = "import sys, tty; tty.setraw(0); print('\\x1b[2J\\x1b[3;5HPress me', end='', flush=True)\n"
    program += "print('\\r\\n', repr(sys.stdin.buffer.raw.read(100)), end='', flush=True); sys.stdin.buffer.raw.read(1)"
    with Terminal() as terminal:
        terminal.start([sys.executable, "-c", program])
        terminal.wait_for("Press me")
        terminal.click_on("Press")
        terminal.wait_for("<0;5;3M")
        with pytest.raises(AssertionError, match="'Nothing' was not on the screen"):
            terminal.click_on("Nothing")


@needs_tmux
def test_a_lost_terminal_hangs_up_the_program(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with Terminal() as terminal:
        terminal.start(["sh", "-c", f"trap 'echo hung up >{mark}; exit' HUP; echo up; while :; do read line; done"])
        terminal.wait_for("up")
        assert terminal.pid() > 1
        terminal.lose()
        until(mark.exists, 5, "the program to hear the hangup")


@needs_tmux
def test_a_title_a_clipboard_and_every_byte_of_a_program_can_be_seen(tmp_path: Path) -> None:
    sent = r"a\033]2;a title\007\033]52;c;aGVsbG8=\007\302\233b\377"
    with Terminal() as terminal:
        terminal.start(["sh", "-c", f"read line; printf '{sent}'; read line"], record=tmp_path / "record")
        assert terminal.clipboard() == ""
        terminal.press("Enter")
        until(
            lambda: terminal.title() == "a title" and terminal.clipboard() == "hello", 5, "the sequences to be acted on"
        )
        assert terminal.program().name() == "sh"
    assert (tmp_path / "record").read_bytes() == b"\r\na\x1b]2;a title\x07\x1b]52;c;aGVsbG8=\x07\xc2\x9bb\xff"


def test_the_wire_keeps_every_byte_and_tells_the_exit_code() -> None:
    program = "stty size; printf 'a\\033]52;c;eA==\\007\\302\\233b\\377'; read line; printf '<%s>' \"$line\"; exit 3"
    with Wire(["sh", "-c", program], columns=81, rows=25) as wire:
        wire.wait_for(b"b\xff")
        assert b"25 81" in wire.sent and b"a\x1b]52;c;eA==\x07\xc2\x9bb\xff" in wire.sent
        wire.press("yes\n")
        assert wire.wait_for_end() == 3
        assert wire.sent.endswith(b"<yes>")


def test_the_wire_says_what_did_not_come_and_ends_what_still_runs() -> None:
    with Wire(["sh", "-c", "printf here; sleep 86399"]) as wire:
        with pytest.raises(AssertionError, match=r"b'there' did not come in 0\.3 s; .*b'here'"):
            wire.wait_for(b"there", 0.3)
        with pytest.raises(AssertionError, match=r"still runs after 0\.1 s"):
            wire.wait_for_end(0.1)
