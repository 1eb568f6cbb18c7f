"""How good estimates of tokens were: the table and the document of `uet costs --accuracy`."""

from collections.abc import Sequence

from rich.console import RenderableType
from rich.text import Text

from uet_tui.core.estimates import Accuracy
from uet_tui.report.cells import cell, columns
from uet_tui.report.documents import Document

_NUMBERS = frozenset({"attempts", "counted", "estimated", "used", "error", "newest", "next"})


def accuracy_document(found: Sequence[Accuracy]) -> Document:
    """Estimate and use of each agent with each model; errors as shares of what was used."""
    return {
        "accuracy": [
            {
                "agent": one.agent,
                "model": one.model,
                "attempts": one.attempts,
                "counted_tokens": one.counted,
                "estimated_tokens": one.estimated,
                "used_tokens": one.used,
                "error": one.error,
                "newest_error": one.newest_error,
                "factor": one.factor.value,
                "factor_error": one.factor.error,
                "learned_from": one.factor.attempts,
            }
            for one in found
        ]
    }


def accuracy_table(found: Sequence[Accuracy]) -> RenderableType:
    """The same for people."""
    if not found:
        return Text("no attempt yet that was estimated, went well and said what it used")
    table = columns(
        "agent", "model", "attempts", "counted", "estimated", "used", "error", "newest", "next", right=_NUMBERS
    )
    for one in found:
        spread = "" if one.factor.error is None else f" ± {one.factor.error:.0%}"
        table.add_row(
            cell(one.agent),
            cell(one.model or "–"),
            str(one.attempts),
            f"{one.counted:,}",
            f"{one.estimated:,}",
            f"{one.used:,}",
            f"{one.error:.0%}",
            f"{one.newest_error:.0%}",
            f"× {one.factor.value:.2f}{spread}",
        )
    return table
