"""Cartesian straight line of the flange: position on a segment, rotation about one fixed axis.

The joint motion is found along the line, not in time: with the line's twist xi (constant in the base frame,
per unit of the path coordinate s from 0 to 1), J q' = xi and J q'' = -J' q'. A jerk-limited profile s(t)
then gives the knots, and a uniform stretch in time makes all joint limits hold.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, finite
from kinematics.chain import Chain, Limits
from kinematics.elementary import nearest_turn
from kinematics.errors import KinematicsError, LineError
from kinematics.forward import forward_kinematics, jacobian
from kinematics.inverse import inverse_without_limits
from kinematics.jit import inlined, kernel
from kinematics.profile import rest_to_rest
from kinematics.serial_chain import SerialChain
from kinematics.trajectory import Trajectory, stretch_within
from kinematics.vectors import Joints

_KNOT_INTERVAL = 0.01  # [s], at most
_INTERVALS = 100  # at least: neighbouring knots must be near enough to tell branches apart
_START = 1e-6  # [m, rad]: difference of the start pose from that of q_start
_CONDITION = 1e4  # of the Jacobian [rad, m], in the Frobenius norm; beyond, joint speeds grow without use
_JUMP = 0.5  # [rad] between neighbouring knots: another branch
_LIMIT_SLACK = 1e-9  # [rad]
_STEP = 1e-5  # [rad] of the directional difference of the Jacobian, whose error is of second order


def straight_line(
    chain: Chain | SerialChain,
    limits: Limits,
    X_BF_start: ArrayLike,
    X_BF_end: ArrayLike,
    q_start: ArrayLike,
    speed: float,
    acceleration: float,
) -> Trajectory:
    """Motion of the flange along a straight line, at rest at both ends.

    The path's jerk is such that its acceleration builds up as fast as that of the quickest joint could.

    Args:
        chain: The arm.
        limits: Joint limits; the whole motion is slowed down until they hold.
        X_BF_start: (4, 4) pose of the flange at the start.
        X_BF_end: (4, 4) pose of the flange at the end.
        q_start: (6,) joint angles at the start [rad]; they fix the branch.
        speed: Limit of the flange's speed [m/s]. A pure rotation is bound by the joint limits alone.
        acceleration: Limit of the flange's acceleration along the line [m/s^2].

    Returns:
        A trajectory with knots at most 10 ms apart; a single one if the poses are the same.

    Raises:
        LineError: If the arm can't follow: out of reach, limit of a joint, or singular; and where.
        KinematicsError: If an input is malformed or q_start does not reach the start pose.
    """
    X0, X1 = finite("X_BF_start", X_BF_start, (4, 4)), finite("X_BF_end", X_BF_end, (4, 4))
    q0 = finite("q_start", q_start, (6,))
    for name, value in (("speed", speed), ("acceleration", acceleration)):
        if not (math.isfinite(value) and value > 0.0):
            raise KinematicsError(f"{name}: {value}, expected a finite number above 0")
    off = float(np.abs(forward_kinematics(chain, q0) - X0).max())
    if off > _START:
        raise KinematicsError(
            f"q_start: its flange is {off:.3g} (m, rad) off X_BF_start, expected at most {_START:g}"
        )

    twist = _twist(X0, X1)
    if np.abs(twist).max() < 1e-12:
        return Trajectory(t=np.zeros(1), q=q0[None], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    path = _path(twist, limits, speed, acceleration)
    intervals = _INTERVALS
    while True:
        line = _follow(chain, X0, twist, q0, path, intervals)
        factor = stretch_within(line, limits)
        if factor * np.diff(line.t).max() <= _KNOT_INTERVAL:
            return line.stretched(factor)
        intervals = max(math.ceil(1.05 * path.duration * factor / _KNOT_INTERVAL), intervals + 1)


def _twist(X0: Array, X1: Array) -> Array:
    """Twist (v, w) in the base frame that in unit time moves pose X0 to X1 along a straight line."""
    R = X1[:3, :3] @ X0[:3, :3].T
    axis = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])  # 2 sin(angle) axis
    sine, cosine = 0.5 * float(np.linalg.norm(axis)), 0.5 * (float(np.trace(R)) - 1.0)
    angle = math.atan2(sine, cosine)
    if sine > 1e-6:
        w = axis * (0.5 * angle / sine)
    elif cosine > 0.0:
        w = 0.5 * axis  # angle / sine = 1 + O(1e-12)
    else:  # half a turn: the axis is the eigenvector of R + 1
        column = (R + np.eye(3))[:, int(np.argmax(np.diag(R)))]
        w = column * (angle / float(np.linalg.norm(column)))
    return np.concatenate([X1[:3, 3] - X0[:3, 3], w])


def _path(twist: Array, limits: Limits, speed: float, acceleration: float) -> Trajectory:
    """The path coordinate over time, from 0 to 1, as the first joint of a trajectory."""
    distance, angle = float(np.linalg.norm(twist[:3])), float(np.linalg.norm(twist[3:]))
    if distance > _START:
        v, a = speed / distance, acceleration / distance
    else:  # a rotation in place has no speed limit of its own: that of the quickest joint
        v, a = float(limits.velocity.max()) / angle, float(limits.acceleration.max()) / angle
    j = a * float((limits.jerk / limits.acceleration).max())
    path_limits = Limits(velocity=np.full(6, v), acceleration=np.full(6, a), jerk=np.full(6, j))
    return rest_to_rest(np.zeros(6), np.eye(6)[0], path_limits)


def _follow(
    chain: Chain | SerialChain, X0: Array, twist: Array, q0: Array, path: Trajectory, intervals: int
) -> Trajectory:
    """Joint motion along the line, with at least so many intervals; of the limits, those of angle hold."""
    pieces = [
        np.linspace(t0, t1, max(2, 1 + math.ceil((t1 - t0) / path.duration * intervals)))[:-1]
        for t0, t1 in zip(path.t[:-1], path.t[1:], strict=True)
    ]
    t = np.append(np.concatenate(pieces), path.duration)
    s, sd, sdd = (x[:, :1] for x in path.sample(t))
    branches = inverse_without_limits(chain, _poses(X0, twist, s[:, 0]))
    q = np.full((len(t), 6), np.nan)
    _follow_branch(branches, q0, q)
    J_inverse = _check(chain, q, s[:, 0], float(np.linalg.norm(twist[:3])))
    q1 = J_inverse @ twist[:, None]
    step = _STEP / np.abs(q1).max(axis=1)
    ahead, behind = (jacobian(chain, q + sign * step * q1[..., 0]) for sign in (1.0, -1.0))
    q2 = J_inverse @ ((behind - ahead) @ q1) / (2.0 * step[..., None])
    q1, q2 = q1[..., 0], q2[..., 0]
    return Trajectory(t=t, q=q, qd=q1 * sd, qdd=q2 * sd**2 + q1 * sdd)


def _poses(X0: Array, twist: Array, s: Array) -> Array:
    """Poses (n, 4, 4) along the line at path coordinates s (n,); the rotation by Rodrigues' formula."""
    v, w = twist[:3], twist[3:]
    angle = float(np.linalg.norm(w))
    x, y, z = w / angle if angle > 0.0 else w
    K = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sine, versine = np.sin(s * angle)[:, None, None], (1.0 - np.cos(s * angle))[:, None, None]
    X = np.tile(X0, (len(s), 1, 1))
    X[:, :3, :3] = (np.eye(3) + sine * K + versine * (K @ K)) @ X0[:3, :3]
    X[:, :3, 3] += s[:, None] * v
    return X


