"""Inverse kinematics of any serial arm by damped least squares with restarts.

Each step solves (J^T J + mu 1) dq = J^T e for the pose error e, a twist with lengths in units of the arm's reach; the
damping mu is half the squared error (T. Sugihara, "Solvability-Unconcerned Inverse Kinematics by the
Levenberg-Marquardt Method", IEEE Transactions on Robotics 27 (5), 2011, without its constant part), so that the last
steps converge quadratically. A descent that stalls, or ends outside the joint limits, is begun again elsewhere.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, batch
from kinematics.elementary import TURN
from kinematics.errors import KinematicsError
from kinematics.forward import jacobian
from kinematics.jit import inlined, kernel
from kinematics.lanes import get_frame
from kinematics.serial_chain import SerialChain
from kinematics.serial_forward import serial_flange, serial_frames
from kinematics.vectors import Frame, Vector, add, cross, dot, subtract

_STEPS = 40  # of a descent, at most
_LONGEST = 0.8  # [rad], of a joint in one step
_FLOOR = 1e-15  # of the damping: keeps a singular matrix from breaking the factorisation down
_SLACK = 1e-9  # [rad] beyond a limit that is rounding
_SINGULAR = 1e-6  # smallest over largest singular value of the Jacobian, lengths in units of the reach

_TOLERANCE = 1e-10  # of the error twist, lengths in units of the reach
_NO_JOINT = -1


class Reach(IntEnum):
    """What became of a pose."""

    SOLVED = 0
    OUT_OF_REACH = 1  # farther away than the arm is long
    JOINT_LIMIT = 2  # reached, but only beyond the limit of a joint
    SINGULAR = 3  # every descent ended where the arm can't move in some direction
    NOT_CONVERGED = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NumericSolutions:
    """One solution for each pose, or why there is none.

    Attributes:
        q: (n, 6) joint angles within the limits [rad]; NaN without a solution.
        reach: (n,) values of `Reach`.
        joint: (n,) for `Reach.JOINT_LIMIT` the joint, 0 to 5, that was beyond its limit; otherwise -1.
        descents: (n,) how many were begun.
    """

    q: Array
    reach: NDArray[np.int64]
    joint: NDArray[np.int64]
    descents: NDArray[np.int64]

    def reason(self, i: int) -> str:
        """What became of pose i, in words."""
        words = Reach(int(self.reach[i])).name.lower().replace("_", " ")
        return words if self.joint[i] < 0 else f"limit of joint {self.joint[i] + 1}"


def numeric_inverse(
    chain: SerialChain, X_BF: ArrayLike, rng: np.random.Generator, *, restarts: int = 100
) -> NumericSolutions:
    """Joint angles that bring the flange to poses, to about 1e-9 m and rad; one solution each.

    Args:
        chain: The arm; of any geometry.
        X_BF: (n, 4, 4) poses of the flange in the base frame; the rotation is taken to be orthonormal.
        rng: Where the descents begin: the same places for all poses, between the joint limits.
        restarts: Descents begun for one pose, at most; at least 1.

    Raises:
        KinematicsError: If X_BF has another shape or holds NaN or infinity, or there are no restarts.
    """
    poses, _ = batch("X_BF", X_BF, (4, 4))
    if restarts < 1:
        raise KinematicsError(f"restarts: {restarts}, expected at least 1")
    seeds = rng.uniform(chain.q_min, chain.q_max, (restarts, 6))
    n, lengths = len(poses), np.linalg.norm(chain.X_joint[1:, :3, 3], axis=1)
    q, joint, descents = np.empty((n, 6)), np.empty(n, np.int64), np.empty(n, np.int64)
    reach = max(float(lengths.sum()), 1e-3)
    scale = 1.0 / reach
    # Axis 6 keeps its distance from the flange, and the links between axes 1 and 6 are as long as they are.
    X_6F = chain.X_joint[6]
    span = np.linalg.norm((poses @ np.linalg.inv(X_6F))[:, :3, 3] - chain.X_joint[0, :3, 3], axis=1)
    too_far = span > lengths[:5].sum() + _TOLERANCE * reach
    _solve(
        chain.rows, chain.q_min, chain.q_max, seeds, scale, too_far, poses.reshape(-1, 16), q, joint, descents
    )
    status = np.where(
        joint == _NO_JOINT, Reach.SOLVED, np.where(joint >= 0, Reach.JOINT_LIMIT, Reach.NOT_CONVERGED)
    )
    stalled = np.flatnonzero(status == Reach.NOT_CONVERGED)
    values = np.linalg.svd(jacobian(chain, q[stalled]) * ([[scale]] * 3 + [[1.0]] * 3), compute_uv=False)
    status[stalled[values[:, 5] < _SINGULAR * values[:, 0]]] = Reach.SINGULAR
    status[too_far] = Reach.OUT_OF_REACH
    q[status != Reach.SOLVED] = np.nan
    return NumericSolutions(q=q, reach=status, joint=np.maximum(joint, _NO_JOINT), descents=descents)


@inlined
def pose_error(goal: Frame, here: Frame, scale: float) -> tuple[Vector, Vector]:
    """Twist that brings a frame to its goal in unit time: translation times scale, rotation vector; in B."""
    p = subtract(goal[3], here[3])
    v = add(
        cross(here[0], goal[0]), add(cross(here[1], goal[1]), cross(here[2], goal[2]))
    )  # 2 sin(angle) axis
    twice = math.sqrt(dot(v, v))
    angle = math.atan2(twice, dot(here[0], goal[0]) + dot(here[1], goal[1]) + dot(here[2], goal[2]) - 1.0)
    k = angle / twice if twice > 1e-12 else 0.5
    return (scale * p[0], scale * p[1], scale * p[2]), (k * v[0], k * v[1], k * v[2])


@inlined
def factor_and_solve(A: Array, b: Array) -> None:
    """Solve A x = b in place by Cholesky's method; A (6, 6) symmetric, its lower half is overwritten."""
    for j in range(6):
        for k in range(j):
            for i in range(j, 6):
                A[i, j] -= A[i, k] * A[j, k]
        d = 1.0 / math.sqrt(A[j, j])
        for i in range(j, 6):
            A[i, j] *= d
    for i in range(6):
        for k in range(i):
            b[i] -= A[i, k] * b[k]
        b[i] /= A[i, i]
    for i in range(5, -1, -1):
        for k in range(i + 1, 6):
            b[i] -= A[k, i] * b[k]
        b[i] /= A[i, i]


