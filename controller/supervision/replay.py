"""Replaying journals: do their events make sense, and do they lead to the state that was kept, from file to file?"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.supervision.archive import journal_files
from controller.supervision.journal import Journal
from controller.supervision.oee import Effectiveness
from controller.supervision.shift import JournalError, Shift
from controller.supervision.times import effectiveness


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a cell's journals lead to: the state at their end, and what does not fit together, a line each."""

    files: int
    shift: Shift
    findings: tuple[str, ...]

    def figures(self, ideal_cycle_s: float) -> Effectiveness:
        """Key figures of the whole time."""
        return effectiveness(self.shift, ideal_cycle_s)


def replay_journals(directory: Path) -> Replayed:
    """Take every event of every file through the pure state.

    Raises:
        JournalError: When there is no journal.
    """
    files = journal_files(directory)
    if not files:
        raise JournalError(f"{directory}: has no journal (allowed: a directory with cell-000001.db or later)")
    shift, findings = Shift(), list[str]()
    for number, path in enumerate(files):
        try:
            with Journal(path, read_only=True) as journal:
                journal.check()
                before, shift = shift, journal.replay()
                findings += _of(journal, shift, before if number else None)
        except JournalError as error:
            findings.append(str(error))
    return Replayed(files=len(files), shift=shift, findings=tuple(findings))


def _of(journal: Journal, replayed: Shift, carried: Shift | None) -> Iterator[str]:
    """What does not fit: the snapshot of a file, and what it took over from the file before."""
    if journal.shift() != replayed:
        yield f"{journal.path}: its events lead to another state than its snapshot"
    first = next(journal.read(), None)
    if carried is not None and (
        first is None or first.event.kind != "carried" or first.event.shift != carried
    ):
        yield f"{journal.path}: does not begin with the state at the end of the file before"
