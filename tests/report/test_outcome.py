from dataclasses import replace

import pytest

from tests.cli.scene import RUN
from uet_tui.core.states import ConflictState, RunState, WorkstreamState
from uet_tui.report.outcome import exit_code
from uet_tui.store.queries import Reader
from uet_tui.store.views import RunView


@pytest.fixture
def view(reader: Reader) -> RunView:
    return reader.run(RUN)


def all_merged(view: RunView) -> RunView:
    merged = tuple(replace(one, state=WorkstreamState.MERGED) for one in view.workstreams)
    return replace(view, state=RunState.COMPLETED, workstreams=merged, conflicts=())


def settled(view: RunView) -> RunView:
    return replace(view, conflicts=tuple(replace(one, state=ConflictState.QUARANTINED) for one in view.conflicts))


def test_all_merged_is_0_and_landing_counts_only_if_it_was_asked_for(view: RunView) -> None:
    merged = all_merged(view)
    assert exit_code(merged, landing_asked=False) == 0
    assert exit_code(merged, landing_asked=True) == 4
    assert exit_code(replace(merged, landed_at=merged.created_at), landing_asked=True) == 0


def test_what_did_not_merge_is_1(view: RunView) -> None:
    assert exit_code(replace(settled(view), state=RunState.FAILED), landing_asked=False) == 1
    assert exit_code(replace(settled(view), state=RunState.CANCELLED), landing_asked=False) == 1


def test_a_halt_is_3_whatever_else_waits(view: RunView) -> None:
    assert exit_code(replace(view, state=RunState.HALTED), landing_asked=False) == 3


def test_an_open_conflict_or_a_pause_waits_for_the_operator(view: RunView) -> None:
    assert exit_code(view, landing_asked=False) == 4
    assert exit_code(replace(settled(view), state=RunState.PAUSED), landing_asked=False) == 4
