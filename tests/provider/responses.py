"""OpenAI's responses: codex."""

import itertools
import json
import time
from collections.abc import Iterator

from tests.provider import openai_errors
from tests.provider.chat import shell
from tests.provider.protocol import Asked, Json, Said, Whole, event, pieces, text_of
from tests.provider.script import Answer, Fail, Refuse, Run, Say, Write


def asked(body: Json) -> Asked:
    """What a body asks."""
    items = body["input"] if isinstance(body["input"], list) else []
    step = sum(str(item.get("type", "")).endswith("call_output") for item in items)
    return Asked(body["model"], bool(body.get("stream")), step, text_of(body["input"]))


def whole(body: Json, said: Said, answer: Answer, name: str) -> Json:
    """An answer in one piece."""
    return _response(body, name, status="completed", output=[_item(body, said, name)], usage=_usage(answer))


def events(body: Json, said: Said, answer: Answer, name: str) -> Iterator[bytes]:
    """The same as a stream."""
    count = itertools.count()
    item = _item(body, said, name)

    def of(type: str, **more: object) -> bytes:
        return event({"type": type, "sequence_number": next(count), **more}, type)

    yield of("response.created", response=_response(body, name))
    yield of("response.in_progress", response=_response(body, name))
    yield of("response.output_item.added", output_index=0, item={**item, "status": "in_progress"})
    if isinstance(said, Say):
        place = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        for piece in pieces(said.words):
            yield of("response.output_text.delta", **place, delta=piece)
    yield of("response.output_item.done", output_index=0, item=item)
    yield of("response.completed", response=whole(body, said, answer, name))


def failure(fail: Fail) -> Whole:
    """An error."""
    return openai_errors.failure(fail)


def late_failure(body: Json, fail: Fail, name: str) -> Iterator[bytes]:
    """An error as the events of a stream."""
    error = openai_errors.error(fail)
    yield event({"type": "response.created", "response": _response(body, name)}, "response.created")
    failed = _response(body, name, status="failed", error={"code": error["code"], "message": error["message"]})
    yield event({"type": "response.failed", "response": failed}, "response.failed")


def _response(body: Json, name: str, **more: object) -> Json:
    return {
        "id": f"resp_{name}",
        "object": "response",
        "created_at": int(time.time()),
        "status": "in_progress",
        "model": body["model"],
        "output": [],
        "parallel_tool_calls": False,
        "tools": [],
        "usage": None,
        **more,
    }


def _usage(answer: Answer) -> Json:
    tokens = answer.tokens
    return {
        "input_tokens": tokens.tokens_in,
        "input_tokens_details": {"cached_tokens": tokens.cached},
        "output_tokens": tokens.tokens_out,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": tokens.tokens_in + tokens.tokens_out,
    }


def _item(body: Json, said: Said, name: str) -> Json:
    """What the model puts out."""
    match said:
        case Write() | Run() if asked(body).step == 0:
            return _call(body, shell(said), name)
        case Refuse(words):
            return _message({"type": "refusal", "refusal": words}, name)
        case Write() | Run() | Say():
            return _message({"type": "output_text", "text": said.words, "annotations": []}, name)


def _message(content: Json, name: str) -> Json:
    return {
        "type": "message",
        "id": f"msg_{name}",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }


def _call(body: Json, command: str, name: str) -> Json:
    tools = {tool.get("name") or tool.get("type") for tool in body.get("tools", [])}
    used, arguments = ("exec_command", {"cmd": command}) if "exec_command" in tools else ("shell", {"command": command})
    return {
        "type": "function_call",
        "id": f"fc_{name}",
        "call_id": f"call_{name}",
        "name": used,
        "arguments": json.dumps(arguments),
        "status": "completed",
    }
