"""A planned motion as the knots that a device follows.

Both sides put a quintic between two knots, so knots sampled every 20 ms from the planned motion reproduce it
but for the changes of jerk inside an interval. The measured cost on every leg of the bundled cell's plan: at
most 8e-6 rad off the path, 4 % more acceleration than the planned limit, 2.6 times its jerk
(tests/firmware_bridge/test_knots.py).
"""

import math
from collections.abc import Sequence

import numpy as np

from firmware_bridge.armlink.messages import QuinticKnot
from kinematics import Trajectory

POS_UNIT = 1e-7
VEL_UNIT = 1e-6
ACC_UNIT = 1e-5
SPACING_S = 0.020
SHORTEST_S = 0.002


def knots_of(trajectory: Trajectory, spacing_s: float = SPACING_S) -> tuple[QuinticKnot, ...]:
    """Knots from the first to the last of a motion, at most ``spacing_s`` apart [s].

    The last knot may be 0.5 us off the planned end: device time counts microseconds. A motion that is
    shorter than the shortest segment gets that one.
    """
    duration = max(trajectory.duration, SHORTEST_S)
    count = max(1, math.ceil(duration / spacing_s - 1e-9))
    t_us = np.rint(np.linspace(0.0, duration, count + 1) * 1e6).astype(np.int64)
    times = np.append(t_us[:-1] * 1e-6, trajectory.duration)
    q, qd, qdd = trajectory.sample(times)
    pos, vel, acc = (
        np.rint(values / unit).astype(np.int64).tolist()
        for values, unit in ((q, POS_UNIT), (qd, VEL_UNIT), (qdd, ACC_UNIT))
    )
    return tuple(
        QuinticKnot(t_us=t, pos=tuple(p), vel=tuple(v), acc=tuple(a))
        for t, p, v, a in zip(t_us.tolist(), pos, vel, acc, strict=True)
    )


def radians(pos: Sequence[int], unit: float = POS_UNIT) -> "np.typing.NDArray[np.float64]":
    """Wire numbers of six joints in SI units, (6,)."""
    return np.array(pos, dtype=np.float64) * unit
