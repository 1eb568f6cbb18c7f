"""Settings from their layers, the later wins: shipped, operator's, repository's, environment, `--set`, flags."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from pydantic import ValidationError

from uet_tui.errors import UetError
from uet_tui.resources import CONFIG
from uet_tui.settings.model import Settings
from uet_tui.settings.reading import read_file, read_value
from uet_tui.settings.schema import is_text, keys_at, nearest
from uet_tui.settings.tree import Leaf, Origin, Section, merged, nested

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FILES = ("uet.yaml", "budget.yaml", "agents.yaml", "gates.yaml")
"""The files of a configuration folder; others in it are not read, for `config/` is a common name."""
_PREFIX = "UET_"
_WORDS = {
    "Input should": "should",
    "String should": "should",
    "an object": "a mapping",
    "a valid array": "a list",
    "a valid tuple": "a list",
}
"""What a setting should be, in the words of whoever writes YAML."""
_KEY = "[key]"
"""How pydantic says that it means a mapping's key, not what stands under it."""
_NO_SETTING = frozenset({"UET_ATTEMPT", "UET_FAILPOINT", "UET_FAILPOINT_TRACE"})
"""Variables that uet itself gives to agents, so that an agent may call `uet` too; and what tests of uet kill it by."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The effective settings, and where each value came from."""

    settings: Settings
    origins: Mapping[str, Origin]
    """By dotted key."""
    values: Mapping[str, object]
    """By dotted key, as plain values."""


def load_settings(
    repository: Path | None,
    environ: Mapping[str, str],
    sets: Sequence[str] = (),
    flags: Mapping[str, object] | None = None,
) -> Loaded:
    """The effective settings.

    Args:
        repository: The root of the operator's checkout, whose `config/` is read; None outside of one.
        environ: The environment; `UET_WORKERS=2`, nested keys with two underscores: `UET_RETRY__BASE_SECONDS`.
        sets: What was given to `--set`: `retry.base_seconds=3`.
        flags: The command's own flags by dotted key; None is not set.

    Raises:
        UetError: an unknown or wrong key or value; names the place and the nearest right key.
    """
    tree = Section(Origin("shipped", "config"))
    for layer, folder, shown in folders(repository):
        for name in FILES:
            if (folder / name).is_file():
                tree = merged(tree, read_file(folder / name, layer, f"{shown}/{name}"))
    for name, text in sorted(environ.items()):
        if name.startswith(_PREFIX) and name not in _NO_SETTING:
            tree = merged(tree, _parsed(_variable_path(tree, name), text, Origin("environment", name)))
    for given in sets:
        key, equals, text = given.partition("=")
        path = tuple(key.strip().split("."))
        if not equals or not all(path):
            raise UetError(f"--set {given}: write it as KEY=VALUE, such as --set retry.base_seconds=3")
        tree = merged(tree, _parsed(path, text, Origin("--set", f"--set {given}")))
    for key, value in (flags or {}).items():
        if value is not None:
            path = tuple(key.split("."))
            origin = Origin("flag", "--" + path[-1].replace("_", "-"))
            tree = merged(tree, nested(path, Leaf(value, origin)))
    leaves = {".".join(path): leaf for path, leaf in tree.leaves()}
    typed = _typed(tree)
    _check_resolver(typed, leaves["ladder.agent"].origin)
    return Loaded(
        typed,
        origins={key: leaf.origin for key, leaf in leaves.items()},
        values={key: leaf.value for key, leaf in leaves.items()},
    )


def _check_resolver(settings: Settings, origin: Origin) -> None:
    name, agents = settings.ladder.agent, settings.agents
    if name in ("own", "none"):
        return
    if name not in agents:
        raise UetError(
            f"{origin}: `ladder.agent` should be own, none, or one of {', '.join(sorted(agents))}, not {name}"
        )
    if agents[name].prompt == "script":
        raise UetError(f"{origin}: `ladder.agent` should be an agent that reads text: the prompt of {name} is a script")


def folders(repository: Path | None) -> Iterator[tuple[str, Path, str]]:
    """The configuration folders, the later wins: layer, folder, and how errors write it."""
    yield "shipped", CONFIG, "shipped config"
    own = platformdirs.user_config_path("uet")
    yield "operator", own, str(own)
    if repository is not None:
        yield "repository", repository / "config", "config"


def _parsed(path: tuple[str, ...], text: str, origin: Origin) -> Section:
    node = Leaf(text, origin) if is_text(path) else read_value(text, origin)
    if isinstance(node, Leaf):
        return nested(path, node)
    for key in reversed(path):
        node = Section(origin, {key: node})
    return node


def _variable_path(tree: Section, name: str) -> tuple[str, ...]:
    """The path that a variable names; the case and dashes of existing keys are found, new ones are lower case."""
    path: tuple[str, ...] = ()
    for word in name.removeprefix(_PREFIX).split("__"):
        node = tree.find(path)
        known = (*keys_at(path), *(node.children if isinstance(node, Section) else ()))
        path = (*path, next((key for key in known if key.upper().replace("-", "_") == word), word.lower()))
    return path


def _typed(tree: Section) -> Settings:
    try:
        return Settings.model_validate_json(json.dumps(tree.plain()), strict=True)
    except ValidationError as error:
        wrong = sorted(error.errors(include_url=False), key=lambda one: not _unknown(one))
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        raise UetError(_told(tree, wrong[0]) + more) from error


def _unknown(wrong: "ErrorDetails") -> bool:
    """Whether it is the key itself that is wrong."""
    return wrong["type"] == "extra_forbidden" or wrong["loc"][-1:] == (_KEY,)


def _told(tree: Section, wrong: "ErrorDetails") -> str:
    """One line that names the place, the key, what is wrong and what would be right."""
    path = tuple(str(part) for part in wrong["loc"] if part != _KEY)
    key, place = ".".join(path), tree.origin_of(wrong["loc"])
    if _unknown(wrong):
        meant = nearest(path)
        return f"{place}: unknown key `{key}`" + (f"; did you mean `{meant}`?" if meant else "")
    match wrong["type"]:
        case "missing":
            return f"{place}: `{'.'.join(path[:-1])}` lacks `{path[-1]}`; add it"
        case _:
            found = json.dumps(wrong["input"], ensure_ascii=False)
            rule = wrong["msg"].removeprefix("Value error, ")
            for machine, word in _WORDS.items():
                rule = rule.replace(machine, word)
            return f"{place}: `{key}` {rule}, not {found}"
