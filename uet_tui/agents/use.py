"""What an attempt used and said, read from the end of its output. What is not understood is left alone."""

import json
import math
from dataclasses import dataclass
from pathlib import Path

from uet_tui.core.usage import Usage

_TAIL = 65_536
"""Bytes of output that are read: agents report at their end."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one attempt used."""

    reports: tuple[Usage, ...] = ()
    no_change: bool = False
    """It said that nothing needs changing."""
    last_line: str = ""
    """The last thing it printed, for the error of a failed attempt; not yet harmless."""


def read_use(output: Path, *, json_lines: bool) -> Use:
    """The use that the agent reported in JSON lines with a `uet` key; later lines win."""
    try:
        with output.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL))
            lines = file.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return Use()
    usd, tokens_in, tokens_out, no_change, last = 0.0, 0, 0, False, ""
    for line in lines:
        said = _said(line)
        if said is None:
            last = line if line.strip() else last
            continue
        no_change = no_change or said.get("no_change") is True
        if json_lines:
            usd = _amount(said.get("cost_usd"), usd)
            tokens_in = int(_amount(said.get("tokens_in"), tokens_in))
            tokens_out = int(_amount(said.get("tokens_out"), tokens_out))
    used = usd or tokens_in or tokens_out
    return Use((Usage("", tokens_in, tokens_out, usd=usd),) if used else (), no_change, last)


def _said(line: str) -> dict[str, object] | None:
    if not line.startswith('{"uet"'):
        return None
    try:
        said = json.loads(line)["uet"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _amount(value: object, otherwise: float) -> float:
    """A finite amount that is not negative; anything else is not an amount and changes nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise
    try:
        number = float(value)
    except OverflowError:
        return otherwise
    return number if math.isfinite(number) and 0 <= number < 1e12 else otherwise