@inlined
def descend(rows: Array, goal: Frame, scale: float, q: Array, J: Array, A: Array, b: Array) -> float:
    """Descend from q (6,), in place; the squared error left. J, A (6, 6) and b (6,) are scratch."""
    error = math.inf
    for _ in range(_STEPS):
        joints = (q[0], q[1], q[2], q[3], q[4], q[5])
        frames = serial_frames(rows, joints)
        here = serial_flange(rows, frames[5])
        v, w = pose_error(goal, here, scale)
        error = dot(v, v) + dot(w, w)
        if error <= _TOLERANCE * _TOLERANCE:
            break
        for k in range(6):
            axis = frames[k][2]
            lever = cross(axis, subtract(here[3], frames[k][3]))
            for i in range(3):
                J[k, i] = scale * lever[i]
                J[k, 3 + i] = axis[i]
            b[k] = scale * dot(lever, v) + dot(axis, w)
        for i in range(6):
            for k in range(i + 1):
                total = 0.0
                for m in range(6):
                    total += J[i, m] * J[k, m]
                A[i, k] = total
            A[i, i] += 0.5 * error + _FLOOR
        factor_and_solve(A, b)
        longest = 0.0
        for k in range(6):
            longest = max(longest, abs(b[k]))
        shorten = min(1.0, _LONGEST / longest)
        for k in range(6):
            q[k] += shorten * b[k]
    return error


@inlined
def copy(to: Array, values: Array) -> None:
    """Write six values; assigning to a slice would compile its error messages, which takes seconds."""
    for k in range(6):
        to[k] = values[k]


@inlined
def bring_within(q: Array, lower: Array, upper: Array) -> int:
    """Turn joints by full turns into their limits, in place; the first that can't be, or -1."""
    for k in range(6):
        q[k] -= TURN * np.rint(q[k] * (1.0 / TURN))
        if q[k] < lower[k] - _SLACK:
            q[k] += TURN * np.ceil((lower[k] - _SLACK - q[k]) * (1.0 / TURN))
        elif q[k] > upper[k] + _SLACK:
            q[k] -= TURN * np.ceil((q[k] - upper[k] - _SLACK) * (1.0 / TURN))
        if q[k] < lower[k] - _SLACK or q[k] > upper[k] + _SLACK:
            return k
        q[k] = min(max(q[k], lower[k]), upper[k])
    return -1


@kernel
def _solve(
    rows: Array,
    lower: Array,
    upper: Array,
    seeds: Array,
    scale: float,
    too_far: NDArray[np.bool_],
    X: Array,
    q: Array,
    joint: NDArray[np.int64],
    descents: NDArray[np.int64],
) -> None:
    """Solve poses X (n, 16) from seeds (m, 6) in turn, into q (n, 6).

    Joint (n,) becomes -1 for a solution, the joint beyond its limit, or -2 where no descent reached the pose; then q
    is where the best of them ended.
    """
    J, A, b, end = np.empty((6, 6)), np.empty((6, 6)), np.empty(6), np.empty(6)
    for i in range(len(X)):
        goal = get_frame(X.T, i)
        copy(q[i], seeds[0])
        joint[i], descents[i], least = -2, 0, math.inf
        while joint[i] != _NO_JOINT and descents[i] < len(seeds) and not too_far[i]:
            copy(end, seeds[descents[i]])
            descents[i] += 1
            error = descend(rows, goal, scale, end, J, A, b)
            if error <= _TOLERANCE * _TOLERANCE:
                joint[i] = bring_within(end, lower, upper)
            if error < least or joint[i] == _NO_JOINT:
                least = error
                copy(q[i], end)
