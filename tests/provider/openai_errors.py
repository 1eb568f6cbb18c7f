"""The errors of OpenAI's protocols, in the words of the provider."""

from tests.provider.protocol import Json, Whole, headers_of
from tests.provider.script import Fail, Failure

_ERRORS = {
    Failure.BAD_KEY: (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided: sk-no."),
    Failure.RATE_LIMIT: (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for requests per min (RPM): Limit 3, Used 3, Requested 1.",
    ),
    Failure.QUOTA: (429, "usage_limit_reached", None, "The usage limit has been reached"),
    Failure.ACCOUNT: (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details.",
    ),
    Failure.CONTEXT: (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 210000 tokens. "
        "Please reduce the length of the messages.",
    ),
    Failure.OVERLOADED: (503, "server_error", "server_is_overloaded", "The engine is currently overloaded."),
    Failure.INTERNAL: (500, "server_error", None, "The server had an error while processing your request."),
}


def failure(fail: Fail) -> Whole:
    """An error as an answer of its own."""
    return Whole(_ERRORS[fail.what][0], {"error": error(fail)}, headers_of(fail))


def error(fail: Fail) -> Json:
    """What an error says."""
    _, type, code, message = _ERRORS[fail.what]
    if fail.what is Failure.RATE_LIMIT and isinstance(fail.again, int | float):
        message += f" Please try again in {fail.again:g}s."
    said: Json = {"message": message, "type": type, "param": None, "code": code}
    if fail.what is Failure.QUOTA and fail.moment is not None:
        said |= {"plan_type": "plus", "resets_at": int(fail.moment.timestamp())}
    return said
