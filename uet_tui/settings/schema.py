"""What keys there are, read off the typed settings: for suggestions and for knowing text from numbers."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Literal, get_args, get_origin

from pydantic import BaseModel

from uet_tui.settings.model import Settings

Path = tuple[str, ...]


def _type_at(path: Path) -> object:
    """The annotation at a path; None where no key of that name may be."""
    annotation: object = Settings
    for key in path:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(key)
            annotation = field.annotation if field else None
        elif get_origin(annotation) is Mapping:
            annotation = get_args(annotation)[1]
        elif get_origin(annotation) is tuple and key.isdecimal():
            annotation = get_args(annotation)[0]
        else:
            return None
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
    return annotation


def keys_at(path: Path) -> tuple[str, ...]:
    """The keys that may stand under a path; empty where any name may, or none."""
    annotation = _type_at(path)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return tuple(annotation.model_fields)
    if get_origin(annotation) is Mapping:
        return get_args(get_args(annotation)[0])
    return ()


def is_text(path: Path) -> bool:
    """Whether the value at a path is text, so that it is taken as typed and not read as YAML."""
    annotation = _type_at(path)
    return annotation is str or get_origin(annotation) is Literal


def _all_keys(path: Path = ()) -> tuple[Path, ...]:
    return tuple(deep for key in keys_at(path) for deep in _all_keys((*path, key)) or ((*path, key),))


def nearest(path: Path) -> str | None:
    """The dotted key that was most likely meant by an unknown one: the same word elsewhere, a sibling, or any."""
    *parent, wrong = path
    known = [".".join(key) for key in _all_keys()]
    same_word = [key for key in known if key.rsplit(".", 1)[-1] == wrong]
    siblings = [".".join((*parent, key)) for key in get_close_matches(wrong, keys_at(tuple(parent)), n=1)]
    return next(iter(same_word or siblings or get_close_matches(".".join(path), known, n=1)), None)
