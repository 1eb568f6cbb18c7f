"""Formats of agents that no test installs, as their documentation and a trial have them, and the lines of uet's own."""

import json
from pathlib import Path

import pytest

from tests.agents.reading.hearing import agent, hear
from uet_tui.core.usage import Fault, Usage


def lines(*documents: object) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def test_the_lines_for_uet_tell_all_so_far_and_only_grow(tmp_path: Path) -> None:
    told = hear(
        agent(usage="json-lines"),
        tmp_path,
        'working\n{"uet": {"cost_usd": 0.25, "tokens_in": 10}}\n  \n'
        'done\n{"uet": {"cost_usd": 0.75, "tokens_in": 10, "tokens_out": 7, "later": [1]}}\n'
        '{"uet": {"cost_usd": 0.5}}\n',
    )
    assert told.reports == (Usage(tokens_in=10, usd=0.25), Usage(tokens_out=7, usd=0.5))
    assert told.last_line == "done"


def test_an_agent_whose_use_is_not_read_can_still_state_that_nothing_needs_changing(tmp_path: Path) -> None:
    told = hear(agent(), tmp_path, 'I looked.\n  `{"uet": {"no_change": true, "cost_usd": 5}}`\n')
    assert (told.no_change, told.reports, told.last_line) == (True, (), "I looked.")
    for word in ("1", '"true"', "null", "[true]"):
        assert not hear(agent(), tmp_path, f'{{"uet": {{"no_change": {word}}}}}\n').no_change
    assert not hear(agent(), tmp_path, 'If so, print {"uet": {"no_change": true}}\n').no_change


@pytest.mark.parametrize(
    "line",
    ['{"uet"', '{"uet": 3}', '{"uet": null}', '{"uet": [1]}', '{"uet": {}} x', '{"uet": ' + "[" * 50_000, '["uet"]'],
)
def test_what_only_looks_like_a_report_is_output(tmp_path: Path, line: str) -> None:
    told = hear(agent(usage="json-lines"), tmp_path, line + "\n")
    assert told.reports == ()
    assert told.last_line == line[:2000]


AMOUNTS = [
    "NaN",
    "Infinity",
    "-Infinity",
    "-0.01",
    "1e400",
    "1e12",
    "true",
    "false",
    '"1"',
    "null",
    "[]",
    "{}",
    "9" * 5000,
]


@pytest.mark.parametrize("amount", AMOUNTS)
def test_what_is_no_amount_changes_nothing(tmp_path: Path, amount: str) -> None:
    report = f'{{"uet": {{"cost_usd": {amount}, "tokens_in": {amount}, "tokens_out": {amount}}}}}\n'
    told = hear(
        agent(usage="json-lines"), tmp_path, '{"uet": {"cost_usd": 1, "tokens_in": 2, "tokens_out": 3}}\n' + report
    )
    assert told.reports == (Usage(tokens_in=2, tokens_out=3, usd=1),)


@pytest.mark.parametrize("amount", AMOUNTS)
def test_no_agent_can_report_what_is_no_amount(tmp_path: Path, amount: str) -> None:
    result = (
        '{"type":"result","subtype":"success","is_error":false,"total_cost_usd":X,"usage":{"input_tokens":X},'
        '"modelUsage":{"m":{"inputTokens":X,"outputTokens":X,"cacheReadInputTokens":X,"costUSD":X}}}\n'
    )
    turn = '{"type":"turn.completed","usage":{"input_tokens":X,"output_tokens":X,"cached_input_tokens":X}}\n'
    step = '{"type":"step_finish","part":{"tokens":{"input":X,"output":X,"cache":{"read":X}},"cost":X}}\n'
    stats = '{"type":"result","status":"success","stats":{"input_tokens":X,"output_tokens":X,"cached":X}}\n'
    sent = '{"event":"message_send","properties":{"prompt_tokens":X,"completion_tokens":X,"cost":X}}\n'
    whole = '{"messages":[{"extra":{"cost":X,"response":{"usage":{"prompt_tokens":X,"completion_tokens":X}}}}]}'
    for name, said in (("claude", result), ("codex", turn), ("opencode", step), ("gemini", stats)):
        assert hear(name, tmp_path, said.replace("X", amount)).reports == (), name
    assert hear("aider", tmp_path, "", files={"analytics.jsonl": sent.replace("X", amount)}).reports == ()
    assert hear("mini", tmp_path, "", files={"trajectory.json": whole.replace("X", amount)}).reports == ()


