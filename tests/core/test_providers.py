"""Providers: who was turned away waits for its own provider and for nobody else's, and nothing counts against it."""

from math import inf, nan

import pytest

from tests.core.driver import Driver, workstream
from uet_tui.core.commands import Verb
from uet_tui.core.conflicts import Rung
from uet_tui.core.policy import Policy
from uet_tui.core.providers import MOST_PAUSES
from uet_tui.core.states import AttemptState, ProviderState
from uet_tui.core.usage import Fault
from uet_tui.plan.model import CircuitBreaker

ONCE = CircuitBreaker(max_attempts=1)
OF = {"codex": "openai", "aider": "openai", "claude": "anthropic"}


def two(*, workers: int = 2, count: int = 2, **policy: object) -> Driver:
    """Work for agents of two providers: `ws-a…` for openai, `ws-b…` for anthropic."""
    many = [workstream(f"ws-{kind}{n}", circuit_breaker=ONCE) for kind in "ab" for n in range(count)]
    agents = {ws.id: "codex" if ws.id.startswith("ws-a") else "claude" for ws in many}
    return Driver(*many, workers=workers, policy=Policy(provider_of=OF, **policy), agents=agents).begin()


def alone(**policy: object) -> Driver:
    """Work for one agent of openai, which has one try."""
    settings = Policy(provider_of=OF, **policy)
    return Driver(workstream("ws-a0", circuit_breaker=ONCE), policy=settings, agents={"ws-a0": "codex"}).begin()


def provider(run: Driver, name: str = "openai"):
    return run.machine.board.records.providers[name]


def test_the_providers_of_a_run_are_known_from_the_start():
    run = two(concurrency={"openai": 3})
    assert {name: (one.state, one.limit) for name, one in run.stored.providers.items()} == {
        "anthropic": ("OPEN", None),
        "openai": ("OPEN", 3),
    }
    assert run.attempts["ws-a0", 1].provider == "openai"


@pytest.mark.parametrize("fault", [Fault.RATE_LIMIT, Fault.QUOTA])
def test_a_provider_that_is_overrun_pauses_and_the_other_goes_on(fault):
    run = two()
    run.is_turned_away("ws-a0", fault, run.clock + 90)
    until = "1970-01-01 00:18:10 UTC"
    assert run.told("provider_paused") == [f"provider openai paused until {until} ({fault.value})"]
    assert run.running == ["ws-a1", "ws-b0"], "what runs goes on, and the other provider's work takes the worker"
    assert run.state("ws-a0") == "PENDING"
    run.finishes("ws-b0")
    assert run.running == ["ws-a1", "ws-b1"]
    run.finishes("ws-b1")
    assert run.reason("ws-a0") == f"provider openai paused until {until} ({fault.value})"
    assert run.machine.next_wakeup() == run.clock + 90


def test_it_goes_on_by_itself():
    run = two()
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT, run.clock + 90)
    run.finishes("ws-b0", "ws-b1")
    run.passes(89)
    assert run.running == ["ws-a1"]
    run.passes(1)
    assert run.running == ["ws-a1", "ws-a0"]
    assert run.told("provider_open") == ["provider openai is asked again: its pause for rate limit is over"]
    assert (provider(run).state, provider(run).until, provider(run).reason) == ("OPEN", None, "")


def test_a_restart_keeps_the_countdown():
    run = two(workers=1, count=1)
    run.is_turned_away("ws-a0", Fault.QUOTA, run.clock + 600)
    run.finishes("ws-b0")
    assert run.run.state == "RUNNING", "it waits for what goes on by itself"
    run.clock += 100
    run.crash()
    assert (provider(run).state, provider(run).until) == ("PAUSED", 1600.0)
    assert run.running == []
    assert "paused until" in run.reason("ws-a0")
    run.passes(499)
    assert run.running == []
    run.passes(1)
    assert run.running == ["ws-a0"]
    run.finishes("ws-a0")
    assert run.run.state == "COMPLETED"


def test_a_pause_that_ended_while_nobody_had_the_run_is_over():
    run = two(workers=1, count=1)
    run.is_turned_away("ws-a0", Fault.QUOTA, run.clock + 60)
    run.clock += 100
    run.crash()
    assert provider(run).state is ProviderState.OPEN


