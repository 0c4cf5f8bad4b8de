"""Forward kinematics and the geometric Jacobian, one and many configurations at a time; the kernels of an OPW arm."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, joint_angles, rows
from kinematics.chain import Arm, Chain, unpacked
from kinematics.elementary import ANGLE_MAX, sincos
from kinematics.jit import inlined, kernel
from kinematics.lanes import (
    LANES,
    active,
    block,
    get6,
    load,
    outside,
    put_column,
    put_frame,
    put_identities,
    unload,
)
from kinematics.serial_chain import SerialChain
from kinematics.serial_forward import serial_flanges, serial_frames_of, serial_jacobians
from kinematics.threads import in_chunks
from kinematics.vectors import Frame, Joints, add, scale, subtract, turn

AnyChain = Chain | SerialChain
Kernel = Callable[[Array, Array, Array], int]

_FLANGES = block(LANES, q=6, X=16)
_JACOBIANS = block(LANES, q=6, J=36)
_FRAMES = block(LANES, q=6, X=112)


def forward_kinematics(chain: AnyChain, q: ArrayLike, *, threads: int = 2) -> Array:
    """Pose of the flange in the base frame.

    Args:
        chain: The arm.
        q: (n, 6) or (6,) joint angles [rad], maker's convention.
        threads: At most so many, for large batches.

    Returns:
        X_BF, (n, 4, 4), or (4, 4) for a single configuration.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    return _filled(chain, q, (_flanges, serial_flanges), (4, 4), threads)


def link_frames(chain: AnyChain, q: ArrayLike, *, threads: int = 2) -> Array:
    """Poses of all link frames in the base frame; `kinematics.chain` and `kinematics.serial_chain` say where they sit.

    Args:
        chain: The arm.
        q: (n, 6) or (6,) joint angles [rad].
        threads: At most so many, for large batches.

    Returns:
        X_B0 (identity), X_B1 .. X_B6 (of a `Chain`: the flange), (n, 7, 4, 4), or (7, 4, 4) for a single
        configuration.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    return _filled(chain, q, (_frames, serial_frames_of), (7, 4, 4), threads)


def jacobian(chain: AnyChain, q: ArrayLike, *, threads: int = 2) -> Array:
    """Geometric Jacobian of the flange in the base frame, with respect to the maker's joint angles.

    Args:
        chain: The arm.
        q: (n, 6) or (6,) joint angles [rad].
        threads: At most so many, for large batches.

    Returns:
        J, (n, 6, 6) or (6, 6): rows 0-2 linear velocity of the flange's origin [m/rad], rows 3-5 angular
        velocity [rad/rad], columns joints 1-6.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    return _filled(chain, q, (_jacobians, serial_jacobians), (6, 6), threads)


def _filled(
    chain: AnyChain, q: ArrayLike, kernels: tuple[Kernel, Kernel], shape: tuple[int, ...], threads: int
) -> Array:
    """What the kernel for this kind of chain makes of joint angles, an array of the given shape for each."""
    angles, single = rows("q", q, (6,))
    result = np.empty((len(angles), math.prod(shape)))
    opw = isinstance(chain, Chain)
    model = chain.packed if isinstance(chain, Chain) else chain.rows
    if in_chunks(kernels[0 if opw else 1], (model,), (angles, result), threads):
        joint_angles("q", q)  # names the value that is out of range
    return result.reshape(shape if single else (-1, *shape))


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
def _flanges(packed: Array, q: Array, X: Array) -> int:
    """Flange poses X (n, 16) of joint angles q (n, 6); returns how many angles are out of range."""
    arm = unpacked(packed)
    blocks = np.empty(1, _FLANGES)
    put_identities(blocks[0].X)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        for i in range(count):
            put_frame(lanes.X, 0, i, frames(arm, get6(lanes.q, i))[5])
        unload(X[start : start + LANES], lanes.X)
    return wrong


@kernel
def _frames(packed: Array, q: Array, X: Array) -> int:
    """Link frames 0 to 6, X (n, 112), of joint angles q (n, 6); returns how many angles are out of range."""
    arm = unpacked(packed)
    blocks = np.empty(1, _FRAMES)
    put_identities(blocks[0].X)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        for i in range(count):
            links = frames(arm, get6(lanes.q, i))
            for k in range(6):
                put_frame(lanes.X, 16 * k + 16, i, links[k])
        unload(X[start : start + LANES], lanes.X)
    return wrong


@kernel
def _jacobians(packed: Array, q: Array, J: Array) -> int:
    """Jacobians J (n, 36), row by row, of joint angles q (n, 6); returns how many angles are out of range."""
    arm = unpacked(packed)
    signs = arm.signs
    blocks = np.empty(1, _JACOBIANS)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        for i in range(count):
            frame1, frame2, frame3, frame4, frame5, frame6 = frames(arm, get6(lanes.q, i))
            tip = frame6[3]
            put_column(lanes.J, 0, i, frame1[2], tip, signs[0])
            put_column(lanes.J, 1, i, frame2[1], subtract(tip, frame2[3]), signs[1])
            put_column(lanes.J, 2, i, frame3[1], subtract(tip, frame3[3]), signs[2])
            put_column(lanes.J, 3, i, frame4[2], subtract(tip, frame4[3]), signs[3])
            put_column(lanes.J, 4, i, frame5[1], subtract(tip, frame5[3]), signs[4])
            put_column(lanes.J, 5, i, frame6[2], (0.0, 0.0, 0.0), signs[5])
        unload(J[start : start + LANES], lanes.J)
    return wrong
