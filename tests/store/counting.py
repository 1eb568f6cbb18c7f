"""What the store sends to SQLite, counted."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultExecutionContext
from sqlalchemy.engine.interfaces import CacheStats


@contextmanager
def statements(engine: Engine, *, only_compiled: bool = False) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile: one entry a statement, however many rows it carries or brings.

    With `only_compiled` just what had to be compiled for it.
    """
    sent: list[str] = []

    def note(
        _connection: object, _cursor: object, text: str, _values: object, context: DefaultExecutionContext, *_: object
    ) -> None:
        if not only_compiled or context.cache_hit is CacheStats.CACHE_MISS:
            sent.append(text)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)