def test_being_turned_away_counts_neither_as_a_try_nor_as_an_error():
    run = alone()
    for n in range(5):
        run.is_turned_away("ws-a0", Fault.RATE_LIMIT, run.clock + 10, error=f"429, request {n}")
        run.passes(10)
    assert run.row("ws-a0").attempts == 6
    assert run.row("ws-a0").error_repeats == 0
    run.fails("ws-a0")
    assert run.reason("ws-a0") == "attempt 6 of 6 failed: exit 1", "its one try, as the breaker says"


def test_without_a_time_pauses_get_longer_up_to_a_limit():
    run = alone(pause_seconds=10, pause_max_seconds=50, retry_jitter=0.5)
    pauses = []
    for _ in range(5):
        run.is_turned_away("ws-a0", Fault.RATE_LIMIT)
        pauses.append(provider(run).until - run.clock)
        run.passes(pauses[-1])
    for pause, full in zip(pauses, (10, 20, 40, 50, 50), strict=True):
        assert full / 2 <= pause <= full
    assert provider(run).pauses == 5
    run.finishes("ws-a0")
    assert provider(run).pauses == 0, "it serves again"


def test_a_provider_that_turns_everybody_away_again_and_again_is_left_to_the_operator():
    run = alone(pause_seconds=10)
    for _ in range(MOST_PAUSES):
        run.is_turned_away("ws-a0", Fault.RATE_LIMIT)
        run.passes(provider(run).until - run.clock)
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT)
    assert (provider(run).state, provider(run).until) == ("STOPPED", None)
    assert "rate limit, 13 times in a row" in run.reason("ws-a0")
    run.ask(Verb.CONTINUE, provider="openai")
    assert (provider(run).state, provider(run).pauses) == ("OPEN", 0)


def test_a_provider_may_have_a_first_pause_of_its_own():
    run = two(workers=1, count=1, pauses={"openai": 500.0}, retry_jitter=0.0)
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT)
    assert provider(run).until == run.clock + 500


@pytest.mark.parametrize("until", [nan, inf, -inf, -1.0, 0.0, 999.0])
def test_a_time_that_is_none_or_over_is_taken_for_none(until):
    run = two(workers=1, count=1, retry_jitter=0.0)
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT, until)
    assert provider(run).until == run.clock + 30


def test_no_pause_is_longer_than_a_year():
    run = two(workers=1, count=1)
    run.is_turned_away("ws-a0", Fault.QUOTA, 1e300)
    assert provider(run).until == run.clock + 366 * 86400


def test_attempts_that_began_before_a_pause_do_not_make_it_longer_but_can_say_a_later_time():
    run = two()
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT, run.clock + 60)
    run.is_turned_away("ws-a1", Fault.RATE_LIMIT, run.clock + 30)
    assert (provider(run).until, provider(run).pauses) == (run.clock + 60, 1)
    run = two()
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT, run.clock + 60)
    run.is_turned_away("ws-a1", Fault.RATE_LIMIT, run.clock + 90)
    assert (provider(run).until, provider(run).pauses) == (run.clock + 90, 1)


@pytest.mark.parametrize("fault", [Fault.NO_KEY, Fault.ACCOUNT])
def test_a_provider_whose_account_is_no_good_is_stopped_and_the_operator_asked(fault):
    run = two()
    run.is_turned_away("ws-a0", fault, error="401 Unauthorized")
    assert provider(run).state is ProviderState.STOPPED
    run.finishes("ws-b0", "ws-b1", "ws-a1")
    assert run.state("ws-a0") == "PENDING"
    assert run.reason("ws-a0") == (
        f"provider openai stopped ({fault.value}: 401 Unauthorized): see to it, then `uet continue --provider openai`"
    )
    assert (run.run.state, run.run.reason) == ("PAUSED", "waits for the operator: provider openai stopped")
    assert run.let_go == ["operator"]


