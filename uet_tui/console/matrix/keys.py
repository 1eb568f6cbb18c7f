"""The keys of the forecast: the matrix and one pair of it."""

from textual.binding import Binding, BindingType

MATRIX: list[BindingType] = [
    Binding("n", "next_pair(1)", "next", id="matrix.next", tooltip="Go to the next pair that is not clean"),
    Binding("N", "next_pair(-1)", "previous", id="matrix.previous", tooltip="Go to the pair before", show=False),
    Binding("h", "hold", "hold", id="matrix.hold", tooltip="Keep the row's branch from being merged until I let go"),
    Binding("h", "release", "release", id="matrix.release", tooltip="Let the row's branch be merged again"),
    Binding("1", "first", "first", id="matrix.first", tooltip="Merge the row's branch before what else is queued"),
    Binding("escape", "leave", "back", id="matrix.leave", key_display="esc", tooltip="Back"),
]

PAIR: list[BindingType] = [
    Binding("tab", "app.focus_next", "next box", id="pair.next_box", tooltip="Go to the next box"),
    Binding("shift+tab", "app.focus_previous", "box before", id="pair.box_before", show=False),
    Binding("escape", "leave", "back", id="pair.leave", key_display="esc", tooltip="Back"),
]
