"""The shift as it is known now, and the journal that backs it: nothing counts that cannot be read back after a power cut.

What has happened is noted and written at the end of a round (`Book.commit`). What is about to happen is recorded before
it does (`Book.record`). While the journal cannot be written, notes wait in memory and nothing new is recorded.
"""

from collections.abc import Callable
from typing import Any

from controller.supervision.archive import Archive
from controller.supervision.shift import JournalError, Shift, advance


class Book:
    """State and journal of one cell; calls come from one thread.

    Args:
        archive: Where the journal is kept.
        utc_ns: Time of day.

    Attributes:
        shift: The state that everything recorded and noted leads to.
        failure: Why the journal could not be written last time; empty when it could.
    """

    def __init__(self, archive: Archive, utc_ns: Callable[[], int]) -> None:
        self._archive = archive
        self._utc_ns = utc_ns
        self._pending: list[Any] = []
        self.shift: Shift = archive.journal.shift()
        self.failure = ""

    @property
    def pending(self) -> int:
        """Events that are noted and not written yet."""
        return len(self._pending)

    @property
    def empty(self) -> bool:
        """Whether nothing has ever been written."""
        return self.shift == Shift()

    def note(self, *events: Any) -> None:
        """Take in what has happened; it is written by the next `commit`.

        Raises:
            JournalError: When an event contradicts the state.
        """
        for event in events:
            self.shift = advance(self.shift, event)
            self._pending.append(event)

    def record(self, *events: Any) -> None:
        """Write events, and all that was noted before; when this returns they are on the disk.

        Raises:
            JournalError: When one contradicts the state or cannot be written; then none of them counts.
        """
        shift = self.shift
        for event in events:
            shift = advance(shift, event)
        self._write([*self._pending, *events], shift)
        self.shift = shift

    def commit(self) -> bool:
        """Write what was noted; whether everything is on the disk."""
        try:
            if self._pending:
                self._write(self._pending, self.shift)
            elif self.failure:
                self._archive.journal.probe()
                self.failure = ""
        except JournalError:
            return False
        return True

    def _write(self, events: list[Any], shift: Shift) -> None:
        try:
            self._archive.append(events, self._utc_ns(), shift)
        except JournalError as error:
            self.failure = str(error)
            raise
        self._pending = []
        self.failure = ""
