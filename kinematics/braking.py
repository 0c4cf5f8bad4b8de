"""The rate of a motion under way, changed step by step, at any moment: feed and stops of a driver.

The motion's own time tau passes at a rate r, so that qd = q' r and qdd = q'' r^2 + q' dr/dt: the path is kept whatever
the rate. `change_feed` plans a change ahead that keeps the jerk limits as well and finds none where the motion is at a
limit already. Here a change begins at once. At every moment dr/dt is taken as far as the acceleration limit of every
joint allows; a rate of at most one leaves at least nothing, so none is ever exceeded. A *smooth* change also builds
dr/dt up and down with the jerk that the limits allow it, on top of the jerk of the motion itself; an abort does not
and is the shortest way to rest on the path.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kinematics.arrays import Array
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.trajectory import Trajectory, interval, state

_STEP_S = 1e-3
_STEEPEST = 20.0  # of the rate [1/s], where no joint sets a limit
_SUDDEN = 2000.0  # change of that [1/s^2]
_STILL = 1e-9  # [rad/s]
_SAMPLES = 200


class Course(NamedTuple):
    """A motion and the limits of its joints, as kernels take them."""

    t: Array  # (m,) knots [s]
    q: Array  # (m, 6) [rad]
    qd: Array  # (m, 6) [rad/s]
    qdd: Array  # (m, 6) [rad/s^2]
    acceleration: Array  # (6,) [rad/s^2]
    jerk: Array  # (6,) [rad/s^3]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stopping:
    """How a motion comes to rest on its path.

    Attributes:
        duration: Time from the command to rest [s].
        at: The motion's own time where it rests [s].
        turned: (6,) way of each joint until then, back and forth added up [rad].
    """

    duration: float
    at: float
    turned: Array


def course_of(move: Trajectory, limits: Limits) -> Course:
    """A motion as `pace` takes it."""
    return Course(move.t, move.q, move.qd, move.qdd, limits.acceleration, limits.jerk)


def stopping(
    move: Trajectory, limits: Limits, *, at: float, rate: float = 1.0, abort: bool = False
) -> Stopping:
    """Time and way to rest, when a motion within the limits is stopped at a moment.

    Args:
        move: The motion as planned, from rest to rest.
        limits: Acceleration and jerk limits.
        at: The motion's own time at the command, from 0 to its duration [s].
        rate: The rate at which it is followed until then, from 0 to 1, not changing.
        abort: As hard as the acceleration limits allow, instead of smoothly.

    Raises:
        KinematicsError: If a value is out of range.
    """
    for name, value, most in (("at", at, move.duration), ("rate", rate, 1.0)):
        if not 0.0 <= value <= most:
            raise KinematicsError(f"{name}: {value:g}, expected from 0 to {most:g}")
    clock = np.array([at, rate, 0.0])
    duration = _to_rest(course_of(move, limits), clock, not abort)
    end = min(float(clock[0]), move.duration)
    inside = move.t[(move.t > at) & (move.t < end)]
    q = move.sample(np.union1d(np.linspace(at, end, _SAMPLES), inside))[0]
    return Stopping(duration=duration, at=end, turned=np.abs(np.diff(q, axis=0)).sum(axis=0))


@kernel
def pace(course: Course, clock: Array, to: float, dt: float, smooth: bool) -> None:
    """Let dt [s] pass while the rate goes towards `to`.

    ``clock`` (3,) holds the motion's own time [s], the rate and its change [1/s], before and afterwards. Does not
    allocate.
    """
    steps = math.ceil(dt / _STEP_S)
    for _ in range(steps):
        _pace(course, clock, to, dt / steps, smooth)


@kernel
def _to_rest(course: Course, clock: Array, smooth: bool) -> float:
    """Time until the rate is zero or the motion at its end [s]. Does not allocate."""
    steps = 0
    while clock[1] > 0.0 and clock[0] < course.t[-1]:
        _pace(course, clock, 0.0, _STEP_S, smooth)
        steps += 1
    return steps * _STEP_S


@inlined
def _pace(course: Course, clock: Array, to: float, h: float, smooth: bool) -> None:
    """One step of at most `_STEP_S`: bounds hold at its beginning and at its end."""
    tau, rate, slope = clock[0], clock[1], clock[2]
    if rate == to:
        clock[0], clock[2] = tau + rate * h, 0.0
        return
    low, high, sudden = -_STEEPEST, _STEEPEST, _SUDDEN
    for end in range(2):
        time = tau + end * rate * h
        if 0.0 < time < course.t[-1]:
            i = interval(course.t, time)
            for k in range(6):
                _, v, a = state(course.t, course.q, course.qd, course.qdd, time, i, k)
                a, speed, most = a * rate * rate, abs(v), course.acceleration[k]
                if speed > _STILL:
                    along = a if v > 0.0 else -a
                    low = max(low, min(0.0, (-most - along) / speed))
                    high = min(high, max(0.0, (most - along) / speed))
                    sudden = min(sudden, course.jerk[k] / speed)
    missing = to - rate
    if smooth:
        # Not more than can be built down again until the rate is reached.
        wanted = math.sqrt(2.0 * sudden * abs(missing))
        wanted = wanted if missing > 0.0 else -wanted
        wanted = min(max(wanted, slope - sudden * h), slope + sudden * h)
    else:
        wanted = high if missing > 0.0 else low
    slope = min(max(wanted, low), high)
    after = rate + slope * h
    if (to - after) * missing <= 0.0:
        after = to
        slope = 0.0
    after = min(max(after, 0.0), 1.0)
    clock[0], clock[1], clock[2] = tau + 0.5 * (rate + after) * h, after, slope
