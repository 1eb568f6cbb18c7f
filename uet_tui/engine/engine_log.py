"""What the engine logs about itself: in the run's folder, for the screen belongs to the console."""

import logging
from contextlib import suppress
from typing import Final

from uet_tui.engine.workplace import Workplace
from uet_tui.redaction import Redactor

_LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"


class EngineLog:
    """The run's `engine.log`, until it is closed."""

    def __init__(self, handler: logging.Handler) -> None:
        self._handler = handler

    def close(self) -> None:
        """Ends the logging."""
        logging.getLogger("uet_tui").removeHandler(self._handler)
        self._handler.close()


class _File(logging.FileHandler):
    """A log that cannot be written, as on a full disk, is no reason to write to the operator's terminal."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Does nothing: what the run needs is in the store."""

    def close(self) -> None:
        """Closes the file, whether or not what is left can be written."""
        with suppress(OSError):
            super().close()


class _RedactingFormatter(logging.Formatter):
    """Lays out what is logged, without secrets: errors quote what agents and gates printed."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(_LOG_FORMAT)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, its traceback included."""
        return self._redactor.text(super().format(record))


def log_to_file(place: Workplace) -> EngineLog:
    """Sends what the engine logs about itself to the run's `engine.log`: the screen belongs to the console."""
    handler = _File(place.paths.engine_log, encoding="utf-8")
    handler.setFormatter(_RedactingFormatter(place.redactor))
    logger = logging.getLogger("uet_tui")
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    return EngineLog(handler)
