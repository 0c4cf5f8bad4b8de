"""The journal: an append-only file of events that survives a power cut (SQLite, WAL, full synchronisation).

An event counts once `Journal.append` has returned: it is on the disk then. Bodies are stored without the names of
their fields to keep a million joints in one file; a joint's story lies between the events by which it entered and left.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

from pydantic import TypeAdapter, ValidationError

from controller.supervision.shift import (
    DIAL,
    Carried,
    Confirmed,
    Event,
    JointEntered,
    JointLeft,
    JournalError,
    Shift,
    advance,
)

_MIGRATIONS = (
    """
    CREATE TABLE event (
        seq INTEGER PRIMARY KEY, utc_ns INTEGER NOT NULL, kind INTEGER NOT NULL, joint INTEGER, body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE joint (
        id INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE, model TEXT NOT NULL, made_for TEXT NOT NULL,
        entered INTEGER NOT NULL, left INTEGER, left_utc_ns INTEGER, reject TEXT
    ) STRICT;
    CREATE INDEX joint_left ON joint (left_utc_ns);
    CREATE INDEX joint_model ON joint (model, left_utc_ns);
    CREATE TRIGGER event_is_final BEFORE UPDATE ON event BEGIN SELECT raise(ABORT, 'events are final'); END;
    """,
    # The state after an event, so that a restart need not replay years; one row, and only ever a copy of what follows
    # from the events.
    "CREATE TABLE snapshot (seq INTEGER NOT NULL, shift TEXT NOT NULL) STRICT;",
)
# The number of a kind is its place here: new kinds go to the end.
_KINDS = get_args(get_args(Event)[0])
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}
_FIELDS = tuple(
    tuple(name for name in kind.model_fields if name not in ("kind", "serial")) for kind in _KINDS
)
_EVENT: TypeAdapter[Any] = TypeAdapter(Event)
_BUSY_S = 2.0
_SNAPSHOT_EVERY = 2000  # events: they are replayed in less than a second
_LONGEST_ANSWER = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event of the journal with its number and time of day (UTC, nanoseconds since 1970)."""

    seq: int
    utc_ns: int
    event: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class JointRow:
    """A joint as the history lists it; ``left_utc_ns`` and ``reject`` are None while it is in the cell."""

    serial: str
    model: str
    order: str
    left_utc_ns: int | None
    reject: str | None


class Journal:
    """One journal file; use it as a context manager. Calls come from one thread.

    Args:
        path: The file; it is made when there is none.
        read_only: Look at a journal that another process may be writing.
        busy_s: How long a call waits for another process that has locked the file.

    Raises:
        JournalError: When it cannot be opened, is of a later version, or is damaged.
    """

    def __init__(self, path: Path, *, read_only: bool = False, busy_s: float = _BUSY_S) -> None:
        self.path = path
        self._snapshot_due = 0  # the number of an event
        self._ids: dict[str, int] = {}  # of joints in the cell, by serial number
        try:
            source = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
            self._db = sqlite3.connect(source, uri=True, timeout=busy_s, isolation_level=None)
            with self._named_errors("opened"):
                if not read_only:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._db.execute("PRAGMA synchronous = FULL")
                    self._migrate()
                self._check_version()
        except sqlite3.Error as error:
            raise JournalError(f"{path}: cannot be opened: {error}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def append(self, events: Sequence[Any], utc_ns: int, state: Shift | None = None) -> int:
        """Write events, all or none; when this returns they are on the disk.

        Args:
            events: See `controller.supervision.shift`.
            utc_ns: Time of day.
            state: What they lead to, kept from time to time to make `shift` quick.

        Returns:
            The number of the last event.

        Raises:
            JournalError: When they cannot be written; then none of them is.
        """
        with self._named_errors("written"), self._transaction():
            for event in events:
                self._insert(event, utc_ns)
            (last,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()
            if state is not None and last >= self._snapshot_due:
                self._db.execute("DELETE FROM snapshot")
                self._db.execute("INSERT INTO snapshot VALUES (?, ?)", (last, state.model_dump_json()))
                self._snapshot_due = last + _SNAPSHOT_EVERY
        return int(last)

    def read(self, after: int = 0) -> Iterator[Entry]:
        """All events after a number, in order.

        Raises:
            JournalError: When one cannot be read back.
        """
        rows = self._db.execute(
            "SELECT seq, utc_ns, kind, serial, body FROM event LEFT JOIN joint ON joint.id = event.joint "
            "WHERE seq > ? ORDER BY seq",
            (after,),
        )
        with self._named_errors("read"):
            for row in rows:
                yield self._entry(row)

    def shift(self) -> Shift:
        """The state that the events lead to, from the last snapshot on.

        Raises:
            JournalError: When an event contradicts those before it.
        """
        row = self._db.execute("SELECT seq, shift FROM snapshot").fetchone()
        if row is None:
            return self._follow(Shift(), after=0)
        try:
            shift = Shift.model_validate_json(row[1])
        except ValidationError as error:
            raise JournalError(f"{self.path}: its snapshot cannot be read: {error}") from error
        return self._follow(shift, after=row[0])

    def replay(self) -> Shift:
        """The state that the events lead to, all of them taken one by one.

        Raises:
            JournalError: When an event contradicts those before it.
        """
        return self._follow(Shift(), after=0)

    def _follow(self, shift: Shift, after: int) -> Shift:
        for entry in self.read(after):
            try:
                shift = advance(shift, entry.event)
            except JournalError as error:
                raise JournalError(f"{self.path}: event {entry.seq}: {error}") from error
        return shift

    def story(self, serial: str) -> tuple[Entry, ...]:
        """Everything that happened to one joint, oldest first; empty when it is not known."""
        with self._named_errors("read"):
            rows = self._db.execute(
                "SELECT seq, utc_ns, kind, serial, body FROM joint JOIN event ON seq BETWEEN entered AND "
                "coalesce(left, 9e18) AND event.joint = joint.id WHERE serial = ? ORDER BY seq",
                (serial,),
            ).fetchall()
            return tuple(self._entry(row) for row in rows)

    def joints(
        self, *, model: str = "", since_utc_ns: int = 0, until_utc_ns: int = 2**63 - 1, most: int = 100
    ) -> tuple[JointRow, ...]:
        """Joints that left the cell within a time, the last first; at most 10 000."""
        where = "left_utc_ns BETWEEN ? AND ?" + (" AND model = ?" if model else "")
        values = (since_utc_ns, until_utc_ns, *([model] if model else []), min(most, _LONGEST_ANSWER))
        with self._named_errors("read"):
            rows = self._db.execute(
                f"SELECT serial, model, made_for, left_utc_ns, reject FROM joint WHERE {where} "
                "ORDER BY left_utc_ns DESC, id DESC LIMIT ?",
                values,
            ).fetchall()
        names = ("serial", "model", "order", "left_utc_ns", "reject")
        return tuple(JointRow(**dict(zip(names, row, strict=True))) for row in rows)

    def check(self) -> None:
        """Look for damage of the file.

        Raises:
            JournalError: When there is any.
        """
        with self._named_errors("checked"):
            answers = [answer for (answer,) in self._db.execute("PRAGMA integrity_check").fetchall()]
        if answers != ["ok"]:
            raise JournalError(f"{self.path}: is damaged: {'; '.join(map(str, answers[:3]))}")

    def back_up(self, target: Path) -> None:
        """Copy the journal while it is in use."""
        with self._named_errors(f"copied to {target}"):
            copy = sqlite3.connect(target)
            try:
                self._db.backup(copy)
            finally:
                copy.close()

    def probe(self) -> None:
        """Find out whether anything could be written now.

        Raises:
            JournalError: When it could not.
        """
        with self._named_errors("written"):
            self._db.execute(f"PRAGMA user_version = {len(_MIGRATIONS)}")

    def succeed(self, path: Path, utc_ns: int) -> None:
        """Begin a new file that carries the present state on; this one remains as an archive.

        Raises:
            JournalError: When the new file exists or cannot be written.
        """
        if path.exists():
            raise JournalError(f"{path}: exists (allowed: a new file)")
        with Journal(path) as successor:
            state = self.shift()
            successor.append([Carried(shift=state)], utc_ns, state)

    def _insert(self, event: Any, utc_ns: int) -> None:
        kind = _NUMBERS[type(event)]
        facts = event.model_dump(mode="json")
        body = json.dumps([facts[name] for name in _FIELDS[kind]], separators=(",", ":"), ensure_ascii=False)
        serial = facts.get("serial")
        if isinstance(event, JointEntered):
            self._enter(event.serial, event.model, event.order)
        elif isinstance(event, Carried):
            for carried, joint_in_work in event.shift.joints.items():
                self._enter(carried, joint_in_work.model, joint_in_work.order)
        joint = None if serial is None or serial == DIAL else self._joint(serial)
        cursor = self._db.execute(
            "INSERT INTO event (utc_ns, kind, joint, body) VALUES (?, ?, ?, ?)", (utc_ns, kind, joint, body)
        )
        if isinstance(event, JointLeft) or (isinstance(event, Confirmed) and event.found == "scrap"):
            reject = event.reject if isinstance(event, JointLeft) else "scrap"
            self._ids.pop(event.serial, None)
            self._db.execute(
                "UPDATE joint SET left = ?, left_utc_ns = ?, reject = ? WHERE id = ?",
                (cursor.lastrowid, utc_ns, reject, joint),
            )

    def _enter(self, serial: str, model: str, order: str) -> None:
        self._db.execute(
            "INSERT INTO joint (serial, model, made_for, entered) "
            "SELECT ?, ?, ?, coalesce(max(seq), 0) + 1 FROM event",
            (serial, model, order),
        )

    def _joint(self, serial: str) -> int:
        if (known := self._ids.get(serial)) is not None:
            return known
        row = self._db.execute("SELECT id FROM joint WHERE serial = ?", (serial,)).fetchone()
        if row is None:
            raise JournalError(f"{self.path}: an event names joint {serial!r}, which never entered")
        self._ids[serial] = int(row[0])
        return self._ids[serial]

    def _entry(self, row: tuple[int, int, int, str | None, str]) -> Entry:
        seq, utc_ns, number, serial, body = row
        try:
            kind = _KINDS[number]
            facts = dict(zip(_FIELDS[number], json.loads(body), strict=True))
            if "serial" in kind.model_fields:
                facts["serial"] = DIAL if serial is None else serial
            event = _EVENT.validate_json(json.dumps({"kind": kind.model_fields["kind"].default, **facts}))
        except (IndexError, ValueError, TypeError, ValidationError) as error:
            raise JournalError(f"{self.path}: event {seq} cannot be read: {error}") from error
        return Entry(seq=seq, utc_ns=utc_ns, event=event)

    def _migrate(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
            self._db.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")

    def _check_version(self) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version != len(_MIGRATIONS):
            raise JournalError(f"{self.path}: has schema {version} (allowed: {len(_MIGRATIONS)})")

    @property
    def size_bytes(self) -> int:
        """Size of the file, without what waits beside it to be moved in."""
        (pages,), (page,) = (
            self._db.execute(f"PRAGMA {name}").fetchone() for name in ("page_count", "page_size")
        )
        return int(pages * page)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._ids.clear()  # some of them may never have entered
            if self._db.in_transaction:  # a full disk rolls back by itself
                self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @contextmanager
    def _named_errors(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise JournalError(f"{self.path}: cannot be {what}: {error}") from error
