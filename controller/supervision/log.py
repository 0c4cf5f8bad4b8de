"""Structured logs: one JSON object a line, with the cycle and the joint it is about."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

LOG_NAME = "cell.log"
LOGGER = logging.getLogger("jointcell.cell")
LOGGER.addHandler(logging.NullHandler())
_LARGEST = 20_000_000  # bytes of a file
_FILES = 5


class JsonLines(logging.Formatter):
    """``time`` (UTC), ``level``, ``message``, ``cycle``, ``joint`` and whatever else a line has to say."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


class CellLog:
    """Writes lines about one cell; ``cycle`` counts the joints that have left."""

    def __init__(self) -> None:
        self.cycle = 0

    def info(self, message: str, joint: str = "", **facts: object) -> None:
        """Something worth keeping."""
        self._line(logging.INFO, message, joint, facts)

    def warning(self, message: str, joint: str = "", **facts: object) -> None:
        """Something that somebody should look at."""
        self._line(logging.WARNING, message, joint, facts)

    def error(self, message: str, error: BaseException) -> None:
        """A fault of this program, with where it was met."""
        facts = {"cycle": self.cycle, "joint": ""}
        LOGGER.error(message, exc_info=error, extra={"facts": facts})

    def _line(self, level: int, message: str, joint: str, facts: dict[str, object]) -> None:
        LOGGER.log(level, message, extra={"facts": {"cycle": self.cycle, "joint": joint, **facts}})


@contextmanager
def log_to(path: Path) -> Iterator[None]:
    """Write the lines into a file that begins anew when it is large; the last few are kept."""
    handler = RotatingFileHandler(path, maxBytes=_LARGEST, backupCount=_FILES, encoding="utf-8")
    handler.setFormatter(JsonLines())
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        handler.close()
