"""Two motions run into one another: the second begins before the first has ended, and their displacements add up.

As with `through`, the stop between them goes, but for any two motions from rest to rest. Outside the overlap each is
followed exactly. Motions that use their limits leave none for an overlap, so the sum may be slowed down as a whole: of the
overlaps tried, the one with the shortest sum is taken.
"""

from collections.abc import Callable

import numpy as np

from kinematics.arrays import Array
from kinematics.chain import Limits
from kinematics.trajectory import Trajectory, concatenate, stretch_of_knots

_OVERLAPS = 12  # tried, evenly spaced up to the shorter motion's duration
_LOOKS = 24  # at where the joints are while both motions last
_SAME_TIME = 1e-9  # [s]: knots nearer than this are one


def blend(
    first: Trajectory, second: Trajectory, limits: Limits, keeps: Callable[[Array], bool] = lambda q: True
) -> Trajectory:
    """The first motion, then the second, which begins before the first has ended where that ends sooner.

    Args:
        first: From rest to rest.
        second: From rest where the first ends, to rest.
        limits: Velocity, acceleration and jerk limits, which hold at all times; they must hold in both motions.
        keeps: Whether joints (n, 6), from where the second begins to where the first ends, are where they may be [rad].

    Returns:
        The motion; with a stop in between if no overlap tried is allowed and sooner.

    Raises:
        KinematicsError: If the second does not start at rest where the first ends.
    """
    joined = concatenate(first, second)
    if len(first.t) == 1 or len(second.t) == 1:
        return joined
    whole = joined.duration
    best, best_overlap, best_stretch = whole, 0.0, 1.0
    for overlap in np.linspace(min(first.duration, second.duration), 0.0, _OVERLAPS, endpoint=False):
        if whole - overlap >= best:
            break
        # Even steps in between: of knots nearer together than these the limits are not asked (`stretch_of_knots`).
        both = np.linspace(first.duration - overlap, first.duration, _LOOKS)
        t = _knots(first, second, overlap, both)
        q, qd, qdd = _sum(first, second, overlap, t)
        stretch = stretch_of_knots(t, q, qd, qdd, limits)
        if (whole - overlap) * stretch < best and keeps(_sum(first, second, overlap, both)[0]):
            best, best_overlap, best_stretch = (whole - overlap) * stretch, overlap, stretch
    if best_overlap == 0.0:
        return joined
    t = _knots(first, second, best_overlap, np.array([0.0, whole - best_overlap]))
    q, qd, qdd = _sum(first, second, best_overlap, t)
    return Trajectory(t=t, q=q, qd=qd, qdd=qdd).stretched(best_stretch)


def _knots(first: Trajectory, second: Trajectory, overlap: float, within: Array) -> Array:
    """Given times [s] and, between the first and the last of them, the knots of both motions."""
    knots = np.concatenate([first.t, first.duration - overlap + second.t])
    knots = knots[(knots > within[0] + _SAME_TIME) & (knots < within[-1] - _SAME_TIME)]
    t = np.union1d(knots, within)
    kept: Array = t[np.append(True, np.diff(t) > _SAME_TIME)]
    return kept


def _sum(first: Trajectory, second: Trajectory, overlap: float, t: Array) -> tuple[Array, Array, Array]:
    """State at times t (n,) of both displacements together, with so much overlap [s]."""
    one, two = first.sample(t), second.sample(t - (first.duration - overlap))
    return one[0] + two[0] - second.q[0], one[1] + two[1], one[2] + two[2]
