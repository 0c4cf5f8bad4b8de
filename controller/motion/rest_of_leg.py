"""What is left of a leg that was interrupted on its way: the rest of its path, from rest, and its process anew."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cells.driver import InsertPart
from controller.motion.visit import Leg, still
from kinematics import KinematicsError, Limits, Trajectory, change_feed, rest_to_rest

FloatArray = NDArray[np.float64]

_STEP_S = 0.002  # between points of the path that are compared with where the arm is
_HALVINGS = 30
_END_RAD = 1e-6  # nearer than this to the end of its path a leg has been driven
_SHORT_RAD = (
    0.05  # a rest of this length may be straight in joint space: its sagitta is below a millimetre (E)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The rest of a leg.

    Attributes:
        leg: It, beginning at the point of the path nearest to where the arm is.
        off_rad: How far the arm is from that point, by its farthest joint [rad].
    """

    leg: Leg
    off_rad: float


def rest_of_leg(leg: Leg, q: FloatArray, limits: Limits) -> Rest:
    """The rest of a leg from where its arm stands, `q` (6,) [rad].

    A process begins anew: gripping, screwing and dwelling do, an insertion goes on with the rest of its line.

    Raises:
        KinematicsError: When the path cannot be taken up again at that point within the limits.
    """
    at, off = _nearest(leg.trajectory, q)
    trajectory = _from(leg.trajectory, at, limits)
    process = leg.process
    if isinstance(process, InsertPart):
        process = replace(process, duration_s=trajectory.duration)
    return Rest(leg=replace(leg, trajectory=trajectory, process=process), off_rad=off)


def _nearest(path: Trajectory, q: FloatArray) -> tuple[float, float]:
    """The path's own time at which it is nearest to `q` [s], and the distance by the farthest joint [rad]."""
    if path.duration == 0.0:
        return 0.0, float(np.abs(path.q[-1] - q).max())

    def off(times: FloatArray) -> FloatArray:
        found: FloatArray = np.abs(path.sample(times)[0] - q).max(axis=1)
        return found

    times = np.linspace(0.0, path.duration, 2 + int(path.duration / _STEP_S))
    best = int(off(times).argmin())
    low, high = times[max(best - 1, 0)], times[min(best + 1, len(times) - 1)]
    for _ in range(_HALVINGS):
        inner = np.array([low + (high - low) / 3, high - (high - low) / 3])
        first, second = off(inner)
        low, high = (low, inner[1]) if first <= second else (inner[0], high)
    at = (low + high) / 2
    return float(at), float(off(np.array([at]))[0])


def _from(path: Trajectory, at: float, limits: Limits) -> Trajectory:
    """The path from its time `at` on, beginning at rest."""
    start, end = path.sample([at])[0][0], path.q[-1]
    if np.abs(end - start).max() <= _END_RAD and at > path.duration / 2:
        return still(end)
    rest = change_feed(path, limits, at=min(at, path.duration), rate=0.0, to=1.0).trajectory
    if np.abs(rest.q[-1] - end).max() <= _END_RAD:
        return rest
    if np.abs(end - start).max() <= _SHORT_RAD:
        return rest_to_rest(start, end, limits, straight=True)
    raise KinematicsError(
        f"path: cannot be taken up again at {at:.4f} of {path.duration:.4f} s within the limits"
    )
