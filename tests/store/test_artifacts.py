"""What an agent printed is read in pieces, whatever it printed, and nothing outside its folder is."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from uet_tui.store.artifacts import Piece, read_diff, read_output, read_prompt
from uet_tui.text import harmless


def printed(folder: Path, data: bytes) -> Path:
    (folder / "output.log").write_bytes(data)
    return folder


def pieces(folder: Path, limit: int, offset: int = 0) -> list[Piece]:
    """All pieces until there is nothing new."""
    found = [read_output(folder, offset, limit)]
    while found[-1].text:
        found.append(read_output(folder, found[-1].next_offset, limit))
    return found


def test_before_anything_is_printed_there_is_nothing(tmp_path: Path) -> None:
    assert read_output(tmp_path / "none") == read_output(tmp_path) == read_output(tmp_path, -50) == Piece("", 0)
    assert read_prompt(tmp_path) == read_diff(tmp_path) == ""
    assert read_output(printed(tmp_path, b"")) == Piece("", 0)


def test_a_growing_file_is_read_on_from_where_one_was(tmp_path: Path) -> None:
    printed(tmp_path, b"one\ntwo\nthr")
    first = read_output(tmp_path)
    assert first == Piece("one\ntwo\n", 8)
    second = read_output(tmp_path, first.next_offset)
    assert second == Piece("thr", 11)  # what has no end yet, when nothing else is left
    printed(tmp_path, b"one\ntwo\nthree\n")
    assert read_output(tmp_path, second.next_offset) == Piece("ee\n", 14)
    assert read_output(tmp_path, 14) == Piece("", 14)
    assert read_output(tmp_path, 1000) == Piece("", 14)


def test_the_end_is_read_from_a_lines_begin(tmp_path: Path) -> None:
    printed(tmp_path, b"first line\nsecond line\nthird\n")
    assert read_output(tmp_path, -10) == Piece("third\n", 29)
    assert read_output(tmp_path, -1000) == Piece("first line\nsecond line\nthird\n", 29)
    printed(tmp_path, b"x" * 100 + b"\n")
    assert read_output(tmp_path, -10) == Piece("x" * 9 + "\n", 101)  # one long line: better its end than nothing
    printed(tmp_path, "é".encode() * 100)
    assert read_output(tmp_path, -11) == Piece("é" * 5, 200)


def test_a_line_of_two_megabytes_is_read_whole_in_pieces(tmp_path: Path) -> None:
    line = "日本x" * 300_000
    printed(tmp_path, b"before\n" + line.encode() + b"\nafter\n")
    found = pieces(tmp_path, 65_536)
    assert "".join(piece.text for piece in found) == f"before\n{line}\nafter\n"
    assert max(len(piece.text) for piece in found) <= 65_536


def test_broken_text_is_shown_as_broken_and_never_stops_reading(tmp_path: Path) -> None:
    printed(tmp_path, b"a\0b\xff\xfe\n\xe2\x82\nok\n")
    assert read_output(tmp_path) == Piece("ab��\n�\nok\n", 12)


def test_a_character_cut_at_the_end_waits_for_its_rest(tmp_path: Path) -> None:
    euro = "€".encode()
    printed(tmp_path, b"price " + euro[:2])
    first = read_output(tmp_path)
    assert first == Piece("price ", 6)
    assert read_output(tmp_path, 6) == Piece("", 6)
    printed(tmp_path, b"price " + euro)
    assert read_output(tmp_path, 6) == Piece("€", 9)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary(max_size=400) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")),
    limit=st.integers(1, 60),
)
def test_pieces_cover_the_file_once_in_order_and_are_harmless(tmp_path: Path, data: bytes, limit: int) -> None:
    printed(tmp_path, data)
    offset = 0
    while (piece := read_output(tmp_path, offset, limit)).next_offset > offset:
        assert piece.text == harmless(piece.text)
        offset = piece.next_offset
    assert len(data) - offset <= 3  # at most a character that was begun
    assert read_output(tmp_path, -limit, limit).next_offset <= len(data)


@given(
    text=st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]) | st.just("\n"), max_size=300),
    limit=st.integers(1, 60),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_good_text_comes_back_exactly_whatever_the_size_of_the_pieces(tmp_path: Path, text: str, limit: int) -> None:
    printed(tmp_path, text.encode())
    assert "".join(piece.text for piece in pieces(tmp_path, limit)) == text


def test_escape_sequences_do_not_come_through(tmp_path: Path) -> None:
    printed(tmp_path, b"a\x1b]52;c;eA==\x07b\xc2\x9b2Jc\x1b[31mred\x1b[0m 50%\r60%\r\n")
    assert read_output(tmp_path).text == "a␛b␛cred 50%\n60%\n"


def test_prompt_and_diff_are_read_whole_and_harmless(tmp_path: Path) -> None:
    (tmp_path / "prompt.md").write_bytes(b"# Do\x1b[2J\n\xff")
    (tmp_path / "diff.patch").write_text("+\u202ex\n")
    assert (read_prompt(tmp_path), read_diff(tmp_path)) == ("# Do␛\n�", "+x\n")


def test_a_diff_that_nobody_can_read_is_cut_and_says_so(tmp_path: Path) -> None:
    diff = tmp_path / "diff.patch"
    diff.write_text("é" * 3_000_000)
    shown = read_diff(tmp_path)
    assert shown.startswith("ééé") and shown.endswith(f"é\n… {6_000_000 - 4 * 1024 * 1024} more bytes in {diff}\n")


@pytest.mark.parametrize("name", ["output.log", "prompt.md", "diff.patch"])
@pytest.mark.parametrize(
    "make",
    [lambda path: path.symlink_to("/etc/passwd"), os.mkfifo, Path.mkdir, lambda path: path.symlink_to(path)],
    ids=["link", "FIFO", "folder", "loop"],
)
def test_nothing_but_a_file_of_the_folder_is_read_and_nothing_waits(tmp_path: Path, name: str, make) -> None:
    make(tmp_path / name)
    assert (read_output(tmp_path).text, read_prompt(tmp_path), read_diff(tmp_path)) == ("", "", "")