def _check(chain: Chain | SerialChain, q: Array, s: Array, distance: float) -> Array:
    """Inverse Jacobians (n, 6, 6) along the line.

    Raises:
        LineError: At the first point that is out of reach, beyond a limit, or singular.
    """
    reached = int(np.isnan(q[:, 0]).argmax()) if np.isnan(q[-1, 0]) else len(q)
    known = q[:reached]
    J = jacobian(chain, known)
    outside = np.maximum(chain.q_min - known, known - chain.q_max)
    beyond = (outside > _LIMIT_SLACK).any(axis=1)
    jumps = np.abs(np.diff(known, axis=0, prepend=known[:1])).max(axis=1, initial=0.0) > _JUMP
    singular = (np.linalg.cond(J, "fro") > _CONDITION) | jumps
    bad = beyond | singular
    if not bad.any() and reached == len(q):
        return np.asarray(np.linalg.inv(J), np.float64)
    i = int(bad.argmax()) if bad.any() else reached
    where = f"straight line, at {s[i] * distance:.4f} m of {distance:.4f} m ({100.0 * s[i]:.1f} %): "
    if i == reached:
        raise LineError(where + "out of reach")
    if singular[i]:
        raise LineError(where + f"singular, joints at {np.round(q[i], 4).tolist()} rad")
    k = int(outside[i].argmax())
    low, high = chain.q_min[k], chain.q_max[k]
    raise LineError(where + f"limit of joint {k + 1}: {q[i, k]:.4f} rad, allowed {low:.4f} to {high:.4f} rad")


@inlined
def apart(branches: Array, i: int, branch: int, q: Joints) -> float:
    """Largest difference of a branch from q, full turns aside; NaN if the branch is out of reach."""
    largest = 0.0
    for k in range(6):
        difference = abs(nearest_turn(branches[i, branch, k] - q[k]))
        largest = largest if difference <= largest else difference  # NaN wins
    return largest


@kernel
def _follow_branch(branches: Array, q_start: Array, q: Array) -> None:
    """Choose for each pose the branch nearest to the previous joint angles, into q (n, 6).

    Stops where the line is out of reach. Angles go on from those before by less than half a turn.
    """
    last = (q_start[0], q_start[1], q_start[2], q_start[3], q_start[4], q_start[5])
    for i in range(len(branches)):
        best, nearest = -1, np.inf
        for branch in range(8):
            difference = apart(branches, i, branch, last)
            if difference < nearest:
                best, nearest = branch, difference
        if best < 0:
            return
        for k in range(6):
            q[i, k] = last[k] + nearest_turn(branches[i, best, k] - last[k])
        last = (q[i, 0], q[i, 1], q[i, 2], q[i, 3], q[i, 4], q[i, 5])
