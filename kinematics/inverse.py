"""Analytic inverse kinematics of an OPW arm: all eight branches (Brandstoetter, Angerer and Hofbaur, 2014).

Branches are ordered (front, back) x (elbow up, elbow down) x (wrist, flipped wrist).
A branch that is out of reach or violates a joint limit is NaN in all six joints.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, batch
from kinematics.chain import Arm, Chain
from kinematics.elementary import PI, TURN, atan2, nearest_turn, root
from kinematics.forward import FEW
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, block, get_frame, load, unload
from kinematics.serial_chain import SerialChain
from kinematics.vectors import Frame, Joints, SinCos, Vector, dot, scale, subtract


class Conventions(Protocol):
    """What relates the angles of an arm's joints to those of its model."""

    @property
    def signs(self) -> Joints:
        """Of the joints."""

    @property
    def offsets(self) -> Joints:
        """Of the joints [rad]."""


_INVERSE = block(LANES, X=12, q=12)
_LIMIT_SLACK = 1e-9  # [rad]: an angle this far outside its limit is rounding, and is set to the limit

_UNBOUNDED = np.outer([-math.inf, math.inf], np.ones(6))
_UNBOUNDED.flags.writeable = False  # like the limits of a chain: one type, compiled once


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class IkSolutions:
    """All solutions of the inverse kinematics within the joint limits.

    Attributes:
        q: (n, 8, 6) joint angles [rad]; NaN in all six joints where a branch has no solution.
        valid: (n, 8), which branches have a solution.

    For a single pose both come without the batch axis.
    """

    q: Array
    valid: NDArray[np.bool_]


def inverse_kinematics(chain: Chain | SerialChain, X_BF: ArrayLike) -> IkSolutions:
    """Joint angles that bring the flange to a pose.

    Each angle is the one within half a turn of zero, or its neighbour a full turn away if only that is
    within the limits. With a straight wrist (joint 5 zero), the model's joint 4 is zero and joint 6 does
    the turn.

    Args:
        chain: The arm; a serial chain must have a closed form (`ParallelAxesChain`).
        X_BF: (n, 4, 4) or (4, 4) poses of the flange in the base frame; the rotation is taken to be
            orthonormal.

    Returns:
        Solutions and their validity. Out of reach is a result, not an error.

    Raises:
        KinematicsError: If X_BF has another shape or holds NaN or infinity, or there is no closed form.
    """
    poses, single = batch("X_BF", X_BF, (4, 4))
    q = _solve(chain, chain.q_min, chain.q_max, poses)
    valid = ~np.isnan(q[:, :, 0])
    return IkSolutions(q=q[0], valid=valid[0]) if single else IkSolutions(q=q, valid=valid)


def inverse_without_limits(chain: Chain | SerialChain, X_BF: Array) -> Array:
    """All branches (n, 8, 6) of poses (n, 4, 4), each angle within half a turn of zero; NaN out of reach."""
    return _solve(chain, _UNBOUNDED[0], _UNBOUNDED[1], X_BF)


def _solve(chain: Chain | SerialChain, lower: Array, upper: Array, X_BF: Array) -> Array:
    if isinstance(chain, SerialChain):
        return chain.branches(lower, upper, X_BF)
    q = np.empty((len(X_BF), 48))
    solve = _inverse_few if len(X_BF) < FEW else _inverse_many
    with np.errstate(invalid="ignore"):  # interpreted, NaN would warn; here it is a result
        solve(chain.arm, lower, upper, X_BF.reshape(-1, 16), q)
    return q.reshape(-1, 8, 6)


@inlined
def side(arm: Arm, centre: Vector, sign: float) -> tuple[float, SinCos, float]:
    """First joint facing the wrist centre (sign +1) or away from it (-1).

    Returns its angle, the angle's (sine, cosine) and the distance of the centre from joint 2 in the arm's
    plane.
    """
    x, y, _ = centre
    squared = x * x + y * y
    reach = sign * root(squared - arm.b * arm.b)  # NaN inside the cylinder of radius b
    c = x * reach + y * arm.b
    s = y * reach - x * arm.b
    k = 1.0 / (squared + 1e-300)
    on_axis = squared == 0.0  # any angle will do: zero
    return atan2(s, c), (k * s, 1.0 if on_axis else k * c), reach - arm.a1


