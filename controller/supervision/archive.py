"""The journal over years: numbered files in one directory, the newest of which is written; the oldest are let go.

A file that has grown to its limit is succeeded by a new one that carries the state on. Joints that were in work then have
their story in two files.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from controller.supervision.journal import Entry, JointRow, Journal
from controller.supervision.shift import JournalError, Shift

_NAME = re.compile(r"cell-(\d{6})\.db")
_CELL_WAITS_S = 0.05  # for a file that somebody locked: arms are moving meanwhile


class Archive:
    """The journal files of a cell; use it as a context manager. Calls come from one thread.

    Args:
        directory: Made when there is none.
        largest_bytes: Size at which a file is succeeded.
        kept: Files that are kept, the newest among them.

    Attributes:
        journal: The file that is written.

    Raises:
        JournalError: When the newest file cannot be used.
    """

    def __init__(self, directory: Path, *, largest_bytes: int = 4_000_000_000, kept: int = 24) -> None:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"{directory}: cannot be made: {error.strerror}") from error
        self._directory = directory
        self._largest_bytes = largest_bytes
        self._kept = kept
        files = journal_files(directory)
        self.journal = Journal(files[-1] if files else _path(directory, 1), busy_s=_CELL_WAITS_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.journal.__exit__(kind, error, trace)

    def append(self, events: Sequence[Any], utc_ns: int, state: Shift) -> None:
        """Write events that lead to a state, all or none, into a new file when the old one is full.

        Raises:
            JournalError: When they cannot be written; then none of them is.
        """
        self.journal.append(events, utc_ns, state)
        if self.journal.size_bytes >= self._largest_bytes:
            self._succeed(utc_ns)

    def _succeed(self, utc_ns: int) -> None:
        number = int(_number(self.journal.path)) + 1
        try:
            self.journal.succeed(_path(self._directory, number), utc_ns)
            successor = Journal(_path(self._directory, number), busy_s=_CELL_WAITS_S)
        except JournalError:
            return  # what was to be written is written; the next time will tell
        self.journal.__exit__(None, None, None)
        self.journal = successor
        for old in journal_files(self._directory)[: -self._kept]:
            for name in (old, old.with_name(f"{old.name}-wal"), old.with_name(f"{old.name}-shm")):
                name.unlink(missing_ok=True)


def journal_files(directory: Path) -> tuple[Path, ...]:
    """The journal's files, oldest first."""
    return tuple(sorted(path for path in directory.glob("cell-*.db") if _NAME.fullmatch(path.name)))


def story(directory: Path, serial: str) -> tuple[Entry, ...]:
    """Everything that happened to one joint, oldest first, over all files; another process may be writing.

    Raises:
        JournalError: When a file cannot be read.
    """
    found: list[Entry] = []
    for path in reversed(journal_files(directory)):
        with Journal(path, read_only=True) as journal:
            part = journal.story(serial)
        found = [*part, *found]
        if part and part[0].event.kind == "joint_entered":
            break
    return tuple(found)


def joints(directory: Path, *, most: int = 100, **which: Any) -> tuple[JointRow, ...]:
    """Joints that left the cell, the last first, over all files; see `Journal.joints`.

    Raises:
        JournalError: When a file cannot be read.
    """
    found: list[JointRow] = []
    for path in reversed(journal_files(directory)):
        if len(found) >= most:
            break
        with Journal(path, read_only=True) as journal:
            found += journal.joints(most=most - len(found), **which)
    return tuple(found)


def _path(directory: Path, number: int) -> Path:
    return directory / f"cell-{number:06d}.db"


def _number(path: Path) -> str:
    match = _NAME.fullmatch(path.name)
    assert match is not None
    return match.group(1)
