"""Process parameters of a cell: times and speeds of its file that may be changed without moving anything that stands.

A changed cell is a copy of its file with other numbers on the same lines, so that comments and sources stay, and is checked
as every cell file is.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cells.cell import load_cell
from cells.cell_file import CellRecord
from cells.errors import CellError, Finding, shown
from cells.files import locate
from controller.panel.facts import ProcessParameter

_MEANINGS: Mapping[str, tuple[str, str]] = {
    "dial.index_s": ("s", "turning the dial by one position, settled"),
    "motion.approach_m_per_s": ("m/s", "greatest speed of straight moves to and from a place"),
    "motion.approach_m_per_s2": ("m/s²", "their greatest acceleration"),
    "motion.insert_m_per_s": ("m/s", "speed of insertion"),
    "motion.grip_s": ("s", "hold time while the gripper closes"),
    "motion.release_s": ("s", "hold time while the gripper opens"),
    "motion.present_s": ("s", "a feeder presents the next part"),
    "motion.shuttle_s": ("s", "the shuttle of press or bench moves out or in"),
}


def process_parameters(source: str) -> tuple[ProcessParameter, ...]:
    """The parameters of a cell with what its file says, and what a cell file may say.

    Args:
        source: A bundled cell, or the path of a cell file.

    Raises:
        CellError: When there is no such file or it is wrong.
    """
    load_cell(source)
    document = tomllib.loads(_text(source))
    return tuple(_parameter(name, document) for name in _MEANINGS)


def write_changed_cell(source: str, changes: Mapping[str, float], path: Path) -> None:
    """Write a cell's file with other parameters, and check it.

    Args:
        source: A bundled cell, or the path of a cell file.
        changes: New values by name.
        path: Where to; nothing is left there when the result is no cell.

    Raises:
        CellError: When a parameter is unknown, its line is not found, or the result is not a cell.
        OSError: When it cannot be written.
    """
    text = _text(source)
    for name, value in changes.items():
        if name not in _MEANINGS:
            raise _refused(source, name, value, "is no process parameter", ", ".join(_MEANINGS))
        text = _with_value(text, source, name, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    trial = path.with_suffix(".part.toml")
    trial.write_text(text, encoding="utf-8")
    try:
        load_cell(trial)
    except CellError:
        trial.unlink()
        raise
    trial.replace(path)


def _parameter(name: str, document: Mapping[str, Any]) -> ProcessParameter:
    table, key = name.split(".")
    unit, meaning = _MEANINGS[name]
    schema = CellRecord.model_json_schema()
    record = schema["properties"][table]["$ref"].rsplit("/", 1)[1]
    bounds = schema["$defs"][record]["properties"][key]
    lowest = bounds.get("minimum", bounds.get("exclusiveMinimum"))
    return ProcessParameter(
        name=name,
        unit=unit,
        meaning=meaning,
        value=float(document[table][key]),
        lowest=lowest,
        highest=bounds.get("maximum"),
        above_lowest="exclusiveMinimum" in bounds,
    )


def _with_value(text: str, source: str, name: str, value: float) -> str:
    """The text with another number on the line of one key in one table."""
    table, key = name.split(".")
    found = re.search(rf"(?ms)^\[{table}\][^\n]*\n(?:(?!^\[).)*?^{key}[ \t]*=[ \t]*(?P<number>[^\s#]+)", text)
    if found is None:
        raise _refused(source, name, value, "has no line of its own in the file", f"{key} = ... in [{table}]")
    return f"{text[: found.start('number')]}{value!r}{text[found.end('number') :]}"


def _refused(source: str, name: str, value: float, message: str, allowed: str) -> CellError:
    return CellError([Finding(file=source, where=name, value=shown(value), message=message, allowed=allowed)])


def _text(source: str) -> str:
    file, _ = locate(source, "cells")
    return file.read_text(encoding="utf-8")
