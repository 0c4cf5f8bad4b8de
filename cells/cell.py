"""A cell: arms round an indexing dial, their tools, and the stations they serve.

Frames: W is the world (z up, z = 0 in the plane of the arm bases), ``X_WS`` a station's frame: where the part frame P of a
seated part is. A nest's frame has x radial, away from the dial's axis; its trunnion turns the joint by pi about x on the
way from position ``flip_after`` to the next, so that rear parts too are inserted from above.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cells.arm import Arm, arm_names, load_arm
from cells.errors import CellError, Finding, shown
from cells.files import Angle, NotNegative, Number, Positive, Record, Text, load_record, locate, unknown_name

StationKind = Literal["feeder", "nozzle", "press", "bench", "out_tray"]

# What the recipe of a joint needs to find in a cell (see cells.recipe).
REQUIRED_STATIONS: Mapping[str, StationKind] = MappingProxyType(
    {
        "feeder_housing": "feeder",
        "feeder_stator": "feeder",
        "feeder_rotor": "feeder",
        "feeder_wave_generator": "feeder",
        "feeder_circular_spline": "feeder",
        "feeder_flexspline": "feeder",
        "feeder_output_flange": "feeder",
        "feeder_brake": "feeder",
        "feeder_board": "feeder",
        "feeder_cap": "feeder",
        "nozzle_adhesive": "nozzle",
        "nozzle_grease": "nozzle",
        "press": "press",
        "bench": "bench",
        "out_tray": "out_tray",
    }
)

FOOTPRINT_M = 0.055  # half width of a station's table


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A gripper, with two retractable spindles beside its axis when ``spindles`` is set."""

    id: str
    length_m: float
    mass_kg: float
    grip_force_n: float
    spindles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CellArm:
    """An arm where it stands: ``X_WB`` (4, 4) is the pose of its base."""

    id: str
    arm: Arm
    tool: Tool
    X_WB: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place off the dial: ``X_WS`` (4, 4) is where the part frame of a seated part is."""

    id: str
    kind: StationKind
    X_WS: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """The indexing dial: joints enter at position 0 and leave from the last."""

    center_m: tuple[float, float]
    radius_m: float
    positions: int
    index_s: float
    flip_after: int

    def angle(self, position: int) -> float:
        """Direction of a position seen from the dial's axis [rad]."""
        return 2 * np.pi * position / self.positions

    def rear_up(self, position: int) -> bool:
        """Whether joints at this position have their rear side up."""
        return position > self.flip_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """Distances a plan keeps [m]: between arms, to fixtures, and how high parts are lifted for travel."""

    arms_m: float
    fixtures_m: float
    lift_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Speeds of straight moves [m/s] and [m/s2], and times of the grippers [s]."""

    approach_m_per_s: float
    approach_m_per_s2: float
    insert_m_per_s: float
    grip_s: float
    release_s: float
    present_s: float
    shuttle_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Everything that stands still or is bolted down, and what may be asked of it."""

    name: str
    file: str
    arms: tuple[CellArm, ...]
    dial: Dial
    stations: Mapping[str, Station]
    work_height_m: float
    clearance: Clearance
    motion: Motion

    def nest(self, position: int) -> NDArray[np.float64]:
        """Upright frame ``X_WN`` (4, 4) of a dial position: x radial, z up."""
        angle = self.dial.angle(position)
        x = self.dial.center_m[0] + self.dial.radius_m * np.cos(angle)
        y = self.dial.center_m[1] + self.dial.radius_m * np.sin(angle)
        return frame(x, y, self.work_height_m, angle)


def frame(x_m: float, y_m: float, z_m: float, yaw: float) -> NDArray[np.float64]:
    """An upright pose (4, 4): position [m] and turn about z [rad]."""
    c, s = np.cos(yaw), np.sin(yaw)
    X = np.array([[c, -s, 0.0, x_m], [s, c, 0.0, y_m], [0.0, 0.0, 1.0, z_m], [0.0, 0.0, 0.0, 1.0]])
    X.flags.writeable = False
    return X


class _Tool(Record):
    id: Text
    length_m: Annotated[float, Field(ge=0.05, le=0.5)]
    mass_kg: Positive
    grip_force_n: Positive
    spindles: bool


class _Base(Record):
    x_m: Number
    y_m: Number
    z_m: Number = 0.0
    yaw: Angle = Field(alias="yaw_deg")


class _Arm(Record):
    id: Text
    model: Text
    tool: Text
    base: _Base


class _Station(Record):
    id: Text
    kind: StationKind
    x_m: Number
    y_m: Number
    yaw: Angle = Field(alias="yaw_deg", default=0.0)


class _Dial(Record):
    x_m: Number
    y_m: Number
    radius_m: Annotated[float, Field(ge=0.25, le=2.0)]
    positions: Annotated[int, Field(ge=2, le=24)]
    index_s: Positive
    flip_after: Annotated[int, Field(ge=0)]


class _Clearance(Record):
    arms_m: Annotated[float, Field(ge=0.010, le=0.2)]
    fixtures_m: Annotated[float, Field(ge=0.001, le=0.2)]
    lift_m: Annotated[float, Field(ge=0.05, le=0.3)]


class _Motion(Record):
    approach_m_per_s: Positive
    approach_m_per_s2: Positive
    insert_m_per_s: Positive
    grip_s: NotNegative
    release_s: NotNegative
    present_s: NotNegative
    shuttle_s: NotNegative


