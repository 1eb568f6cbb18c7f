"""The keys of the workstream screen."""

from textual.binding import Binding, BindingType

ATTEMPT = Binding.Group("attempt")

KEYS: list[BindingType] = [
    Binding("f", "tab('facts-pane')", "facts", id="workstream.facts", tooltip="State, attempts, scope, tasks"),
    Binding("o", "tab('output-pane')", "output", id="workstream.output", tooltip="What the attempt prints"),
    Binding("d", "tab('diff-pane')", "diff", id="workstream.diff", tooltip="What the attempt changed"),
    Binding("i", "tab('prompt-pane')", "prompt", id="workstream.prompt", tooltip="What the agent was told"),
    Binding("t", "tab('gates-pane')", "gates", id="workstream.gates", tooltip="What gates and tests said of it"),
    Binding("v", "tab('events-pane')", "events", id="workstream.events", tooltip="What happened to it"),
    Binding("ctrl+left", "next_tab(-1)", "previous tab", show=False),
    Binding("ctrl+right", "next_tab(1)", "next tab", show=False),
    Binding(
        "[",
        "attempt(-1)",
        "earlier attempt",
        key_display="[",
        group=ATTEMPT,
        id="workstream.earlier",
        tooltip="Look at the attempt before",
    ),
    Binding(
        "]",
        "attempt(1)",
        "later attempt",
        key_display="]",
        group=ATTEMPT,
        id="workstream.later",
        tooltip="Look at the next attempt",
    ),
    Binding("r", "retry", "retry", id="workstream.retry", tooltip="Try it again, with one attempt more"),
    Binding("k", "kill", "kill", id="workstream.kill", tooltip="End the running attempt"),
    Binding("h", "hold", "hold", id="workstream.hold", tooltip="Keep it from being started and merged until I let go"),
    Binding("h", "release", "release", id="workstream.release", tooltip="Let it go on"),
    Binding("1", "first", "first", id="workstream.first", tooltip="Merge it before what else is queued"),
    Binding("c", "conflict", "conflict", id="workstream.conflict", tooltip="Open its conflict at the desk"),
    Binding("escape", "leave", "back", id="workstream.leave", key_display="esc", tooltip="Back"),
]
