"""Secrets become marks, in every form that programs print them in, wherever a stream of output is cut."""

import base64
import json
import os
import re
import urllib.parse
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uet_tui.redaction import Redactor, Stream, redact_file
from uet_tui.text import harmless

KEY = "sk-Zq8/T+v1_x7Lm9"
QUOTED = 'pa"ss\\wörd\twith'
MARK = "«API_KEY»"
REDACTOR = Redactor({"API_KEY": KEY, "DB_PASSWORD": QUOTED})


def _encoded(value: str, before: str) -> str:
    return base64.b64encode((before + value + "!?").encode()).decode()


EDGE = r"[\w=+/-]{0,7}"
"""What of base64 is left beside a mark: what stands for more than the secret."""
FORMS = {
    "as it is": (KEY, MARK),
    "in JSON": (json.dumps({"key": KEY}), '{"key": "«API_KEY»"}'),
    "quoted in JSON": (json.dumps({"key": QUOTED}), '{"key": "«DB_PASSWORD»"}'),
    "in JSON that is not ASCII": (json.dumps({"key": QUOTED}, ensure_ascii=False), '{"key": "«DB_PASSWORD»"}'),
    "in JSON in JSON": (json.dumps({"out": json.dumps({"key": QUOTED})}), r'.*key.*: ."«DB_PASSWORD»."}"}'),
    "in an address": ("https://x/?k=" + urllib.parse.quote(KEY, safe=""), r"https://x/\?k=«API_KEY»"),
    "in another address": ("https://x/?k=" + urllib.parse.quote(QUOTED, safe=""), r"https://x/\?k=«DB_PASSWORD»"),
    "in base64": (base64.b64encode(KEY.encode()).decode(), EDGE + MARK + EDGE),
    "in base64, one further": (_encoded(KEY, "u"), EDGE + MARK + EDGE),
    "in base64, two further": (_encoded(KEY, "u:"), EDGE + MARK + EDGE),
    "in base64, three further": (_encoded(KEY, "u:p"), EDGE + MARK + EDGE),
    "in base64 for addresses": (base64.urlsafe_b64encode(f"u:{KEY}?>".encode()).decode(), EDGE + MARK + EDGE),
    "in colour": (f"\x1b[31m{KEY[:5]}\x1b[1;32m{KEY[5:]}\x1b[0m", "\x1b.31m«API_KEY»\x1b.0m"),
    "every byte in colour": ("".join(f"\x1b[3{n % 8}m{c}" for n, c in enumerate(KEY)), "\x1b.30m«API_KEY»"),
    "in two bytes a character": (KEY.encode("utf-16-le").decode("latin-1"), "«API_KEY»\0"),
}


@pytest.mark.parametrize(("form", "shown"), FORMS.values(), ids=FORMS.keys())
def test_a_secret_becomes_its_mark_in_every_form(form: str, shown: str) -> None:
    assert re.fullmatch(f"before {shown} after", REDACTOR.text(f"before {form} after"))


@pytest.mark.parametrize("form", [form for form, _ in FORMS.values()], ids=FORMS.keys())
def test_a_secret_is_found_wherever_the_stream_is_cut(form: str) -> None:
    text = f"before {form} after\n".encode()
    whole = REDACTOR.data(text)
    for cut in range(len(text)):
        stream = Stream(REDACTOR)
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.close() == whole, cut
        assert stream.found
    stream = Stream(REDACTOR)
    assert b"".join(stream.feed(bytes([byte])) for byte in text) + stream.close() == whole


@given(st.lists(st.sampled_from([KEY, KEY[:6], KEY[6:], "s", "sk-", "\x1b[1m", "\0", "x", QUOTED, "\n"])), st.data())
def test_cutting_a_stream_anywhere_shows_what_not_cutting_it_shows(parts: list[str], data: st.DataObject) -> None:
    text = "".join(parts).encode() + b"."
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)))))
    stream = Stream(REDACTOR)
    pieces = [stream.feed(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    shown = b"".join(pieces) + stream.close()
    assert shown == REDACTOR.data(text)
    assert KEY not in harmless(shown.decode("utf-8", "replace"))


def test_what_cannot_be_the_beginning_of_a_secret_is_shown_at_once() -> None:
    stream = Stream(REDACTOR)
    for piece in (b"working", b"...", b" \x1b[32mdone\x1b[0m\n", b"$ "):
        assert stream.feed(piece) == piece
    assert stream.feed(b"its sk-Z") == b"its "
    assert stream.feed(b"? no\n") == b"sk-Z? no\n"


def test_a_secret_that_is_cut_off_is_none_the_less_one() -> None:
    stream = Stream(REDACTOR)
    assert stream.feed(KEY[:-2].encode()) + stream.close() == MARK.encode()
    assert stream.feed(KEY[:3].encode()) + stream.close() == KEY[:3].encode()


def test_of_two_secrets_of_which_one_holds_the_other_the_longer_is_found() -> None:
    redactor = Redactor({"A_KEY": "abcdefgh", "B_KEY": "abcdefghij"})
    assert redactor.text("abcdefghij abcdefgh") == "«B_KEY» «A_KEY»"


def test_text_that_no_terminal_takes_comes_through() -> None:
    assert REDACTOR.text("\ud800 " + KEY) == "\ud800 " + MARK


def test_a_file_is_rewritten_where_it_holds_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text(f"{'x' * (1 << 20)}{KEY}\n")
    path.chmod(0o750)
    (tmp_path / "other").hardlink_to(path)
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "fifo")
    assert redact_file(str(tmp_path / "fifo"), REDACTOR) == set()
    with pytest.raises(OSError, match="symbolic links"):
        redact_file(str(tmp_path / "link"), REDACTOR)
    assert redact_file(str(path), REDACTOR) == {"API_KEY"}
    assert path.read_text() == f"{'x' * (1 << 20)}{MARK}\n"
    assert path.stat().st_mode & 0o777 == 0o750
    assert KEY in (tmp_path / "other").read_text(), "what it was linked to is somebody else's"
    before = path.stat().st_ino
    assert redact_file(str(path), REDACTOR) == set()
    assert path.stat().st_ino == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["fifo", "link", "log", "other"]


def test_a_file_with_the_longest_of_names_is_rewritten_too(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    path.write_text(KEY)
    (tmp_path / f"key.redacted-{os.getpid()}").touch()
    (tmp_path / "key").write_text(KEY)
    for file in (path, tmp_path / "key"):
        assert redact_file(str(file), REDACTOR) == {"API_KEY"}
        assert file.read_text() == MARK
    assert len(list(tmp_path.iterdir())) == 3
