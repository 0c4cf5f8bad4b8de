"""Analytic inverse kinematics of an OPW arm: all eight branches (Brandstoetter, Angerer and Hofbaur, 2014).

Branches are ordered (front, back) x (elbow up, elbow down) x (wrist, flipped wrist). Side and elbow are lanes of their
own, four for each pose, so that a single pose costs no more than one SIMD register of them.
"""

import math
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import FLOAT64, Array, batch, finite, frozen, rows
from kinematics.chain import Arm, Chain, unpacked
from kinematics.elementary import PI, TURN, atan2, nearest_turn, root
from kinematics.ik_solutions import IkSolutions
from kinematics.jit import entry_of, inlined, kernel, transposer
from kinematics.lanes import FINITE, LANES, Block, active, block, get6, get_frame, not_finite, unload
from kinematics.serial_chain import SerialChain
from kinematics.threads import in_chunks
from kinematics.vectors import Frame, Joints, SinCos, Vector, dot, scale, subtract

ROW = 7  # of a table of branches: six angles and a code
_INVERSE = block(LANES, X=12, sign=2, table=2 * ROW)
_POSES = LANES // 4
_spread = transposer(4, 4, again=4)  # a row of a pose into four lanes
_LIMIT_SLACK = 1e-9  # [rad]: an angle this far outside its limit is rounding, and is set to the limit
_REACH_SLACK = 1e-12  # of the squared reach: what rounding may take from a stretched arm
NEAR_SINGULAR = (
    1e-6  # sine of joint 5 or of the elbow's angle; distance from axis 1 over the upper arm's length
)

_UNBOUNDED = np.repeat([0.0, FINITE, -FINITE, FINITE], 6)


class Conventions(Protocol):
    """What relates the angles of an arm's joints to those of its model."""

    @property
    def signs(self) -> Joints:
        """Of the joints."""

    @property
    def offsets(self) -> Joints:
        """Of the joints [rad]."""


_solutions = partial(tuple.__new__, IkSolutions)  # what its constructor does, without being Python
Ranges = tuple[Joints, Joints, Joints, Joints]  # middle, half, lower and upper limit of each joint


def inverse_kinematics(chain: Chain | SerialChain, X_BF: ArrayLike, *, threads: int = 2) -> IkSolutions:
    """Joint angles that bring the flange to a pose.

    Of an angle's full turns, the one nearest to the middle between the joint's limits; `windings` has the others.
    With a straight wrist (joint 5 zero), the model's joint 4 is zero and joint 6 does the turn.

    Args:
        chain: The arm; a serial chain must have a closed form (`ParallelAxesChain`).
        X_BF: (n, 4, 4) or (4, 4) poses of the flange in the base frame; the rotation is taken to be
            orthonormal, and the last row is not read.
        threads: At most so many, for large batches.

    Returns:
        Solutions, and where there is none, why. Out of reach is a result, not an error.

    Raises:
        KinematicsError: If X_BF has another shape or holds NaN or infinity, or there is no closed form.
    """
    # The way of a single pose is kept short: most of its time is spent in Python.
    if (
        isinstance(chain, Chain)
        and type(X_BF) is np.ndarray
        and X_BF.shape == (4, 4)
        and X_BF.dtype is FLOAT64
        and X_BF.flags.carray
    ):
        table = np.ndarray((8, ROW))
        if not _entry()(chain.inverse_model, X_BF, table):
            return _solutions((table,))
    poses, single = rows("X_BF", X_BF, (4, 4))
    if isinstance(chain, SerialChain):
        batch("X_BF", X_BF, (4, 4))
        table = chain.branches(poses.reshape(-1, 4, 4), limited=True)
    else:
        table, wrong = _solved(chain.inverse_model, poses, threads)
        if wrong:
            batch("X_BF", X_BF, (4, 4))  # names the value that is not finite
    return IkSolutions(table[0] if single else table)


@lru_cache(maxsize=1)
def _entry() -> Callable[[Array, Array, Array], int]:
    """`_inverse` without its look at the types of the arguments, which takes a single pose a tenth longer."""
    model = np.zeros(43)
    model.flags.writeable = False  # as in a chain
    return entry_of(_inverse, (model, np.zeros((4, 4)), np.empty((8, ROW))))


def windings(chain: Chain | SerialChain, q: ArrayLike) -> Array:
    """All joint angles within the limits that differ from q by full turns only.

    Args:
        chain: The arm.
        q: (6,) joint angles [rad].

    Returns:
        (m, 6) [rad]; empty if a joint has no angle within its limits.

    Raises:
        KinematicsError: If q has another shape or holds NaN or infinity.
    """
    angles = finite("q", q, (6,))
    first = np.ceil((chain.q_min - angles - _LIMIT_SLACK) / TURN)
    last = np.floor((chain.q_max - angles + _LIMIT_SLACK) / TURN)
    turns = [np.arange(low, high + 1.0) for low, high in zip(first, last, strict=True)]
    grid = np.stack(np.meshgrid(*turns, indexing="ij"), axis=-1).reshape(-1, 6)
    return np.clip(angles + TURN * grid, chain.q_min, chain.q_max)


