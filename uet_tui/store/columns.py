"""The column types of the store: foreign text is made harmless here, on its way in, whoever writes it."""

from collections.abc import Mapping
from math import isfinite

from sqlalchemy import JSON, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from uet_tui.text import harmless, one_line


class Line(TypeDecorator[str]):
    """Text for one line of the screen."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Makes it harmless, and one line."""
        return None if value is None else one_line(value)


class Prose(TypeDecorator[str]):
    """Text of any number of lines."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Makes it harmless."""
        return None if value is None else harmless(value)


class Data(TypeDecorator[object]):
    """Values as JSON; every text in them is harmless."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> object:
        """Makes it harmless, and JSON."""
        return clean(value)


class Exact(TypeDecorator[object]):
    """Values as JSON, kept as they are: lines of files that a resolution is built from. Readers make them harmless."""

    impl = JSON
    cache_ok = True


def clean(value: object) -> object:
    """The value as JSON can hold it, all text harmless; what JSON has no form for is told in words."""
    match value:
        case str():
            return harmless(value)
        case bool() | int() | None:
            return value
        case float():
            return value if isfinite(value) else str(value)
        case Mapping():
            return {harmless(str(key)): clean(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [clean(item) for item in value]
        case _:
            return harmless(str(value))
