"""The last lines of the log, for the System page."""

import logging
from collections import deque

from typing_extensions import TypedDict

from controller.panel.picture import utc_text

_KEPT = 500
_LONGEST = 500


class LogLine(TypedDict):
    """One line."""

    time_utc: str
    level: str
    source: str
    text: str


class LogLines(logging.Handler):
    """Keeps the last lines."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._kept: deque[LogLine] = deque(maxlen=_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line, with the kind and words of an exception but without its traceback."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            text = f"{text}: {record.exc_info[0].__name__}: {record.exc_info[1]}"
        self._kept.append(
            LogLine(
                time_utc=utc_text(int(record.created * 1e9)),
                level=record.levelname,
                source=record.name,
                text=text[:_LONGEST],
            )
        )

    def lines(self) -> list[LogLine]:
        """The lines kept, newest first."""
        return list(reversed(self._kept))
