"""What the real programs said, and what is understood of it."""

from pathlib import Path

import pytest

from tests.agents.reading.hearing import AGENTS, NOON, SAID, hear, recorded
from uet_tui.agents.reading.listening import Listener
from uet_tui.core.usage import Fault, Usage, known_usd


@pytest.mark.parametrize(
    ("name", "reports"),
    [
        ("claude-ok", (Usage("claude-sonnet-4-5", 3702, 168, usd=pytest.approx(0.013626)),)),
        ("codex-ok", (Usage("", 2468, 112, 0, 14),)),
        ("aider-ok", (Usage("", 1234, 56, usd=pytest.approx(0.003645)),)),
    ],
)
def test_what_worked_says_so_and_what_it_used(name: str, reports: tuple[Usage, ...], tmp_path: Path) -> None:
    told = recorded(name, tmp_path, 0)
    assert told.worked is True
    assert told.reports == reports
    assert (told.fault, told.says, told.no_change) == (None, "", False)


@pytest.mark.parametrize(
    ("name", "code", "fault", "says"),
    [
        ("claude-401", 1, Fault.NO_KEY, "Failed to authenticate. API Error: 401"),
        ("claude-429", 1, Fault.RATE_LIMIT, "API Error: Request rejected (429) · Rate limit reached"),
        ("claude-drop", 1, Fault.NETWORK, "API Error: Unable to connect to API (ECONNRESET)"),
        ("claude-ctx", 1, Fault.CONTEXT, "Prompt is too long"),
        ("claude-loop", 1, None, "Reached maximum budget"),
        ("codex-401", 1, Fault.NO_KEY, "unexpected status 401 Unauthorized"),
        ("codex-429", 1, Fault.RATE_LIMIT, "exceeded retry limit, last status: 429 Too Many Requests"),
        ("codex-drop", 1, Fault.NETWORK, "stream disconnected before completion"),
        ("aider-401", 0, Fault.NO_KEY, "litellm.AuthenticationError"),
        ("aider-429", 0, Fault.RATE_LIMIT, "litellm.RateLimitError"),
        ("aider-ctx", 0, Fault.CONTEXT, "Model openai/gpt-4o has hit a token limit!"),
        ("aider-badedit", 0, None, "The LLM did not conform to the edit format."),
        ("aider-empty", 0, None, "Empty response received from LLM."),
    ],
)
def test_what_did_not_work_is_known_whatever_it_ended_with(
    name: str, code: int, fault: Fault | None, says: str, tmp_path: Path
) -> None:
    told = recorded(name, tmp_path, code)
    assert told.worked is False
    assert told.fault is fault
    assert told.says.startswith(says)


def test_what_failed_work_used_is_known_as_well(tmp_path: Path) -> None:
    assert known_usd(recorded("claude-loop", tmp_path, 1).reports) == pytest.approx(0.009084)
    assert len(recorded("aider-badedit", tmp_path, 0).reports) == 4
    assert recorded("aider-ctx", tmp_path, 0).reports == (), "what aider says of a prompt that did not fit is a guess"


def test_a_rate_limit_is_known_before_the_retries_are_over(tmp_path: Path) -> None:
    """Its time limit ends an agent that tries for long: what it said until then tells why."""
    for name in ("aider-429", "claude-429", "codex-429"):
        lines = (SAID / f"{name}.log").read_bytes().splitlines(keepends=True)
        (tmp_path / "output.log").write_bytes(b"".join(lines[: len(lines) - 3]))
        told = Listener(AGENTS[name.partition("-")[0]], tmp_path / "output.log").end(None, 0.0)
        assert told.fault is Fault.RATE_LIMIT, name


def test_claude_that_is_ended_while_it_waits_for_a_rate_limit_has_met_one_and_says_until_when(tmp_path: Path) -> None:
    """Asked to end, it tells of being interrupted: that is not why."""
    waits = '{"type":"system","subtype":"api_retry","retry_delay_ms":30000,"error_status":429,"error":"rate_limit"}\n'
    ended = (
        '{"type":"result","subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_streaming",'
        '"total_cost_usd":0,"modelUsage":{},"errors":["[ede_diagnostic] result_type=user"]}\n'
    )
    told = hear("claude", tmp_path, waits + ended, 0)
    assert (told.worked, told.fault, told.until) == (False, Fault.RATE_LIMIT, NOON + 30)
    told = hear("claude", tmp_path, ended, 0)
    assert (told.worked, told.fault) == (False, None)


def test_claude_that_is_ended_in_its_work_has_used_at_least_what_it_read(tmp_path: Path) -> None:
    lines = (SAID / "claude-ok.log").read_bytes().splitlines(keepends=True)
    (tmp_path / "output.log").write_bytes(b"".join(lines[:-1]))
    listener = Listener(AGENTS["claude"], tmp_path / "output.log")
    assert listener.look().reports == (), "it may yet say it all"
    told = listener.end(None, 0.0)
    assert told.worked is False
    assert sum(report.tokens_in for report in told.reports) == 3702
    assert all(report.usd is None for report in told.reports)


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("claude-ok", ["Read /sandbox/hello.py", "Write /sandbox/hello.py", "Done: wrote hello.py"]),
        ("codex-ok", ["$ /bin/bash -lc", "Done: wrote hello.py"]),
        ("aider-ok", ["Added hello.py to the chat.", "Applied edit to hello.py"]),
    ],
)
def test_what_it_is_at_is_told_while_it_works(name: str, seen: list[str], tmp_path: Path) -> None:
    listener = Listener(AGENTS[name.partition("-")[0]], tmp_path / "output.log")
    told = []
    with (tmp_path / "output.log").open("ab", buffering=0) as output:
        for line in (SAID / f"{name}.log").read_bytes().splitlines(keepends=True):
            output.write(line)
            told.append(listener.look().doing)
    for wanted in seen:
        assert any(doing.startswith(wanted) for doing in told), told
