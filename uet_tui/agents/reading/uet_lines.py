"""The format of agents that are made for uet: JSON lines with a `uet` key, each with all that was used so far."""

from uet_tui.agents.reading.documents import amount_at, count_at, json_object, object_at, text_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage


class UetLines(Speech):
    """`{"uet": {"tokens_in": 9000, "tokens_out": 800, "cost_usd": 0.12}}`, with `model` and other amounts if known."""

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        if not self.stated(line):
            self.plain(line)
            return
        said = object_at(json_object(line.strip().strip("`")), "uet")
        self.reports.total(
            Usage(
                text_at(said, "model"),
                count_at(said, "tokens_in"),
                count_at(said, "tokens_out"),
                count_at(said, "tokens_cached"),
                count_at(said, "tokens_reasoning"),
                amount_at(said, "cost_usd"),
            )
        )
