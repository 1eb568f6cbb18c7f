"""Anthropic's messages: claude."""

import json
import re
from collections.abc import Iterator

from tests.provider.protocol import Asked, Json, Said, Whole, event, headers_of, pieces, text_of
from tests.provider.script import Answer, Fail, Failure, Refuse, Run, Write

_ERRORS = {
    Failure.BAD_KEY: (401, "authentication_error", "invalid x-api-key"),
    Failure.RATE_LIMIT: (
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50,000 input tokens per minute.",
    ),
    Failure.QUOTA: (
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits.",
    ),
    Failure.ACCOUNT: (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits.",
    ),
    Failure.CONTEXT: (400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"),
    Failure.OVERLOADED: (529, "overloaded_error", "Overloaded"),
    Failure.INTERNAL: (500, "api_error", "Internal server error"),
}
_FOLDER = re.compile(r"working directory:\s*(\S+)", re.IGNORECASE)


def asked(body: Json) -> Asked:
    """What a body asks."""
    blocks = [block for one in body["messages"] if isinstance(one["content"], list) for block in one["content"]]
    step = sum(block.get("type") == "tool_result" for block in blocks)
    return Asked(body["model"], bool(body.get("stream")), step, text_of(body["messages"]))


def whole(body: Json, said: Said, answer: Answer, name: str) -> Json:
    """An answer in one piece."""
    block, reason = _block(body, said, name)
    return {**_base(body, name), "content": [block], "stop_reason": reason, "usage": _usage(answer)}


def events(body: Json, said: Said, answer: Answer, name: str) -> Iterator[bytes]:
    """The same as a stream."""
    block, reason = _block(body, said, name)
    begun = {**_base(body, name), "content": [], "usage": {**_usage(answer), "output_tokens": 1}}
    yield _event("message_start", message=begun)
    if block["type"] == "tool_use":
        yield _event("content_block_start", index=0, content_block={**block, "input": {}})
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces(json.dumps(block["input"]))]
    else:
        yield _event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    for delta in deltas:
        yield _event("content_block_delta", index=0, delta=delta)
    yield _event("content_block_stop", index=0)
    stopped = {"stop_reason": reason, "stop_sequence": None}
    yield _event("message_delta", delta=stopped, usage={"output_tokens": answer.tokens.tokens_out})
    yield _event("message_stop")


def failure(fail: Fail) -> Whole:
    """An error."""
    status, *_ = _ERRORS[fail.what]
    return Whole(status, _error(fail), headers_of(fail))


def late_failure(body: Json, fail: Fail, name: str) -> Iterator[bytes]:
    """An error as the events of a stream."""
    nothing = {"input_tokens": 0, "output_tokens": 0}
    yield _event("message_start", message={**_base(body, name), "content": [], "usage": nothing})
    yield event(_error(fail), "error")


def _error(fail: Fail) -> Json:
    _, type, message = _ERRORS[fail.what]
    if fail.what is Failure.QUOTA and fail.moment is not None:
        message += f" You will regain access on {fail.moment:%Y-%m-%d} at {fail.moment:%H:%M} UTC."
    return {"type": "error", "error": {"type": type, "message": message}}


def _event(type: str, **more: object) -> bytes:
    return event({"type": type, **more}, type)


def _base(body: Json, name: str) -> Json:
    return {
        "id": f"msg_{name}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(answer: Answer) -> Json:
    tokens = answer.tokens
    return {
        "input_tokens": tokens.tokens_in - tokens.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": tokens.cached,
        "output_tokens": tokens.tokens_out,
    }


def _block(body: Json, said: Said, name: str) -> tuple[Json, str]:
    """What the model puts out, and why it stopped."""
    call = _call(body, said)
    if call is not None:
        return {"type": "tool_use", "id": f"toolu_{name}", "name": call[0], "input": call[1]}, "tool_use"
    return {"type": "text", "text": said.words}, "refusal" if isinstance(said, Refuse) else "end_turn"


def _call(body: Json, said: Said) -> tuple[str, Json] | None:
    """The tool that is the next step; a file is read before it is written, or the agent's own tool refuses."""
    step = asked(body).step
    match said:
        case Write(path, text) if step < 2:
            found = _FOLDER.search(f"{text_of(body.get('system', ''))}\n{text_of(body['messages'])}")
            file = f"{found.group(1)}/{path}" if found and not path.startswith("/") else path
            return ("Read", {"file_path": file}) if step == 0 else ("Write", {"file_path": file, "content": text})
        case Run(command) if step == 0:
            return "Bash", {"command": command, "description": "Do the work"}
        case _:
            return None
