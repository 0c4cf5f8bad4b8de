"""Versions of the process parameters: who changed what and why, how it was tried, and which one the next start takes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from controller.panel.database import PanelDatabase
from controller.panel.dry_run import DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a version did in a dry run; ``reason`` says why it failed, and is empty when it ran."""

    utc_ns: int
    met: bool
    cycle_p95_s: float | None
    cycle_mean_s: float | None
    lower_bound_s: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Values that differ from the cell's file, by name. Version 0, which is never stored, is the file as it is."""

    number: int
    utc_ns: int
    author: str
    note: str
    changes: Mapping[str, float]
    trial: Trial | None


class ProcessStore:
    """The versions of one cell. They are final; choosing one is a row of its own, so that the past can be read."""

    def __init__(self, database: PanelDatabase, now_ns: Callable[[], int]) -> None:
        self._db = database
        self._now_ns = now_ns

    def add(self, changes: Mapping[str, float], note: str, author: str) -> int:
        """Keep a new version; returns its number."""
        values = (self._now_ns(), author, note, json.dumps(dict(changes), sort_keys=True))
        self._db.execute("INSERT INTO process (utc_ns, author, note, changes) VALUES (?, ?, ?, ?)", values)
        return int(self._db.rows("SELECT max(version) FROM process")[0][0])

    def tried(self, number: int, run: DryRun) -> None:
        """Keep how a version did."""
        self._db.execute(
            "INSERT OR REPLACE INTO process_trial VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number,
                self._now_ns(),
                int(bool(run["met"])),
                run["cycle_p95_s"],
                run["cycle_mean_s"],
                run["lower_bound_s"],
                run["reason"],
            ),
        )

    def choose(self, number: int, by: str) -> None:
        """The next start of the cell takes this version."""
        self._db.execute(
            "INSERT INTO process_choice (utc_ns, version, name) VALUES (?, ?, ?)",
            (self._now_ns(), number, by),
        )

    @property
    def chosen(self) -> int:
        """The version that the next start takes."""
        rows = self._db.rows("SELECT version FROM process_choice ORDER BY seq DESC LIMIT 1")
        return int(rows[0][0]) if rows else 0

    def versions(self, most: int = 50) -> list[Version]:
        """The last versions, newest first."""
        return [
            _version(row)
            for row in self._db.rows(f"{_SELECT} ORDER BY process.version DESC LIMIT ?", (most,))
        ]

    def version(self, number: int) -> Version | None:
        """One of them."""
        rows = self._db.rows(f"{_SELECT} WHERE process.version = ?", (number,))
        return _version(rows[0]) if rows else None


_SELECT = (
    "SELECT process.version, process.utc_ns, author, note, changes, process_trial.utc_ns, met, cycle_p95_s, "
    "cycle_mean_s, lower_bound_s, reason FROM process LEFT JOIN process_trial USING (version)"
)


def _version(row: tuple[object, ...]) -> Version:
    number, utc_ns, author, note, changes, tried_ns, met, p95_s, mean_s, bound_s, reason = row
    trial = None
    if isinstance(tried_ns, int):
        trial = Trial(
            utc_ns=tried_ns,
            met=bool(met),
            cycle_p95_s=_float(p95_s),
            cycle_mean_s=_float(mean_s),
            lower_bound_s=_float(bound_s),
            reason=str(reason),
        )
    assert isinstance(number, int)
    assert isinstance(utc_ns, int)
    return Version(
        number=number,
        utc_ns=utc_ns,
        author=str(author),
        note=str(note),
        changes=json.loads(str(changes)),
        trial=trial,
    )


def _float(value: object) -> float | None:
    return value if isinstance(value, float) else None
