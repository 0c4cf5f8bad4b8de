"""Motion of six joints over time: knots with velocity and acceleration, quintic in between.

Between two knots each joint follows the quintic polynomial that matches position, velocity and acceleration
at both: a piecewise cubic motion (jerk-limited profile) is reproduced exactly, any smooth one to sixth
order.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, finite, frozen
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.vectors import Vector

_SEAM = 1e-9  # [rad, rad/s, rad/s^2]: difference at a seam that counts as rounding
_SHORT = 0.1  # of the longest interval; in shorter ones rounding hides the jerk, which is its neighbours'
_ROUNDING = 1e-15  # relative; a residual below this of the positions is the rounding of the knots


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trajectory:
    """Joint motion given by knots.

    Attributes:
        t: (m,) times of the knots, ascending from 0 [s].
        q: (m, 6) positions [rad].
        qd: (m, 6) velocities [rad/s].
        qdd: (m, 6) accelerations [rad/s^2].
    """

    t: Array
    q: Array
    qd: Array
    qdd: Array

    def __post_init__(self) -> None:
        object.__setattr__(self, "t", frozen("trajectory.t", self.t, (None,)))
        for name in ("q", "qd", "qdd"):
            object.__setattr__(
                self, name, frozen(f"trajectory.{name}", getattr(self, name), (len(self.t), 6))
            )
        if len(self.t) == 0 or self.t[0] != 0.0 or (np.diff(self.t) <= 0.0).any():
            raise KinematicsError("trajectory.t: expected strictly ascending times from 0 s, at least one")

    @property
    def duration(self) -> float:
        """Time of the last knot [s]."""
        return float(self.t[-1])

    def sample(self, t: ArrayLike) -> tuple[Array, Array, Array]:
        """State at given times: before the start and after the end the arm rests there.

        Args:
            t: (n,) times [s].

        Returns:
            Positions, velocities and accelerations, each (n, 6).
        """
        times = finite("t", t, (None,))
        q, qd, qdd = np.empty((len(times), 6)), np.empty((len(times), 6)), np.empty((len(times), 6))
        _sample_many(self.t, self.q, self.qd, self.qdd, times, q, qd, qdd)
        return q, qd, qdd

    def stretched(self, factor: float) -> "Trajectory":
        """The same path, slower by the factor (faster if below one); derivatives follow exactly."""
        return Trajectory(t=self.t * factor, q=self.q, qd=self.qd / factor, qdd=self.qdd / factor**2)


def concatenate(first: Trajectory, second: Trajectory) -> Trajectory:
    """The first motion, then the second.

    Raises:
        KinematicsError: If position, velocity or acceleration jump at the seam by more than 1e-9.
    """
    for name, unit in (("q", "rad"), ("qd", "rad/s"), ("qdd", "rad/s^2")):
        end, start = getattr(first, name)[-1], getattr(second, name)[0]
        k = int(np.abs(end - start).argmax())
        if abs(end[k] - start[k]) > _SEAM:
            raise KinematicsError(
                f"concatenate: {name}[{k}] is {end[k]:g} {unit} at the end of the first and {start[k]:g} at "
                "the start of the second trajectory, expected the same"
            )
    return Trajectory(
        t=np.concatenate([first.t, first.t[-1] + second.t[1:]]),
        q=np.concatenate([first.q, second.q[1:]]),
        qd=np.concatenate([first.qd, second.qd[1:]]),
        qdd=np.concatenate([first.qdd, second.qdd[1:]]),
    )


def control_steps(t: Array, q: Array, qd: Array, qdd: Array) -> Array:
    """Differences (5, m - 1, 6) [rad] of the Bezier control points of the quintics between m knots.

    A curve and its derivatives stay within the hull of their control points, which are multiples of these
    steps and of their differences (Farin, 2002, sec. 5.3): bounds at all times, not only at samples.
    """
    h = np.diff(t)[:, None]
    first, last = h * qd[:-1] / 5.0, h * qd[1:] / 5.0
    second, fourth = first + h**2 * qdd[:-1] / 20.0, last - h**2 * qdd[1:] / 20.0
    middle = (q[1:] - q[:-1]) - first - second - fourth - last
    return np.stack([first, second, middle, fourth, last])


def stretch_within(move: Trajectory, limits: Limits) -> float:
    """Stretch in time, at least 1, with which velocity, acceleration and jerk limits hold at all times."""
    return stretch_of_knots(move.t, move.q, move.qd, move.qdd, limits)


def stretch_of_knots(t: Array, q: Array, qd: Array, qdd: Array, limits: Limits) -> float:
    """`stretch_within` of knots, as they are in a `Trajectory`, that need not begin at 0."""
    steps, h = control_steps(t, q, qd, qdd), np.diff(t)[:, None]
    velocity = 5.0 * steps / h
    acceleration = 20.0 * np.diff(steps, axis=0) / h**2
    jerk = 60.0 * np.diff(steps, n=2, axis=0) / h**3
    trusted = h[:, 0] > _SHORT * h.max()
    excess = (
        np.abs(velocity / limits.velocity).max(),
        np.sqrt(np.abs(acceleration / limits.acceleration)[:, trusted].max()),
        np.cbrt(np.abs(jerk / limits.jerk)[:, trusted].max()),
    )
    return max(1.0, float(max(excess)))


@inlined
def hermite(start: Vector, end: Vector, h: float, t: float) -> Vector:
    """Position, velocity and acceleration at time t of the quintic between two such states, h apart.

    Written as the cubic that has both accelerations plus a quintic that makes up for its residuals at the
    end. A residual that is no more than the rounding of the knots is dropped: divided by h**2 it would be
    noise.
    """
    q0, v0, a0 = start
    jerk = (end[2] - a0) / h
    residual_q = end[0] - (q0 + h * (v0 + h * (0.5 * a0 + h * jerk / 6.0)))
    residual_v = h * (end[1] - (v0 + h * (a0 + 0.5 * h * jerk)))
    rounding = _ROUNDING * (abs(q0) + abs(end[0]) + h * (abs(v0) + abs(end[1])) + h * h * abs(a0))
    residual_q = residual_q if abs(residual_q) > rounding else 0.0
    residual_v = residual_v if abs(residual_v) > rounding else 0.0
    u = t / h
    c3 = 10.0 * residual_q - 4.0 * residual_v
    c4 = 7.0 * residual_v - 15.0 * residual_q
    c5 = 6.0 * residual_q - 3.0 * residual_v
    return (
        q0 + t * (v0 + t * (0.5 * a0 + t * jerk / 6.0)) + u * u * u * (c3 + u * (c4 + u * c5)),
        v0 + t * (a0 + 0.5 * t * jerk) + u * u * (3.0 * c3 + u * (4.0 * c4 + u * 5.0 * c5)) / h,
        a0 + t * jerk + u * (6.0 * c3 + u * (12.0 * c4 + u * 20.0 * c5)) / (h * h),
    )


@inlined
def interval(t: Array, time: float) -> int:
    """Index i with t[i] <= time < t[i + 1]; time must lie within."""
    low, high = 0, len(t) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if t[middle] <= time:
            low = middle
        else:
            high = middle
    return low


@inlined
def state(t: Array, q: Array, qd: Array, qdd: Array, time: float, i: int, k: int) -> Vector:
    """State of joint k at a time in interval i."""
    start, end = (q[i, k], qd[i, k], qdd[i, k]), (q[i + 1, k], qd[i + 1, k], qdd[i + 1, k])
    return hermite(start, end, t[i + 1] - t[i], time - t[i])


@kernel
def sample_one(t: Array, q: Array, qd: Array, qdd: Array, time: float, out_q: Array, out_qd: Array) -> None:
    """Position and velocity at one time, into out_q (6,) and out_qd (6,); for loops that step a simulation.

    Arguments are the arrays of a `Trajectory`. At rest before the start and after the end. Does not
    allocate.
    """
    if time <= 0.0 or time >= t[-1]:
        end = 0 if time <= 0.0 else len(t) - 1
        for k in range(6):
            out_q[k] = q[end, k]
            out_qd[k] = 0.0
    else:
        i = interval(t, time)
        for k in range(6):
            out_q[k], out_qd[k], _ = state(t, q, qd, qdd, time, i, k)


@kernel
def _sample_many(
    t: Array, q: Array, qd: Array, qdd: Array, times: Array, out_q: Array, out_qd: Array, out_qdd: Array
) -> None:
    """State at many times, into three arrays (n, 6). Does not allocate."""
    for n in range(len(times)):
        time = times[n]
        if time < 0.0 or time > t[-1] or len(t) == 1:
            end = 0 if time < 0.0 else len(t) - 1
            for k in range(6):
                out_q[n, k] = q[end, k]
                out_qd[n, k] = 0.0
                out_qdd[n, k] = 0.0
        else:
            i = interval(t, time)
            for k in range(6):
                out_q[n, k], out_qd[n, k], out_qdd[n, k] = state(t, q, qd, qdd, time, i, k)
