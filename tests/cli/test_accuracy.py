"""`uet costs --accuracy`: estimates beside what was really used."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.conftest import Uet
from tests.cli.scene import HOSTILE, RUN, TOKEN
from uet_tui.core import vocabulary
from uet_tui.core.changes import Changes, NewEvent
from uet_tui.core.records import AttemptRecord
from uet_tui.core.states import AttemptState
from uet_tui.store.paths import Home
from uet_tui.store.writer import Writer

USED = ((1_000, 1_000, 3_000), (2_000, 6_000, 6_300), (500, 1_538, 1_500))
"""Tokens that were counted, estimated and used, oldest first."""


def remember(folder: Path, agent: str, used: Sequence[tuple[int, int, int]], model: str = "opus") -> None:
    """Puts attempts that went well on record."""
    writer, told, now = Writer(Home(folder / ".uet").database), Changes(), time.time()
    for number, (counted, estimated, tokens) in enumerate(used, start=1):
        at = now - 100 + number
        told.attempts["ws-failed", number] = AttemptRecord(
            "ws-failed", number, 1, agent, model, "b" * 40, at, AttemptState.SUCCEEDED, tokens_in=tokens, ended_at=at
        )
        data = {"counted": counted, "estimated": estimated}
        told.events.append(NewEvent(at, vocabulary.CONTEXT_CHOSEN, "x", "info", "ws-failed", None, number, data))
    try:
        writer.claim(RUN, TOKEN, 1)
        writer.commit(RUN, TOKEN, told)
        writer.release(RUN, TOKEN)
    finally:
        writer.close()


def test_the_document_has_estimate_use_and_error_of_each_agent_and_model(uet: Uet, here: Path, scene: str) -> None:
    remember(here, "claude", USED)
    [row] = uet("costs", "--accuracy", "--json").document["accuracy"]
    assert (row["agent"], row["model"], row["attempts"], row["learned_from"]) == ("claude", "opus", 3, 3)
    assert (row["counted_tokens"], row["estimated_tokens"], row["used_tokens"]) == (3_500, 8_538, 10_800)
    assert row["factor"] == 3.0
    assert row["error"] == pytest.approx(300 / 6_300)
    assert row["newest_error"] == row["error"] and row["factor_error"] == 0


def test_the_table_has_the_same(uet: Uet, here: Path, scene: str) -> None:
    remember(here, "claude", USED)
    heading, row = uet("costs", "--accuracy").out.splitlines()
    assert heading.split() == ["agent", "model", "attempts", "counted", "estimated", "used", "error", "newest", "next"]
    assert row.split() == ["claude", "opus", "3", "3,500", "8,538", "10,800", "5%", "5%", "×", "3.00", "±", "0%"]


def test_before_anything_was_used_it_says_so(uet: Uet, scene: str) -> None:
    assert uet("costs", "--accuracy", "--json").document == {"accuracy": []}
    assert "no attempt yet" in uet("costs", "--accuracy").out


def test_foreign_names_are_harmless(uet: Uet, here: Path, scene: str) -> None:
    remember(here, HOSTILE, USED[:1], model="")
    out = uet("costs", "--accuracy").out
    assert "\x1b" not in out and "evil" in out


def test_it_is_about_all_runs(uet: Uet, scene: str) -> None:
    done = uet("costs", "--accuracy", "--csv")
    assert done.code == 2 and "leave RUN, --by and --csv out" in done.err
