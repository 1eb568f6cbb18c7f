"""Claude Code, `--output-format stream-json --verbose`: the last line, `result`, has all that was used.

Other agents print lines of the same kind, some without models and costs.

Its other lines tell of each message when it begins (one token out), so they are never added up; only where it was ended
before its `result` do they stand for what is known: what was read is right there, what was written is not.
"""

from uet_tui.agents.reading.documents import Object, amount_at, count_at, json_object, object_at, objects_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage

_IN = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
_NO_MODEL = "<synthetic>"
"""Who writes the messages that claude makes up itself, such as errors."""


class Claude(Speech):
    """What Claude Code prints."""

    mark = None

    def __init__(self) -> None:
        super().__init__()
        self._begun: dict[str, Usage] = {}

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        if line.startswith('{"type":"user"'):  # what its tools printed, which is most of it
            return
        said = json_object(line) if line.startswith("{") else None
        match text_at(said, "type"):
            case "assistant":
                self._message(object_at(said, "message"))
            case "result":
                self._result(said or {})
            case "system" if text_at(said, "subtype") == "api_retry":
                self.trouble = _waiting(said or {})
            case "":
                self.plain(line)
            case _:
                pass

    def _message(self, message: Object) -> None:
        for block in objects_at(message, "content"):
            if text_at(block, "type") == "tool_use":
                self.doing = f"{text_at(block, 'name')} {_about(object_at(block, 'input'))}".strip()
            else:
                self.words(text_at(block, "text"))
        model = text_at(message, "model")
        if model != _NO_MODEL:
            self.trouble = ""
            usage = object_at(message, "usage")
            self._begun[text_at(message, "id")] = Usage(
                model,
                count_at(usage, *_IN),
                count_at(usage, "output_tokens"),
                count_at(usage, "cache_read_input_tokens"),
            )

    def _result(self, result: Object) -> None:
        text = text_at(result, "result")
        self.words(text)
        refused = text_at(result, "stop_reason") == "refusal"
        self.worked = text_at(result, "subtype") == "success" and result.get("is_error") is False and not refused
        if not (self.trouble and text_at(result, "terminal_reason").startswith("aborted")):  # what it met is why
            self.trouble = "" if self.worked else _trouble(result, text, refused=refused)
        models = {name: use for name, use in object_at(result, "modelUsage").items() if isinstance(use, dict)}
        for model, use in models.items():
            self.reports.total(_of_model(model, use))
        if not models:
            usage = object_at(result, "usage")
            self.reports.total(
                Usage(
                    "",
                    count_at(usage, *_IN),
                    count_at(usage, "output_tokens"),
                    count_at(usage, "cache_read_input_tokens"),
                    usd=amount_at(result, "total_cost_usd") or None,
                )
            )

    def over(self) -> None:
        """Takes that nothing more will come: where no `result` told, what began is all that is known."""
        self.worked = self.worked is True
        if not self.reports.all():
            for usage in self._begun.values():
                self.reports.add(usage)


def _of_model(model: str, usage: Object) -> Usage:
    cached = count_at(usage, "cacheReadInputTokens")
    return Usage(
        model,
        count_at(usage, "inputTokens", "cacheCreationInputTokens") + cached,
        count_at(usage, "outputTokens"),
        cached,
        usd=amount_at(usage, "costUSD"),
    )


def _waiting(retry: Object) -> str:
    """What it met and waits for; a rate limit with how long, which is what its provider asked for."""
    status = count_at(retry, "error_status")
    wait = f", try again in {count_at(retry, 'retry_delay_ms') / 1000:g}s" if status == 429 else ""
    return f"API Error: {status or ''} {text_at(retry, 'error')}{wait}"


def _trouble(result: Object, text: str, *, refused: bool) -> str:
    if refused:
        return f"stop_reason refusal: {text}"
    errors = result.get("errors")
    more = "; ".join(map(str, errors[:3])) if isinstance(errors, list) else ""
    return text or more or text_at(result, "subtype") or "it says that it failed"


def _about(arguments: Object) -> str:
    """What a call of a tool is about: a path, a command, a pattern."""
    for name in ("file_path", "path", "command", "pattern", "description"):
        if told := text_at(arguments, name):
            return told.splitlines()[0][:200] if told.strip() else ""
    return ""