def test_the_operator_has_a_stopped_provider_asked_again():
    run = two()
    run.is_turned_away("ws-a0", Fault.NO_KEY)
    assert "uses no provider acme; its providers are: anthropic, openai" in run.is_refused(
        Verb.CONTINUE, provider="acme"
    )
    assert "is open" in run.is_refused(Verb.CONTINUE, provider="anthropic")
    run.finishes("ws-a1", "ws-b0")
    assert run.running == ["ws-b1"]
    assert run.does(Verb.CONTINUE, provider="openai") == "provider openai is asked again"
    assert run.running == ["ws-b1", "ws-a0"]


def test_resuming_a_run_that_rests_asks_a_stopped_provider_again_and_a_crash_does_not():
    run = two(workers=2, count=1)
    run.starts("ws-b0")
    run.is_turned_away("ws-a0", Fault.ACCOUNT)
    run.crash()
    assert provider(run).state is ProviderState.STOPPED
    run.finishes("ws-b0")
    assert run.run.state == "PAUSED"
    run.crash()
    assert run.running == ["ws-a0"]


def test_a_stopped_provider_of_a_run_that_nobody_has_is_asked_again_when_it_goes_on():
    run = alone()
    run.is_turned_away("ws-a0", Fault.ACCOUNT)
    assert run.run.state == "PAUSED"
    run.crash(dispatch=False)
    assert run.run.reason == "waits for the operator: provider openai stopped", "as long as it is"
    assert run.does(Verb.CONTINUE, provider="openai") == "provider openai is asked again; resume goes on"
    assert run.run.reason == "decided; resume goes on"
    assert run.running == []
    run.crash()
    assert run.running == ["ws-a0"]


def test_the_operator_may_cut_a_pause_short():
    run = two(workers=1, count=1)
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT, run.clock + 900)
    run.finishes("ws-b0")
    run.does(Verb.CONTINUE, provider="openai")
    assert run.running == ["ws-a0"]


def test_an_operator_who_does_not_wait_for_the_end_of_a_pause_begins_the_count_anew():
    run = alone(pause_seconds=10, retry_jitter=0)
    for _ in range(MOST_PAUSES + 5):
        run.is_turned_away("ws-a0", Fault.RATE_LIMIT)
        assert (provider(run).state, provider(run).until) == ("PAUSED", run.clock + 10)
        run.does(Verb.CONTINUE, provider="openai")
        assert provider(run).pauses == 0


@pytest.mark.parametrize("seconds", [1e12, 1e300])
def test_settings_that_want_endless_pauses_do_not_get_them(seconds):
    run = alone(pause_seconds=seconds, pause_max_seconds=seconds, retry_jitter=0)
    run.is_turned_away("ws-a0", Fault.RATE_LIMIT)
    assert provider(run).until == run.clock + 366 * 86_400


def test_a_run_without_a_worker_says_so_although_a_provider_is_paused():
    run = alone()
    run.is_turned_away("ws-a0", Fault.QUOTA, run.clock + 500)
    for number in list(run.workers):
        run.does(Verb.DRAIN, worker=number)
    assert (run.run.state, run.run.reason) == ("PAUSED", "no worker is left; resume goes on")
    assert run.let_go == ["operator"]


def test_no_more_of_a_provider_run_at_once_than_may():
    run = two(workers=4, count=3, concurrency={"openai": 2})
    assert run.running == ["ws-a0", "ws-a1", "ws-b0", "ws-b1"]
    run.finishes("ws-b0")
    assert run.reason("ws-a2") == "provider openai: 2 of 2 run"
    run.finishes("ws-b1", "ws-b2")
    run.starts("ws-a0")
    run.starts("ws-a1")
    run.crash()
    assert run.running == ["ws-a0", "ws-a1"]
    run.finishes("ws-a0")
    assert run.running == ["ws-a1", "ws-a2"]


def test_a_place_at_a_provider_is_free_as_soon_as_its_agent_is_gone():
    run = two(workers=2, count=2, concurrency={"openai": 1})
    assert run.running == ["ws-a0", "ws-b0"]
    run.ends("ws-b0")
    run.collects("ws-b0")
    assert run.running == ["ws-a0", "ws-b1"]
    run.ends("ws-a0")
    run.collects("ws-a0")
    assert run.running == ["ws-b1", "ws-a1"]


# The other faults


def one(**more: object) -> Driver:
    return Driver(workstream("ws-a", **more)).begin()


