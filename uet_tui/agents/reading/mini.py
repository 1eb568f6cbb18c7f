"""mini-swe-agent: its trajectory, one JSON document that is written anew after each step, holds all that it used."""

from uet_tui.agents.reading.documents import Object, amount_at, count_at, json_object, object_at, objects_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage


class Mini(Speech):
    """What mini-swe-agent prints and writes."""

    file = "trajectory.json"
    whole = True

    def __init__(self) -> None:
        super().__init__()
        self._read = 0

    def written(self, text: str) -> None:
        """Takes the document: the messages that were there before are not counted again."""
        document = json_object(text)
        messages = list(objects_at(document, "messages"))
        for message in messages[self._read :]:
            self._message(message)
        self._read = max(self._read, len(messages))
        status = text_at(document, "info.exit_status")
        if status:
            self.worked = status == "Submitted"
            self.trouble = "" if self.worked else f"{status}: {text_at(document, 'info.submission')}".strip(": ")
        self.words(text_at(document, "info.submission"))

    def _message(self, message: Object) -> None:
        answer = object_at(message, "extra.response")
        usage = object_at(answer, "usage")
        self.reports.add(
            Usage(
                text_at(answer, "model"),
                count_at(usage, "prompt_tokens"),
                count_at(usage, "completion_tokens"),
                count_at(usage, "prompt_tokens_details.cached_tokens"),
                count_at(usage, "completion_tokens_details.reasoning_tokens"),
                amount_at(message, "extra.cost") or None,
            )
        )
        if text_at(message, "role") == "assistant":
            self.words(text_at(message, "content"))

    def over(self) -> None:
        """Takes that nothing more will come."""
        self.worked = self.worked is True
