"""aider: use comes as JSON lines in its `--analytics-log`, everything else as text; it ends with 0 whatever happens.

It worked if the model answered and nothing was wrong afterwards. After each answer it prints a line `Tokens: ...`,
which is how an error that it got over is told from one that it did not.
"""

from typing import Final

from uet_tui.agents.reading.documents import amount_at, count_at, json_object, object_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage

ANALYTICS: Final = "analytics.jsonl"
"""What the command line of the shipped entry calls its log."""
_TROUBLE: Final = ("litellm.", "Empty response received from LLM", "The LLM did not conform to the edit format")
_MORE: Final = 4
"""Lines that an error goes on for: they are broken at 80 columns."""


class Aider(Speech):
    """What aider prints and logs."""

    file = ANALYTICS
    mark = None

    def __init__(self) -> None:
        super().__init__()
        self._answered = False
        self._more = 0

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        super().printed(line)
        if line.startswith(_TROUBLE) or "has hit a token limit!" in line:
            self.trouble, self._more = line.strip(), _MORE if line.startswith("litellm.") else 0
        elif line.startswith("Tokens: ") and " sent, " in line:
            if not self.trouble.startswith("Empty"):
                self.trouble, self._more = "", 0
        elif self._more:
            self._more -= 1
            self.trouble = f"{self.trouble} {line.strip()}".strip()

    def written(self, text: str) -> None:
        """Takes a line of its log."""
        said = json_object(text)
        if text_at(said, "event") != "message_send":
            return
        sent = object_at(said, "properties")
        out = count_at(sent, "completion_tokens")
        if not out:  # it did not fit, and what aider says of it is a guess
            return
        self._answered = True
        model = text_at(sent, "main_model")
        usd = amount_at(sent, "cost")
        self.reports.add(
            Usage(
                "" if model.endswith("REDACTED") else model,
                count_at(sent, "prompt_tokens"),
                out,
                usd=usd or None,  # it says 0 where it does not know
            )
        )

    def over(self) -> None:
        """Takes that nothing more will come."""
        self.worked = self._answered and not self.trouble
