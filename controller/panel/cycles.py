"""The cycles that the panel has seen, each with its operations, so that two can be laid side by side later."""

import json
import logging
import sqlite3
from typing import Any

from typing_extensions import TypedDict

from controller.panel.database import PanelDatabase
from controller.panel.picture import utc_text
from controller.panel.spans import Span, spans_of
from controller.supervision.view import CellView, CycleView

_KEPT = 10_000
_MARGIN_S = 2.0
_log = logging.getLogger("jointcell.panel")


class CycleRow(TypedDict):
    """A cycle as the history lists it."""

    id: int
    serial: str
    model: str
    left_utc: str
    cycle_s: float | None
    good: bool


class CycleDetail(CycleRow):
    """A cycle with its operations; their times are seconds from the moment the joint left."""

    spans: list[Span]


class CycleStore:
    """Cycles in the panel's database."""

    def __init__(self, database: PanelDatabase) -> None:
        self._db = database

    def compare(self, before: CellView, after: CellView) -> None:
        """Keep every cycle that is new in a picture; one that cannot be written is logged and lost."""
        if before.cycles is after.cycles:
            return
        known = {(cycle.serial, cycle.left_ns) for cycle in before.cycles}
        for cycle in after.cycles:
            if (cycle.serial, cycle.left_ns) not in known:
                try:
                    self._keep(cycle, after)
                except sqlite3.Error:
                    _log.exception("the cycle of %s could not be kept", cycle.serial)

    def _keep(self, cycle: CycleView, view: CellView) -> None:
        length = cycle.cycle_s if cycle.cycle_s is not None else view.target_s
        spans, _ = spans_of(view.bars, cycle.left_ns, length + _MARGIN_S, _MARGIN_S)
        self._db.execute(
            "INSERT OR IGNORE INTO cycle (serial, model, left_utc_ns, cycle_s, good, spans) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                cycle.serial,
                cycle.model,
                cycle.left_utc_ns,
                cycle.cycle_s,
                cycle.good,
                json.dumps(spans, separators=(",", ":")),
            ),
        )
        self._db.execute("DELETE FROM cycle WHERE id <= (SELECT max(id) FROM cycle) - ?", (_KEPT,))

    def rows(
        self, *, model: str, since_utc_ns: int, until_utc_ns: int, good: bool | None, over_s: float, most: int
    ) -> list[CycleRow]:
        """Cycles that ended within a time, the last first.

        Args:
            model: Of this joint model only; empty for all.
            since_utc_ns: From this moment on.
            until_utc_ns: Up to this moment.
            good: Good or rejected ones only; None for both.
            over_s: Only those that took longer.
            most: So many at most.
        """
        rows = self._db.rows(
            "SELECT id, serial, model, left_utc_ns, cycle_s, good FROM cycle WHERE left_utc_ns BETWEEN ? AND ? "
            "AND (? = '' OR model = ?) AND (? IS NULL OR good = ?) AND (? <= 0 OR cycle_s > ?) "
            "ORDER BY id DESC LIMIT ?",
            (since_utc_ns, until_utc_ns, model, model, good, good, over_s, over_s, most),
        )
        return [_row(row) for row in rows]

    def detail(self, number: int) -> CycleDetail | None:
        """One cycle with its operations."""
        rows = self._db.rows(
            "SELECT id, serial, model, left_utc_ns, cycle_s, good, spans FROM cycle WHERE id = ?", (number,)
        )
        if not rows:
            return None
        detail: CycleDetail = {**_row(rows[0]), "spans": json.loads(rows[0][6])}
        return detail


def _row(row: tuple[Any, ...]) -> CycleRow:
    number, serial, model, left_utc_ns, cycle_s, good = row[:6]
    return CycleRow(
        id=number,
        serial=serial,
        model=model,
        left_utc=utc_text(left_utc_ns),
        cycle_s=cycle_s,
        good=bool(good),
    )