@inlined
def elbow(arm: Arm, r: float, h: float, sign: float) -> tuple[float, float, SinCos]:
    """Joints 2 and 3 that put the wrist centre at radius r and height h from the shoulder.

    Returns both angles and (sine, cosine) of their sum.
    """
    squared = r * r + h * h
    fore = arm.a2 * arm.a2 + arm.c3 * arm.c3
    length = math.sqrt(fore)
    outer, inner = arm.c2 + length, arm.c2 - length
    area = sign * root((outer * outer - squared) * (squared - inner * inner))  # NaN out of reach
    along = squared + arm.c2 * arm.c2 - fore
    k = 0.5 / (squared + 1e-300)
    er, eh = k * (r * along - h * area), k * (h * along + r * area)  # the elbow, from the shoulder
    fr, fh = r - er, h - eh  # the forearm
    k = 1.0 / fore
    bend = atan2(area, squared - arm.c2 * arm.c2 - fore)
    sum23 = (k * (arm.c3 * fr - arm.a2 * fh), k * (arm.a2 * fr + arm.c3 * fh))
    return atan2(er, eh), bend - atan2(arm.a2, arm.c3), sum23


@inlined
def wrist(frame: Frame, first: SinCos, sum23: SinCos) -> tuple[float, float, float]:
    """Last three joints, which turn the forearm's frame into the flange's.

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
    return atan2(zy, zx), atan2(bend, zz), atan2(dot(axis5, x), dot(axis5, y))


@inlined
def limited(arm: Conventions, lower: Array, upper: Array, k: int, model: float) -> float:
    """Joint k's angle, maker's convention, a turn away if need be, within its limits; otherwise NaN."""
    q = nearest_turn((model + arm.offsets[k]) * arm.signs[k])
    low, high = lower[k], upper[k]
    q = q + TURN if q < low - _LIMIT_SLACK else q
    q = q - TURN if q > high + _LIMIT_SLACK else q
    inside = (q >= low - _LIMIT_SLACK) & (q <= high + _LIMIT_SLACK)
    q = low if q < low else q
    q = high if q > high else q
    return q if inside else math.nan


@inlined
def put_solution(q: Array, row: int, i: int, joints: Joints) -> None:
    """Write a branch to six rows of lane i; NaN as a whole when one of its joints is."""
    bad = 0.0 * (joints[0] + joints[1] + joints[2] + joints[3] + joints[4] + joints[5])  # 0 or NaN
    for k in range(6):
        q[row + k, i] = joints[k] + bad


@inlined
def put_branches(
    arm: Arm, lower: Array, upper: Array, facing: float, bend: float, X: Array, q: Array, i: int
) -> None:
    """Solve lane i of X (12 rows) for one side and elbow: a branch and its flipped wrist into q (12 rows)."""
    frame = get_frame(X, i)
    centre = subtract(frame[3], scale(arm.c4, frame[2]))
    model1, first, r = side(arm, centre, facing)
    model2, model3, sum23 = elbow(arm, r, centre[2] - arm.c1, bend)
    model4, model5, model6 = wrist(frame, first, sum23)
    q1 = limited(arm, lower, upper, 0, model1)
    q2 = limited(arm, lower, upper, 1, model2)
    q3 = limited(arm, lower, upper, 2, model3)
    q4, flip4 = limited(arm, lower, upper, 3, model4), limited(arm, lower, upper, 3, model4 + PI)
    q5, flip5 = limited(arm, lower, upper, 4, model5), limited(arm, lower, upper, 4, -model5)
    q6, flip6 = limited(arm, lower, upper, 5, model6), limited(arm, lower, upper, 5, model6 + PI)
    put_solution(q, 0, i, (q1, q2, q3, q4, q5, q6))
    put_solution(q, 6, i, (q1, q2, q3, flip4, flip5, flip6))


@kernel
def _inverse_few(arm: Arm, lower: Array, upper: Array, X: Array, q: Array) -> None:
    """All branches of poses X (n, 16) into q (n, 48), one by one; does not allocate."""
    for i in range(len(X)):
        for pair in range(4):
            facing, bend = 1.0 if pair < 2 else -1.0, -1.0 if pair % 2 == 0 else 1.0
            put_branches(arm, lower, upper, facing, bend, X.T, q[:, 12 * pair : 12 * pair + 12].T, i)


@kernel
def _inverse_many(arm: Arm, lower: Array, upper: Array, X: Array, q: Array) -> None:
    """All branches of poses X (n, 16) into q (n, 48), in lanes.

    Side and elbow are a loop around the lanes, which leaves a quarter of the code to compile.
    """
    lanes = np.zeros(1, _INVERSE)[0]
    for start in range(0, len(X), LANES):
        load(lanes.X, X[start : start + LANES])
        for pair in range(4):
            facing, bend = 1.0 if pair < 2 else -1.0, -1.0 if pair % 2 == 0 else 1.0
            for i in range(LANES):
                put_branches(arm, lower, upper, facing, bend, lanes.X, lanes.q, i)
            unload(q[start : start + LANES, 12 * pair : 12 * pair + 12], lanes.q)
