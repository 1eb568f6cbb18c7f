"""The templates of prompts, from the layers that settings have: shipped, operator's, repository's; the last counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from uet_tui.errors import UetError
from uet_tui.settings.layers import folders

FOLDER = "prompts"
"""In a configuration folder: where templates are."""
ENDING = ".md.j2"


@dataclass(frozen=True, slots=True)
class PromptFile:
    """One template, as text."""

    text: str
    place: str
    """The file, as errors write it."""
    layer: str
    """`shipped`, `operator` or `repository`."""


def read_prompts(repository: Path | None) -> Mapping[str, PromptFile]:
    """The effective templates, by name.

    Args:
        repository: The root of the operator's checkout; None outside of one.

    Raises:
        UetError: one cannot be read.
    """
    found: dict[str, PromptFile] = {}
    for layer, folder, shown in folders(repository):
        for path in sorted((folder / FOLDER).glob(f"*{ENDING}")):
            if path.is_file():
                place = f"{shown}/{FOLDER}/{path.name}"
                found[path.name] = PromptFile(_read(path, place), place, layer)
    return found


def overridden(prompts: Mapping[str, PromptFile]) -> bool:
    """Whether any of them is not as it was shipped."""
    return any(file.layer != "shipped" for file in prompts.values())


def _read(path: Path, place: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UetError(f"{place}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise UetError(f"{place}: cannot be read: {error.strerror}") from error
