"""What came of what was spent, and what of it was for nothing."""

from dataclasses import replace

from tests.store import samples
from tests.store.samples import BEGIN, TOKEN
from uet_tui.core.changes import CostEntry
from uet_tui.core.records import AttemptRecord, Records
from uet_tui.core.states import AttemptState, WorkstreamState
from uet_tui.store.breakdown import breakdown
from uet_tui.store.money import Used
from uet_tui.store.queries import Reader
from uet_tui.store.writer import Writer

A, W = AttemptState, WorkstreamState


def used(workstream: str, attempt: int, usd: float, *, conflict: str = "", ask: int = 0, model: str = "m") -> Used:
    return Used(workstream, attempt, conflict, ask, "shell", model, usd, 0.0, 0, 100, 10, 30, 4)


def tried(workstream: str, number: int, state: AttemptState) -> AttemptRecord:
    return AttemptRecord(workstream, number, 1, "shell", "", "b", BEGIN, state)


def spent_records() -> Records:
    """`ws-a` merged with its second attempt and an ask, `ws-b` failed, `ws-c` runs."""
    made = samples.records()
    for id, state, attempts in (("ws-a", W.MERGED, 2), ("ws-b", W.FAILED, 1), ("ws-c", W.RUNNING, 1)):
        made.workstreams[id] = replace(made.workstreams[id], state=state, attempts=attempts)
    made.attempts = {
        ("ws-a", 1): tried("ws-a", 1, A.FAILED),
        ("ws-a", 2): tried("ws-a", 2, A.SUCCEEDED),
        ("ws-b", 1): tried("ws-b", 1, A.FAILED),
        ("ws-c", 1): tried("ws-c", 1, A.RUNNING),
    }
    return made


def test_each_row_says_what_came_of_it_and_how_much_of_it_was_wasted() -> None:
    found = breakdown(
        spent_records(),
        [
            used("ws-a", 1, 1.0),
            used("ws-a", 2, 2.0),
            used("ws-a", 2, 0.5, conflict="c1", ask=1),
            used("ws-b", 1, 4.0),
            used("ws-c", 1, 8.0, model="other"),
        ],
        {},
    )
    assert {row.label: (row.wasted_usd, row.outcomes) for row in found.by_workstream} == {
        "ws-a": (1.5, ("merged", "retried", "conflicts")),
        "ws-b": (4.0, ("failed",)),
        "ws-c": (0.0, ("under way",)),
    }
    assert [(row.label, row.wasted_usd, row.outcomes) for row in found.by_attempt] == [
        ("ws-a #1", 1.0, ("retried",)),
        ("ws-a #2", 0.0, ("merged",)),
        ("ws-a #2 c1 ask 1", 0.5, ("conflicts",)),
        ("ws-b #1", 4.0, ("failed",)),
        ("ws-c #1", 0.0, ("under way",)),
    ]
    assert [(row.wasted_usd, row.outcomes) for row in found.by_model] == [
        (0.0, ("under way",)),
        (5.5, ("merged", "retried", "failed", "conflicts")),
    ]
    assert {row.label: (row.wasted_usd, row.outcomes) for row in found.by_outcome} == {
        "merged": (0.0, ("merged",)),
        "under way": (0.0, ("under way",)),
        "retried": (1.0, ("retried",)),
        "failed": (4.0, ("failed",)),
        "conflicts": (0.5, ("conflicts",)),
    }


def test_an_attempt_tells_how_much_of_its_cost_comes_from_a_list_of_prices(writer: Writer, reader: Reader) -> None:
    changes = samples.changes(attempts=(samples.attempt(), samples.attempt(number=2)))
    told = CostEntry(BEGIN + 1, "ws-a", 1, "shell", "m", 2.0, 10, 1)
    changes.costs = [
        told,
        told._replace(usd=0.25, estimated=True, number=2),
        told._replace(usd=0.5, estimated=True, number=3),
        told._replace(usd=9.0, estimated=True, conflict="c1", ask=1),
        told._replace(attempt=2, usd=1.0),
    ]
    writer.commit("run-1", TOKEN, changes)
    assert [attempt.listed_usd for attempt in reader.attempts("run-1", "ws-a")] == [0.75, 0.0]
