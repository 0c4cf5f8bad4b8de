"""Forward kinematics and the geometric Jacobian of any serial arm, as kernels; `kinematics.forward` is the door."""

import numpy as np

from kinematics.arrays import Array
from kinematics.elementary import sincos
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, block, get6, get_frame, load, put_column, put_frame, unload
from kinematics.vectors import Frame, Joints, Vector, add, locate, scale, subtract, turn

_FORWARD = block(LANES, q=6, X=12)
_JACOBIAN = block(LANES, q=6, J=36)
_FRAMES = block(LANES, q=6, X=72)

SerialFrames = tuple[Frame, Frame, Frame, Frame, Frame, Frame]


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
def beyond(rows: Array, parent: Frame, q: Joints, k: int) -> Frame:
    """Link frame k + 1 in the base frame, from link frame k and joint angle q[k]."""
    x, y, z, p = compose(parent, get_frame(rows.T, k))
    x, y = turn(x, y, sincos(q[k]))
    return x, y, z, p


@inlined
def serial_frames(rows: Array, q: Joints) -> SerialFrames:
    """Link frames 1 to 6 in the base frame; rows (7, 12) are those of the chain."""
    x, y, z, p = get_frame(rows.T, 0)
    x, y = turn(x, y, sincos(q[0]))
    frame1 = (x, y, z, p)
    frame2 = beyond(rows, frame1, q, 1)
    frame3 = beyond(rows, frame2, q, 2)
    frame4 = beyond(rows, frame3, q, 3)
    frame5 = beyond(rows, frame4, q, 4)
    return frame1, frame2, frame3, frame4, frame5, beyond(rows, frame5, q, 5)


@inlined
def serial_flange(rows: Array, frame6: Frame) -> Frame:
    """The flange in the base frame, from link frame 6."""
    return compose(frame6, get_frame(rows.T, 6))


@inlined
def put_serial_jacobian(rows: Array, q: Joints, J: Array, i: int) -> None:
    """Jacobian of the flange into 36 rows of lane i (Lynch and Park, 2017, ch. 5)."""
    frames = serial_frames(rows, q)
    tip = serial_flange(rows, frames[5])[3]
    for k in range(6):
        put_column(J, k, i, frames[k][2], subtract(tip, frames[k][3]), 1.0)


@kernel
def serial_forward_few(rows: Array, q: Array, X: Array) -> None:
    """Flange poses one by one; writes the first twelve columns of X (n, 16), does not allocate."""
    for i in range(len(q)):
        put_frame(X.T, 0, i, serial_flange(rows, serial_frames(rows, get6(q.T, i))[5]))


@kernel
def serial_forward_many(rows: Array, q: Array, X: Array) -> None:
    """Flange poses in lanes; writes the first twelve columns of X (n, 16)."""
    lanes = np.zeros(1, _FORWARD)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            put_frame(lanes.X, 0, i, serial_flange(rows, serial_frames(rows, get6(lanes.q, i))[5]))
        unload(X[start : start + LANES], lanes.X)


@kernel
def serial_frames_many(rows: Array, q: Array, X: Array) -> None:
    """Link frames in lanes; X (n, 72) holds the upper three rows of frames 1 to 6."""
    lanes = np.zeros(1, _FRAMES)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            frames = serial_frames(rows, get6(lanes.q, i))
            for k in range(6):
                put_frame(lanes.X, 12 * k, i, frames[k])
        unload(X[start : start + LANES], lanes.X)


@kernel
def serial_jacobian_many(rows: Array, q: Array, J: Array) -> None:
    """Jacobians in lanes; J (n, 36) row by row."""
    lanes = np.zeros(1, _JACOBIAN)[0]
    for start in range(0, len(q), LANES):
        load(lanes.q, q[start : start + LANES])
        for i in range(LANES):
            put_serial_jacobian(rows, get6(lanes.q, i), lanes.J, i)
        unload(J[start : start + LANES], lanes.J)
