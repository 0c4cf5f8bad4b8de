"""Forward kinematics of any serial arm, as scalar functions; `kinematics.forward` has the loops and the door."""

from kinematics.arrays import Array
from kinematics.elementary import sincos
from kinematics.jit import inlined
from kinematics.lanes import get_frame
from kinematics.vectors import Frame, Frames, Joints, Placed, Vector, add, locate, scale, turn

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
def frames_along(joints: JointFrames, q: Joints) -> Frames:
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
def serial_frames(rows: Array, q: Joints) -> Frames:
    """Link frames 1 to 6 in the base frame, from a chain's rows, for one configuration."""
    return frames_along(joint_frames(rows), q)


@inlined
def serial_flange(rows: Array, frame6: Frame) -> Frame:
    """The flange in the base frame from link frame 6 and a chain's rows, for one configuration."""
    return flange_after(joint_frames(rows), frame6)


@inlined
def serial_placed(joints: JointFrames, q: Joints) -> Placed:
    """Link frames, joint axes and the flange in the base frame."""
    frames = frames_along(joints, q)
    axes = (frames[0][2], frames[1][2], frames[2][2], frames[3][2], frames[4][2], frames[5][2])
    return frames, axes, flange_after(joints, frames[5])
