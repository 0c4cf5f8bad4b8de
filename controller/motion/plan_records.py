"""A motion plan as the plain data of ``plan.json`` (docs/plan-format.md); the planner's side of the certificate."""

import dataclasses
import hashlib
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from cells.arm import Arm
from cells.cell import Cell, CellArm, Tool
from cells.driver import DriveScrews, Dwell, GripPart, InsertPart, Process, ReleasePart
from cells.files import locate
from cells.fixtures import fixtures_of
from cells.hand_load import hand_load
from cells.part import Part, parts_of
from cells.tool_shape import hand_capsule
from controller.motion.plan import MotionPlan
from controller.motion.plan_document import CellRecord, Kind
from controller.motion.shape import moving_capsules
from controller.motion.visit import Leg, still
from controller.scheduling.problem import NO_ARM
from controller.scheduling.schedule import Schedule
from kinematics import Body, Sweep, Trajectory, sweep

T = TypeVar("T")

_KINDS: Mapping[type, Kind] = {
    GripPart: "grip",
    InsertPart: "insert",
    ReleasePart: "release",
    DriveScrews: "screw",
    Dwell: "dwell",
}
_SWEEP_STEP_M = 0.02  # as volumes are swept for coordination


def plan_document(
    plan: MotionPlan, cell: Cell, source: str | Path
) -> tuple[dict[str, Any], tuple[Trajectory, ...]]:
    """Everything a plan says but the check sum of its trajectories, and those trajectories."""
    tables = _Tables(plan, cell)
    nodes = [
        {
            "resource": node.resource,
            "label": node.label,
            "operation": node.operation,
            "joint": node.joint,
            "serial": node.serial,
            "model": node.model,
            "duration_s": node.duration_s,
            "start_s": float(plan.starts_s[node.id]),
            "finishes": node.finishes,
            "leg": None if node.leg is None else tables.leg(node.resource, node.model, node.leg),
            "predecessors": sorted(before),
            "coordination": [
                other for other in sorted(before) if (other, node.id) in plan.graph.coordination
            ],
        }
        for node, before in zip(plan.graph.nodes, plan.graph.predecessors, strict=True)
    ]
    document = {
        "schema_version": 2,
        "cell": cell_document(cell, source),
        "schedule": _schedule(plan.schedule, cell),
        "order": [model.name for model in plan.order],
        "retreats": plan.retreats,
        "hands": tables.hands.items,
        "legs": tables.legs.items,
        "sweeps": tables.sweeps.items,
        "nodes": nodes,
    }
    return document, tuple(tables.motions.items)


def cell_document(cell: Cell, source: str | Path) -> dict[str, Any]:
    """What a plan says about its cell: everything its motions depend on."""
    file, _ = locate(source, "cells")
    return {
        "source": str(source),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "clearance": {"arms_m": cell.clearance.arms_m, "fixtures_m": cell.clearance.fixtures_m},
        "arms": [_arm(arm.id, arm.arm, arm.X_WB.tolist()) for arm in cell.arms],
        "fixtures": [
            {"name": box.name, "X_WO": box.X_WO.tolist(), "half_m": [float(half) for half in box.half_m]}
            for box in fixtures_of(cell)
        ],
    }


def cell_record(cell: Cell, source: str | Path) -> CellRecord:
    """`cell_document` as a record, to compare with that of a stored plan."""
    return CellRecord.model_validate(cell_document(cell, source))


def hand_document(tool: Tool, held: Part | None) -> dict[str, Any]:
    """A tool and what it holds: the capsule round both, and their mass."""
    shape, load = hand_capsule(tool, held), hand_load(tool, held)
    return {
        "link": 6,
        "a_m": shape.a_m,
        "b_m": shape.b_m,
        "radius_m": shape.radius_m,
        "mass_kg": load.mass_kg,
        "com_m": (0.0, 0.0, load.com_m),
        "inertia_kgm2": (load.across_kgm2, load.across_kgm2, load.along_kgm2),
    }


