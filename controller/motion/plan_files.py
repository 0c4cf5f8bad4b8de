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
from cells.errors import CellError
from cells.files import check_record
from controller.motion.plan import MotionPlan
from controller.motion.plan_document import PlanDocument, StoredPlan
from controller.motion.plan_records import plan_document
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
    document, motions = plan_document(plan, cell, source)
    arrays = _packed([(motion.t, motion.q, motion.qd, motion.qdd) for motion in motions])
    document["trajectories_sha256"] = hashlib.sha256(arrays).hexdigest()
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
    for number, sweep in enumerate(document.sweeps):
        if sweep.leg >= len(document.legs) or sweep.arm not in arms:
            raise PlanFileError(f"{path}: sweeps[{number}]: no leg {sweep.leg} of an arm {sweep.arm!r}")
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
