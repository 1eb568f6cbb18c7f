"""What is told of money, of the end and of needs, from records alone."""

from dataclasses import replace

import pytest

from tests.store import samples
from tests.store.samples import BEGIN
from uet_tui.core.records import AttemptRecord, ProviderRecord, Records, WorkstreamRecord
from uet_tui.core.states import AttemptState, ProviderState, RunState, WorkstreamState
from uet_tui.store.breakdown import breakdown
from uet_tui.store.forecast import ends_at
from uet_tui.store.money import Used, cost_view, wasted
from uet_tui.store.needs import needs
from uet_tui.store.providers import provider_views

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


def used(workstream: str, usd: float, **more: object) -> Used:
    values: dict[str, object] = {
        "workstream": workstream,
        "attempt": 1,
        "conflict": "",
        "ask": 0,
        "agent": "shell",
        "model": "sh",
        "usd": usd,
        "estimated_usd": 0.0,
        "unpriced": 0,
        "tokens_in": 100,
        "tokens_out": 10,
        "tokens_cached": 30,
        "tokens_reasoning": 4,
    }
    return Used(**{**values, **more})


def test_what_remains_is_forecast_by_its_like_then_by_what_it_declares_then_by_the_average() -> None:
    made = records(ws_a=ended(10, cost_usd=2.0), ws_b=ended(10, cost_usd=6.0, agent="codex"), ws_d={"agent": "aider"})
    declared = dict(samples.plan().workstreams)
    assert cost_view(made, [], [], BEGIN, declared).forecast_usd == 2 + 6 + 2 + 4
    declared["ws-d"] = declared["ws-d"].model_copy(update={"max_cost_usd": 7.0})
    assert cost_view(made, [], [], BEGIN, declared).forecast_usd == 2 + 6 + 2 + 7


def test_what_landed_is_told_apart_from_what_was_wasted() -> None:
    made = records(ws_a=ended(10, attempts=2, cost_usd=3.5), ws_b=ended(10, W.FAILED, cost_usd=4.0))
    for id, number, state, usd in (
        ("ws-a", 1, A.FAILED, 1.0),
        ("ws-a", 2, A.SUCCEEDED, 2.0),
        ("ws-b", 1, A.SUCCEEDED, 4.0),
    ):
        made.attempts[id, number] = AttemptRecord(id, number, 1, "shell", "sh", "b", BEGIN, state, cost_usd=usd)
    view = cost_view(made, [used("ws-a", 0.5, attempt=2, conflict="c1", ask=1)], [], BEGIN)
    assert (view.landed_usd, view.wasted_usd) == (2.0, 1.0 + 4.0 + 0.5)


def test_models_are_summed_up_by_the_agent_that_uses_them() -> None:
    view = cost_view(
        records(ws_a=ended(1), ws_b=ended(1)),
        [
            used("ws-a", 1.0, model="big"),
            used("ws-a", 0.5, model="big", conflict="c1", ask=1),
            used("ws-b", 4.0, model="small", estimated_usd=4.0),
            used("ws-b", 0.0, model="odd", unpriced=2),
        ],
        [],
        BEGIN,
    )
    assert [(row.model, row.usd, row.attempts, row.tokens_cached, row.unpriced) for row in view.by_model] == [
        ("small", 4.0, 1, 30, 0),
        ("big", 1.5, 2, 60, 0),
        ("odd", 0.0, 1, 30, 2),
    ]
    assert (view.tokens_in, view.tokens_out, view.tokens_reasoning) == (400, 40, 16)
    assert (view.estimated_usd, view.unpriced) == (4.0, 2)


def test_phases_are_told_by_name_and_waves_by_number() -> None:
    declared = dict(samples.plan().workstreams)
    declared["ws-d"] = declared["ws-d"].model_copy(update={"metadata": {"phase": 2}})
    found = breakdown(records(), [used("ws-d", 1.0), used("ws-c", 2.0), used("ws-a", 3.0), used("ws-b", 4.0)], declared)
    assert [(row.label, row.usd) for row in found.by_wave] == [("wave 1", 7.0), ("wave 2", 2.0), ("phase 2", 1.0)]


def test_a_stopped_provider_needs_the_operator_and_a_paused_one_does_not() -> None:
    made = records()
    made.providers = {
        "openai": ProviderRecord("openai", BEGIN, ProviderState.STOPPED, None, "no key"),
        "anthropic": ProviderRecord("anthropic", BEGIN, ProviderState.PAUSED, BEGIN + 60, "quota", 1, 2),
    }
    made.attempts["ws-a", 1] = samples.attempt(provider="anthropic", state=A.RUNNING)
    assert [(need.kind, need.target) for need in needs(made, [])] == [("provider", "openai")]
    first, second = provider_views(made)
    assert (first.name, first.state, first.running, first.limit) == ("anthropic", "PAUSED", 1, 2)
    assert first.until is not None and first.until.timestamp() == BEGIN + 60
    assert (second.name, second.running, second.until) == ("openai", 0, None)
