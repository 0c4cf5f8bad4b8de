"""Forward kinematics of an OPW arm, as scalar functions; `kinematics.forward` has the loops and the door."""

from kinematics.chain import Arm
from kinematics.elementary import sincos
from kinematics.jit import inlined
from kinematics.vectors import Frames, Joints, Placed, add, scale, turn


@inlined
def angle(arm: Arm, q: Joints, k: int) -> tuple[float, float]:
    """Sine and cosine of the model's angle of joint k."""
    return sincos(q[k] * arm.signs[k] - arm.offsets[k])


@inlined
def opw_frames(arm: Arm, q: Joints) -> Frames:
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


@inlined
def opw_placed(arm: Arm, q: Joints) -> Placed:
    """Link frames, joint axes and the flange in the base frame."""
    frames = opw_frames(arm, q)
    axes = (
        scale(arm.signs[0], frames[0][2]),
        scale(arm.signs[1], frames[1][1]),
        scale(arm.signs[2], frames[2][1]),
        scale(arm.signs[3], frames[3][2]),
        scale(arm.signs[4], frames[4][1]),
        scale(arm.signs[5], frames[5][2]),
    )
    return frames, axes, frames[5]
