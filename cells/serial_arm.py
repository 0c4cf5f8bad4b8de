"""Arms of any geometry with six revolute joints: their files, which hold ``[serial]`` instead of ``[opw]``.

Frame k has its z along the axis of joint k and moves with link k; frame 0 is the base, and the seventh transform leads
to the flange (`kinematics.serial_chain`). Arms with three parallel axes get the closed form of their inverse kinematics,
others are solved numerically.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cells.arm import ArmFigures, empty_ranges, sources_of
from cells.errors import CellError, Finding
from cells.files import NotNegative, Number, Record, Six, Source, Sourced, Three, load_record, locate
from kinematics import Bodies, KinematicsError, Limits, ParallelAxesChain, SerialChain

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SerialArm:
    """An arm of any geometry; the attributes are those of `cells.arm.Arm`, as far as there are any.

    Attributes:
        id: Name of its file.
        name: Maker and type.
        chain: Geometry, joint limits and masses; a `ParallelAxesChain` where that holds.
        limits: Velocity, acceleration and jerk limits [rad/s, rad/s², rad/s³].
        torque_nm: (6,) joint torque limits [N·m].
        payload_kg: Rated payload [kg].
        mass_kg: Mass of the whole arm [kg].
        repeatability_m: Pose repeatability, plus or minus [m].
        sources: Where each group of figures comes from.
    """

    id: str
    name: str
    chain: SerialChain
    limits: Limits
    torque_nm: FloatArray
    payload_kg: float
    mass_kg: float
    repeatability_m: float
    sources: Mapping[str, Source]


_Quaternion = Annotated[tuple[Number, ...], Field(min_length=4, max_length=4)]
_Seven = Field(min_length=7, max_length=7)


class _Serial(Sourced):
    origins_m: Annotated[tuple[Three[Number], ...], _Seven]
    quaternions_wxyz: Annotated[tuple[_Quaternion, ...], _Seven]


class _Body(Record):
    mass_kg: NotNegative
    com_m: Three[Number]
    inertia_kgm2: Six[Number]


class _Bodies(Sourced):
    link: Six[_Body]


class SerialArmFile(ArmFigures):
    """A file with ``[serial]``; of ``[links]``, the inertias are xx, xy, xz, yy, yz, zz of links 1 to 6."""

    serial: _Serial
    links: _Bodies | None = None


def load_serial_arm(path: Path) -> SerialArm:
    """Load an arm file with ``[serial]``.

    Raises:
        CellError: With every finding, when there is no such file or it is wrong.
    """
    file_path, shown_path = locate(path, "arms")
    return serial_arm(load_record(SerialArmFile, file_path, shown_path), shown_path, path.stem)


def serial_arm(file: SerialArmFile, name: str, arm_id: str) -> SerialArm:
    """The arm of a record; see `load_serial_arm` for errors."""
    if findings := [*empty_ranges(file, name)]:
        raise CellError(findings)
    X_joint = np.tile(np.eye(4), (7, 1, 1))
    for X, origin, quaternion in zip(
        X_joint, file.serial.origins_m, file.serial.quaternions_wxyz, strict=True
    ):
        X[:3, :3], X[:3, 3] = rotation_of(np.array(quaternion)), origin
    try:
        bodies = None
        if file.links is not None:
            tensors = [
                [(a, b, c), (b, d, e), (c, e, f)]
                for a, b, c, d, e, f in (k.inertia_kgm2 for k in file.links.link)
            ]
            bodies = Bodies(
                mass=np.array([link.mass_kg for link in file.links.link]),
                com=np.array([link.com_m for link in file.links.link]),
                inertia=np.array(tensors),
            )
        chain = SerialChain(
            X_joint=X_joint,
            q_min=np.array(file.position.q_min),
            q_max=np.array(file.position.q_max),
            bodies=bodies,
        )
    except KinematicsError as error:
        raise CellError(
            [Finding(file=name, where="serial", value="", message=str(error), allowed="")]
        ) from error
    return SerialArm(
        id=arm_id,
        name=file.name,
        chain=with_closed_form(chain),
        limits=file.limits(),
        torque_nm=np.array(file.torque.limits_nm),
        payload_kg=file.ratings.payload_kg,
        mass_kg=file.ratings.mass_kg,
        repeatability_m=file.ratings.repeatability_m,
        sources=MappingProxyType(sources_of(file)),
    )


def with_closed_form(chain: SerialChain) -> SerialChain:
    """The same chain as a `ParallelAxesChain` where its axes lie like that."""
    try:
        return ParallelAxesChain(
            X_joint=chain.X_joint,
            q_min=chain.q_min,
            q_max=chain.q_max,
            bodies=chain.bodies,
            gravity=chain.gravity,
        )
    except KinematicsError:
        return chain


def rotation_of(quaternion: FloatArray) -> FloatArray:
    """Rotation matrix of a quaternion (w, x, y, z) of any length but zero; of zero, NaN."""
    with np.errstate(invalid="ignore"):
        w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            (1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - z * w), 2.0 * (x * z + y * w)),
            (2.0 * (x * y + z * w), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - x * w)),
            (2.0 * (x * z - y * w), 2.0 * (y * z + x * w), 1.0 - 2.0 * (x * x + y * y)),
        ]
    )


def quaternion_of(rotation: FloatArray) -> FloatArray:
    """Unit quaternion (w, x, y, z), w >= 0, of a rotation matrix: the eigenvector by Bar-Itzhack (2000)."""
    R = rotation
    K = np.array(
        [
            (R[0, 0] + R[1, 1] + R[2, 2], R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]),
            (0.0, R[0, 0] - R[1, 1] - R[2, 2], R[1, 0] + R[0, 1], R[2, 0] + R[0, 2]),
            (0.0, 0.0, R[1, 1] - R[0, 0] - R[2, 2], R[2, 1] + R[1, 2]),
            (0.0, 0.0, 0.0, R[2, 2] - R[0, 0] - R[1, 1]),
        ]
    )
    q: FloatArray = np.linalg.eigh(K, UPLO="U")[1][:, 3]
    return -q if q[0] < 0.0 else q
