"""The forecast as the core keeps it: what is on record of pairs, and what is told of those that turn."""

from tests.core.driver import Driver, workstream
from uet_tui.core import vocabulary
from uet_tui.core.changes import NewEvent
from uet_tui.core.events import Event, Forecast
from uet_tui.core.machine import Step
from uet_tui.core.records import PairRecord

CONFLICT = ("ws-a", "ws-b", "conflict", ("src/x.py", "src/y.py"))


class Foreseen(Driver):
    """A run whose pairs are stored too."""

    def step(self, event: Event) -> Step:
        step = super().step(event)
        for pair, record in step.changes.pairs.items():
            if record is None:
                del self.stored.pairs[pair]
            else:
                self.stored.pairs[pair] = record
        assert self.stored.pairs == self.machine.board.records.pairs
        return step


def running(*ids: str) -> Foreseen:
    run = Foreseen(*(workstream(id) for id in ids), workers=len(ids))
    run.begin()
    for id in ids:
        run.starts(id)
    return run


def told(run: Driver) -> list[tuple[str, str]]:
    """The events of pairs that turned."""
    return [(event.severity, event.text) for event in of_pairs(run)]


def of_pairs(run: Driver) -> list[NewEvent]:
    return [event for event in run.log if event.type == vocabulary.PAIR_TURNED]


def test_a_pair_that_turns_is_told_once_and_remembered_since_then() -> None:
    run = running("ws-a", "ws-b")
    run.clock = 2000.0
    run.tell(Forecast((CONFLICT,)))
    run.clock = 2010.0
    run.tell(Forecast((CONFLICT,)))
    assert told(run) == [("warning", "ws-a and ws-b would conflict in src/x.py and 1 more")]
    assert run.stored.pairs == {
        ("ws-a", "ws-b"): PairRecord("ws-a", "ws-b", "conflict", ("src/x.py", "src/y.py"), 2000.0)
    }
    data = of_pairs(run)[0].data
    assert data == {
        "first": "ws-a", "second": "ws-b", "old": "clean", "new": "conflict", "files": ["src/x.py", "src/y.py"]
    }  # fmt: skip


def test_other_files_of_the_same_verdict_are_kept_but_not_told() -> None:
    run = running("ws-a", "ws-b")
    run.clock = 2000.0
    run.tell(Forecast((CONFLICT,)))
    run.clock = 2010.0
    run.tell(Forecast((("ws-a", "ws-b", "conflict", ("src/z.py",)),)))
    assert len(told(run)) == 1
    assert run.stored.pairs["ws-a", "ws-b"] == PairRecord("ws-a", "ws-b", "conflict", ("src/z.py",), 2000.0)


def test_every_turn_has_its_words_and_its_weight() -> None:
    run = running("ws-a", "ws-b")
    same = ("ws-a", "ws-b", "same file", ("src/x.py",))
    for pairs in ((same,), (CONFLICT,), (same,), ()):
        run.tell(Forecast(pairs))
    run.tell(Forecast((CONFLICT,)))
    run.tell(Forecast(()))
    assert told(run) == [
        ("debug", "ws-a and ws-b both change src/x.py, and still merge"),
        ("warning", "ws-a and ws-b would conflict in src/x.py and 1 more"),
        ("info", "ws-a and ws-b both change src/x.py, and still merge"),
        ("debug", "ws-a and ws-b are clean together again"),
        ("warning", "ws-a and ws-b would conflict in src/x.py and 1 more"),
        ("info", "ws-a and ws-b are clean together again"),
    ]
    assert run.stored.pairs == {}


def test_what_is_forecast_of_a_workstream_goes_with_it() -> None:
    run = running("ws-a", "ws-b", "ws-c")
    run.tell(Forecast((CONFLICT, ("ws-b", "ws-c", "same file", ("src/q.py",)))))
    count = len(told(run))
    run.finishes("ws-a")
    assert run.row("ws-a").state == "MERGED"
    assert run.stored.pairs.keys() == {("ws-b", "ws-c")}
    run.finishes("ws-b", "ws-c")
    assert run.stored.pairs == {}
    assert len(told(run)) == count


def test_a_forecast_of_a_workstream_that_is_over_by_now_comes_too_late() -> None:
    run = running("ws-a", "ws-b")
    run.finishes("ws-a")
    run.tell(Forecast((CONFLICT, ("ws-b", "ws-gone", "conflict", ()))))
    assert run.stored.pairs == {}
    assert told(run) == []


def test_a_workstream_in_conflict_is_still_compared() -> None:
    run = running("ws-a", "ws-b")
    run.tell(Forecast((CONFLICT,)))
    run.comes_to_merge("ws-a")
    run.conflicts("ws-a")
    assert run.row("ws-a").state == "CONFLICTED"
    assert run.stored.pairs.keys() == {("ws-a", "ws-b")}
    run.crash()
    run.tell(Forecast((CONFLICT,)))
    assert len(told(run)) == 1