def _arm(name: str, arm: Arm, X_WB: Sequence[Sequence[float]]) -> dict[str, Any]:
    chain, shapes = arm.chain, arm.capsules
    return {
        "id": name,
        "model": arm.id,
        "lengths_m": {name: getattr(chain, name) for name in ("a1", "a2", "b", "c1", "c2", "c3", "c4")},
        "offsets_rad": chain.offsets.tolist(),
        "signs": [int(sign) for sign in chain.signs],
        "q_min_rad": chain.q_min.tolist(),
        "q_max_rad": chain.q_max.tolist(),
        "velocity_rad_per_s": arm.limits.velocity.tolist(),
        "acceleration_rad_per_s2": arm.limits.acceleration.tolist(),
        "jerk_rad_per_s3": arm.limits.jerk.tolist(),
        "torque_nm": arm.torque_nm.tolist(),
        "links": [
            {
                "mass_kg": link.mass_kg,
                "com_m": link.com_m.tolist(),
                "inertia_kgm2": link.inertia_kgm2.tolist(),
            }
            for link in arm.links[1:]
        ],
        "X_WB": X_WB,
        "capsules": [
            {"link": int(link), "a_m": a.tolist(), "b_m": b.tolist(), "radius_m": float(radius)}
            for link, a, b, radius in zip(shapes.link, shapes.a, shapes.b, shapes.radius, strict=True)
        ],
    }


class _Table(Generic[T]):
    """Distinct items in the order of their first use."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self._numbers: dict[Hashable, int] = {}

    def index(self, key: Hashable, item: T) -> int:
        if key not in self._numbers:
            self._numbers[key] = len(self.items)
            self.items.append(item)
        return self._numbers[key]


class _Tables:
    """Distinct trajectories, hands and legs of a plan, and the boxes that legs sweep."""

    def __init__(self, plan: MotionPlan, cell: Cell) -> None:
        self.motions: _Table[Trajectory] = _Table()
        self.hands: _Table[dict[str, Any]] = _Table()
        self.legs: _Table[dict[str, Any]] = _Table()
        self.sweeps: _Table[dict[str, Any]] = _Table()
        self._arms = {arm.id: arm for arm in cell.arms}
        self._parts = {model.name: parts_of(model) for model in plan.order}
        self._known: dict[tuple[str, str, int], int] = {}

    def leg(self, arm: str, model: str, leg: Leg) -> int:
        """Index of a leg of an arm for a joint model, whose parts weigh what they weigh."""
        key = arm, model, id(leg)
        if key not in self._known:
            self._known[key] = self._leg(self._arms[arm], self._parts.get(model, {}), leg)
        return self._known[key]

    def _leg(self, arm: CellArm, parts: Mapping[str, Part], leg: Leg) -> int:
        held = None if leg.held is None else parts.get(leg.held.name, leg.held)
        after = None if leg.held_after is None else parts.get(leg.held_after.name, leg.held_after)
        motion = leg.trajectory
        knots = (motion.t.tobytes(), motion.q.tobytes(), motion.qd.tobytes(), motion.qdd.tobytes())
        row = {
            "name": leg.name,
            "trajectory": self.motions.index(knots, motion),
            "hand": self._hand(arm.tool, held),
            "hand_after": self._hand(arm.tool, after),
            "held": "" if held is None else held.name,
            "held_after": "" if after is None else after.name,
            "station": leg.station,
            "finger_m": leg.finger_m,
            "process": None if leg.process is None else _process(leg.process),
        }
        index = self.legs.index(repr(row), row)
        self.sweeps.index((arm.id, index), {"arm": arm.id, "leg": index, **_box(arm, motion, held, after)})
        return index

    def _hand(self, tool: Tool, held: Part | None) -> int:
        document = hand_document(tool, held)
        return self.hands.index(repr(document), document)


def _box(arm: CellArm, motion: Trajectory, held: Part | None, after: Part | None) -> dict[str, Any]:
    """Corners of a box round everything that an arm moves, and round the arm at rest afterwards."""

    def swept(part: Part | None, move: Trajectory) -> Sweep:
        body = Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=moving_capsules(arm, part))
        return sweep(body, move, _SWEEP_STEP_M)

    corners = np.concatenate([swept(held, motion).spans[-1], swept(after, still(motion.q[-1])).spans[-1]])
    return {"low_m": corners[:, :3].min(axis=0).tolist(), "high_m": corners[:, 3:].max(axis=0).tolist()}


def _process(process: Process) -> dict[str, Any]:
    return {"kind": _KINDS[type(process)], **dataclasses.asdict(process)}


def _schedule(schedule: Schedule, cell: Cell) -> dict[str, object]:
    return {
        "cycle_time_ms": schedule.cycle_time,
        "lower_bound_ms": schedule.lower_bound,
        "operations": [
            {
                "operation": item.operation,
                "arm": "" if item.mode.arm == NO_ARM else cell.arms[item.mode.arm].id,
                "position": item.mode.position,
                "start_ms": item.start,
                "enter_ms": item.enter,
                "leave_ms": item.leave,
                "end_ms": item.end,
            }
            for item in schedule.operations
        ],
    }
