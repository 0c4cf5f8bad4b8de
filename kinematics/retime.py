"""A given path at the highest speed that velocity, acceleration, jerk and torque limits allow.

The time-optimal speeds (`path_speeds`) jump in acceleration, which no arm can do. So the path acceleration is
averaged over a short time (a moving average of the path speed over that time), which makes it continuous and
bounds the jerk. Averaging mixes speeds of neighbouring points; what that and the motion between grid points
exceed is made up for by a uniform stretch in time. Several averaging times are tried, the shortest motion wins.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kinematics.arrays import Array
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.topp import TorqueTerms, path_speeds
from kinematics.trajectory import Trajectory, stretch_within

_CELLS = 8  # knots in the averaging time
_AVERAGES = (
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
)  # averaging times, in times the slowest joint needs for full acceleration
_MOST_KNOTS = 10_000
_BETWEEN = 4  # torque is looked at so many times between two knots

InverseDynamics = Callable[[Array, Array, Array], Array]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TorqueLimits:
    """Limits of joint torque, and the model that tells the torque of a motion.

    Attributes:
        inverse_dynamics: Torques (n, 6) [N m] of q, qd, qdd, each (n, 6); quadratic in qd, linear in qdd.
        limit: (6,) > 0, in both directions [N m].
    """

    inverse_dynamics: InverseDynamics
    limit: Array

    def terms(self, q: Array, tangent: Array, curvature: Array) -> TorqueTerms:
        """Torque terms along a path at points (m, 6) with derivatives by the path parameter."""
        rest = np.zeros_like(q)
        static = self.inverse_dynamics(q, rest, rest)
        return TorqueTerms(
            inertial=self.inverse_dynamics(q, rest, tangent) - static,
            quadratic=self.inverse_dynamics(q, tangent, curvature) - static,
            static=static,
            limit=self.limit,
        )

    def stretch(self, move: Trajectory) -> float:
        """Stretch in time, at least 1, with which the torques of a motion hold; static torques do not change."""
        pieces = [
            np.linspace(a, b, _BETWEEN, endpoint=False) for a, b in zip(move.t[:-1], move.t[1:], strict=True)
        ]
        q, qd, qdd = move.sample(np.append(np.concatenate(pieces), move.duration))
        rest = np.zeros_like(q)
        static = self.inverse_dynamics(q, rest, rest)
        moving = self.inverse_dynamics(q, qd, qdd) - static
        # Between two samples a smooth curve leaves its chord by an eighth of its second difference; twice that.
        bulge = np.abs(np.diff(moving, n=2, axis=0, prepend=moving[:1], append=moving[-1:])) / 4.0
        room = np.maximum(self.limit - np.sign(moving) * static, 0.0)
        return math.sqrt(max(1.0, float(((np.abs(moving) + bulge) / room).max())))


def retime(
    path: Trajectory, limits: Limits, torque: TorqueLimits | None = None, *, points: int = 200
) -> Trajectory:
    """Move along a path, from rest to rest, close to as fast as the limits allow.

    Limits of velocity, acceleration and jerk hold at all times (bounds of the control points are used, not
    samples); those of torque are sampled, with an allowance for what lies between the samples.

    Args:
        path: The path, as a motion that stands still nowhere, not even at its ends: of its time, only the order
            is kept.
        limits: Joint limits.
        torque: Torque limits, if they are to be held as well.
        points: Grid points of the time-optimal speeds, at least 2.

    Returns:
        A trajectory with knots at equal intervals of time.

    Raises:
        KinematicsError: If the path stands still, has less than two knots, or asks for torque at rest that a joint
            does not have.
    """
    if len(path.t) < 2 or points < 2:
        raise KinematicsError(f"retime: {len(path.t)} knots, {points} points, expected at least 2 of both")
    s = np.linspace(0.0, path.duration, points)
    q, tangent, curvature = path.sample(s)
    terms = None if torque is None else torque.terms(q, tangent, curvature)
    speeds = path_speeds(s, tangent, curvature, limits, terms)
    rates = np.sqrt(speeds.squared)
    times = np.append(0.0, np.cumsum(2.0 * np.diff(s) / (rates[:-1] + rates[1:])))
    rise = float((limits.acceleration / limits.jerk).max())
    moves = (_averaged(path, times, rates, share * rise, limits, torque) for share in _AVERAGES)
    return min(moves, key=lambda move: move.duration)


def _averaged(
    path: Trajectory, times: Array, rates: Array, average: float, limits: Limits, torque: TorqueLimits | None
) -> Trajectory:
    """Motion with path speeds `rates` at `times`, averaged over a time [s], stretched to hold the limits."""
    step = max(average / _CELLS, times[-1] / _MOST_KNOTS)
    cells = math.ceil(times[-1] / step)
    h = times[-1] / cells
    # Speed on even times, zero before and after; each knot's acceleration is that over the averaging time around it.
    speed = np.pad(np.interp(h * np.arange(cells + 1), times, rates), _CELLS)
    acceleration = (speed[_CELLS:] - speed[:-_CELLS]) / (_CELLS * h)
    rate = np.append(0.0, np.cumsum(0.5 * h * (acceleration[:-1] + acceleration[1:])))
    way = h * rate[:-1] + h**2 * (2.0 * acceleration[:-1] + acceleration[1:]) / 6.0
    s = np.append(0.0, np.cumsum(way))
    scale = path.duration / s[-1]  # sampling the speed has changed its integral a little
    q, tangent, curvature = path.sample(np.minimum(scale * s, path.duration))
    rate, acceleration = scale * rate[:, None], scale * acceleration[:, None]
    move = Trajectory(
        t=h * np.arange(len(s)), q=q, qd=tangent * rate, qdd=curvature * rate**2 + tangent * acceleration
    )
    factor = stretch_within(move, limits)
    if torque is not None:
        factor = max(factor, torque.stretch(move))
    return move.stretched(factor)
