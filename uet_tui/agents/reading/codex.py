"""Codex, `exec --json`: use comes with `turn.completed`, and is of the whole thread; it never says what that costs."""

from uet_tui.agents.reading.documents import Object, count_at, json_object, object_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage


class Codex(Speech):
    """What codex prints."""

    mark = None

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        said = json_object(line) if line.startswith("{") else None
        match text_at(said, "type"):
            case "turn.started":
                self.worked = None
            case "turn.completed":
                self.worked, self.trouble = True, ""
                self._used(object_at(said, "usage"))
            case "turn.failed":
                self.worked = False
                self.trouble = text_at(said, "error.message") or self.trouble or "the turn failed"
            case "error":
                self.trouble = text_at(said, "message") or self.trouble
            case "item.started" | "item.completed":
                self._item(object_at(said, "item"))
            case "":
                self.plain(line)
            case _:
                pass

    def _used(self, usage: Object) -> None:
        self.reports.total(
            Usage(
                "",
                count_at(usage, "input_tokens"),
                count_at(usage, "output_tokens"),
                count_at(usage, "cached_input_tokens"),
                count_at(usage, "reasoning_output_tokens"),
            )
        )

    def _item(self, item: Object) -> None:
        match text_at(item, "type"):
            case "agent_message":
                self.words(text_at(item, "text"))
            case "command_execution":
                self.doing = f"$ {text_at(item, 'command')}"[:200]
            case "error" | "":  # a warning, such as of a model that it does not know
                return
            case kind:
                self.doing = kind.replace("_", " ")
        self.trouble = ""

    def over(self) -> None:
        """Takes that nothing more will come: a turn that did not complete did not work."""
        self.worked = self.worked is True
