"""The panel's own file: users, logins, tokens, the audit, and the cycles it has seen (SQLite)."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

_MIGRATIONS = (
    """
    CREATE TABLE user (
        name TEXT PRIMARY KEY, role TEXT NOT NULL, hash TEXT NOT NULL, created_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE session (
        hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES user ON DELETE CASCADE, created_ns INTEGER NOT NULL,
        used_ns INTEGER NOT NULL, confirmed_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE token (
        id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, user TEXT NOT NULL REFERENCES user ON DELETE CASCADE,
        label TEXT NOT NULL, role TEXT NOT NULL, created_ns INTEGER NOT NULL, expires_ns INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, utc_ns INTEGER NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, via TEXT NOT NULL,
        address TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL, outcome TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER audit_is_final BEFORE UPDATE ON audit BEGIN SELECT raise(ABORT, 'the audit is final'); END;
    CREATE TRIGGER audit_stays BEFORE DELETE ON audit BEGIN SELECT raise(ABORT, 'the audit stays'); END;
    CREATE TABLE cycle (
        id INTEGER PRIMARY KEY, serial TEXT NOT NULL, model TEXT NOT NULL, left_utc_ns INTEGER NOT NULL,
        cycle_s REAL, good INTEGER NOT NULL, spans TEXT NOT NULL, UNIQUE (serial, left_utc_ns)
    ) STRICT;
    CREATE INDEX cycle_left ON cycle (left_utc_ns);
    """,
    """
    CREATE TABLE process (
        version INTEGER PRIMARY KEY, utc_ns INTEGER NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL,
        changes TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER process_is_final BEFORE UPDATE ON process BEGIN SELECT raise(ABORT, 'a version is final'); END;
    CREATE TRIGGER process_stays BEFORE DELETE ON process BEGIN SELECT raise(ABORT, 'a version stays'); END;
    CREATE TABLE process_trial (
        version INTEGER PRIMARY KEY REFERENCES process, utc_ns INTEGER NOT NULL, met INTEGER NOT NULL,
        cycle_p95_s REAL, cycle_mean_s REAL, lower_bound_s REAL, reason TEXT NOT NULL
    ) STRICT;
    CREATE TABLE process_choice (
        seq INTEGER PRIMARY KEY, utc_ns INTEGER NOT NULL, version INTEGER NOT NULL, name TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER choice_is_final BEFORE UPDATE ON process_choice BEGIN SELECT raise(ABORT, 'a choice is final'); END;
    CREATE TRIGGER choice_stays BEFORE DELETE ON process_choice BEGIN SELECT raise(ABORT, 'a choice stays'); END;
    """,
)


class PanelDatabase:
    """One connection that may be used from any thread.

    Raises:
        OSError: When the file cannot be opened or is not a panel's file.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        existed = path.exists()
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                self._db.execute(f"PRAGMA {pragma}")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            for number, script in enumerate(_MIGRATIONS[version:], start=version + 1):
                self._db.executescript(f"BEGIN; {script} PRAGMA user_version = {number}; COMMIT;")
        except sqlite3.Error as error:
            raise OSError(0, f"cannot be opened as a panel's database: {error}", str(path)) from error
        if not existed:
            path.chmod(0o600)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Run one statement; returns how many rows it changed."""
        with self._lock:
            return self._db.execute(statement, values).rowcount

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        with self._lock:
            return self._db.execute(query, values).fetchall()
