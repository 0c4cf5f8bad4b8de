"""Plans as files: ``plan.json`` and ``trajectories.npz`` (docs/plan-format.md).

The same plan gives the same bytes. Files are read as if a stranger had written them: sizes are bounded before
anything is parsed, arrays never hold objects, and errors name the file and the field.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.driver import DriveScrews, Dwell, GripPart, InsertPart, Process, ReleasePart
from cells.errors import CellError
from cells.files import check_record, locate
from cells.fixtures import fixtures_of
from cells.tool_shape import HandCapsule, hand_capsule
from controller.motion.plan import MotionPlan
from controller.motion.plan_document import CellRecord, PlanDocument, ProcessKind, StoredPlan
from controller.motion.visit import Leg
from controller.scheduling.problem import NO_ARM
from controller.scheduling.schedule import Schedule
from kinematics import KinematicsError, Trajectory

PLAN_FILE = "plan.json"
TRAJECTORY_FILE = "trajectories.npz"

# About 50 kB of JSON and no new trajectories per joint: room for some thousand joints.
_MAX_JSON_BYTES = 256_000_000
_MAX_ARRAY_BYTES = 256_000_000
_ARRAYS: Mapping[str, tuple[str, int]] = {
    "first": ("<i8", 0),
    "t": ("<f8", 0),
    "q": ("<f8", 6),
    "qd": ("<f8", 6),
    "qdd": ("<f8", 6),
}
"""Name: type, columns (0 for a vector)."""
_STAMP = (1980, 1, 1, 0, 0, 0)  # a fixed time, so that equal plans are equal files
_KINDS: tuple[tuple[type, ProcessKind], ...] = (
    (GripPart, "grip"),
    (InsertPart, "insert"),
    (ReleasePart, "release"),
    (DriveScrews, "screw"),
    (Dwell, "dwell"),
)

FloatArray = NDArray[np.float64]


class PlanFileError(ValueError):
    """A plan that cannot be read; the message names file and field."""


def write_plan(directory: Path, plan: MotionPlan, cell: Cell, source: str | Path) -> None:
    """Write a plan.

    Args:
        directory: Where; made if missing, files of a former plan are replaced.
        plan: The plan.
        cell: The cell it was made for.
        source: The bundled name or the path from which the cell was loaded.
    """
    legs, trajectories = _Table(), _Table()
    hands = _Table()
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
            "leg": None
            if node.leg is None
            else legs.index(_leg(cell, node.resource, node.leg, hands, trajectories)),
            "predecessors": sorted(before),
            "coordination": [
                other for other in sorted(before) if (other, node.id) in plan.graph.coordination
            ],
        }
        for node, before in zip(plan.graph.nodes, plan.graph.predecessors, strict=True)
    ]
    arrays = _packed([_knots(key) for key in trajectories.rows])
    document = {
        "schema_version": 1,
        "cell": cell_document(cell, source),
        "schedule": _schedule(plan.schedule, cell),
        "order": [model.name for model in plan.order],
        "retreats": plan.retreats,
        "hands": [_hand(hand) for hand in hands.rows],
        "legs": [dict(row) for row in legs.rows],
        "nodes": nodes,
        "trajectories_sha256": hashlib.sha256(arrays).hexdigest(),
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / TRAJECTORY_FILE).write_bytes(arrays)
    (directory / PLAN_FILE).write_text(_json(document), encoding="utf-8", newline="\n")


def read_plan(directory: Path) -> StoredPlan:
    """Read a plan; indices are in range and every trajectory is well-formed, nothing else is promised.

    Raises:
        PlanFileError: When a file is missing, too large or malformed.
    """
    path = directory / PLAN_FILE
    try:
        parsed = json.loads(_bounded(path, _MAX_JSON_BYTES), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PlanFileError(f"{path}: is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise PlanFileError(f"{path}: holds {type(parsed).__name__}, expected an object")
    try:
        document = check_record(PlanDocument, parsed, str(path))
    except CellError as error:
        raise PlanFileError(str(error)) from error
    arrays = directory / TRAJECTORY_FILE
    content = _bounded(arrays, _MAX_ARRAY_BYTES)
    if hashlib.sha256(content).hexdigest() != document.trajectories_sha256:
        raise PlanFileError(
            f"{path}: trajectories_sha256 is not that of {arrays}: the files belong to two plans"
        )
    trajectories = _unpacked(content, arrays)
    _check_indices(document, len(trajectories), path)
    return StoredPlan(document=document, trajectories=trajectories)


def cell_document(cell: Cell, source: str | Path) -> dict[str, Any]:
    """What a plan says about its cell: everything its geometry depends on."""
    file, _ = locate(source, "cells")
    return {
        "source": str(source),
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "clearance": {"arms_m": cell.clearance.arms_m, "fixtures_m": cell.clearance.fixtures_m},
        "arms": [
            {
                "id": arm.id,
                "model": arm.arm.id,
                "lengths_m": {
                    name: getattr(arm.arm.chain, name) for name in ("a1", "a2", "b", "c1", "c2", "c3", "c4")
                },
                "offsets_rad": arm.arm.chain.offsets.tolist(),
                "signs": [int(sign) for sign in arm.arm.chain.signs],
                "q_min_rad": arm.arm.chain.q_min.tolist(),
                "q_max_rad": arm.arm.chain.q_max.tolist(),
                "velocity_rad_per_s": arm.arm.limits.velocity.tolist(),
                "acceleration_rad_per_s2": arm.arm.limits.acceleration.tolist(),
                "X_WB": arm.X_WB.tolist(),
                "capsules": [
                    {"link": int(link), "a_m": a.tolist(), "b_m": b.tolist(), "radius_m": float(radius)}
                    for link, a, b, radius in zip(
                        arm.arm.capsules.link,
                        arm.arm.capsules.a,
                        arm.arm.capsules.b,
                        arm.arm.capsules.radius,
                        strict=True,
                    )
                ],
            }
            for arm in cell.arms
        ],
        "fixtures": [
            {"name": box.name, "X_WO": box.X_WO.tolist(), "half_m": [float(half) for half in box.half_m]}
            for box in fixtures_of(cell)
        ],
    }


def cell_record(cell: Cell, source: str | Path) -> CellRecord:
    """`cell_document` as a record, to compare with that of a stored plan."""
    return CellRecord.model_validate(cell_document(cell, source))


class _Table:
    """Distinct rows in the order of their first use."""

    def __init__(self) -> None:
        self.rows: dict[Any, int] = {}

    def index(self, row: Any) -> int:
        return self.rows.setdefault(row, len(self.rows))


def _leg(
    cell: Cell, arm: str, leg: Leg, hands: _Table, trajectories: _Table
) -> tuple[tuple[str, object], ...]:
    tool = next(item.tool for item in cell.arms if item.id == arm)
    motion = leg.trajectory
    key = (motion.t.tobytes(), motion.q.tobytes(), motion.qd.tobytes(), motion.qdd.tobytes())
    return (
        ("name", leg.name),
        ("trajectory", trajectories.index(key)),
        ("hand", hands.index(hand_capsule(tool, leg.held))),
        ("hand_after", hands.index(hand_capsule(tool, leg.held_after))),
        ("held", "" if leg.held is None else leg.held.name),
        ("held_after", "" if leg.held_after is None else leg.held_after.name),
        ("station", leg.station),
        ("process", _kind(leg.process)),
    )


def _kind(process: Process | None) -> ProcessKind:
    return next((name for kind, name in _KINDS if isinstance(process, kind)), "")


def _hand(hand: HandCapsule) -> dict[str, object]:
    return {"link": 6, "a_m": hand.a_m, "b_m": hand.b_m, "radius_m": hand.radius_m}


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


def _json(document: Mapping[str, object]) -> str:
    """One line for each entry of a list, so that two plans can be compared line by line."""

    def dump(value: object) -> str:
        return json.dumps(value, allow_nan=False, ensure_ascii=False)

    fields = []
    for name, value in document.items():
        if isinstance(value, list) and value:
            fields.append(f"{dump(name)}: [\n" + ",\n".join(dump(item) for item in value) + "\n]")
        else:
            fields.append(f"{dump(name)}: {dump(value)}")
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _knots(key: tuple[bytes, bytes, bytes, bytes]) -> tuple[FloatArray, ...]:
    t, *states = (np.frombuffer(item) for item in key)
    return (t, *(state.reshape(-1, 6) for state in states))


def _packed(trajectories: list[tuple[FloatArray, ...]]) -> bytes:
    """All knots one after the other; ``first``: where each trajectory begins, then the number of knots."""
    first = np.cumsum([0, *(len(knots[0]) for knots in trajectories)])
    columns = [np.concatenate(column) for column in zip(*trajectories, strict=True)]
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for (name, (kind, _)), array in zip(_ARRAYS.items(), [first, *columns], strict=True):
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array.astype(kind), version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _STAMP), entry.getvalue())
    return stream.getvalue()


def _unpacked(content: bytes, path: Path) -> tuple[Trajectory, ...]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            arrays = {name: _array(archive, name, path) for name in _ARRAYS}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise PlanFileError(f"{path}: is not an archive of arrays: {error}") from error
    first, t = arrays["first"], arrays["t"]
    if len(first) == 0 or first[0] != 0 or first[-1] != len(t) or (np.diff(first) <= 0).any():
        raise PlanFileError(f"{path}: first: expected ascending indices from 0 to the {len(t)} knots of t")
    for name in ("q", "qd", "qdd"):
        if len(arrays[name]) != len(t):
            raise PlanFileError(f"{path}: {name}: has {len(arrays[name])} rows, expected {len(t)} as t has")
    trajectories = []
    for number, (low, high) in enumerate(zip(first[:-1].tolist(), first[1:].tolist(), strict=True)):
        try:
            trajectories.append(
                Trajectory(**{name: arrays[name][low:high] for name in ("t", "q", "qd", "qdd")})
            )
        except KinematicsError as error:
            raise PlanFileError(f"{path}: trajectory {number}: {error}") from error
    return tuple(trajectories)


def _array(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[Any]:
    """One array, from a header that is believed only as far as there are bytes."""
    kind, columns = _ARRAYS[name]
    try:
        entry = archive.getinfo(f"{name}.npy")
    except KeyError as error:
        raise PlanFileError(f"{path}: {name}: is missing") from error
    if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > _MAX_ARRAY_BYTES:
        raise PlanFileError(f"{path}: {name}: expected at most {_MAX_ARRAY_BYTES} bytes, not compressed")
    stream = io.BytesIO(archive.read(entry))
    try:
        version = np.lib.format.read_magic(stream)
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(stream)
    except ValueError as error:
        raise PlanFileError(f"{path}: {name}: is not an array: {error}") from error
    body = stream.read()
    wanted = (len(body) // 8 // max(columns, 1), *([columns] if columns else []))
    if (
        version != (1, 0)
        or by_column
        or dtype != np.dtype(kind)
        or shape != wanted
        or len(body) != 8 * np.prod(shape)
    ):
        found = f"{dtype} of shape {shape} in {len(body)} bytes"
        raise PlanFileError(f"{path}: {name}: is {found}, expected {kind} of shape {wanted} in rows")
    return np.frombuffer(body, dtype=kind).reshape(shape)


def _bounded(path: Path, limit: int) -> bytes:
    try:
        if not path.is_file():
            raise PlanFileError(f"{path}: is not a file")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
    except OSError as error:
        raise PlanFileError(f"{path}: cannot be read: {error.strerror}") from error
    if len(content) > limit:
        raise PlanFileError(f"{path}: is larger than {limit} bytes")
    return content


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is not a number of JSON")


def _check_indices(document: PlanDocument, trajectories: int, path: Path) -> None:
    """Every index points at something, and an arm's node (and no other) has a leg."""
    limits = {
        "trajectory": trajectories,
        "hand": len(document.hands),
        "hand_after": len(document.hands),
    }
    for number, leg in enumerate(document.legs):
        for name, limit in limits.items():
            if getattr(leg, name) >= limit:
                raise PlanFileError(
                    f"{path}: legs[{number}].{name}: {getattr(leg, name)}, expected less than {limit}"
                )
    arms = {arm.id for arm in document.cell.arms}
    for number, node in enumerate(document.nodes):
        where = f"{path}: nodes[{number}]"
        if (node.leg is not None) != (node.resource in arms):
            raise PlanFileError(
                f"{where}.leg: {node.leg} on {node.resource}, expected a leg for an arm and no other"
            )
        if node.leg is not None and node.leg >= len(document.legs):
            raise PlanFileError(f"{where}.leg: {node.leg}, expected less than {len(document.legs)}")
        if node.joint >= len(document.order) or (
            node.joint >= 0 and node.model != document.order[node.joint]
        ):
            raise PlanFileError(f"{where}.joint: {node.joint} of model {node.model!r} is not in the order")
        if any(other >= len(document.nodes) for other in node.predecessors):
            raise PlanFileError(
                f"{where}.predecessors: {max(node.predecessors)}, expected less than {len(document.nodes)}"
            )
        if not set(node.coordination) <= set(node.predecessors):
            raise PlanFileError(f"{where}.coordination: expected some of the predecessors")
