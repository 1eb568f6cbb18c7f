import json
import threading
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any

import pytest

from tests.provider.script import (
    Act,
    Answer,
    Fail,
    Failure,
    Garble,
    Refuse,
    Request,
    Run,
    Say,
    Session,
    Tokens,
    Write,
    always,
    first,
)
from tests.provider.server import FakeProvider

USED = Tokens(1200, 80, 300, 20)
PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "gemini": "/v1beta/models/m-1:generateContent",
}
SHELL = {"chat": {"type": "function", "function": {"name": "bash"}}, "responses": {"name": "exec_command"}}


def ask(provider: FakeProvider, protocol: str, text: str, *, stream: bool = False, **more: Any) -> tuple[int, str]:
    """What the provider answers to a text: the status, and the body."""
    told: list[Any] = [{"role": "user", "content": text}]
    told = [{"role": "user", "parts": [{"text": text}]}] if protocol == "gemini" else told
    body = {"model": "m-1", "stream": stream, "stream_options": {"include_usage": True}, **more}
    body.setdefault({"responses": "input", "gemini": "contents"}.get(protocol, "messages"), told)
    path = PATHS[protocol].replace(":g", ":streamG") if stream else PATHS[protocol]
    request = urllib.request.Request(
        provider.url("s") + path, json.dumps(body).encode(), {"authorization": "Bearer key-1"}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("retry-after", "") + error.read().decode()


def provider(act: Act, **more: Any) -> FakeProvider:
    """One that answers the same to all that is about `ws-a`."""
    return FakeProvider({"s": Session({"ws-a": always(act, USED, **more)})})


def told(body: str, stream: bool) -> Any:
    """The JSON documents of an answer."""
    if not stream:
        return [json.loads(body)]
    lines = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


def numbers(value: object, names: dict[str, str]) -> dict[str, int]:
    """The last number under each of these names, wherever it stands in a document."""
    found: dict[str, int] = {}
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if isinstance(one, int) and key in names:
            found[names[key]] = one
        found |= numbers(one, names)
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("protocol", PATHS)
def test_every_protocol_says_it_and_tells_the_tokens_that_are_counted(protocol: str, stream: bool) -> None:
    with provider(Say("All is well with ws-a.")) as one:
        status, body = ask(one, protocol, "look at ws-a", stream=stream)
        assert one.told("ws-a") == USED
    assert status == 200
    documents = told(body, stream)
    assert stream or "All is well with ws-a." in body
    seen = numbers(
        documents,
        {
            "prompt_tokens": "in",
            "completion_tokens": "out",
            "cached_tokens": "cached",
            "cache_read_input_tokens": "cached",
            "input_tokens": "in",
            "output_tokens": "out",
            "promptTokenCount": "in",
            "cachedContentTokenCount": "cached",
            "candidatesTokenCount": "out",
        },
    )
    fresh = USED.tokens_in - (USED.cached if protocol == "messages" else 0)
    words = USED.tokens_out - (USED.reasoning if protocol == "gemini" else 0)
    assert seen == {"in": fresh, "out": words, "cached": USED.cached}


@pytest.mark.parametrize("stream", [False, True])
def test_a_file_is_written_with_the_tools_that_are_offered(stream: bool) -> None:
    with provider(Write("src/app.py", "x = 1\n")) as one:
        in_words = ask(one, "chat", "ws-a", stream=stream)[1]
        by_shell = [ask(one, name, "ws-a", stream=stream, tools=[SHELL[name]])[1] for name in ("chat", "responses")]
        by_tool = ask(one, "messages", "working directory: /here\nws-a", stream=stream)[1]
    assert "src/app.py" in in_words and "x = 1" in in_words
    assert all("END_OF_FILE" in said for said in by_shell)
    assert "Read" in by_tool
    assert stream or "/here/src/app.py" in by_tool  # a stream has it in pieces


def test_after_the_results_of_its_tools_the_work_is_done() -> None:
    results = [{"role": "user", "content": [{"type": "tool_result", "content": "on ws-a"}] * 2}]
    with provider(Write("a", "b", "It is written.")) as one:
        body = ask(one, "messages", "", messages=results)[1]
        assert one.served()[0].request.step == 2
    assert json.loads(body)["content"] == [{"type": "text", "text": "It is written."}]


def test_commands_are_run_where_there_is_a_shell() -> None:
    with provider(Run("touch /there")) as one:
        assert "touch /there" in ask(one, "responses", "ws-a", tools=[SHELL["responses"]])[1]
        assert "touch /there" in ask(one, "messages", "ws-a")[1]


def test_refusals_are_the_protocols_own() -> None:
    with provider(Refuse("No.")) as one:
        assert json.loads(ask(one, "messages", "ws-a")[1])["stop_reason"] == "refusal"
        assert json.loads(ask(one, "chat", "ws-a")[1])["choices"][0]["message"]["refusal"] == "No."
        assert json.loads(ask(one, "responses", "ws-a")[1])["output"][0]["content"][0]["type"] == "refusal"


@pytest.mark.parametrize("failure", Failure)
@pytest.mark.parametrize("protocol", PATHS)
def test_failures_have_a_status_and_cost_nothing(protocol: str, failure: Failure) -> None:
    with provider(Fail(failure)) as one:
        status, body = ask(one, protocol, "ws-a")
        assert one.told() == Tokens()
    assert status >= 400
    assert json.loads(body)["error"]["message"]


def test_retry_after_comes_as_seconds_or_as_a_date() -> None:
    date = datetime(2026, 11, 28, 4, 30, tzinfo=UTC)
    for again, header in ((20, "20"), (date, "Sat, 28 Nov 2026 04:30:00 GMT")):
        with provider(Fail(Failure.RATE_LIMIT, again)) as one:
            assert ask(one, "messages", "ws-a")[1].startswith(header + "{")


def test_a_used_up_quota_says_when_the_next_period_begins_as_each_provider_does() -> None:
    date = datetime(2026, 11, 28, 4, 30, tzinfo=UTC)
    with provider(Fail(Failure.QUOTA, date)) as one:
        assert "2026-11-28 at 04:30 UTC" in ask(one, "messages", "ws-a")[1]
        assert f'"resets_at": {date.timestamp():.0f}' in ask(one, "responses", "ws-a")[1]


@pytest.mark.parametrize("protocol", PATHS)
def test_a_failure_may_come_in_a_stream_that_began_well(protocol: str) -> None:
    with provider(Fail(Failure.OVERLOADED, in_stream=True)) as one:
        status, body = ask(one, protocol, "ws-a", stream=True)
    assert status == 200
    assert "verloaded" in body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("cut", ["before", "middle"])
@pytest.mark.parametrize("protocol", PATHS)
def test_what_was_cut_was_not_told(protocol: str, cut: str, stream: bool) -> None:
    with provider(Say("a long answer " * 20), cut=cut) as one:
        if stream and cut == "middle":
            documents = told(ask(one, protocol, "ws-a", stream=True)[1], True)
            assert documents
            assert "usage" not in documents[-1]
        else:
            with pytest.raises((OSError, HTTPException)):
                ask(one, protocol, "ws-a", stream=stream)
        assert one.told() == Tokens()
        assert len(one.served()) == 1


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("protocol", PATHS)
def test_garbled_json_is_not_json(protocol: str, stream: bool) -> None:
    with provider(Garble()) as one, pytest.raises(ValueError):
        told(ask(one, protocol, "ws-a", stream=stream)[1], stream)


def test_a_slow_answer_is_given_up_when_the_provider_closes() -> None:
    began = threading.Event()

    def slow(_: Request) -> Answer:
        began.set()
        return Answer(Say("too late"), pause=600)

    seen: list[object] = []
    with FakeProvider({"s": Session({"ws-a": slow})}) as one:

        def waits() -> None:
            try:
                seen.append(ask(one, "chat", "ws-a"))
            except (OSError, HTTPException) as error:
                seen.append(error)

        thread = threading.Thread(target=waits)
        thread.start()
        assert began.wait(5)
    thread.join(10)
    assert len(seen) == 1 and isinstance(seen[0], Exception)


def test_many_agents_at_once_are_told_apart_by_session_and_mark_and_counted_one_by_one() -> None:
    def counting(request: Request) -> Answer:
        return Answer(Say("yes"), Tokens(request.number, 1))

    session = Session({"ws-a": counting, "ws-ab": counting})
    with FakeProvider({"s": session, "t": session}) as one:
        threads = [
            threading.Thread(target=ask, args=(one, protocol, f"do {mark}"))
            for protocol in PATHS
            for mark in ("ws-a", "ws-ab")
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert one.told("ws-a", "s") == one.told("ws-ab") == Tokens(sum(range(1, 17)), 16)
        assert one.told(session="t") == Tokens()
        assert {served.request.key for served in one.served()} == {"key-1"}


def test_the_first_answers_may_be_others_than_what_follows() -> None:
    script = first([Answer(Fail(Failure.INTERNAL))], always(Say("yes"), USED))
    with FakeProvider({"s": Session({"ws-a": script})}) as one:
        assert [ask(one, "chat", "ws-a")[0] for _ in range(3)] == [500, 200, 200]


def test_what_nobody_marked_is_answered_and_what_nobody_knows_is_remembered() -> None:
    with provider(Say("yes")) as one:
        assert ask(one, "chat", "a title, please")[0] == 200
        assert one.served("ws-a") == []
        for path in ("/s/v1/chat/other", "/elsewhere/v1/messages"):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(one.url("s").removesuffix("/s") + path, b"{}", timeout=10)
        assert one.strange == ["POST /s/v1/chat/other", "POST /elsewhere/v1/messages"]
