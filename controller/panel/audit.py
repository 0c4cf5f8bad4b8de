"""Who asked for what, when, from where, and what became of it. Rows are final."""

import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from controller.panel.database import PanelDatabase
from controller.panel.sessions import Identity

_log = logging.getLogger("jointcell.panel.audit")
_LONGEST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """One row."""

    seq: int
    utc_ns: int
    name: str
    role: str
    via: str
    address: str
    action: str
    detail: str
    outcome: str


class Audit:
    """The audit of a panel. A row that cannot be written stops nothing, but is said in ``failure`` until one can."""

    def __init__(self, database: PanelDatabase, now_ns: Callable[[], int]) -> None:
        self._db = database
        self._now_ns = now_ns
        self.failure = ""

    def write(
        self, who: Identity | None, address: str, action: str, detail: Mapping[str, Any], outcome: str
    ) -> None:
        """Write a row."""
        name, role, via = (who.name, str(who.role), who.via) if who else ("", "", "")
        words = json.dumps(detail, ensure_ascii=True, default=str)[:_LONGEST]
        _log.info("%s %s %s: %s", name or "nobody", action, words, outcome)
        try:
            self._db.execute(
                "INSERT INTO audit (utc_ns, name, role, via, address, action, detail, outcome) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self._now_ns(), name, role, via, address, action, words, outcome[:_LONGEST]),
            )
            self.failure = ""
        except sqlite3.Error as error:
            self.failure = f"the audit cannot be written: {error}"
            _log.error(self.failure)

    def rows(self, before: int = 2**62, most: int = 100) -> list[AuditRow]:
        """The last rows before a number, newest first."""
        names = tuple(AuditRow.__dataclass_fields__)
        found = self._db.rows(
            f"SELECT {', '.join(names)} FROM audit WHERE seq < ? ORDER BY seq DESC LIMIT ?", (before, most)
        )
        return [AuditRow(**dict(zip(names, row, strict=True))) for row in found]
