"""opencode, `run --format json`: each `step_finish` has what its step used; tokens in leave out what was cached."""

from uet_tui.agents.reading.documents import Object, amount_at, count_at, json_object, object_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage


class OpenCode(Speech):
    """What opencode prints."""

    mark = None

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        said = json_object(line) if line.startswith("{") else None
        part = object_at(said, "part")
        match text_at(said, "type"):
            case "step_finish":
                self._step(part)
            case "tool_use":
                self.doing = f"{text_at(part, 'tool')} {text_at(part, 'state.title')}".strip()
            case "text":
                self.words(text_at(part, "text"))
            case "error":
                self.worked = False
                name, message = text_at(said, "error.name"), text_at(said, "error.data.message")
                status = count_at(said, "error.data.statusCode") or ""
                self.trouble = " ".join(str(word) for word in (name, status, message) if word) or "it says: error"
            case "":
                self.plain(line)
            case _:
                pass

    def _step(self, part: Object) -> None:
        self.worked, self.trouble = text_at(part, "reason") != "tool-calls", ""
        tokens = object_at(part, "tokens")
        cached = count_at(tokens, "cache.read")
        read = count_at(tokens, "input", "cache.write") + cached
        reasoning = count_at(tokens, "reasoning")
        out = count_at(tokens, "output")
        if count_at(tokens, "total") == read + out + reasoning:  # some versions count thinking beside what is written
            out += reasoning
        self.reports.add(Usage("", read, out, cached, reasoning, amount_at(part, "cost") or None))

    def over(self) -> None:
        """Takes that nothing more will come."""
        self.worked = self.worked is True
