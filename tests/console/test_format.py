"""What values look like."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum

import pytest
from rich.cells import cell_len

from uet_tui.console import format
from uet_tui.core import verdicts, vocabulary
from uet_tui.core.states import ConflictState, RunState, WorkerState, WorkstreamState

NOW = datetime(2026, 3, 14, 14, 3, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("look", "states"),
    [
        (format.run_look, RunState),
        (format.workstream_look, WorkstreamState),
        (format.worker_look, WorkerState),
        (format.conflict_look, ConflictState),
    ],
)
def test_every_state_has_a_glyph_of_one_cell_and_a_word_of_its_own(
    look: Callable[[Enum], format.Look], states: type[Enum]
) -> None:
    looks = [look(state) for state in states]
    assert all(cell_len(one.glyph) == 1 for one in looks)
    assert len({one.word for one in looks}) == len(looks)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0:00"),
        (0, "0:00"),
        (59.9, "0:59"),
        (192, "3:12"),
        (3792, "1:03:12"),
        (86_399, "23:59:59"),
        (97_200, "1d 3h"),
    ],
)
def test_a_duration(seconds: float, shown: str) -> None:
    assert format.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(-1, "0 s"), (12, "12 s"), (60, "1 min"), (420, "7 min"), (7200, "2 h"), (172_800, "2 d")]
)
def test_an_age(seconds: float, shown: str) -> None:
    assert format.age(NOW - timedelta(seconds=seconds), NOW) == shown


@pytest.mark.parametrize(("usd", "shown"), [(0, "$0.00"), (0.314, "$0.31"), (999.99, "$999.99"), (12_345.6, "$12,346")])
def test_money(usd: float, shown: str) -> None:
    assert format.money(usd) == shown


@pytest.mark.parametrize(
    ("filled", "shown"),
    [(0, "░░░░"), (1, "████"), (2, "████"), (-1, "░░░░"), (0.5, "██░░"), (1 / 32, "▏░░░"), (31 / 32, "███▉")],
)
def test_a_bar_moves_by_eighths_of_a_cell(filled: float, shown: str) -> None:
    assert format.bar(filled, 4) == shown


def test_a_bar_always_has_its_width() -> None:
    assert {len(format.bar(n / 1000, 17)) for n in range(1001)} == {17}


@pytest.mark.parametrize(
    ("values", "shown"),
    [((), ""), ((0.0, 0.0), ""), ((1.0,), "█"), ((0.0, 0.5, 1.0), "▁▄█"), ((9.0, 0.0, 0.5, 1.0), "▁▄█")],
)
def test_a_sparkline_is_as_high_as_its_greatest_value_in_sight(values: tuple[float, ...], shown: str) -> None:
    assert format.sparkline(values, 3) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("abc", 5, "abc  "),
        ("abcdef", 4, "abc…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日 …"),
        ("abc", 0, ""),
        ("", 2, "  "),
    ],
)
def test_a_cell_is_exactly_as_wide_as_asked(text: str, width: int, shown: str) -> None:
    assert format.cell(text, width) == shown
    assert cell_len(format.cell(text, width)) == width


def test_counts_keep_what_is_wrong_longest() -> None:
    counts = {"MERGED": 2, "RUNNING": 1, "GATING": 1, "CONFLICTED": 1, "PENDING": 3}
    assert format.counted(counts, 60) == "2 merged · 2 running · 1 conflicted · 3 pending"
    assert format.counted(counts, 40) == "2 merged · 2 running · 1 conflicted"
    assert format.counted(counts, 12) == "1 conflicted"


@pytest.mark.parametrize(("end", "shown"), [(timedelta(minutes=29), "14:32"), (timedelta(hours=12), "15 Mar 02:03")])
def test_a_forecast_names_the_day_unless_it_is_today(end: timedelta, shown: str) -> None:
    assert format.end_time(NOW + end, NOW) == shown


@pytest.mark.parametrize(
    ("type", "severity", "glyph"),
    [
        ("workstream_merged", "info", "✓"),
        ("conflict_opened", "warning", "!"),
        ("attempt_ended", "error", "✗"),
        ("workstream_gating", "info", "◆"),
        ("something_new", "info", "·"),
    ],
)
def test_an_event_has_a_glyph(type: str, severity: str, glyph: str) -> None:
    assert format.event_look(type, severity).glyph == glyph


def test_every_type_of_event_has_a_glyph_of_its_kind_and_of_one_cell() -> None:
    types = {word for name, word in vars(vocabulary).items() if name.isupper()}
    glyphs = {type: format.event_look(type, "info").glyph for type in types}
    assert {cell_len(glyph) for glyph in glyphs.values()} == {1}
    plain = {type for type, glyph in glyphs.items() if glyph == "·"}
    assert plain <= {type for type in types if type.startswith(("run_", "workstream_", "attempt_", "retry_"))} | {
        vocabulary.SCOPE_WARNING,  # always a warning, which has a sign of its own
        vocabulary.ORCHESTRATOR_ERROR,
        vocabulary.LANDING_REFUSED,
    }


def test_every_verdict_of_a_gate_has_a_sign_of_one_cell_that_fits_what_it_lets_pass() -> None:
    for verdict in verdicts.SEVERITY:
        look = format.gate_look(verdict)
        assert (look.word, cell_len(look.glyph)) == (verdict, 1)
        assert (look.glyph == "✗") == (not verdicts.holds(verdict))
    assert format.gate_look("something new").glyph == "?"
