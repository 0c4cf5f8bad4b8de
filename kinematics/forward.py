"""Forward kinematics and the geometric Jacobian, one and many configurations at a time; the kernels of an OPW arm."""

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, joint_angles
from kinematics.chain import Arm, Chain
from kinematics.elementary import sincos
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, block, get6, load, put_column, put_frame, unload
from kinematics.serial_chain import SerialChain
from kinematics.serial_forward import (
    serial_forward_few,
    serial_forward_many,
    serial_frames_many,
    serial_jacobian_many,
)
from kinematics.vectors import Frame, Joints, add, scale, subtract, turn

FEW = 8  # below this many configurations, the scalar path is faster than a block of lanes
_FORWARD = block(LANES, q=6, X=12)
_JACOBIAN = block(LANES, q=6, J=36)
_FRAMES = block(LANES, q=6, X=72)


def forward_kinematics(chain: Chain | SerialChain, q: ArrayLike) -> Array:
    """Pose of the flange in the base frame.

    Args:
        chain: The arm.
        q: (n, 6) or (6,) joint angles [rad], maker's convention.

    Returns:
        X_BF, (n, 4, 4), or (4, 4) for a single configuration.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    angles, single = joint_angles("q", q)
    X_BF = _poses(len(angles))
    few = len(angles) < FEW
    if isinstance(chain, Chain):
        (_forward_few if few else _forward_many)(chain.arm, angles, X_BF)
    else:
        (serial_forward_few if few else serial_forward_many)(chain.rows, angles, X_BF)
    X = X_BF.reshape(-1, 4, 4)
    return X[0] if single else X


def link_frames(chain: Chain | SerialChain, q: ArrayLike) -> Array:
    """Poses of all link frames in the base frame; `kinematics.chain` and `kinematics.serial_chain` say where they sit.

    Args:
        chain: The arm.
        q: (n, 6) or (6,) joint angles [rad].

    Returns:
        X_B0 (identity), X_B1 .. X_B6 (of a `Chain`: the flange), (n, 7, 4, 4), or (7, 4, 4) for a single
        configuration.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    angles, single = joint_angles("q", q)
    rows = np.empty((len(angles), 72))
    if isinstance(chain, Chain):
        _frames_many(chain.arm, angles, rows)
    else:
        serial_frames_many(chain.rows, angles, rows)
    X = np.zeros((len(angles), 7, 4, 4))
    X[:, 0] = np.eye(4)
    X[:, 1:, :3] = rows.reshape(-1, 6, 3, 4)
    X[:, 1:, 3, 3] = 1.0
    return X[0] if single else X


def jacobian(chain: Chain | SerialChain, q: ArrayLike) -> Array:
    """Geometric Jacobian of the flange in the base frame, with respect to the maker's joint angles.

    Args:
        chain: The arm.
        q: (n, 6) or (6,) joint angles [rad].

    Returns:
        J, (n, 6, 6) or (6, 6): rows 0-2 linear velocity of the flange's origin [m/rad], rows 3-5 angular
        velocity [rad/rad], columns joints 1-6.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    angles, single = joint_angles("q", q)
    rows = np.empty((len(angles), 36))
    if isinstance(chain, Chain):
        _jacobian_many(chain.arm, angles, rows)
    else:
        serial_jacobian_many(chain.rows, angles, rows)
    J = rows.reshape(-1, 6, 6)
    return J[0] if single else J


def _poses(count: int) -> Array:
    """Pose matrices (count, 16) with the last row set; kernels fill the first twelve columns."""
    X = np.zeros((count, 16))
    X[:, 15] = 1.0
    return X


@inlined
def angle(arm: Arm, q: Joints, k: int) -> tuple[float, float]:
    """Sine and cosine of the model's angle of joint k."""
    return sincos(q[k] * arm.signs[k] - arm.offsets[k])


