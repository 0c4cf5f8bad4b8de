"""What a cell file may say: its records with their bounds, and what single fields cannot tell.

Everything that stands on the floor is checked for overlaps in plan view, as turned rectangles; whether an arm
reaches its stations is not a matter of the file but of the planner.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cells.errors import Finding, shown
from cells.files import Angle, Number, Positive, Record, Text, Whole, unknown_name

StationKind = Literal["feeder", "nozzle", "press", "bench", "out_tray"]
"""What a station does."""

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

FOOTPRINT_M = 0.055  # half width of a station's table, and of what sits in a nest
NOZZLE_HALF_M = 0.012
PEDESTAL_HALF_M = 0.10
MACHINE_FRAME_X_M = 0.255  # of the frame of press and bench, along x of the station
MACHINE_FRAME_HALF_M = (0.025, 0.08)
DISC_RADIUS_M = 0.30  # of the dial, without the shafts to its nests

# Bounds that a length typed in millimetres, or a time typed in milliseconds, does not meet.
_Place = Annotated[Number, Field(ge=-10.0, le=10.0)]
_Speed = Annotated[Positive, Field(le=5.0)]
_Seconds = Annotated[Number, Field(ge=0.0, le=60.0)]
_Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,31}$")]
_YesNo = Annotated[bool, Field(strict=True)]


class ToolRecord(Record):
    """A tool that arms may carry."""

    id: _Name
    length_m: Annotated[Number, Field(ge=0.05, le=0.5)]
    mass_kg: Annotated[Positive, Field(le=50.0)]
    grip_force_n: Annotated[Positive, Field(le=5000.0)]
    spindles: _YesNo


class BaseRecord(Record):
    """Where an arm stands."""

    x_m: _Place
    y_m: _Place
    z_m: _Place = 0.0
    yaw: Angle = Field(alias="yaw_deg")


class SerialRecord(Record):
    """The serial line of a real arm: its port, and which unit must be there."""

    port: Text
    uid: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{24}$")]
    baud: Annotated[Whole, Field(ge=9_600, le=4_000_000)] = 921_600


class ArmRecord(Record):
    """An arm, its model and its tool."""

    id: _Name
    model: Text
    tool: Text
    base: BaseRecord
    serial: SerialRecord | None = None


class StationRecord(Record):
    """A station off the dial."""

    id: _Name
    kind: StationKind
    x_m: _Place
    y_m: _Place
    yaw: Angle = Field(alias="yaw_deg", default=0.0)


class DialRecord(Record):
    """The indexing dial."""

    x_m: _Place
    y_m: _Place
    radius_m: Annotated[Number, Field(ge=0.25, le=2.0)]
    positions: Annotated[Whole, Field(ge=2, le=24)]
    index_s: Annotated[Positive, Field(le=60.0)]
    flip_after: Annotated[Whole, Field(ge=0)]


class ClearanceRecord(Record):
    """Distances a plan keeps."""

    arms_m: Annotated[Number, Field(ge=0.010, le=0.2)]
    fixtures_m: Annotated[Number, Field(ge=0.001, le=0.2)]
    lift_m: Annotated[Number, Field(ge=0.05, le=0.3)]


class MotionRecord(Record):
    """Speeds of straight moves and times of grippers, feeders and shuttles."""

    approach_m_per_s: _Speed
    approach_m_per_s2: Annotated[Positive, Field(le=100.0)]
    insert_m_per_s: _Speed
    grip_s: _Seconds
    release_s: _Seconds
    present_s: _Seconds
    shuttle_s: _Seconds


class CellRecord(Record):
    """A whole cell file."""

    schema_version: Literal[1]
    name: Text
    work_height_m: Annotated[Number, Field(ge=0.05, le=0.5)]
    dial: DialRecord
    clearance: ClearanceRecord
    motion: MotionRecord
    tools: Annotated[tuple[ToolRecord, ...], Field(min_length=1)]
    arms: Annotated[tuple[ArmRecord, ...], Field(min_length=1, max_length=16)]
    stations: tuple[StationRecord, ...]


def contradictions(file: CellRecord, name: str) -> Iterator[Finding]:
    """Doubled or unknown names, missing stations, things in one another's place; ``name`` is the file's."""
    yield from _doubled(name, "tools", [tool.id for tool in file.tools])
    yield from _doubled(name, "arms", [arm.id for arm in file.arms])
    yield from _doubled(name, "stations", [station.id for station in file.stations])
    yield from _shared_lines(file, name)
    taken = {"dial", *REQUIRED_STATIONS, *(f"P{position}" for position in range(file.dial.positions))}
    tools = {tool.id: None for tool in file.tools}
    for index, arm in enumerate(file.arms):
        if arm.id in taken:
            yield Finding(
                file=name,
                where=f"arms[{index}].id",
                value=shown(arm.id),
                message="is the name of a station",
                allowed="a name of its own",
            )
        if arm.tool not in tools:
            yield unknown_name(name, arm.tool, tools, f"arms[{index}].tool")
    yield from _stations(file, name)
    if file.dial.flip_after >= file.dial.positions - 1:
        yield Finding(
            file=name,
            where="dial.flip_after",
            value=shown(file.dial.flip_after),
            message="leaves no rear position",
            allowed=f"0 to {file.dial.positions - 2}",
        )
    yield from _overlaps(file, name)


def _doubled(name: str, table: str, ids: Iterable[str]) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, entry in enumerate(ids):
        if entry in seen:
            where = f"{table}[{index}].id"
            yield Finding(
                file=name, where=where, value=shown(entry), message="is used twice", allowed="each id once"
            )
        seen.add(entry)


def _shared_lines(file: CellRecord, name: str) -> Iterator[Finding]:
    """Ports or units that two arms claim."""
    seen: set[tuple[str, str]] = set()
    for index, arm in enumerate(file.arms):
        if arm.serial is None:
            continue
        for field, value in (("port", arm.serial.port), ("uid", arm.serial.uid.lower())):
            if (field, value) in seen:
                where = f"arms[{index}].serial.{field}"
                yield Finding(
                    file=name,
                    where=where,
                    value=shown(value),
                    message="is another arm's too",
                    allowed="one arm for each port, and one unit for each arm",
                )
            seen.add((field, value))


def _stations(file: CellRecord, name: str) -> Iterator[Finding]:
    """Stations that are missing, of the wrong kind, or that no recipe uses."""
    known = {station.id for station in file.stations}
    for required, kind in REQUIRED_STATIONS.items():
        if required not in known:
            message = f"{required} is missing"
            yield Finding(
                file=name, where="stations", value="", message=message, allowed=f"a station of kind {kind}"
            )
    for index, station in enumerate(file.stations):
        if station.id not in REQUIRED_STATIONS:
            yield unknown_name(name, station.id, REQUIRED_STATIONS, f"stations[{index}].id")
        elif station.kind != REQUIRED_STATIONS[station.id]:
            yield Finding(
                file=name,
                where=f"stations[{index}].kind",
                value=shown(station.kind),
                message=f"is the wrong kind for {station.id}",
                allowed=REQUIRED_STATIONS[station.id],
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rectangle:
    """What ``owner`` covers of the floor; ``half_m`` (2,) along its own turned axes."""

    owner: str
    center_m: NDArray[np.float64]
    yaw: float
    half_m: tuple[float, float]

    @property
    def axes(self) -> NDArray[np.float64]:
        """Rows (2, 2): directions of the sides."""
        c, s = np.cos(self.yaw), np.sin(self.yaw)
        return np.array([[c, s], [-s, c]])


def _overlaps(file: CellRecord, name: str) -> Iterator[Finding]:
    """Stations, nests, dial and arm bases that stand in one another, seen from above."""
    places = list(_rectangles(file))
    reported = set()
    for index, one in enumerate(places):
        for two in places[index + 1 :]:
            pair = (one.owner, two.owner)
            if one.owner == two.owner or pair in reported or _gap_m(one, two) >= 0.0:
                continue
            reported.add(pair)
            yield Finding(
                file=name,
                where=one.owner,
                value=f"({one.center_m[0]:.3f}, {one.center_m[1]:.3f}) m",
                message=f"overlaps {two.owner} by {-_gap_m(one, two):.3f} m",
                allowed="a free place",
            )


def _rectangles(file: CellRecord) -> Iterator[_Rectangle]:
    def rectangle(owner: str, x: float, y: float, yaw: float, half_m: tuple[float, float]) -> _Rectangle:
        return _Rectangle(owner=owner, center_m=np.array([x, y]), yaw=yaw, half_m=half_m)

    for station in file.stations:
        owner, yaw = f"stations.{station.id}", station.yaw
        half = NOZZLE_HALF_M if station.kind == "nozzle" else FOOTPRINT_M
        yield rectangle(owner, station.x_m, station.y_m, yaw, (half, half))
        if station.kind in ("press", "bench"):
            x = station.x_m + MACHINE_FRAME_X_M * np.cos(yaw)
            y = station.y_m + MACHINE_FRAME_X_M * np.sin(yaw)
            yield rectangle(owner, x, y, yaw, MACHINE_FRAME_HALF_M)
    for arm in file.arms:
        base, half = arm.base, PEDESTAL_HALF_M
        yield rectangle(f"arms.{arm.id}", base.x_m, base.y_m, base.yaw, (half, half))
    dial = file.dial
    for position in range(dial.positions):
        angle = 2 * np.pi * position / dial.positions
        x, y = dial.x_m + dial.radius_m * np.cos(angle), dial.y_m + dial.radius_m * np.sin(angle)
        yield rectangle(f"dial position {position}", x, y, angle, (FOOTPRINT_M, FOOTPRINT_M))
    for side in range(4):  # the octagon of cells.fixtures
        half_m = (DISC_RADIUS_M * np.cos(np.pi / 8), DISC_RADIUS_M * np.sin(np.pi / 8))
        yield rectangle("dial", dial.x_m, dial.y_m, side * np.pi / 4, half_m)


def _gap_m(one: _Rectangle, two: _Rectangle) -> float:
    """Largest separation along the direction of a side [m]; negative where two rectangles overlap."""
    gaps = []
    for axis in (*one.axes, *two.axes):
        reach = sum(float(np.abs(r.axes @ axis) @ np.array(r.half_m)) for r in (one, two))
        gaps.append(abs(float((two.center_m - one.center_m) @ axis)) - reach)
    return max(gaps)