class _CellFile(Record):
    schema_version: Literal[1]
    name: Text
    work_height_m: Annotated[float, Field(ge=0.05, le=0.5)]
    dial: _Dial
    clearance: _Clearance
    motion: _Motion
    tools: Annotated[tuple[_Tool, ...], Field(min_length=1)]
    arms: Annotated[tuple[_Arm, ...], Field(min_length=1, max_length=16)]
    stations: tuple[_Station, ...]


def cell_names() -> tuple[str, ...]:
    """Names of the bundled cells."""
    return ("four_types", "six_arm")


def load_cell(name_or_path: str | Path) -> Cell:
    """Load a bundled cell by name or a cell file by path.

    Raises:
        CellError: With every finding of the file and of the arm files it names.
    """
    path, shown_name = locate(name_or_path, "cells")
    file = load_record(_CellFile, path, shown_name)
    findings = list(_contradictions(file, shown_name))
    arms: dict[str, Arm] = {}
    for index, entry in enumerate(file.arms):
        if entry.model in arms:
            continue
        try:
            arms[entry.model] = load_arm(entry.model)
        except CellError as error:
            known = {name: None for name in arm_names()}
            findings += (
                [unknown_name(shown_name, entry.model, known, f"arms[{index}].model")]
                if entry.model not in known
                else error.findings
            )
    if findings:
        raise CellError(findings)
    tools = {
        tool.id: Tool(
            id=tool.id,
            length_m=tool.length_m,
            mass_kg=tool.mass_kg,
            grip_force_n=tool.grip_force_n,
            spindles=tool.spindles,
        )
        for tool in file.tools
    }
    return Cell(
        name=file.name,
        file=shown_name,
        arms=tuple(
            CellArm(
                id=entry.id,
                arm=arms[entry.model],
                tool=tools[entry.tool],
                X_WB=frame(entry.base.x_m, entry.base.y_m, entry.base.z_m, entry.base.yaw),
            )
            for entry in file.arms
        ),
        dial=Dial(
            center_m=(file.dial.x_m, file.dial.y_m),
            radius_m=file.dial.radius_m,
            positions=file.dial.positions,
            index_s=file.dial.index_s,
            flip_after=file.dial.flip_after,
        ),
        stations=MappingProxyType(
            {
                entry.id: Station(
                    id=entry.id, kind=entry.kind, X_WS=frame(entry.x_m, entry.y_m, file.work_height_m, entry.yaw)
                )
                for entry in file.stations
            }
        ),
        work_height_m=file.work_height_m,
        clearance=Clearance(**file.clearance.model_dump()),
        motion=Motion(**file.motion.model_dump()),
    )


def _contradictions(file: _CellFile, name: str) -> list[Finding]:
    """What single fields cannot tell: doubled names, unknown tools, missing stations, overlapping fixtures."""
    findings = []

    def found(where: str, value: object, message: str, allowed: str) -> None:
        findings.append(Finding(file=name, where=where, value=shown(value), message=message, allowed=allowed))

    for table, entries in (("tools", file.tools), ("arms", file.arms), ("stations", file.stations)):
        seen: set[str] = set()
        for index, entry in enumerate(entries):
            if entry.id in seen:
                found(f"{table}[{index}].id", entry.id, "is used twice", "each id once")
            seen.add(entry.id)
    tools = {tool.id: None for tool in file.tools}
    findings += [
        unknown_name(name, entry.tool, tools, f"arms[{index}].tool")
        for index, entry in enumerate(file.arms)
        if entry.tool not in tools
    ]
    kinds = {entry.id: entry.kind for entry in file.stations}
    for station, kind in REQUIRED_STATIONS.items():
        if station not in kinds:
            found("stations", "", f"{station} is missing", f"a station of kind {kind}")
        elif kinds[station] != kind:
            found(f"stations.{station}.kind", kinds[station], "is the wrong kind", kind)
    for index, entry in enumerate(file.stations):
        if entry.id not in REQUIRED_STATIONS:
            findings.append(unknown_name(name, entry.id, REQUIRED_STATIONS, f"stations[{index}].id"))
    if file.dial.flip_after >= file.dial.positions - 1:
        found("dial.flip_after", file.dial.flip_after, "leaves no rear position", f"0 to {file.dial.positions - 2}")
    findings += _overlaps(file, name)
    return findings


def _overlaps(file: _CellFile, name: str) -> list[Finding]:
    """Stations, nests and arm bases that stand in one another, seen from above."""
    places = [(f"stations.{s.id}", s.x_m, s.y_m, FOOTPRINT_M) for s in file.stations if s.kind != "nozzle"]
    places += [(f"arms.{a.id}", a.base.x_m, a.base.y_m, 0.10) for a in file.arms]
    for position in range(file.dial.positions):
        angle = 2 * np.pi * position / file.dial.positions
        x, y = file.dial.x_m + file.dial.radius_m * np.cos(angle), file.dial.y_m + file.dial.radius_m * np.sin(angle)
        places.append((f"dial position {position}", float(x), float(y), FOOTPRINT_M))
    return [
        Finding(
            file=name,
            where=a,
            value=f"{np.hypot(xa - xb, ya - yb):.3f} m",
            message=f"overlaps {b}",
            allowed=f"at least {ra + rb:.3f} m between centres",
        )
        for index, (a, xa, ya, ra) in enumerate(places)
        for b, xb, yb, rb in places[index + 1 :]
        if np.hypot(xa - xb, ya - yb) < ra + rb
    ]
