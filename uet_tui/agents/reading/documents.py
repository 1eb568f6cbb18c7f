"""JSON as agents write it: read without trust. What is no JSON, no amount or no text there is not there."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

from uet_tui.plan.model import MOST_USD

Object = Mapping[str, object]
_NOTHING: Final[Object] = {}


def json_object(text: str) -> Object | None:
    """The JSON object that a text is; None if it is none, or holds a number that is not finite."""
    try:
        found = json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _refused(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def value_at(document: object, path: str) -> object:
    """What stands at a dotted path, in which numbers count the items of lists; None where nothing does."""
    for key in path.split("."):
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document


def object_at(document: object, path: str) -> Object:
    """The object at a path; an empty one where none is."""
    found = value_at(document, path)
    return found if isinstance(found, dict) else _NOTHING


def objects_at(document: object, path: str) -> Iterator[Object]:
    """The objects in the list at a path."""
    found = value_at(document, path)
    yield from (one for one in found if isinstance(one, dict)) if isinstance(found, list) else ()


def text_at(document: object, path: str) -> str:
    """The text at a path; empty where none is."""
    found = value_at(document, path)
    return found if isinstance(found, str) else ""


def amount(value: object) -> float | None:
    """An amount of tokens or dollars: finite, not negative, not too large to be true; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and 0 <= number < MOST_USD else None


def count_at(document: object, *paths: str) -> int:
    """The amounts at some paths in all; what is no amount counts nothing."""
    return sum(int(amount(value_at(document, path)) or 0) for path in paths)


def amount_at(document: object, path: str) -> float | None:
    """The amount at a path; None where none is."""
    return amount(value_at(document, path))
