"""Arms whose joints 2, 3 and 4 are parallel (Universal Robots and alike): recognition, and all eight branches.

The construction is that of K. P. Hawkins, "Analytic Inverse Kinematics for the Universal Robots UR-5/UR-10 Arms",
Georgia Institute of Technology, 2013, but for Denavit-Hartenberg frames that are found from the joint axes, with
alpha = 90, 0, 0, 90, -90 degrees:

===== =================================================== ==========================
frame origin                                              z
===== =================================================== ==========================
0     where axes 1 and 2 meet                             axis 1
1-3   on axes 2, 3 and 4, in the plane of frame 0's origin n, along axis 2
4     where axes 4 and 5 meet, d4 from that plane         axis 5
5, 6  where axes 5 and 6 meet, d5 from there              axis 6
===== =================================================== ==========================
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinematics.arrays import Array
from kinematics.elementary import atan2, root
from kinematics.errors import KinematicsError
from kinematics.inverse import NEAR_SINGULAR, ROW, Ranges, failure, forgiving, limited, put_solution
from kinematics.jit import inlined, kernel
from kinematics.joint_axes import axis_lines, meeting, turn_about
from kinematics.lanes import FINITE, LANES, Block, active, block, get_frame, load, unload
from kinematics.serial_chain import SerialChain
from kinematics.serial_forward import compose
from kinematics.vectors import Frame, Joints, dot, scale, subtract

_EXACT = 1e-9  # [m, rad]: how far axes may be from parallel, at right angles or meeting
_SHORTEST = 1e-3  # [m], of upper arm and forearm
_INVERSE = block(LANES, X=12, table=2 * ROW)


class ParallelAxes(NamedTuple):
    """What kernels take: lengths, joint conventions (model angle = q * sign - offset), fixed frames."""

    a2: float
    a3: float
    d4: float
    d5: float
    signs: Joints
    offsets: Joints
    X_0B: Frame
    X_F6: Frame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ParallelAxesChain(SerialChain):
    """A serial chain whose inverse kinematics has a closed form because axes 2, 3 and 4 are parallel.

    Also, axis 1 meets axis 2 at a right angle, and so do axes 4 and 5, and axes 5 and 6.

    Attributes:
        arm: The parameters as kernels take them.

    Raises:
        KinematicsError: If the axes do not lie like that to 1e-9.
    """

    arm: ParallelAxes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        SerialChain.__post_init__(self)
        object.__setattr__(self, "arm", _recognise(self))

    def branches(self, X_BF: Array, *, limited: bool) -> Array:
        """The table of `IkSolutions` (n, 8, 7) for poses (n, 4, 4): (shoulder) x (wrist, flipped) x (elbow).

        With a straight wrist (axes 4 and 6 parallel) the model's joint 6 is zero.
        """
        low, high = (self.q_min, self.q_max) if limited else (np.full(6, -FINITE), np.full(6, FINITE))
        middle, half = (0.5 * (low + high), 0.5 * (high - low)) if limited else (np.zeros(6), high)
        ranges: Any = tuple(tuple(values.tolist()) for values in (middle, half, low, high))
        table = np.empty((len(X_BF), 8, ROW))
        with np.errstate(invalid="ignore"):  # interpreted, NaN would warn; here it is a result
            _branches(self.arm, ranges, X_BF.reshape(-1, 16), table.reshape(-1, 8 * ROW))
        return table


def _recognise(chain: SerialChain) -> ParallelAxes:
    """Parameters of the closed form from the joint axes."""
    z, p, X_BF = axis_lines(chain)
    n = z[1]
    signs = np.array([1.0, 1.0, np.sign(n @ z[2]), np.sign(n @ z[3]), 1.0, 1.0])
    centre, gap1 = meeting(p[0], z[0], p[1], n)
    wrist, gap4 = meeting(p[3], n, p[4], z[4])
    tip, gap5 = meeting(p[4], z[4], p[5], z[5])
    off: dict[str, float] = {
        "axes 2 and 3 parallel": float(np.linalg.norm(np.cross(n, z[2]))),
        "axes 2 and 4 parallel": float(np.linalg.norm(np.cross(n, z[3]))),
        "axes 1 and 2 at right angles": abs(float(z[0] @ n)),
        "axes 4 and 5 at right angles": abs(float(n @ z[4])),
        "axes 5 and 6 at right angles": abs(float(z[4] @ z[5])),
        "axes 1 and 2 meeting": gap1,
        "axes 4 and 5 meeting": gap4,
        "axes 5 and 6 meeting": gap5,
    }
    for what, by in off.items():
        if not by <= _EXACT:
            raise KinematicsError(f"chain.X_joint: {by:.3g} off from {what}, expected at most {_EXACT:g}")

    def flat(v: Array) -> Array:
        return np.asarray(v - (v @ n) * n)

    upper, fore = flat(p[2] - centre), flat(wrist - p[2])
    a2, a3 = float(np.linalg.norm(upper)), float(np.linalg.norm(fore))
    if min(a2, a3) < _SHORTEST:
        raise KinematicsError(
            f"chain.X_joint: upper arm {a2:g} m, forearm {a3:g} m, expected at least {_SHORTEST:g} m"
        )
    x = [np.cross(z[0], n), upper / a2, fore / a3, np.cross(n, z[4]), np.cross(z[5], z[4])]
    turns = [turn_about(axis, a, b) for a, b, axis in zip(x[:-1], x[1:], (n, n, n, z[4]), strict=True)]
    offsets = -np.array([0.0, *turns, 0.0])
    X_B0, X_B6 = np.eye(4), np.eye(4)
    X_B0[:3] = np.column_stack([x[0], np.cross(z[0], x[0]), z[0], centre])
    X_B6[:3] = np.column_stack([x[4], np.cross(z[5], x[4]), z[5], tip])
    return ParallelAxes(
        a2,
        a3,
        float((wrist - centre) @ n),
        float((tip - wrist) @ z[4]),
        tuple(signs.tolist()),
        tuple(offsets.tolist()),
        _frame(np.linalg.inv(X_B0)),
        _frame(np.linalg.inv(X_BF) @ X_B6),
    )


def _frame(X: NDArray[np.floating]) -> Frame:
    x, y, z, p = (tuple(column.tolist()) for column in X[:3].T)
    return x, y, z, p


@inlined
def put_elbows(arm: ParallelAxes, ranges: Ranges, shoulder: float, flip: float, lanes: Block, i: int) -> None:
    """Solve lane i for one shoulder and wrist: both elbows."""
    x, y, z, p = compose(compose(arm.X_0B, get_frame(lanes.X, i)), arm.X_F6)
    # Joint 1 brings n = (s1, -c1, 0) to where p . n = d4.
    squared = p[0] * p[0] + p[1] * p[1]
    # NaN inside the cylinder of radius d4
    side = shoulder * root(forgiving(squared - arm.d4 * arm.d4, squared))
    k = 1.0 / (squared + 1e-300)
    s1, c1 = k * (p[0] * arm.d4 + p[1] * side), k * (p[0] * side - p[1] * arm.d4)
    model1 = atan2(s1, c1)
    # n in frame 6 is (s5 c6, -s5 s6, c5).
    n, e = (s1, -c1, 0.0), (c1, s1, 0.0)
    nx, ny = flip * dot(n, x), flip * dot(n, y)
    bend = root(nx * nx + ny * ny)
    nx = nx if bend > 0.0 else 1.0  # straight wrist: joint 6 is zero
    model5, model6 = atan2(flip * bend, dot(n, z)), atan2(-ny, nx)
    k = 1.0 / root(nx * nx + ny * ny)
    s6, c6 = -k * ny, k * nx
    axis5 = (-s6 * x[0] - c6 * y[0], -s6 * x[1] - c6 * y[1], -s6 * x[2] - c6 * y[2])
    sum234 = atan2(dot(axis5, e), -axis5[2])
    # Two links in the plane of e and z, from axis 2 to axis 4.
    centre = subtract(p, scale(arm.d5, axis5))
    r, h = dot(centre, e), centre[2]
    squared = r * r + h * h
    outer, inner = arm.a2 + arm.a3, arm.a2 - arm.a3
    far = forgiving(outer * outer - squared, outer * outer)
    near = forgiving(squared - inner * inner, outer * outer)
    area = root(far * near)  # NaN out of reach
    along, across = squared + arm.a2 * arm.a2 - arm.a3 * arm.a3, squared - arm.a2 * arm.a2 - arm.a3 * arm.a3
    up2, up3 = atan2(h * along - r * area, r * along + h * area), atan2(area, across)
    down2, down3 = atan2(h * along + r * area, r * along - h * area), -up3
    q1, in1 = limited(arm, ranges, 0, model1)
    q5, in5 = limited(arm, ranges, 4, model5)
    q6, in6 = limited(arm, ranges, 5, model6)
    up_q2, up_in2 = limited(arm, ranges, 1, up2)
    up_q3, up_in3 = limited(arm, ranges, 2, up3)
    up_q4, up_in4 = limited(arm, ranges, 3, sum234 - up2 - up3)
    down_q2, down_in2 = limited(arm, ranges, 1, down2)
    down_q3, down_in3 = limited(arm, ranges, 2, down3)
    down_q4, down_in4 = limited(arm, ranges, 3, sum234 - down2 - down3)
    singular = (
        (8.0 if bend < NEAR_SINGULAR else 0.0)
        + (16.0 if abs(area) < 2.0 * NEAR_SINGULAR * arm.a2 * arm.a3 else 0.0)
        + (32.0 if abs(side) < NEAR_SINGULAR * arm.a2 else 0.0)
    )
    up_code = failure(up2, in1, up_in2, up_in3, up_in4, in5, in6)
    down_code = failure(down2, in1, down_in2, down_in3, down_in4, in5, in6)
    put_solution(lanes, 0, i, (q1, up_q2, up_q3, up_q4, q5, q6), up_code, singular)
    put_solution(lanes, 1, i, (q1, down_q2, down_q3, down_q4, q5, q6), down_code, singular)


@kernel
def _branches(arm: ParallelAxes, ranges: Ranges, X: Array, table: Array) -> None:
    """All branches of poses X (n, 16) into a table (n, 56), in lanes."""
    blocks = np.empty(1, _INVERSE)
    for start in range(0, len(X), LANES):
        lanes = blocks[0]
        poses = X[start : start + LANES]
        load(lanes.X, poses)
        for pair in range(4):
            shoulder, flip = 1.0 if pair < 2 else -1.0, 1.0 if pair % 2 == 0 else -1.0
            for i in range(active(len(poses))):
                put_elbows(arm, ranges, shoulder, flip, lanes, i)
            unload(table[start : start + LANES, 2 * ROW * pair : 2 * ROW * (pair + 1)], lanes.table)
