"""Tables of the bundled joint models and arms: their figures, how sure each is, and where it comes from.

A mark or a source that holds for a whole column stands in its heading; one that differs from row to row
stands in the row. Sources are footnotes, numbered in the order in which the table names them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import degrees, hypot
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cells.arm import Arm, arm_names, load_arm
from cells.files import Source
from cells.joint_model import JointModel, Screws, joint_model_names, load_joint_model

_LEGEND = "V read in the source, C computed from it, R remembered and not confirmed, E estimate"


class _Item(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def sources(self) -> Mapping[str, Source]: ...


T = TypeVar("T", bound=_Item)


@dataclass(frozen=True, slots=True)
class _Column(Generic[T]):
    """A figure of an item, with the group of figures whose source and mark it shares."""

    heading: str
    unit: str
    group: str
    figure: Callable[[T], str]


_MODEL_COLUMNS: Sequence[_Column[JointModel]] = (
    _Column("Ratio", "", "catalogue", lambda model: f"{model.ratio}"),
    _Column(
        "Torque", "N m", "catalogue", lambda model: f"{model.torque_rated_nm:g} / {model.torque_peak_nm:g}"
    ),
    _Column("Speed", "1/min", "catalogue", lambda model: f"{model.speed_rated_rpm:g}"),
    _Column(
        "Ø x length",
        "mm",
        "catalogue",
        lambda model: f"{1e3 * model.diameter_m:g} x {1e3 * model.length_m:g}",
    ),
    _Column("Mass", "g", "catalogue", lambda model: f"{1e3 * model.mass_kg:g}"),
    _Column("Backlash", "arcsec", "catalogue", lambda model: f"{degrees(model.backlash_rad) * 3600:.0f}"),
    _Column("Stiffness", "N m/rad", "stiffness", lambda model: f"{model.stiffness_nm_per_rad:.0f}"),
    _Column("Gear", "size", "gear", lambda model: f"{model.gear_size}"),
    _Column(
        "Screws",
        "",
        "screws",
        lambda model: f"{_screws(model.circular_spline_screws)} {_screws(model.flexspline_screws)}",
    ),
)
_ARM_COLUMNS: Sequence[_Column[Arm]] = (
    _Column("Payload", "kg", "ratings", lambda arm: f"{arm.payload_kg:g}"),
    _Column("Mass", "kg", "ratings", lambda arm: f"{arm.mass_kg:g}"),
    _Column("Repeat.", "± mm", "ratings", lambda arm: f"{1e3 * arm.repeatability_m:g}"),
    _Column("Reach", "m", "opw", lambda arm: f"{_reach_m(arm):.3f}"),
    _Column("Speed J1-J6", "deg/s", "velocity", lambda arm: _joints(np.degrees(arm.limits.velocity))),
    _Column("Torque J1-J6", "N m", "torque", lambda arm: _joints(arm.torque_nm)),
)


def models_table() -> RenderableType:
    """Every bundled joint model in a row; torque is rated and peak, screws are spline's and flexspline's."""
    return _listing("Joint models", [load_joint_model(name) for name in joint_model_names()], _MODEL_COLUMNS)


def arms_table() -> RenderableType:
    """Every bundled arm in a row; reach is from axis 1 to the centre of the wrist."""
    return _listing("Arms", [load_arm(name) for name in arm_names()], _ARM_COLUMNS)


def _listing(title: str, items: Sequence[T], columns: Sequence[_Column[T]]) -> RenderableType:
    footnotes: dict[str, int] = {}

    def note(source: Source) -> str:
        return str(footnotes.setdefault(source.text, len(footnotes) + 1))

    groups = list(dict.fromkeys(column.group for column in columns))
    shared = {group: _shared([item.sources[group] for item in items]) for group in groups}
    marks = {group: {item.sources[group].mark for item in items} for group in groups}
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), title=title, title_justify="left")
    table.add_column("Name", no_wrap=True)
    for column in columns:
        mark = "".join(marks[column.group]) if len(marks[column.group]) == 1 else ""
        source = shared[column.group]
        heading = f"{column.heading}\n{column.unit}\n{mark} {note(source) if source else ''}"
        table.add_column(Text(heading), justify="right", no_wrap=True)
    own = [group for group in groups if shared[group] is None]
    if own:
        table.add_column("Notes", no_wrap=True)
    for item in items:
        cells = [
            column.figure(item)
            + (f" {item.sources[column.group].mark}" if len(marks[column.group]) > 1 else "")
            for column in columns
        ]
        notes = [" ".join(dict.fromkeys(note(item.sources[group]) for group in own))] if own else []
        table.add_row(*(Text(text) for text in (item.name, *cells, *notes)))
    notes_table = Table.grid(padding=(0, 1, 0, 0))
    notes_table.add_column(justify="right")
    for text, number in footnotes.items():
        notes_table.add_row(str(number), Text(text))
    return Group(table, Text(), Text(_LEGEND), notes_table)


def _shared(sources: Sequence[Source]) -> Source | None:
    """The source that all have, if there is one."""
    return sources[0] if len(set(sources)) == 1 else None


def _screws(screws: Screws) -> str:
    return f"{screws.count}x{screws.thread}"


def _joints(values: npt.NDArray[np.float64]) -> str:
    """Arm joints over wrist joints, to three digits."""
    texts = [f"{value:.0f}" if value >= 100 else f"{value:.3g}" for value in values]
    return " ".join(texts[:3]) + "\n" + " ".join(texts[3:])


def _reach_m(arm: Arm) -> float:
    """Arm stretched out level: all lengths between axis 1 and the centre of the wrist."""
    chain = arm.chain
    return chain.a1 + chain.c2 + hypot(chain.a2, chain.c3)
