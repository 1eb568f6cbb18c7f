"""Formats that an operator describes in YAML alone: one JSON document, JSON lines, or an expression for any text."""

import re

from uet_tui.agents.reading.documents import Object, amount, json_object, value_at
from uet_tui.agents.reading.speech import Speech
from uet_tui.core.usage import Usage
from uet_tui.settings.agents import UsageSettings

_LONGEST = 10_000
"""Characters of a line that an expression is tried on."""


_LARGEST = 1 << 22
"""Characters of a document that is printed; of a larger one nothing is understood."""


class Mapped(Speech):
    """Reads use as `usage` of an agent's settings says, from its output or from a file."""

    mark = None

    def __init__(self, settings: UsageSettings) -> None:
        super().__init__()
        self.file = settings.file
        self.whole = settings.format == "json"
        self._settings = settings
        self._pattern = re.compile(settings.pattern)
        self._printed: list[str] = []
        self._written: Object | None = None
        self._room = _LARGEST

    def printed(self, line: str) -> None:
        """Takes a line of its output."""
        if self._settings.file or not self._counts(line):
            super().printed(line)

    def written(self, text: str) -> None:
        """Takes a line of its file, or the whole of it: that counts once it is over.

        Who takes the run up after a crash has not seen the versions before, and must come to the same reports.
        """
        if not self.whole:
            self._counts(text)
        elif (document := json_object(text)) is not None and self._matches(document):
            self._written = document

    def over(self) -> None:
        """Takes that nothing more will come: a document is whole now."""
        if self.whole:
            document = self._written if self._settings.file else json_object("\n".join(self._printed))
            self._take(_fields(document, self._settings))

    def _counts(self, text: str) -> bool:
        """Takes a piece of text; whether it was a report."""
        match self._settings.format:
            case "json":
                self._room -= len(text)
                if self._room > 0:
                    self._printed.append(text)
                return False
            case "regex":
                found = self._pattern.search(text[:_LONGEST])
                return found is not None and self._take(dict(found.groupdict()))
            case _:
                document = json_object(text)
                if document is None or not self._matches(document):
                    return False
                return self._take(_fields(document, self._settings))

    def _matches(self, document: object) -> bool:
        return all(_word(value_at(document, path)) == word for path, word in self._settings.match.items())

    def _take(self, values: dict[str, object]) -> bool:
        if not values:
            return False
        usage = Usage(
            str(values.get("model") or ""),
            int(_number(values.get("tokens_in")) or 0),
            int(_number(values.get("tokens_out")) or 0),
            int(_number(values.get("tokens_cached")) or 0),
            int(_number(values.get("tokens_reasoning")) or 0),
            _number(values.get("usd")),
        )
        (self.reports.total if self._settings.counts == "total" or self.whole else self.reports.add)(usage)
        return True


def _fields(document: object, settings: UsageSettings) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, paths in settings.fields.items():
        values = [value_at(document, path.strip()) for path in paths.split("+")]
        if name == "model":
            found[name] = next((value for value in values if isinstance(value, str)), "")
        elif any(amount(value) is not None for value in values):
            found[name] = sum(amount(value) or 0 for value in values)
    return found


def _word(value: object) -> str:
    """A value as YAML's author writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: object) -> float | None:
    """An amount, or the text of one, with commas between thousands if it likes."""
    if isinstance(value, str):
        try:
            value = float(value.replace(",", ""))
        except ValueError:
            return None
    return amount(value)
