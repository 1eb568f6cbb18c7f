"""Gemini CLI, `--output-format stream-json`: the last line, `result`, has what each model used; never what it costs."""

from uet_tui.agents.reading.documents import Object, count_at, json_object, object_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage


class Gemini(Speech):
    """What Gemini CLI prints."""

    mark = None

    def __init__(self) -> None:
        super().__init__()
        self._words = ""

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        said = json_object(line) if line.startswith("{") else None
        match text_at(said, "type"):
            case "message" if text_at(said, "role") == "assistant":  # in pieces that may break a line
                *lines, self._words = (self._words + text_at(said, "content")).split("\n")
                self.words("\n".join(lines))
            case "tool_use":
                self.doing = f"{text_at(said, 'tool_name')} {text_at(said, 'parameters.file_path')}".strip()
            case "error":
                self.trouble = text_at(said, "message") or self.trouble
            case "result":
                self._result(said or {})
            case "":
                self.plain(line)
            case _:
                pass

    def _result(self, result: Object) -> None:
        self.words(self._words)
        self.worked = text_at(result, "status") == "success"
        failed = text_at(result, "error.message") or self.trouble or "it says that it failed"
        self.trouble = "" if self.worked else failed
        models = object_at(result, "stats.models")
        used = {model: usage for model, usage in models.items() if isinstance(usage, dict)}
        for model, usage in used.items() or [("", object_at(result, "stats"))]:
            self.reports.total(
                Usage(
                    model,
                    count_at(usage, "input_tokens"),
                    max(
                        count_at(usage, "output_tokens"),
                        count_at(usage, "total_tokens") - count_at(usage, "input_tokens"),
                    ),
                    count_at(usage, "cached"),
                )
            )

    def over(self) -> None:
        """Takes that nothing more will come."""
        self.words(self._words)
        self.worked = self.worked is True
