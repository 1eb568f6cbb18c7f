"""Every key that applies on a screen is also a command of the palette."""

from collections.abc import Iterable
from functools import partial

from textual.app import App, SystemCommand
from textual.screen import Screen


def acts_of(app: App[None], screen: Screen[object]) -> Iterable[SystemCommand]:
    """A command for each binding that has an explanation and applies now."""
    told: set[str] = set()
    for key, active in screen.active_bindings.items():
        binding = active.binding
        if not (binding.tooltip and binding.description and active.enabled) or binding.action in told:
            continue
        told.add(binding.action)
        name = binding.description[0].upper() + binding.description[1:]
        about = f"{binding.tooltip}  ({binding.key_display or key})"
        yield SystemCommand(name, about, partial(app.run_action, binding.action, active.node))