def test_what_did_not_fit_is_tried_once_with_less_of_it():
    run = one(circuit_breaker=ONCE)
    run.fails_by("ws-a", Fault.CONTEXT, "prompt is too long")
    assert (run.state("ws-a"), run.row("ws-a").context_share) == ("PENDING", 0.5)
    run.passes(60)
    run.fails_by("ws-a", Fault.CONTEXT, "prompt is too long")
    assert run.state("ws-a") == "FAILED"
    assert run.reason("ws-a") == "prompt is too long; with 50% of its context, too"
    run.does(Verb.RETRY, workstream="ws-a")
    assert run.row("ws-a").context_share == 1.0


def test_a_broken_line_is_tried_again_and_counts():
    run = one(circuit_breaker=CircuitBreaker(max_attempts=2))
    run.fails_by("ws-a", Fault.NETWORK, "connection reset")
    assert run.row("ws-a").retry_at > run.clock
    run.passes(60)
    run.fails_by("ws-a", Fault.NETWORK, "connection refused")
    assert run.reason("ws-a") == "attempt 2 of 2 failed: connection refused"


def test_an_agent_that_waited_for_the_network_until_its_time_was_up_is_tried_again():
    run = one()
    run.ends("ws-a", AttemptState.TIMED_OUT, "no answer", fault=Fault.NETWORK)
    run.collects("ws-a")
    assert run.state("ws-a") == "PENDING"


@pytest.mark.parametrize("fault", [Fault.REFUSAL, Fault.AGENT])
def test_a_refusal_or_a_broken_agent_is_a_failure_like_any_other(fault):
    run = one(circuit_breaker=CircuitBreaker(max_attempts=5, max_error_repeats=1))
    for _ in range(3):
        run.fails_by("ws-a", fault, "I cannot help with that")
        run.passes(300)
    assert run.reason("ws-a") == "the same error 3 times: I cannot help with that"
    assert run.attempts["ws-a", 1].fault is fault


def test_a_program_that_is_not_there_is_not_started_again():
    run = one(circuit_breaker=CircuitBreaker(max_attempts=5))
    run.starts("ws-a")
    run.ends("ws-a", AttemptState.FAILED, "exit 127: claude: not found", code=127, fault=Fault.AGENT)
    run.collects("ws-a")
    assert (run.state("ws-a"), run.reason("ws-a")) == ("FAILED", "exit 127: claude: not found")


def test_an_attempt_that_the_operator_ended_is_not_put_down_to_its_provider():
    run = one()
    run.starts("ws-a")
    run.does(Verb.KILL, workstream="ws-a")
    run.ends("ws-a", AttemptState.KILLED, fault=Fault.NETWORK)
    run.collects("ws-a")
    assert run.reason("ws-a") == "killed by the operator; retry starts it again"


# Agents that are asked about conflicts


def asked(**policy: object) -> tuple[Driver, str]:
    settings = Policy(resolver={"ws-a": "claude"}, provider_of=OF, **policy)
    run = Driver(workstream("ws-a"), policy=settings, agents={"ws-a": "codex"}).begin(linger=True)
    run.comes_to_merge("ws-a")
    return run, run.conflicts("ws-a")


def test_an_ask_that_is_turned_away_is_made_again_when_the_provider_goes_on():
    run, conflict = asked()
    assert run.conflict(conflict).ask(1).provider == "anthropic"
    run.answers_ask(conflict, Rung("agent", "failed", detail="429"), fault=Fault.RATE_LIMIT, until=run.clock + 30)
    assert run.asked == []
    assert "paused until" in run.reason("ws-a")
    run.passes(30)
    assert [ask.ask for ask in run.asked] == [2]
    run.answers_ask(conflict, Rung("agent", "failed"))
    assert run.reason("ws-a").startswith("needs you")


def test_an_ask_of_a_stopped_provider_goes_to_the_operator():
    run, conflict = asked()
    run.answers_ask(conflict, Rung("agent", "failed", detail="401"), fault=Fault.NO_KEY)
    assert provider(run, "anthropic").state is ProviderState.STOPPED
    assert run.reason("ws-a").startswith("needs you")
    run.does(Verb.AGAIN, conflict=conflict)
    assert "no agent was asked (provider anthropic stopped" in run.reason("ws-a")
