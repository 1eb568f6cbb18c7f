"""The forecast of coming conflicts: which pairs of active branches are not clean together, and when one turns."""

from uet_tui.core import vocabulary
from uet_tui.core.board import Board
from uet_tui.core.events import Forecast
from uet_tui.core.records import PairRecord
from uet_tui.core.states import WORKSTREAM_FORECAST
from uet_tui.text import one_line


def forecast(board: Board, event: Forecast) -> None:
    """What each pair would come to is known anew."""
    known = board.records.pairs
    told = {(first, second): (verdict, files) for first, second, verdict, files in event.pairs}
    for pair in [pair for pair in known if pair not in told]:
        if _active(board, pair):
            _turned(board, pair, known[pair].verdict, "clean", ())
        del known[pair]
        board.changes.pairs[pair] = None
    for pair, (verdict, files) in told.items():
        if not _active(board, pair):
            _forget(board, pair)
            continue
        before = known.get(pair)
        if before is not None and (before.verdict, before.files) == (verdict, files):
            continue
        since = board.now
        if before is None or before.verdict != verdict:
            _turned(board, pair, before.verdict if before else "clean", verdict, files)
        else:
            since = before.since
        known[pair] = board.changes.pairs[pair] = PairRecord(*pair, verdict, files, since)


def _active(board: Board, pair: tuple[str, str]) -> bool:
    rows = board.records.workstreams
    return all(id in rows and rows[id].state in WORKSTREAM_FORECAST for id in pair)


def _forget(board: Board, pair: tuple[str, str]) -> None:
    if board.records.pairs.pop(pair, None) is not None:
        board.changes.pairs[pair] = None


def _turned(board: Board, pair: tuple[str, str], old: str, new: str, files: tuple[str, ...]) -> None:
    names = " and ".join(pair)
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    where = f"{one_line(files[0], 120)}{more}" if files else "their changes"
    text = {
        "conflict": f"{names} would conflict in {where}",
        "same file": f"{names} both change {where}, and still merge",
    }.get(new, f"{names} are clean together again")
    board.tell(
        vocabulary.PAIR_TURNED,
        text,
        severity="warning" if new == "conflict" else "info" if old == "conflict" else "debug",
        first=pair[0],
        second=pair[1],
        old=old,
        new=new,
        files=[*files],
    )
