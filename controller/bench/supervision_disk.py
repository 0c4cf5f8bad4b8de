"""Journals that cannot be written at random moments: the cell holds, and nothing that was acknowledged is lost."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from controller.bench.fast_cell import FastCell, warm
from controller.bench.row import Figure, Options, Row
from controller.supervision.journal import Entry, Journal
from controller.supervision.packml import Command, State

_FAILURES, _FEW = 60, 6
_MOST_ROUNDS = 500  # of an order's beginning, before the failure
_HELD_ROUNDS = 50
_PAGE = 4096

Mend = Callable[[], None]


def full_disk(journal: Journal) -> Mend:
    """No room for another page."""
    journal._db.execute(f"PRAGMA max_page_count = {journal.size_bytes // _PAGE}")
    return lambda: _run(journal, "PRAGMA max_page_count = 4294967294")


def read_only(journal: Journal) -> Mend:
    """The file may not be written any more."""
    journal._db.execute("PRAGMA query_only = 1")
    return lambda: _run(journal, "PRAGMA query_only = 0")


def locked(journal: Journal) -> Mend:
    """Another process holds the file."""
    other = sqlite3.connect(journal.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


FAILURES = (full_disk, read_only, locked)


def _run(journal: Journal, statement: str) -> None:
    journal._db.execute(statement)


@dataclass
class Failed:
    """What came of it: how often writing failed, and what was wrong, in words."""

    failures: int = 0
    findings: list[str] = field(default_factory=list)


def rows(options: Options) -> Iterator[Row]:
    """The figures of the study."""
    warm()
    result = failing_journal(_FEW if options.quick else _FAILURES, options.seed)
    yield Figure(
        name=f"full disk, read-only or locked journal at {result.failures} random moments: not held, or events lost",
        value=len(result.findings),
        goal=0,
        must_hold=True,
        note="; ".join(result.findings[:3])
        or "each time held with the alarm, then mended, unheld and finished",
    )


def failing_journal(failures: int, seed: int) -> Failed:
    """Let the journal fail so often, each time in a shift of its own that is finished afterwards."""
    rng, result = np.random.default_rng(seed), Failed()
    for number in range(failures):
        with TemporaryDirectory() as directory:
            fast = FastCell(Path(directory))
            fail = FAILURES[number % len(FAILURES)]
            result.findings += [f"{fail.__name__}: {finding}" for finding in _one(fast, fail, rng)]
            fast.end()
        result.failures += 1
    return result


def _one(fast: FastCell, fail: Callable[[Journal], Mend], rng: np.random.Generator) -> Iterator[str]:
    fast.order()
    fast.start_up()
    fast.rounds(int(rng.integers(1, _MOST_ROUNDS)))
    journal = fast.archive.journal
    mend = fail(journal)
    fast.until(State.HELD)
    acknowledged = [entry.event for entry in _read(journal)]
    if not fast.supervisor.annunciator.active("journal_failed"):
        yield "held without the alarm journal_failed"
    stood = {name: arm.read().q.copy() for name, arm in fast.arms.items()}
    fast.rounds(_HELD_ROUNDS)
    if any((arm.read().q != stood[name]).any() for name, arm in fast.arms.items()):
        yield "an arm moved while the cell was held"
    if fast.give(Command.UNHOLD).accepted:
        yield "unheld before it was mended"
    mend()
    fast.rounds(2)
    if not (answer := fast.give(Command.UNHOLD)).accepted:
        yield f"not unheld after it was mended: {answer.reason}"
        return
    fast.until(State.COMPLETE)
    events = [entry.event for entry in journal.read()]
    if events[: len(acknowledged)] != acknowledged:
        yield "an event that was acknowledged is lost"
    if fast.shift.good != 4 or journal.replay() != fast.shift:
        yield f"{fast.shift.good} good joints of 4, or a replay that differs"
    journal.check()


def _read(journal: Journal) -> Iterator[Entry]:
    with Journal(journal.path, read_only=True) as reader:
        yield from reader.read()
