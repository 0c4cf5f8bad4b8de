"""Forward kinematics and the geometric Jacobian of any arm, one and many configurations at a time."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, joint_angles, rows
from kinematics.chain import Chain, unpacked
from kinematics.elementary import ANGLE_MAX
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
from kinematics.opw_forward import opw_placed
from kinematics.serial_chain import SerialChain
from kinematics.serial_forward import joint_frames, serial_placed
from kinematics.threads import in_chunks
from kinematics.vectors import Joints, Placed, subtract

AnyChain = Chain | SerialChain

_FLANGE, _JACOBIAN = 16, 36
_PLACED = block(LANES, q=6, flange=_FLANGE, J=_JACOBIAN, links=112)


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
    return _filled(chain, q, (4, 4), threads)


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
    return _filled(chain, q, (7, 4, 4), threads)


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
    return _filled(chain, q, (6, 6), threads)


def _filled(chain: AnyChain, q: ArrayLike, shape: tuple[int, ...], threads: int) -> Array:
    """What `place_lanes_of` makes of joint angles, an array of the given shape for each."""
    angles, single = rows("q", q, (6,))
    out = np.empty((len(angles), math.prod(shape)))
    kernel, model = (_opw, chain.packed) if isinstance(chain, Chain) else (_serial, chain.rows)
    if in_chunks(kernel, (model,), (angles, out), threads):
        joint_angles("q", q)  # names the value that is out of range
    return out.reshape(shape if single else (-1, *shape))


@inlined
def place_lanes_of(place: Callable[[Any, Joints], Placed], model: Any, q: Array, out: Array) -> int:
    """Fill out (n, m) for joint angles q (n, 6) of an arm that `place` puts into the base frame.

    A row of out takes the flange's pose (m = 16), link frames 0 to 6 (m = 112) or, row by row, the Jacobian (m = 36).
    Returns how many angles are out of range.
    """
    blocks = np.empty(1, _PLACED)
    put_identities(blocks[0].flange)
    put_identities(blocks[0].links)
    width, wrong = out.shape[1], 0
    for start in range(0, len(q), LANES):
        lanes, samples = blocks[0], out[start : start + LANES]
        load(lanes.q, q[start : start + LANES])
        count = active(len(samples))
        wrong += outside(lanes.q, count, ANGLE_MAX)
        if width == _FLANGE:
            for i in range(count):
                put_frame(lanes.flange, 0, i, place(model, get6(lanes.q, i))[2])
            unload(samples, lanes.flange)
        elif width == _JACOBIAN:
            for i in range(count):
                frames, axes, flange = place(model, get6(lanes.q, i))
                for k in range(6):
                    put_column(lanes.J, k, i, axes[k], subtract(flange[3], frames[k][3]))
            unload(samples, lanes.J)
        else:
            for i in range(count):
                frames = place(model, get6(lanes.q, i))[0]
                for k in range(6):
                    put_frame(lanes.links, 16 * k + 16, i, frames[k])
            unload(samples, lanes.links)
    return wrong


@kernel
def _opw(packed: Array, q: Array, out: Array) -> int:
    """`place_lanes_of` an OPW arm."""
    return place_lanes_of(opw_placed, unpacked(packed), q, out)


@kernel
def _serial(rows: Array, q: Array, out: Array) -> int:
    """`place_lanes_of` any serial arm."""
    return place_lanes_of(serial_placed, joint_frames(rows), q, out)
