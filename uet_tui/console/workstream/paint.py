"""Lines of diffs, prompts and events in their colours. Pure."""

from textual.content import Content

from uet_tui.console.format import clock, event_look
from uet_tui.store.views import EventView

MOST_LINES = 50_000
"""Lines of a diff or prompt that are shown; whoever wants more has the file."""
MOST_CONTEXT = 12
"""Lines of what a prompt leaves out that are shown above it."""
_DIFF = (
    ("+++", "bold"),
    ("---", "bold"),
    ("@@", "$text-accent"),
    ("+", "$text-success on $success 10%"),
    ("-", "$text-error on $error 10%"),
    ("diff ", "bold $text-primary"),
    ("index ", "$foreground-muted"),
    ("\\", "$foreground-muted"),
)


def diff_lines(diff: str) -> list[Content]:
    """A unified diff; signs stay, so that it reads without colour."""
    return [_diff_line(line) for line in _lines(diff)]


def _diff_line(line: str) -> Content:
    style = next((style for start, style in _DIFF if line.startswith(start)), "")
    return Content.styled(line, style) if style else Content(line)


def plain_lines(text: str) -> list[Content]:
    """A text as it is."""
    return [Content(line) for line in _lines(text)]


def prompt_lines(prompt: str, context: str) -> list[Content]:
    """What the agent was told, below what it comes to and what of the files it leaves out."""
    head = _lines(context)
    if len(head) > MOST_CONTEXT:
        head = [*head[:MOST_CONTEXT], f"… {len(head) - MOST_CONTEXT} more in context.txt, beside the prompt"]
    above = [Content.styled(line, "$foreground-muted") for line in (*head, "")] if head else []
    return [*above, *plain_lines(prompt)]


def event_line(event: EventView) -> Content:
    """When, what kind, what."""
    look = event_look(event.type, event.severity)
    return Content.assemble(
        (f"{clock(event.time)} ", "$foreground-muted"), (f"{look.glyph} ", look.style), (event.text, look.style)
    )


def _lines(text: str) -> list[str]:
    lines = text.removesuffix("\n").split("\n") if text else []
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], f"… {len(lines) - MOST_LINES} more lines"]