def inverse_without_limits(chain: Chain | SerialChain, X_BF: Array) -> Array:
    """All branches (n, 8, 6) of poses (n, 4, 4), each angle within half a turn of zero; NaN out of reach."""
    if isinstance(chain, SerialChain):
        return chain.branches(X_BF, limited=False)[..., :6]
    model = frozen("model", np.concatenate([chain.packed, _UNBOUNDED]), (43,))
    return _solved(model, X_BF.reshape(-1, 16), 1)[0][:, :, :6]


def _solved(model: Array, X: Array, threads: int) -> tuple[Array, int]:
    """A table (n, 8, 7) for poses X (n, 16), and how many of their values are not finite."""
    table = np.empty((len(X), 8, ROW))

    def solve(X: Array, table: Array) -> int:
        return _inverse(model, X.reshape(-1, 4), table.reshape(-1, ROW))

    return table, in_chunks(solve, (), (X, table), threads)


@inlined
def forgiving(x: float, scale: float) -> float:
    """Zero instead of a negative number that is only rounding."""
    return 0.0 if (x < 0.0) & (x > -_REACH_SLACK * scale) else x


@inlined
def side(arm: Arm, centre: Vector, sign: float) -> tuple[float, SinCos, float]:
    """First joint facing the wrist centre (sign +1) or away from it (-1).

    Returns its angle, the angle's (sine, cosine) and the distance of the centre from axis 1 in the arm's plane.
    """
    x, y, _ = centre
    squared = x * x + y * y
    reach = sign * root(
        forgiving(squared - arm.b * arm.b, arm.b * arm.b)
    )  # NaN inside the cylinder of radius b
    c = x * reach + y * arm.b
    s = y * reach - x * arm.b
    k = 1.0 / (squared + 1e-300)
    on_axis = squared == 0.0  # any angle will do: zero
    return atan2(s, c), (k * s, 1.0 if on_axis else k * c), reach


@inlined
def elbow(arm: Arm, r: float, h: float, sign: float) -> tuple[float, float, SinCos, float]:
    """Joints 2 and 3 that put the wrist centre at radius r and height h from the shoulder.

    Returns both angles, (sine, cosine) of their sum, and the sine of the elbow's angle (zero: stretched or folded).
    """
    squared = r * r + h * h
    fore = arm.a2 * arm.a2 + arm.c3 * arm.c3
    length = math.sqrt(fore)
    outer, inner = arm.c2 + length, arm.c2 - length
    far = forgiving(outer * outer - squared, outer * outer)
    near = forgiving(squared - inner * inner, outer * outer)
    area = sign * root(far * near)  # NaN out of reach
    along = squared + arm.c2 * arm.c2 - fore
    k = 0.5 / (squared + 1e-300)
    er, eh = k * (r * along - h * area), k * (h * along + r * area)  # the elbow, from the shoulder
    fr, fh = r - er, h - eh  # the forearm
    k = 1.0 / fore
    bend = atan2(area, squared - arm.c2 * arm.c2 - fore)
    sum23 = (k * (arm.c3 * fr - arm.a2 * fh), k * (arm.a2 * fr + arm.c3 * fh))
    return atan2(er, eh), bend - atan2(arm.a2, arm.c3), sum23, 0.5 * area / (arm.c2 * length)


@inlined
def wrist(frame: Frame, first: SinCos, sum23: SinCos) -> tuple[float, float, float, float]:
    """Last three joints, which turn the forearm's frame into the flange's, and the sine of joint 5.

    Joint 6 is measured from axis 5, not from the flange's z: that stays exact up to a straight wrist.
    """
    x, y, z, _ = frame
    s1, c1 = first
    s, c = sum23
    ex, ey, ez = (c1 * c, s1 * c, -s), (-s1, c1, 0.0), (c1 * s, s1 * s, c)
    zx, zy, zz = dot(ex, z), dot(ey, z), dot(ez, z)
    bend = root(zx * zx + zy * zy)
    zx = zx if bend > 0.0 else 1.0  # straight wrist: joint 4 is zero and joint 6 does the turn
    axis5 = subtract(scale(zx, ey), scale(zy, ex))
    return atan2(zy, zx), atan2(bend, zz), atan2(dot(axis5, x), dot(axis5, y)), bend