@inlined
def frames(arm: Arm, q: Joints) -> tuple[Frame, Frame, Frame, Frame, Frame, Frame]:
    """Link frames 1 to 6 in the base frame (Brandstoetter et al., 2014, sec. 2, written joint by joint)."""
    q2 = q[1] * arm.signs[1] - arm.offsets[1]
    q3 = q[2] * arm.signs[2] - arm.offsets[2]
    s1, c1 = angle(arm, q, 0)
    s2, c2 = sincos(q2)
    s23, c23 = sincos(q2 + q3)  # joints 2 and 3 are parallel
    y = (-s1, c1, 0.0)
    frame1 = ((c1, s1, 0.0), y, (0.0, 0.0, 1.0), (0.0, 0.0, 0.0))
    frame2 = ((c1 * c2, s1 * c2, -s2), y, (c1 * s2, s1 * s2, c2), (arm.a1 * c1, arm.a1 * s1, arm.c1))
    x, z = (c1 * c23, s1 * c23, -s23), (c1 * s23, s1 * s23, c23)
    frame3 = (x, y, z, add(frame2[3], scale(arm.c2, frame2[2])))
    origin = add(frame3[3], add(scale(arm.a2, x), scale(arm.b, y)))
    x, y = turn(x, y, angle(arm, q, 3))
    frame4 = (x, y, z, origin)
    origin = add(origin, scale(arm.c3, z))
    z, x = turn(z, x, angle(arm, q, 4))
    frame5 = (x, y, z, origin)
    x, y = turn(x, y, angle(arm, q, 5))
    return frame1, frame2, frame3, frame4, frame5, (x, y, z, add(origin, scale(arm.c4, z)))


@kernel
def _forward_few(arm: Arm, q: Array, X: Array) -> None:
    """Flange poses, one by one; writes the first twelve columns of X (n, 16), does not allocate."""
    for i in range(len(q)):
        put_frame(X.T, 0, i, frames(arm, get6(q.T, i))[5])


@kernel
def _forward_many(arm: Arm, q: Array, X: Array) -> None:
    """Flange poses in lanes; writes the first twelve columns of X (n, 16)."""
    lanes = np.zeros(1, _FORWARD)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            put_frame(lanes.X, 0, i, frames(arm, get6(lanes.q, i))[5])
        unload(X[start : start + LANES], lanes.X)


@kernel
def _frames_many(arm: Arm, q: Array, X: Array) -> None:
    """Link frames in lanes; X (n, 72) holds the upper three rows of frames 1 to 6."""
    lanes = np.zeros(1, _FRAMES)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            frame1, frame2, frame3, frame4, frame5, frame6 = frames(arm, get6(lanes.q, i))
            put_frame(lanes.X, 0, i, frame1)
            put_frame(lanes.X, 12, i, frame2)
            put_frame(lanes.X, 24, i, frame3)
            put_frame(lanes.X, 36, i, frame4)
            put_frame(lanes.X, 48, i, frame5)
            put_frame(lanes.X, 60, i, frame6)
        unload(X[start : start + LANES], lanes.X)


@kernel
def _jacobian_many(arm: Arm, q: Array, J: Array) -> None:
    """Jacobians in lanes; J (n, 36) row by row."""
    lanes = np.zeros(1, _JACOBIAN)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            frame1, frame2, frame3, frame4, frame5, frame6 = frames(arm, get6(lanes.q, i))
            tip = frame6[3]
            put_column(lanes.J, 0, i, frame1[2], tip, arm.signs[0])
            put_column(lanes.J, 1, i, frame2[1], subtract(tip, frame2[3]), arm.signs[1])
            put_column(lanes.J, 2, i, frame3[1], subtract(tip, frame3[3]), arm.signs[2])
            put_column(lanes.J, 3, i, frame4[2], subtract(tip, frame4[3]), arm.signs[3])
            put_column(lanes.J, 4, i, frame5[1], subtract(tip, frame5[3]), arm.signs[4])
            put_column(lanes.J, 5, i, frame6[2], (0.0, 0.0, 0.0), arm.signs[5])
        unload(J[start : start + LANES], lanes.J)
