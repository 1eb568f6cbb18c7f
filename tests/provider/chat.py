"""OpenAI's chat completions: aider, mini-swe-agent, opencode and many more."""

import json
import time
from collections.abc import Iterator

from tests.provider import openai_errors
from tests.provider.protocol import Asked, Json, Said, Whole, event, pieces, text_of
from tests.provider.script import Answer, Fail, Refuse, Run, Say, Write

_SUBMIT = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
"""How mini-swe-agent is told that the work is done."""


def asked(body: Json) -> Asked:
    """What a body asks."""
    step = sum(message["role"] == "tool" for message in body["messages"])
    return Asked(body["model"], bool(body.get("stream")), step, text_of(body["messages"]))


def whole(body: Json, said: Said, answer: Answer, name: str) -> Json:
    """An answer in one piece."""
    message, reason = _message(body, said, name)
    choice = {"index": 0, "finish_reason": reason, "message": message}
    return {**_base(body, name), "object": "chat.completion", "choices": [choice], "usage": _usage(answer)}


def events(body: Json, said: Said, answer: Answer, name: str) -> Iterator[bytes]:
    """The same as a stream; tokens are told only to those who ask for them."""
    base = {**_base(body, name), "object": "chat.completion.chunk"}
    message, reason = _message(body, said, name)

    def chunk(delta: Json, reason: str | None = None) -> bytes:
        return event({**base, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})

    yield chunk({"role": "assistant", "content": ""})
    for index, call in enumerate(message.get("tool_calls", [])):
        yield chunk({"tool_calls": [{"index": index, **call}]})
    for key in ("content", "refusal"):
        for piece in pieces(message.get(key) or ""):
            yield chunk({key: piece})
    yield chunk({}, reason)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield event({**base, "choices": [], "usage": _usage(answer)})
    yield b"data: [DONE]\n\n"


def failure(fail: Fail) -> Whole:
    """An error."""
    return openai_errors.failure(fail)


def late_failure(body: Json, fail: Fail, name: str) -> Iterator[bytes]:
    """An error in the middle of a stream."""
    delta = {"index": 0, "delta": {"role": "assistant", "content": "I"}, "finish_reason": None}
    yield event({**_base(body, name), "object": "chat.completion.chunk", "choices": [delta]})
    yield event({"error": openai_errors.error(fail)})


def _base(body: Json, name: str) -> Json:
    return {"id": f"chatcmpl-{name}", "created": int(time.time()), "model": body["model"]}


def _usage(answer: Answer) -> Json:
    tokens = answer.tokens
    return {
        "prompt_tokens": tokens.tokens_in,
        "completion_tokens": tokens.tokens_out,
        "total_tokens": tokens.tokens_in + tokens.tokens_out,
        "prompt_tokens_details": {"cached_tokens": tokens.cached},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }


def _message(body: Json, said: Said, name: str) -> tuple[Json, str]:
    """What the model says, and why it stopped."""
    match said:
        case Say(words):
            return {"role": "assistant", "content": words}, "stop"
        case Refuse(words):
            return {"role": "assistant", "content": None, "refusal": words}, "content_filter"
        case Write() | Run():
            return _work(body, said, name)


def _work(body: Json, said: Write | Run, name: str) -> tuple[Json, str]:
    tools = {tool["function"]["name"] for tool in body.get("tools", []) if tool.get("type") == "function"}
    done = asked(body).step > 0
    submits = _SUBMIT.removeprefix("echo ") in text_of(body["messages"])
    if not tools:
        return {"role": "assistant", "content": _in_words(said)}, "stop"
    if done and not submits:
        return {"role": "assistant", "content": said.words}, "stop"
    match said:
        case _ if done:
            call: tuple[str, Json] = ("bash", {"command": _SUBMIT})
        case Write(path, text) if "write" in tools:
            call = ("write", {"filePath": path, "content": text})
        case _:
            call = ("bash", {"command": shell(said), "description": "Do the work"})
    function = {"name": call[0], "arguments": json.dumps(call[1])}
    calls = [{"id": f"call_{name}", "type": "function", "function": function}]
    return {"role": "assistant", "content": said.words, "tool_calls": calls}, "tool_calls"


def _in_words(said: Write | Run) -> str:
    """The work for an agent without tools, which reads it from the text: aider's edit format `whole`."""
    if isinstance(said, Run):
        return f"{said.words}\n\n```bash\n{said.command}\n```\n"
    return f"{said.words}\n\n{said.path}\n```\n{said.text}```\n"


def shell(said: Write | Run) -> str:
    """The work as a shell command."""
    if isinstance(said, Run):
        return said.command
    return f"mkdir -p \"$(dirname '{said.path}')\" && cat >'{said.path}' <<'END_OF_FILE'\n{said.text}END_OF_FILE"
