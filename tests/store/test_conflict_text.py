"""The text of a conflict that an editor is opened on: never what was laid out before the last decision."""

import threading
from pathlib import Path

import pytest

from uet_tui.errors import UetError
from uet_tui.store.conflict_text import conflict_text, text_file, version_file


def laid_out(folder: Path, text: bytes | None, version: str) -> None:
    """A conflict with one file, as it is laid out."""
    version_file(folder).unlink(missing_ok=True)
    if text is not None:
        text_file(folder, 0).write_bytes(text)
    version_file(folder).write_text(version)


def test_a_decision_that_is_on_record_is_waited_for_until_it_is_laid_out(tmp_path: Path) -> None:
    laid_out(tmp_path, b"before\n", "1")
    asked = threading.Event()
    later = threading.Thread(target=lambda: (asked.wait(), laid_out(tmp_path, b"after\n", "2")))
    later.start()

    def version() -> str:
        asked.set()  # by now the text of the decision before is all that there is
        return "2"

    assert conflict_text(tmp_path, 0, version) == "after\n"
    later.join()


def test_what_is_never_laid_out_is_told_and_the_text_before_is_not_given(tmp_path: Path) -> None:
    laid_out(tmp_path, b"before\n", "1")
    with pytest.raises(UetError, match="not laid out yet"):
        conflict_text(tmp_path, 0, lambda: "2", seconds=0.05)


@pytest.mark.parametrize(("text", "said"), [(None, "there is no text"), (b"\xff", "not UTF-8")])
def test_what_is_no_text_is_told_at_once(tmp_path: Path, text: bytes | None, said: str) -> None:
    laid_out(tmp_path, text, "1")
    with pytest.raises(UetError, match=said):
        conflict_text(tmp_path, 0, lambda: "1", seconds=60)