@inlined
def ranges_of(model: Array) -> Ranges:
    """The ranges of the joints from a chain's `inverse_model`."""
    a = model[19:].reshape(4, 6).T
    return get6(a, 0), get6(a, 1), get6(a, 2), get6(a, 3)


@inlined
def limited(arm: Conventions, ranges: Ranges, k: int, model: float) -> tuple[float, bool]:
    """Joint k's angle, maker's convention, a full turn nearest to the middle of its range, and whether it is inside."""
    middle, half, low, high = ranges[0][k], ranges[1][k], ranges[2][k], ranges[3][k]
    t = (model + arm.offsets[k]) * arm.signs[k] - middle
    t = nearest_turn(t)
    q = middle + t
    q = low if q < low else q
    q = high if q > high else q
    return q, abs(t) <= half + _LIMIT_SLACK


@inlined
def put_solution(lanes: Block, branch: int, i: int, joints: Joints, code: float, singular: float) -> None:
    """Write one of lane i's two branches; NaN in all joints unless the code says that it is a solution."""
    for k in range(6):
        lanes.table[ROW * branch + k, i] = joints[k] if code == 0.0 else math.nan
    lanes.table[ROW * branch + 6, i] = code + singular


@inlined
def put_branches(arm: Arm, ranges: Ranges, lanes: Block, i: int) -> None:
    """Solve lane i, a pose with a side and an elbow: a branch and its flipped wrist."""
    frame = get_frame(lanes.X, i)
    centre = subtract(frame[3], scale(arm.c4, frame[2]))
    model1, first, reach = side(arm, centre, lanes.sign[0, i])
    model2, model3, sum23, sine3 = elbow(arm, reach - arm.a1, centre[2] - arm.c1, lanes.sign[1, i])
    model4, model5, model6, sine5 = wrist(frame, first, sum23)
    q1, in1 = limited(arm, ranges, 0, model1)
    q2, in2 = limited(arm, ranges, 1, model2)
    q3, in3 = limited(arm, ranges, 2, model3)
    q4, in4 = limited(arm, ranges, 3, model4)
    q5, in5 = limited(arm, ranges, 4, model5)
    q6, in6 = limited(arm, ranges, 5, model6)
    flip4, flip_in4 = limited(arm, ranges, 3, model4 + PI)
    flip5, flip_in5 = limited(arm, ranges, 4, -model5)
    flip6, flip_in6 = limited(arm, ranges, 5, model6 + PI)
    singular = (
        (8.0 if sine5 < NEAR_SINGULAR else 0.0)
        + (16.0 if abs(sine3) < NEAR_SINGULAR else 0.0)
        + (32.0 if abs(reach) < NEAR_SINGULAR * arm.c2 else 0.0)
    )
    code = failure(model2, in1, in2, in3, in4, in5, in6)
    flip_code = failure(model2, in1, in2, in3, flip_in4, flip_in5, flip_in6)
    put_solution(lanes, 0, i, (q1, q2, q3, q4, q5, q6), code, singular)
    put_solution(lanes, 1, i, (q1, q2, q3, flip4, flip5, flip6), flip_code, singular)


@inlined
def failure(model2: float, in1: bool, in2: bool, in3: bool, in4: bool, in5: bool, in6: bool) -> float:
    """The `IkFailure` of a branch from its second joint, NaN out of reach, and which joints are within limits."""
    code = 0.0 if in6 else 6.0
    code = code if in5 else 5.0
    code = code if in4 else 4.0
    code = code if in3 else 3.0
    code = code if in2 else 2.0
    code = code if in1 else 1.0
    return code if model2 == model2 else 7.0


@kernel
def _inverse(model: Array, X: Array, table: Array) -> int:
    """Branches of poses X (4 n, 4) into a table (8 n, 7); returns how many lanes have a value not finite."""
    arm, ranges = unpacked(model), ranges_of(model)
    blocks = np.empty(1, _INVERSE)
    for i in range(LANES):
        lanes = blocks[0]
        lanes.sign[0, i] = 1.0 if i % 4 < 2 else -1.0
        lanes.sign[1, i] = -1.0 if i % 2 == 0 else 1.0
    pairs = table.reshape(len(X), 2 * ROW)  # of branches: a branch and its flipped wrist
    wrong = 0
    for start in range(0, len(X) // 4, _POSES):
        lanes = blocks[0]
        poses = X[4 * start : 4 * start + LANES]
        count = active(len(poses))
        for row in range(3):
            for i in range(0, len(poses), 4):
                _spread(poses, i + row, 0, lanes.X, 4 * row, i)
        for k in range(12):
            for i in range(len(poses), count):
                lanes.X[k, i] = 0.0
        wrong += not_finite(lanes.X, count)
        for i in range(count):
            put_branches(arm, ranges, lanes, i)
        unload(pairs[4 * start : 4 * start + LANES], lanes.table)
    return wrong
