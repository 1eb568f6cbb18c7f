"""Whatever comes in, what goes out holds nothing that a terminal acts on."""

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from uet_tui.text import harmless, laid_bare, one_line

DANGEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)
ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too
HOSTILE = st.lists(
    st.sampled_from(
        ["\x1b", "[", "]", "52;c;", "\x07", "\\", "\x9b", "\x9d", "\x9c", "P", "31m", "\r", "\n", "x", "\0"]
    )
).map("".join)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("plain text,\ttabs\nand lines\n", "plain text,\ttabs\nand lines\n"),
        ("naïve — 日本語 🎉 👩\u200d💻", "naïve — 日本語 🎉 👩\u200d💻"),
        ("\x1b[31mred\x1b[0m \x1b[1;38:5:1mbold\x1b[m\x1b[K", "red bold"),
        ("\x9b31mred\x9b0m", "red"),
        ("a\x1b[2Jb", "a␛b"),
        ("a\x1b[?1049hb\x1b[>0q", "a␛b␛"),
        ("a\x1b]52;c;cm0gLXJmIC8=\x07b", "a␛b"),
        ("a\x1b]52;c;cm0gLXJmIC8=\x1b\\b", "a␛b"),
        ("a\x1b]0;title never ended\nb", "a␛\nb"),
        ("a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "a␛link␛b"),
        ("a\x9d52;c;eA==\x9cb", "a␛b"),
        ("a\x1bPq#0\x1b\\b\x90x\x9cc", "a␛b␛c"),
        ("a\x1b_apc\x1b\\b\x1b^pm\x1b\\c\x1bXsos\x1b\\d", "a␛b␛c␛d"),
        ("a\x1b(0b\x1bcc\x1b", "a␛b␛c␛"),
        ("a\x1b\x00[31mb", "a␛[31mb"),
        ("a\x1b[3\x001mb", "a␛1mb"),
        ("10%\r20%\rdone\r\n", "10%\n20%\ndone\n"),
        ("a\x08\x08\x00\x7fb\x85\x0c\x0b", "ab"),
        ("user\u202egnp.exe\u2066\u200f\u061c", "usergnp.exe"),
        ("a\u2028b\u2029c\ufeff\u2063\U000e0041d", "abcd"),
        ("file\udcff\ud800", "file??"),
    ],
)
def test_what_a_terminal_would_act_on_is_gone_and_the_rest_stays(hostile: str, shown: str) -> None:
    assert harmless(hostile) == shown


@given(ANY_TEXT | HOSTILE)
@example("\x1b\x1b[[31m31m")
@example("\x1b]\x1b]52;c;eA==\x07")
def test_nothing_dangerous_is_left_and_nothing_is_left_to_do(text: str) -> None:
    safe = harmless(text)
    assert not DANGEROUS.search(safe)
    assert harmless(safe) == safe
    safe.encode("utf-8")


@given(st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_ordinary_text_is_untouched(text: str) -> None:
    assert harmless(text) == text


def test_every_control_character_of_unicode_is_gone_but_tab_and_newline() -> None:
    controls = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cc"]
    assert {harmless(char) for char in controls} <= {"", "\t", "\n", "␛"}


@given(ANY_TEXT | HOSTILE)
def test_text_laid_bare_is_harmless_and_shows_each_character_that_is_not(text: str) -> None:
    bare = laid_bare(text)
    assert not DANGEROUS.search(bare)
    assert bare == harmless(bare)
    assert bare.count("‹U+") >= sum(char in "\x1b\x07\u202e\u2066\x9b\u200f" for char in text)


def test_text_laid_bare_tells_what_would_have_been_done() -> None:
    assert laid_bare("if \u202eadmin\u2066:\n\t\x1b[31mred") == "if ‹U+202E›admin‹U+2066›:\n\t‹U+001B›[31mred"


@given(ANY_TEXT | HOSTILE, st.integers(2, 40))
def test_one_line_is_one_harmless_line_within_its_limit(text: str, limit: int) -> None:
    line = one_line(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1 and "\t" not in line
    assert not DANGEROUS.search(line)


def test_a_long_line_is_cut_with_an_ellipsis() -> None:
    assert one_line("word " * 100, 20) == "word word word word…"
    assert one_line("  a\r\nb\t c \n", 20) == "a b c"


@pytest.mark.parametrize("piece", ["\x1b", "\x1b[", "\x1b]", "\x1b[0;", "\x1bP\x1b", "\r", "\x9d0;x"])
def test_a_megabyte_of_hostile_output_comes_to_an_end(piece: str) -> None:
    """Read in time that grows with the square of its size, it would take longer than any test may."""
    assert not DANGEROUS.search(harmless(piece * (1_000_000 // len(piece))))
