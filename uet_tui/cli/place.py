"""Where a command stands: the operator's repository and the settings that hold there."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from uet_tui.settings.layers import Loaded, load_settings


def repository() -> Path | None:
    """The root of the checkout that the current folder is in; None outside of one."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)


def settings(sets: Sequence[str] | None, flags: Mapping[str, object] | None = None) -> Loaded:
    """The settings that hold here; raises `UetError` for a wrong one."""
    return load_settings(repository(), os.environ, sets or (), flags)
