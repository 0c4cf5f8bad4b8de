"""A benchmark as a table for people and as JSON for programs."""

import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from controller.bench.row import Comparison, Row, Timing

SCHEMA_VERSION = 1
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def bench_table(rows: Sequence[Row], machine: dict[str, str]) -> Table:
    """One line for each row; the machine is the caption."""
    table = Table(box=None, pad_edge=False, caption_justify="left", padding=(0, 2, 0, 0))
    for heading in ("what", "ours", "peer", "ratio", "goal", "agreement"):
        table.add_column(heading, overflow="fold", no_wrap=heading not in ("what", "peer"))
    for row in rows:
        table.add_row(*map(Text, _cells(row)))
        if row.note:
            table.add_row(Text(f"  {row.note}", style="dim"))
    table.caption = ", ".join(f"{name} {value}" for name, value in machine.items())
    return table


def bench_json(suite: str, rows: Sequence[Row], machine: dict[str, str]) -> str:
    """The same for programs: times in seconds for one item."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "suite": suite,
        "machine": machine,
        "rows": [_record(row) for row in rows],
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    if not isinstance(row, Comparison):
        goal = "" if row.goal is None else f"{'≥' if row.at_least else '≤'} {row.goal:g} {_word(row.met)}"
        value = "not measured" if row.value is None else f"{row.value:.4g} {row.unit}"
        return row.name, value, "", "", goal, ""
    theirs = "" if row.theirs is None else f"{row.peer} {_seconds(row.theirs)}"
    ratio = "" if row.ratio is None else f"{row.ratio:.1f} x"
    goal = "" if row.goal is None else f"≥ {row.goal:g} {_word(row.met)}"
    agreement = (
        "" if row.error is None else f"{row.error:.1e} {row.error_unit} {'WRONG' if row.wrong else 'ok'}"
    )
    return row.name, _seconds(row.ours), theirs, ratio, goal, agreement


def _word(met: bool | None) -> str:
    return {True: "met", False: "missed", None: ""}[met]


def _seconds(timing: Timing) -> str:
    scale, unit = next((pair for pair in _UNITS if timing.median_s >= pair[0]), _UNITS[-1])
    return f"{timing.median_s / scale:.3g} {unit} ±{100 * timing.spread:.0f} %"


def _record(row: Row) -> dict[str, object]:
    if not isinstance(row, Comparison):
        names = ("name", "value", "unit", "goal", "at_least", "met", "note")
        return {name: getattr(row, name) for name in names}
    return {
        "name": row.name,
        "ours_s": row.ours.median_s,
        "ours_spread": row.ours.spread,
        "peer": row.peer,
        "theirs_s": row.theirs and row.theirs.median_s,
        "theirs_spread": row.theirs and row.theirs.spread,
        "ratio": row.ratio,
        "goal": row.goal,
        "met": row.met,
        "error": row.error,
        "error_limit": row.error_limit,
        "error_unit": row.error_unit,
        "note": row.note,
    }
