"""Keeping reports of use so that they only grow, whether an agent tells what each step used or all so far."""

from typing import Final

from uet_tui.core.usage import Usage

_SINGLE: Final = 1_000
"""Reports that are kept one by one: an agent makes one for each call of its model. A flood is put together."""
_SHARE: Final = 50
"""Of a flood so many of what was reported before are put together at once: one in 50."""


class Reports:
    """The reports of one agent, from the first."""

    def __init__(self) -> None:
        self._reports: list[Usage] = []
        self._so_far: dict[str, Usage] = {}
        self._waiting: dict[tuple[str, bool], Usage] = {}
        self._held = 0

    def add(self, usage: Usage) -> None:
        """Takes a report of what was used since the one before; one of nothing is none."""
        if not (usage.tokens_in or usage.tokens_out or usage.usd):
            return
        if len(self._reports) < _SINGLE:
            self._reports.append(usage)
            return
        key = (usage.model, usage.usd is None)
        before = self._waiting.get(key)
        self._waiting[key] = usage if before is None else _sum(before, usage)
        self._held += 1
        if self._held * _SHARE >= len(self._reports):
            self.close()

    def total(self, usage: Usage) -> None:
        """Takes a report of all that a model used so far: what is more than before is the report. Less is no news."""
        before = self._so_far.get(usage.model, Usage(usage.model))
        self._so_far[usage.model] = Usage(
            usage.model,
            max(usage.tokens_in, before.tokens_in),
            max(usage.tokens_out, before.tokens_out),
            max(usage.tokens_cached, before.tokens_cached),
            max(usage.tokens_reasoning, before.tokens_reasoning),
            before.usd if usage.usd is None else max(usage.usd, before.usd or 0.0),
        )
        now = self._so_far[usage.model]
        self.add(
            Usage(
                usage.model,
                now.tokens_in - before.tokens_in,
                now.tokens_out - before.tokens_out,
                now.tokens_cached - before.tokens_cached,
                now.tokens_reasoning - before.tokens_reasoning,
                None if usage.usd is None or now.usd is None else now.usd - (before.usd or 0.0),
            )
        )

    def close(self) -> None:
        """Reports what waits to be put together with more: nothing else comes, or enough of it has."""
        self._reports.extend(self._waiting.values())
        self._waiting.clear()
        self._held = 0

    def all(self) -> tuple[Usage, ...]:
        """All of them."""
        return tuple(self._reports)


def _sum(one: Usage, other: Usage) -> Usage:
    """Two reports of the same model as one."""
    return Usage(
        one.model,
        one.tokens_in + other.tokens_in,
        one.tokens_out + other.tokens_out,
        one.tokens_cached + other.tokens_cached,
        one.tokens_reasoning + other.tokens_reasoning,
        None if one.usd is None or other.usd is None else one.usd + other.usd,
        estimated=one.estimated or other.estimated,
    )
