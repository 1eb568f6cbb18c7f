"""Google's generateContent: gemini. Model and streaming stand in the path; the server puts both in the body."""

from collections.abc import Iterator

from tests.provider.protocol import Asked, Json, Said, Whole, event, headers_of, text_of
from tests.provider.script import Answer, Fail, Failure, Refuse, Run, Write

_ERRORS = {
    Failure.BAD_KEY: (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    Failure.RATE_LIMIT: (429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    Failure.QUOTA: (429, "RESOURCE_EXHAUSTED", "You exceeded your current quota: requests per day."),
    Failure.ACCOUNT: (403, "PERMISSION_DENIED", "Billing is disabled for this project."),
    Failure.CONTEXT: (400, "INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed."),
    Failure.OVERLOADED: (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    Failure.INTERNAL: (500, "INTERNAL", "An internal error has occurred."),
}


def asked(body: Json) -> Asked:
    """What a body asks."""
    parts = [part for one in body["contents"] for part in one.get("parts", [])]
    step = sum("functionResponse" in part for part in parts)
    return Asked(body["model"], bool(body["stream"]), step, text_of(body["contents"]))


def whole(body: Json, said: Said, answer: Answer, name: str) -> Json:
    """An answer in one piece."""
    tokens = answer.tokens
    stopped = "SAFETY" if isinstance(said, Refuse) else "STOP"
    content = {"role": "model", "parts": [_part(body, said)]}
    return {
        "candidates": [{"content": content, "finishReason": stopped, "index": 0}],
        "usageMetadata": {
            "promptTokenCount": tokens.tokens_in,
            "candidatesTokenCount": tokens.tokens_out - tokens.reasoning,
            "thoughtsTokenCount": tokens.reasoning,
            "cachedContentTokenCount": tokens.cached,
            "totalTokenCount": tokens.tokens_in + tokens.tokens_out,
        },
        "modelVersion": body["model"],
        "responseId": name,
    }


def events(body: Json, said: Said, answer: Answer, name: str) -> Iterator[bytes]:
    """The same as a stream; all is said in its last piece."""
    nothing = {"role": "model", "parts": [{"text": ""}]}
    yield event({"candidates": [{"content": nothing, "index": 0}], "modelVersion": body["model"]})
    yield event(whole(body, said, answer, name))


def failure(fail: Fail) -> Whole:
    """An error."""
    status, kind, message = _ERRORS[fail.what]
    return Whole(status, {"error": {"code": status, "status": kind, "message": message}}, headers_of(fail))


def late_failure(body: Json, fail: Fail, name: str) -> Iterator[bytes]:
    """An error in the middle of a stream."""
    yield event(failure(fail).body)


def _part(body: Json, said: Said) -> Json:
    """What the model puts out."""
    declared = [one for tool in body.get("tools", []) for one in tool.get("functionDeclarations", [])]
    tools = {one["name"] for one in declared}
    match said:
        case Write(path, text) if asked(body).step == 0 and "write_file" in tools:
            return {"functionCall": {"name": "write_file", "args": {"file_path": path, "content": text}}}
        case Run(command) if asked(body).step == 0 and "run_shell_command" in tools:
            return {"functionCall": {"name": "run_shell_command", "args": {"command": command}}}
        case _:
            return {"text": said.words}
