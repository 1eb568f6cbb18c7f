"""The parser of terminal output, on everything that a terminal could take for a command."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.e2e.bytes import COLOURED, PLAIN, PROGRESS, Kind, Piece, foreign, pieces, screen, text
from uet_tui.text import harmless


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        (b"plain \xe2\x89\xa0", [(Kind.TEXT, "plain ≠")]),
        (b"\x1b[1;31mred", [(Kind.CSI, "1;31m"), (Kind.TEXT, "red")]),
        (b"\x1b[?2026$p", [(Kind.CSI, "?2026$p")]),
        (b"\x1b]52;c;eA==\x07x", [(Kind.STRING, "OSC 52;c;eA=="), (Kind.TEXT, "x")]),
        (b"\x1b]0;title\x1b\\x", [(Kind.STRING, "OSC 0;title"), (Kind.TEXT, "x")]),
        (b"\xc2\x9d0;title\xc2\x9cx", [(Kind.STRING, "OSC 0;title"), (Kind.TEXT, "x")]),
        (b"\x1bPq\x1b\\\x1b_a\x1b\\\x1b^p\x1b\\\x1bXs\x1b\\",
         [(Kind.STRING, "DCS q"), (Kind.STRING, "APC a"), (Kind.STRING, "PM p"), (Kind.STRING, "SOS s")]),
        (b"\x1b]0;no end", [(Kind.CUT, "OSC"), (Kind.TEXT, "0;no end")]),
        (b"\x1b[12", [(Kind.CUT, "CSI"), (Kind.TEXT, "12")]),
        (b"\x1b", [(Kind.CUT, "ESC")]),
        (b"\x1bc\x1b(0\x1b7", [(Kind.ESCAPE, "c"), (Kind.ESCAPE, "(0"), (Kind.ESCAPE, "7")]),
        (b"\xc2\x9b2J", [(Kind.CSI, "2J")]),
        (b"\xc2\x85", [(Kind.C1, "0x85")]),
        (b"\x9b2J\xff", [(Kind.BROKEN, "0x9b"), (Kind.TEXT, "2J"), (Kind.BROKEN, "0xff")]),
        (b"\x00\x07\n\r\x7f", [(Kind.CONTROL, f"0x{code}") for code in ("00", "07", "0a", "0d", "7f")]),
        (b"a\r\n", [(Kind.TEXT, "a"), (Kind.CONTROL, "line end")]),
        ("a\u202eb".encode(), [(Kind.TEXT, "a"), (Kind.UNSEEN, "U+202E"), (Kind.TEXT, "b")]),
    ],
)  # fmt: skip
def test_every_kind_of_sequence_is_told_apart(sent: bytes, found: list[tuple[Kind, str]]) -> None:
    assert list(pieces(sent)) == [Piece(*one) for one in found]


def test_only_what_is_allowed_passes() -> None:
    drawn = b"\x1b[?1049h\x1b[22;2t\x1b]2;uet \xc2\xb7 x\x07\x1b[3;1H\x1b[1mhi\x1b[0m\x1b[?25l\x1b[>1u"
    assert foreign(drawn, screen("uet · x")) == []
    assert foreign(drawn, screen("uet · y")) == [Piece(Kind.STRING, "OSC 2;uet · x")]
    assert foreign(b"\x1b]2;uet x\x07\x1b]52;c;eA==\x07", screen("uet x")) == [Piece(Kind.STRING, "OSC 52;c;eA==")]
    assert foreign(b"\x07\x1b[2J\x1b[6n", screen("")) == [
        Piece(Kind.CONTROL, "0x07"), Piece(Kind.CSI, "2J"), Piece(Kind.CSI, "6n")]  # fmt: skip
    assert foreign(b"\x1b[1mline\x1b[0m\r\n", COLOURED) == []
    assert foreign(b"\x1b[1mover\rline\n", PLAIN) == [Piece(Kind.CSI, "1m"), Piece(Kind.CONTROL, "0x0d")]
    assert foreign(b"\x1b[1A\x1b[2K\x1b[?25h", PROGRESS) == []
    assert foreign(b"\x1b[1A", COLOURED) == [Piece(Kind.CSI, "1A")]
    assert text(drawn) == "hi"


@given(st.binary(max_size=200))
def test_nothing_is_lost_and_no_text_holds_a_control(sent: bytes) -> None:
    found = list(pieces(sent))
    assert bool(found) == bool(sent)
    assert not any(re.search("[\x00-\x1f\x7f-\x9f]", piece.text) for piece in found if piece.kind is Kind.TEXT)


@given(st.text(st.characters(codec="utf-8") | st.sampled_from("\x1b\x9b\x9d\x07\u202e[]P_^X;m"), max_size=200))
def test_what_the_product_calls_harmless_has_nothing_foreign_in_it(anything: str) -> None:
    sent = harmless(anything).replace("\t", " ").encode()
    assert foreign(sent, PLAIN) == []
