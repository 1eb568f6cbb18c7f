"""The keys of the breakdown."""

from textual.binding import Binding, BindingType

_SIDES = Binding.Group("side")

BREAKDOWN: list[BindingType] = [
    Binding("1", "side(1)", "workstreams", id="breakdown.workstreams", tooltip="By workstream", group=_SIDES),
    Binding("2", "side(2)", "attempts", id="breakdown.attempts", tooltip="By attempt", group=_SIDES),
    Binding("3", "side(3)", "models", id="breakdown.models", tooltip="By model", group=_SIDES),
    Binding("4", "side(4)", "waves", id="breakdown.waves", tooltip="By wave", group=_SIDES),
    Binding("5", "side(5)", "outcomes", id="breakdown.outcomes", tooltip="By what became of it", group=_SIDES),
    Binding("tab,right", "turn_side(1)", "next side", id="breakdown.next_side", show=False),
    Binding("shift+tab,left", "turn_side(-1)", "side before", id="breakdown.side_before", show=False),
    Binding("s", "sort_by_next", "sort", id="breakdown.sort", tooltip="Sort by the next column"),
    Binding("S", "turn_order", "turn", id="breakdown.turn", tooltip="Turn the order round"),
    Binding("b", "budget", "budget", id="breakdown.budget", tooltip="Say how much the run may spend"),
    Binding("escape", "leave", "back", id="breakdown.leave", key_display="esc", tooltip="Back"),
]
