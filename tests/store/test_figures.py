"""What is told of money, of the end and of needs, from records alone."""

from dataclasses import replace

import pytest

from tests.store import samples
from tests.store.samples import BEGIN
from uet_tui.core.records import AttemptRecord, Records, WorkstreamRecord
from uet_tui.core.states import AttemptState, RunState, WorkstreamState
from uet_tui.store.forecast import ends_at
from uet_tui.store.money import cost_view, wasted
from uet_tui.store.needs import needs

W, A = WorkstreamState, AttemptState
DEPENDS_ON = {id: ws.depends_on for id, ws in samples.plan().workstreams.items()}


def records(run: RunState = RunState.RUNNING, **workstreams: dict[str, object]) -> Records:
    made = samples.records()
    made.run.state = run
    for name, fields in workstreams.items():
        id = name.replace("_", "-")
        made.workstreams[id] = replace(made.workstreams[id], **fields)
    return made


def ended(seconds: float, state: WorkstreamState = W.MERGED, **more: object) -> dict[str, object]:
    return {"state": state, "started_at": BEGIN, "ended_at": BEGIN + seconds, "attempts": 1, **more}


@pytest.mark.parametrize(
    ("attempt", "state", "number", "expected"),
    [
        (A.RUNNING, W.RUNNING, 1, False),
        (A.SUCCEEDED, W.MERGED, 1, False),
        (A.SUCCEEDED, W.QUEUED, 1, False),
        (A.SUCCEEDED, W.CONFLICTED, 1, False),
        (A.SUCCEEDED, W.RUNNING, 2, True),
        (A.SUCCEEDED, W.QUARANTINED, 1, True),
        (A.FAILED, W.PENDING, 1, True),
        (A.KILLED, W.MERGED, 2, True),
    ],
)
def test_money_is_wasted_once_it_is_certain_that_nothing_of_it_merges(
    attempt: AttemptState, state: WorkstreamState, number: int, expected: bool
) -> None:
    tried = AttemptRecord("ws-a", 1, 1, "shell", "", "b", BEGIN, attempt)
    assert wasted(tried, WorkstreamRecord("ws-a", 1, "shell", state=state, attempts=number)) is expected


def test_the_cost_of_a_run_is_forecast_from_what_ended() -> None:
    assert cost_view(records(), [], [], BEGIN).forecast_usd is None
    one = records(ws_a=ended(10, cost_usd=2.0))
    assert cost_view(one, [], [], BEGIN).forecast_usd == 8.0
    dear = records(ws_a=ended(10, cost_usd=2.0), ws_b={"state": W.RUNNING, "cost_usd": 5.0, "attempts": 1})
    assert cost_view(dear, [], [], BEGIN).forecast_usd == 2 + 5 + 2 + 2
    skipped = records(ws_a=ended(10, W.FAILED, cost_usd=2.0), ws_c={"state": W.SKIPPED}, ws_d={"state": W.SKIPPED})
    assert cost_view(skipped, [], [], BEGIN).forecast_usd == 4.0


def test_money_is_told_by_the_minute() -> None:
    now = BEGIN + 3600
    recent = [(now, 1.0), (now - 59, 1.0), (now - 61, 3.0), (now - 301, 10.0), (now - 599, 20.0), (now - 601, 40.0)]
    view = cost_view(records(), [], [*recent, (now + 90, 80.0)], now)  # a clock that was set back
    assert view.series == (20.0, 0.0, 0.0, 0.0, 10.0, 0.0, 0.0, 0.0, 3.0, 2.0)
    assert view.per_minute_usd == 1.0


def test_the_end_is_forecast_from_how_long_workstreams_took() -> None:
    now = BEGIN + 100
    assert ends_at(records(), DEPENDS_ON, now) is None
    done = records(ws_a=ended(10), ws_b=ended(30))
    assert ends_at(done, DEPENDS_ON, now) == now + 40  # ws-c then ws-d, whatever the number of workers
    half = records(ws_a=ended(20), ws_b={"state": W.RUNNING, "started_at": now - 5})
    assert ends_at(half, DEPENDS_ON, now) == now + 15 + 40
    late = records(ws_a=ended(20), ws_b={"state": W.RUNNING, "started_at": now - 500})
    assert ends_at(late, DEPENDS_ON, now) == now + 40
    narrow = records(ws_a=ended(20), ws_c={"state": W.SKIPPED}, ws_d={"state": W.PENDING})
    narrow.run.parallelism = 1
    assert ends_at(narrow, DEPENDS_ON, now) == now + 40
    over = records(ws_a=ended(10), ws_b=ended(30), ws_c=ended(5), ws_d=ended(5))
    assert ends_at(over, DEPENDS_ON, now) == now


@pytest.mark.parametrize("state", sorted(set(RunState) - {RunState.RUNNING, RunState.DRAINING}))
def test_a_run_that_does_not_go_on_has_no_end_in_sight(state: RunState) -> None:
    assert ends_at(records(state, ws_a=ended(10)), DEPENDS_ON, BEGIN) is None


def test_what_needs_the_operator_comes_by_urgency() -> None:
    made = records(
        RunState.HALTED,
        ws_a=ended(1, W.FAILED, reason="exit 3"),
        ws_b=ended(1, W.QUARANTINED, reason="the same error came 3 times"),
        ws_c={"state": W.SKIPPED, "reason": "depends on ws-a"},
    )
    assert [(need.kind, need.target, need.text) for need in needs(made, [])] == [
        ("quarantined", "ws-b", "ws-b quarantined: the same error came 3 times"),
        ("failed", "ws-a", "ws-a failed: exit 3"),
        ("halted", "", "halted by the budget: raise it and resume"),
    ]


def test_a_finished_run_wants_to_land_until_it_has() -> None:
    merged = {f"ws_{letter}": ended(1) for letter in "abcd"}
    made = records(RunState.COMPLETED, **merged)
    assert [need.text for need in needs(made, [])] == ["4 merged workstreams can land on main"]
    made.run.landed_at = BEGIN
    assert needs(made, []) == ()
    made.run.landed_at, made.run.target_branch = None, None
    assert needs(made, []) == ()