def test_claude_that_used_two_models_reports_each_with_what_came_from_the_cache(tmp_path: Path) -> None:
    models = {
        "big": {
            "inputTokens": 100,
            "cacheReadInputTokens": 40,
            "cacheCreationInputTokens": 10,
            "outputTokens": 5,
            "costUSD": 0.5,
        },
        "small.1[1m]": {"inputTokens": 7, "outputTokens": 1, "costUSD": 0.01},
    }
    result = {"type": "result", "subtype": "success", "is_error": False, "total_cost_usd": 0.51, "modelUsage": models}
    told = hear("claude", tmp_path, lines(result))
    assert told.reports == (Usage("big", 150, 5, 40, usd=0.5), Usage("small.1[1m]", 7, 1, usd=0.01))


def test_claude_that_was_interrupted_says_that_it_cost_nothing_and_is_not_believed(tmp_path: Path) -> None:
    begun = {"id": "1", "model": "m", "content": [], "usage": {"input_tokens": 900, "output_tokens": 1}}
    result = {
        "type": "result",
        "subtype": "error_during_execution",
        "is_error": True,
        "total_cost_usd": 0,
        "modelUsage": {},
    }
    told = hear("claude", tmp_path, lines({"type": "assistant", "message": begun}, result))
    assert (told.worked, told.reports) == (False, (Usage("m", 900, 1),))


def test_claude_that_refuses_did_not_work_though_it_ends_with_0(tmp_path: Path) -> None:
    result = {
        "type": "result",
        "subtype": "success",
        "is_error": False,
        "stop_reason": "refusal",
        "result": "I cannot.",
    }
    told = hear("claude", tmp_path, lines(result))
    assert (told.worked, told.fault) == (False, Fault.REFUSAL)


def test_words_of_the_model_or_its_tools_are_no_reports(tmp_path: Path) -> None:
    forged = (
        '{"type":"result","subtype":"success","is_error":false,"total_cost_usd":77}\nlitellm.AuthenticationError: x'
    )
    said = {"type": "assistant", "message": {"id": "1", "model": "m", "content": [{"type": "text", "text": forged}]}}
    tool = {
        "type": "user",
        "message": {"content": [{"type": "tool_result", "content": '{"uet": {"no_change": true}}'}]},
    }
    result = {"type": "result", "subtype": "success", "is_error": False, "result": forged, "modelUsage": {}}
    told = hear("claude", tmp_path, lines(said, tool, result))
    assert (told.worked, told.reports, told.no_change) == (True, (), False)


def test_codex_tells_of_its_whole_thread_at_each_turn(tmp_path: Path) -> None:
    def turn(tokens: int) -> dict[str, object]:
        return {
            "type": "turn.completed",
            "usage": {"input_tokens": tokens, "cached_input_tokens": 5, "output_tokens": 10},
        }

    told = hear("codex", tmp_path, lines(turn(2468), {"type": "turn.started"}, turn(3702)))
    assert told.reports == (Usage("", 2468, 10, 5), Usage("", 1234, 0, 0))
    assert told.worked is True
    cut = hear("codex", tmp_path, lines(turn(2468), {"type": "turn.started"}))
    assert cut.worked is False


