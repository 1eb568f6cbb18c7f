"""Keeping reports of use so that they only grow, whether an agent tells what each step used or all so far."""

from uet_tui.core.usage import Usage


class Reports:
    """The reports of one agent, from the first."""

    def __init__(self) -> None:
        self._reports: list[Usage] = []
        self._so_far: dict[str, Usage] = {}

    def add(self, usage: Usage) -> None:
        """Takes a report of what was used since the one before; one of nothing is none."""
        if usage.tokens_in or usage.tokens_out or usage.usd:
            self._reports.append(usage)

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

    def all(self) -> tuple[Usage, ...]:
        """All of them."""
        return tuple(self._reports)
