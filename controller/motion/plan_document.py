"""What a stored plan says: the records of ``plan.json`` and the plan read back (docs/plan-format.md).

The document repeats the geometry the plan was made with, so that it can be checked without the planner. Its schema is
written by ``python -m controller.motion.plan_document > docs/plan.schema.json``.
"""

import json
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from cells.files import NotNegative, Number, Positive, Record, Six, Text, Three, Whole
from kinematics import Trajectory

Name = Annotated[str, Field(max_length=100)]
Index = Annotated[Whole, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Four = Annotated[tuple[Number, ...], Field(min_length=4, max_length=4)]
Pose = Annotated[tuple[Four, ...], Field(min_length=4, max_length=4)]
Kind = Literal["grip", "insert", "release", "screw", "dwell"]


class CapsuleRecord(Record):
    """A capsule in the frame of ``link``, 0 being the base and 6 the flange [m]."""

    link: Annotated[Whole, Field(ge=0, le=6)]
    a_m: Three[Number]
    b_m: Three[Number]
    radius_m: Positive


class LinkRecord(Record):
    """Mass properties in a link's frame; its axes are principal [kg, m, kg m²]."""

    mass_kg: Positive
    com_m: Three[Number]
    inertia_kgm2: Three[Positive]


class HandRecord(CapsuleRecord):
    """A tool and the part it holds in the flange frame: the capsule round both, and their mass together."""

    mass_kg: Positive
    com_m: Three[Number]
    inertia_kgm2: Three[Positive]


class Lengths(Record):
    """The lengths of an OPW arm [m], see `kinematics.Chain`."""

    a1: Number
    a2: Number
    b: Number
    c1: Number
    c2: Number
    c3: Number
    c4: Number


class ArmRecord(Record):
    """An arm as planned with: model angles are ``q * signs - offsets_rad``; ``links`` are links 1 to 6."""

    id: Text
    model: Text
    lengths_m: Lengths
    offsets_rad: Six[Number]
    signs: Six[Literal[-1, 1]]
    q_min_rad: Six[Number]
    q_max_rad: Six[Number]
    velocity_rad_per_s: Six[Positive]
    acceleration_rad_per_s2: Six[Positive]
    jerk_rad_per_s3: Six[Positive]
    torque_nm: Six[Positive]
    links: Six[LinkRecord]
    X_WB: Pose
    capsules: Annotated[tuple[CapsuleRecord, ...], Field(min_length=1, max_length=64)]


class FixtureRecord(Record):
    """A box: pose of its centre, half extents [m]."""

    name: Text
    X_WO: Pose
    half_m: Three[Positive]


class ClearanceRecord(Record):
    """Distances promised [m]."""

    arms_m: Positive
    fixtures_m: Positive


class CellRecord(Record):
    """The cell: ``source`` is the bundled name or the path it was loaded from, ``sha256`` that file's."""

    source: Text
    sha256: Sha256
    clearance: ClearanceRecord
    arms: Annotated[tuple[ArmRecord, ...], Field(min_length=1, max_length=16)]
    fixtures: Annotated[tuple[FixtureRecord, ...], Field(max_length=1000)]


class ScheduledRecord(Record):
    """One operation of the repeating schedule for joint 0 [ms]; ``arm`` is empty for work without an arm."""

    operation: Text
    arm: Name
    position: Annotated[Whole, Field(ge=-1)]
    start_ms: Whole
    enter_ms: Whole
    leave_ms: Whole
    end_ms: Whole


class ScheduleRecord(Record):
    """The repeating schedule [ms]."""

    cycle_time_ms: Annotated[Whole, Field(gt=0)]
    lower_bound_ms: Index
    operations: tuple[ScheduledRecord, ...]


class GripRecord(Record):
    """Close the fingers on a part; ``radius_m`` is that of the gripped surface."""

    kind: Literal["grip"]
    station: Text
    radius_m: Positive
    internal: bool
    force_n: Positive
    duration_s: NotNegative


class InsertRecord(Record):
    """Follow the motion down into a station; good when seated with a force in the window."""

    kind: Literal["insert"]
    station: Text
    entry_m: NotNegative
    force_low_n: Number
    force_high_n: Positive
    duration_s: NotNegative


class ReleaseRecord(Record):
    """Open the fingers; the part stays."""

    kind: Literal["release"]
    station: Text
    duration_s: NotNegative


class ScrewRecord(Record):
    """Drive so many screws at once."""

    kind: Literal["screw"]
    station: Text
    count: Annotated[Whole, Field(ge=1)]
    torque_nm: Positive
    duration_s: NotNegative


class DwellRecord(Record):
    """Stay."""

    kind: Literal["dwell"]
    duration_s: NotNegative


ProcessRecord = Annotated[
    GripRecord | InsertRecord | ReleaseRecord | ScrewRecord | DwellRecord, Field(discriminator="kind")
]


class LegRecord(Record):
    """A distinct leg; ``hand`` indexes the hand under way, ``hand_after`` that at its end.

    ``finger_m`` is the radius that open fingers take on the way, null where they stay as they are.
    """

    name: Text
    trajectory: Index
    hand: Index
    hand_after: Index
    held: Name
    held_after: Name
    station: Name
    finger_m: Positive | None
    process: ProcessRecord | None

    @property
    def does(self) -> Kind | None:
        """Kind of the process; None for a mere motion."""
        return self.process.kind if self.process else None


class SweepRecord(Record):
    """A box in the world round everything that ``arm`` moves in ``leg``, rest at its end included [m]."""

    arm: Text
    leg: Index
    low_m: Three[Number]
    high_m: Three[Number]


class NodeRecord(Record):
    """A node of the event graph; its place in the list is its id.

    ``leg`` is None for a station's cycle; ``joint`` -1 and empty names belong to the dial's index.
    ``coordination`` are those of the ``predecessors`` that exist only to keep arms apart.
    """

    resource: Text
    label: Text
    operation: Name
    joint: Annotated[Whole, Field(ge=-1)]
    serial: Name
    model: Name
    duration_s: NotNegative
    start_s: NotNegative
    finishes: bool
    leg: Index | None
    predecessors: tuple[Index, ...]
    coordination: tuple[Index, ...]


class PlanDocument(Record):
    """The whole of ``plan.json``."""

    schema_version: Literal[2]
    cell: CellRecord
    schedule: ScheduleRecord
    order: Annotated[tuple[Text, ...], Field(min_length=1)]
    retreats: tuple[tuple[Text, Text], ...]
    hands: tuple[HandRecord, ...]
    legs: tuple[LegRecord, ...]
    sweeps: tuple[SweepRecord, ...]
    nodes: Annotated[tuple[NodeRecord, ...], Field(min_length=1)]
    trajectories_sha256: Sha256


def json_schema() -> dict[str, Any]:
    """The JSON Schema of ``plan.json``, published as ``docs/plan.schema.json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PlanDocument.model_json_schema()}


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan read back: the document, and the trajectories its legs point at."""

    document: PlanDocument
    trajectories: tuple[Trajectory, ...]

    def leg(self, node: int) -> LegRecord:
        """The leg of an arm's node."""
        index = self.document.nodes[node].leg
        assert index is not None
        return self.document.legs[index]

    def name(self, node: int) -> str:
        """A node in words."""
        record = self.document.nodes[node]
        words = [record.resource, record.label]
        if record.operation:
            words.append(f"of operation {record.operation}")
        if record.serial:
            words.append(f"for {record.serial}")
        return " ".join(words)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(json_schema(), indent=1) + "\n")
