"""Forward kinematics and the geometric Jacobian of any serial arm, as kernels; `kinematics.forward` is the door."""

import numpy as np

from kinematics.arrays import Array
from kinematics.elementary import ANGLE_MAX, sincos
from kinematics.jit import inlined, kernel
from kinematics.lanes import (
    LANES,
    active,
    block,
    get6,
    get_frame,
    load,
    outside,
    put_column,
    put_frame,
    put_identities,
    unload,
)
from kinematics.vectors import Frame, Joints, Vector, add, locate, scale, subtract, turn

_FLANGES = block(LANES, q=6, X=16)
_JACOBIANS = block(LANES, q=6, J=36)
_FRAMES = block(LANES, q=6, X=112)

SerialFrames = tuple[Frame, Frame, Frame, Frame, Frame, Frame]
JointFrames = tuple[Frame, Frame, Frame, Frame, Frame, Frame, Frame]


@inlined
def rotate(frame: Frame, vector: Vector) -> Vector:
    """A vector given in a frame, in the coordinates the frame is given in."""
    x, y, z, _ = frame
    return add(scale(vector[0], x), add(scale(vector[1], y), scale(vector[2], z)))


@inlined
def compose(frame: Frame, inner: Frame) -> Frame:
    """A frame given in a frame, in the coordinates that one is given in."""
    x, y, z, p = inner
    return rotate(frame, x), rotate(frame, y), rotate(frame, z), locate(frame, p)


@inlined
def beyond(joints: JointFrames, parent: Frame, q: Joints, k: int) -> Frame:
    """Link frame k + 1 in the base frame, from link frame k and joint angle q[k]."""
    x, y, z, p = compose(parent, joints[k])
    x, y = turn(x, y, sincos(q[k]))
    return x, y, z, p


@inlined
def joint_frames(rows: Array) -> JointFrames:
    """The fixed transforms of a chain from its rows (7, 12).

    A loop over lanes takes them, not the array: results could overlap that, and it would be read anew for each lane.
    """
    X = rows.T
    return (
        get_frame(X, 0),
        get_frame(X, 1),
        get_frame(X, 2),
        get_frame(X, 3),
        get_frame(X, 4),
        get_frame(X, 5),
        get_frame(X, 6),
    )


@inlined
def frames_along(joints: JointFrames, q: Joints) -> SerialFrames:
    """Link frames 1 to 6 in the base frame."""
    x, y, z, p = joints[0]
    x, y = turn(x, y, sincos(q[0]))
    frame1 = (x, y, z, p)
    frame2 = beyond(joints, frame1, q, 1)
    frame3 = beyond(joints, frame2, q, 2)
    frame4 = beyond(joints, frame3, q, 3)
    frame5 = beyond(joints, frame4, q, 4)
    return frame1, frame2, frame3, frame4, frame5, beyond(joints, frame5, q, 5)


@inlined
def flange_after(joints: JointFrames, frame6: Frame) -> Frame:
    """The flange in the base frame, from link frame 6."""
    return compose(frame6, joints[6])


@inlined
def serial_frames(rows: Array, q: Joints) -> SerialFrames:
    """Link frames 1 to 6 in the base frame, from a chain's rows, for one configuration."""
    return frames_along(joint_frames(rows), q)


@inlined
def serial_flange(rows: Array, frame6: Frame) -> Frame:
    """The flange in the base frame from link frame 6 and a chain's rows, for one configuration."""
    return flange_after(joint_frames(rows), frame6)


@inlined
def put_serial_jacobian(joints: JointFrames, q: Joints, J: Array, i: int) -> None:
    """Jacobian of the flange into 36 rows of lane i (Lynch and Park, 2017, ch. 5)."""
    frames = frames_along(joints, q)
    tip = flange_after(joints, frames[5])[3]
    for k in range(6):
        put_column(J, k, i, frames[k][2], subtract(tip, frames[k][3]), 1.0)


@kernel
def serial_flanges(rows: Array, q: Array, X: Array) -> int:
    """Flange poses X (n, 16) of joint angles q (n, 6); returns how many angles are out of range."""
    joints = joint_frames(rows)
    blocks = np.empty(1, _FLANGES)
    put_identities(blocks[0].X)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        for i in range(count):
            put_frame(lanes.X, 0, i, flange_after(joints, frames_along(joints, get6(lanes.q, i))[5]))
        unload(X[start : start + LANES], lanes.X)
    return wrong


@kernel
def serial_frames_of(rows: Array, q: Array, X: Array) -> int:
    """Link frames 0 to 6, X (n, 112), of joint angles q (n, 6); returns how many angles are out of range."""
    joints = joint_frames(rows)
    blocks = np.empty(1, _FRAMES)
    put_identities(blocks[0].X)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        for i in range(count):
            frames = frames_along(joints, get6(lanes.q, i))
            for k in range(6):
                put_frame(lanes.X, 16 * k + 16, i, frames[k])
        unload(X[start : start + LANES], lanes.X)
    return wrong


@kernel
def serial_jacobians(rows: Array, q: Array, J: Array) -> int:
    """Jacobians J (n, 36), row by row, of joint angles q (n, 6); returns how many angles are out of range."""
    joints = joint_frames(rows)
    blocks = np.empty(1, _JACOBIANS)
    wrong = 0
    for start in range(0, len(q), LANES):
        lanes = blocks[0]
        load(lanes.q, q[start : start + LANES])
        count = active(len(q) - start)
        wrong += outside(lanes.q, count, ANGLE_MAX)
        for i in range(count):
            put_serial_jacobian(joints, get6(lanes.q, i), lanes.J, i)
        unload(J[start : start + LANES], lanes.J)
    return wrong
