"""A cell: arms round an indexing dial, their tools, and the stations they serve.

Frames: W is the world (z up, z = 0 in the plane of the arm bases), ``X_WS`` a station's frame: where the
part frame P of a seated part is. A nest's frame has x radial, away from the dial's axis; its trunnion turns
the joint by pi about x on the way from position ``flip_after`` to the next, so that rear parts too are
inserted from above.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from cells.arm import Arm, arm_names, load_arm
from cells.cell_file import CellRecord, SerialRecord, StationKind, contradictions
from cells.errors import CellError, Finding, shown
from cells.files import bundled, load_record, locate, unknown_name
from cells.joint_model import joint_model_names, load_joint_model


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A gripper, with two retractable spindles beside its axis when ``spindles`` is set."""

    id: str
    length_m: float
    mass_kg: float
    grip_force_n: float
    spindles: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialPlace:
    """Where a real arm is connected: its port, its unit of 12 bytes, bits per second."""

    port: str
    uid: bytes
    baud: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CellArm:
    """An arm where it stands: ``X_WB`` (4, 4) is the pose of its base."""

    id: str
    arm: Arm
    tool: Tool
    X_WB: NDArray[np.float64]
    serial: SerialPlace | None = None


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


def cell_names() -> tuple[str, ...]:
    """Names of the bundled cells, sorted."""
    return tuple(bundled("cells"))


def load_cell(name_or_path: str | Path) -> Cell:
    """Load a bundled cell by name or a cell file by path.

    Raises:
        CellError: With every finding of the file and of the arm files it names.
    """
    path, shown_name = locate(name_or_path, "cells")
    file = load_record(CellRecord, path, shown_name)
    findings = list(contradictions(file, shown_name))
    arms, faults = _arms(file, shown_name)
    findings += [*faults, *_overloads(file, arms, shown_name)]
    if findings:
        raise CellError(findings)
    tools = {tool.id: Tool(**tool.model_dump()) for tool in file.tools}
    dial, height = file.dial, file.work_height_m
    return Cell(
        name=file.name,
        file=shown_name,
        arms=tuple(
            CellArm(
                id=entry.id,
                arm=arms[entry.model],
                tool=tools[entry.tool],
                X_WB=frame(entry.base.x_m, entry.base.y_m, entry.base.z_m, entry.base.yaw),
                serial=_serial(entry.serial),
            )
            for entry in file.arms
        ),
        dial=Dial(
            center_m=(dial.x_m, dial.y_m),
            radius_m=dial.radius_m,
            positions=dial.positions,
            index_s=dial.index_s,
            flip_after=dial.flip_after,
        ),
        stations=MappingProxyType(
            {
                entry.id: Station(
                    id=entry.id, kind=entry.kind, X_WS=frame(entry.x_m, entry.y_m, height, entry.yaw)
                )
                for entry in file.stations
            }
        ),
        work_height_m=height,
        clearance=Clearance(**file.clearance.model_dump()),
        motion=Motion(**file.motion.model_dump()),
    )


def _serial(record: SerialRecord | None) -> SerialPlace | None:
    if record is None:
        return None
    return SerialPlace(port=record.port, uid=bytes.fromhex(record.uid), baud=record.baud)


def _arms(file: CellRecord, name: str) -> tuple[dict[str, Arm], list[Finding]]:
    """Every model of arm that loads, and what is wrong with the others."""
    arms: dict[str, Arm] = {}
    findings: list[Finding] = []
    known = dict.fromkeys(arm_names())
    for index, entry in enumerate(file.arms):
        try:
            arms[entry.model] = arms.get(entry.model) or load_arm(entry.model)
        except CellError as error:
            # A file given by its path has findings of its own; a name is one of this file.
            misspelt = all(finding.file == "cells/arms" for finding in error.findings)
            where = f"arms[{index}].model"
            findings += [unknown_name(name, entry.model, known, where)] if misspelt else error.findings
    return arms, findings


def _overloads(file: CellRecord, arms: Mapping[str, Arm], name: str) -> Iterator[Finding]:
    """Arms whose tool with the heaviest joint is more than they may carry: any arm may have to unload it."""
    heaviest = max(
        (load_joint_model(model) for model in joint_model_names()), key=lambda model: model.mass_kg
    )
    masses = {tool.id: tool.mass_kg for tool in file.tools}
    for index, entry in enumerate(file.arms):
        arm, tool_kg = arms.get(entry.model), masses.get(entry.tool)
        if arm is None or tool_kg is None or tool_kg + heaviest.mass_kg <= arm.payload_kg:
            continue
        yield Finding(
            file=name,
            where=f"arms[{index}].tool",
            value=shown(entry.tool),
            message=(
                f"{entry.id} would carry {tool_kg + heaviest.mass_kg:g} kg: its tool of {tool_kg:g} kg "
                f"and, as the heaviest workpiece, {heaviest.name} of {heaviest.mass_kg:g} kg"
            ),
            allowed=f"at most {arm.payload_kg:g} kg, the payload of {entry.model}",
        )
