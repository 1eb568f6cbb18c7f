"""The settings of a run as they are kept with it: whole, but for the secrets that are set for agents."""

from collections.abc import Callable, Collection
from typing import Any, Final, get_args

from pydantic import BaseModel

from uet_tui.errors import UetError
from uet_tui.redaction import SHORTEST
from uet_tui.secrecy import is_secret
from uet_tui.settings.layers import load_settings
from uet_tui.settings.model import Settings

_MARK: Final = "«{}»"


def shown(name: str, value: object, keys: Collection[str]) -> object:
    """What is told of a variable that is set for an agent with such `keys`: a mark, if it is a secret."""
    secret = name in keys or is_secret(name)
    return _MARK.format(name) if secret and isinstance(value, str) and len(value) >= SHORTEST else value


def frozen(settings: Settings) -> dict[str, Any]:
    """The settings as JSON, with marks instead of secrets."""
    dumped = settings.model_dump(mode="json")
    for agent in dumped["agents"].values():
        agent["set"] = {name: shown(name, value, agent["keys"]) for name, value in agent["set"].items()}
    return dumped


def thawed(dumped: dict[str, Any], current: Callable[[], Settings]) -> dict[str, Any]:
    """What `frozen` gave, with the secrets that the operator's configuration holds now.

    Args:
        dumped: what was kept; changed in place, and returned.
        current: reads the configuration; called only where something is missing.

    Raises:
        UetError: a secret is not there any more.
    """
    for name, agent in dumped["agents"].items():
        for variable, value in agent.get("set", {}).items():
            if value == _MARK.format(variable):
                entry = current().agents.get(name)
                agent["set"][variable] = entry.set.get(variable) if entry is not None else None
                if agent["set"][variable] is None:
                    raise UetError(
                        f"agents.{name}.set.{variable} is a secret, which no run keeps, and it is not set any more: "
                        f"set it in config/agents.yaml again"
                    )
    return dumped


def completed(kept: dict[str, Any]) -> dict[str, Any]:
    """What `frozen` gave in an earlier version of uet, with what is shipped for the settings that came later."""
    return _filled(kept, frozen(load_settings(None, {}).settings), Settings)


def _filled(kept: dict[str, Any], shipped: dict[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    filled = dict(kept)
    for name, field in model.model_fields.items():
        section = field.annotation
        if name not in kept:
            filled[name] = shipped[name]
        elif isinstance(section, type) and issubclass(section, BaseModel):
            filled[name] = _filled(kept[name], shipped[name], section)
        else:
            inner = next(
                (one for one in get_args(section) if isinstance(one, type) and issubclass(one, BaseModel)), None
            )
            if inner is not None and isinstance(kept[name], dict):
                filled[name] = {key: _entry(value, shipped[name].get(key), inner) for key, value in kept[name].items()}
    return filled


def _entry(kept: Any, shipped: Any, model: type[BaseModel]) -> Any:  # noqa: ANN401 - JSON, which pydantic judges later
    """A named entry with what is shipped under its name for the fields that it must have and that came later."""
    if not isinstance(kept, dict) or not isinstance(shipped, dict):
        return kept
    needed = [name for name, field in model.model_fields.items() if field.is_required() and name not in kept]
    return {**kept, **{name: shipped[name] for name in needed}}