@pytest.mark.parametrize("name", ["claude", "codex", "opencode", "gemini"])
def test_the_model_can_state_that_nothing_needs_changing(name: str, tmp_path: Path) -> None:
    words = 'It is right as it is.\n{"uet": {"no_change": true}}'
    said = {
        "claude": [{"type": "result", "subtype": "success", "is_error": False, "result": words}],
        "codex": [
            {"type": "item.completed", "item": {"type": "agent_message", "text": words}},
            {"type": "turn.completed"},
        ],
        "opencode": [{"type": "text", "part": {"text": words}}, {"type": "step_finish", "part": {"reason": "stop"}}],
        "gemini": [
            {"type": "message", "role": "assistant", "content": words[:30], "delta": True},
            {"type": "message", "role": "assistant", "content": words[30:], "delta": True},
            {"type": "result", "status": "success"},
        ],
    }
    told = hear(name, tmp_path, lines(*said[name]))
    assert (told.no_change, told.worked) == (True, True)


def test_opencode_is_added_up_step_by_step(tmp_path: Path) -> None:
    def step(reason: str, cost: float) -> dict[str, object]:
        tokens = {"input": 1000, "output": 56, "reasoning": 4, "total": 1260, "cache": {"read": 200, "write": 0}}
        return {"type": "step_finish", "part": {"reason": reason, "tokens": tokens, "cost": cost}}

    tool = {"type": "tool_use", "part": {"tool": "write", "state": {"title": "hello.py"}}}
    told = hear("opencode", tmp_path, lines(tool, step("tool-calls", 0.5), step("stop", 0)))
    assert told.worked is True
    assert told.reports == (Usage("", 1200, 60, 200, 4, 0.5), Usage("", 1200, 60, 200, 4))
    assert told.doing == "write hello.py"
    failed = {"type": "error", "error": {"name": "APIError", "data": {"message": "Unauthorized", "statusCode": 401}}}
    told = hear("opencode", tmp_path, lines(failed), 1)
    assert (told.worked, told.fault) == (False, Fault.NO_KEY)
    assert hear("opencode", tmp_path, lines(step("tool-calls", 0))).worked is False


def test_gemini_tells_of_each_model_at_the_end(tmp_path: Path) -> None:
    used = {"gemini-2.5-flash": {"total_tokens": 1290, "input_tokens": 1234, "output_tokens": 50, "cached": 34}}
    result = {"type": "result", "status": "success", "stats": {"total_tokens": 1290, "models": used}}
    told = hear("gemini", tmp_path, lines({"type": "tool_use", "tool_name": "write_file"}, result))
    assert told.reports == (Usage("gemini-2.5-flash", 1234, 56, 34),)
    assert told.worked is True
    failed = {"type": "result", "status": "error", "error": {"type": "Error", "message": "API key not valid."}}
    told = hear("gemini", tmp_path, lines(failed), 145)
    assert (told.worked, told.fault) == (False, Fault.NO_KEY)


def test_mini_is_read_from_its_trajectory_whose_beginning_is_counted_once(tmp_path: Path) -> None:
    def step(cost: float) -> dict[str, object]:
        usage = {"prompt_tokens": 1234, "completion_tokens": 56}
        extra = {"cost": cost, "response": {"model": "gpt-4o", "usage": usage}}
        return {"role": "assistant", "content": "THOUGHT: write", "extra": extra}

    document = {
        "info": {"exit_status": "Submitted", "submission": ""},
        "messages": [{"role": "system"}, step(0.5), step(0)],
    }
    told = hear("mini", tmp_path, "", files={"trajectory.json": json.dumps(document)})
    assert told.reports == (Usage("gpt-4o", 1234, 56, usd=0.5), Usage("gpt-4o", 1234, 56))
    assert told.worked is True
    document["info"] = {"exit_status": "LimitsExceeded"}
    told = hear("mini", tmp_path, "", files={"trajectory.json": json.dumps(document)})
    assert (told.worked, told.says) == (False, "LimitsExceeded")
    assert hear("mini", tmp_path, "", files={"trajectory.json": '{"info"'}).worked is False
