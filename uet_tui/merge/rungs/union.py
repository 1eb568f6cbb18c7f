"""Union: files that are only appended to keep what both sides wrote, ours first."""

from collections.abc import Sequence

from uet_tui.core.conflicts import ConflictFile
from uet_tui.merge.hunks import Clash
from uet_tui.merge.rungs import Case, Made
from uet_tui.merge.texts import text_pieces
from uet_tui.plan.scopes import covers


def union(case: Case, files: Sequence[ConflictFile]) -> Made:
    """Both sides of every hunk of the files that `ladder.union` covers; lines that both sides added stay twice."""
    texts: dict[str, bytes] = {}
    for file in files:
        if not file.hunks or not covers(case.settings.union, file.path):
            continue
        found = text_pieces(case.control, file) or ()
        texts[file.path] = b"".join(piece.both() if isinstance(piece, Clash) else b"".join(piece) for piece in found)
    return Made(texts)
