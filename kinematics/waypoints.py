"""Motion past via points without stopping: rest-to-rest legs that overlap in time.

Each leg starts before the one before it has ended; while both move, their displacements add up, so the
corner at the via point is cut. Jerks are piecewise constant, so that the sum is checked against the limits
exactly, on every piece. At most two legs move at once. (The superposition is that of overlapping moves in
numerical control.)
"""

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, finite
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.profile import jerk_of, leg_shapes, length, profile_state, trajectory_of_legs
from kinematics.trajectory import Trajectory
from kinematics.vectors import Vector

_STEPS = 48  # overlaps tried at a corner, evenly spaced, besides those at which jerk phases meet
_HALVINGS = 12  # of the last step
_FITS = 1.0 + 1e-9  # relative: rounding in the comparison with a limit
_MOVING = 1e-12  # [s]: shorter pieces come from rounding


def through(waypoints: ArrayLike, limits: Limits, *, straight: bool = False) -> Trajectory:
    """Motion from rest at the first to rest at the last waypoint, past the others with rounded corners.

    Legs overlap as long as velocity, acceleration and jerk limits allow, at most by half of an inner leg,
    so that the next corner gets its share. The larger the overlap, the further the motion stays from the
    via point; it remains within the box spanned by the two legs' displacements.

    Args:
        waypoints: (k, 6), k >= 1 [rad]; consecutive equal ones count once.
        limits: Velocity, acceleration and jerk limits, which hold at all times.
        straight: Keep each leg on its straight segment in joint space, but for the corners.

    Returns:
        A trajectory whose knots are the jumps of the jerk.

    Raises:
        KinematicsError: If the waypoints have another shape, hold NaN or infinity, or there are none.
    """
    points = finite("waypoints", waypoints, (None, 6))
    if len(points) == 0:
        raise KinematicsError("waypoints: none, expected at least one")
    moves = np.diff(points, axis=0)
    moves = moves[np.abs(moves).max(axis=1) > 0.0] if len(moves) else moves
    if len(moves) == 0:
        return Trajectory(t=np.zeros(1), q=points[:1], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    shapes = np.stack([leg_shapes(move, limits, straight) for move in moves])
    begin = np.zeros(len(moves))
    _begin_legs(moves, shapes, limits.velocity, limits.acceleration, limits.jerk, begin)
    return trajectory_of_legs(points[0], moves, shapes, begin)


@inlined
def shape_of(shapes: Array, leg: int, k: int) -> Vector:
    """Shape of joint k in a leg."""
    return shapes[leg, k, 0], shapes[leg, k, 1], shapes[leg, k, 2]


@inlined
def edge(shape: Vector, n: int) -> float:
    """Time of the n-th of the eight jumps of a profile's jerk."""
    tj, ta, tv = shape
    half = n if n < 4 else 7 - n
    t = 0.0
    t = tj if half == 1 else t
    t = tj + ta if half == 2 else t
    t = 2.0 * tj + ta if half == 3 else t
    return t if n < 4 else length((tj, ta, tv)) - t


@inlined
def jerk_at(distance: float, shape: Vector, t: float) -> float:
    """Jerk of a profile at a time that is not one of its jumps."""
    tj, ta, _ = shape
    duration = length(shape)
    if t <= 0.0 or t >= duration:
        return 0.0
    s = t if 2.0 * t < duration else duration - t
    jerk = jerk_of(distance, shape)
    if s < tj:
        return jerk
    return -jerk if tj + ta < s < 2.0 * tj + ta else 0.0


@kernel
def _overlap_fits(
    moves: Array, shapes: Array, leg: int, overlap: float, velocity: Array, acceleration: Array, jerk: Array
) -> bool:
    """Whether a leg and the next, which starts `overlap` [s] before its end, hold the limits together."""
    times = np.empty(16)
    for k in range(6):
        one, two = shape_of(shapes, leg, k), shape_of(shapes, leg + 1, k)
        d1, d2 = moves[leg, k], moves[leg + 1, k]
        begin = length(one) - overlap  # a joint at rest has no duration: any time will do
        for n in range(8):
            times[n], times[8 + n] = edge(one, n), begin + edge(two, n)
        times.sort()
        for n in range(15):
            t0, t1 = times[n], times[n + 1]
            if t1 - t0 < _MOVING:
                continue
            middle = 0.5 * (t0 + t1)
            _, v1, a1 = profile_state(d1, one, t0)
            _, v2, a2 = profile_state(d2, two, t0 - begin)
            v, a = v1 + v2, a1 + a2
            j = jerk_at(d1, one, middle) + jerk_at(d2, two, middle - begin)
            if abs(v) > velocity[k] * _FITS or abs(a) > acceleration[k] * _FITS or abs(j) > jerk[k] * _FITS:
                return False
            end = a + j * (t1 - t0)
            if a * end < 0.0 and abs(v - 0.5 * a * a / j) > velocity[k] * _FITS:
                return False
    return True


@inlined
def leg_duration(shapes: Array, leg: int) -> float:
    """Duration of a leg: that of its slowest joint."""
    longest = 0.0
    for k in range(6):
        longest = max(longest, length(shape_of(shapes, leg, k)))
    return longest


@kernel
def _begin_legs(
    moves: Array, shapes: Array, velocity: Array, acceleration: Array, jerk: Array, begin: Array
) -> None:
    """Start times (m,) of legs, each with the largest overlap found with the one before.

    The overlaps that fit are not one interval (two jerk phases may cancel), so candidates are tried from
    the largest down, and the boundary above the first that fits is then halved.
    """
    meetings = 6 * 6
    candidates = np.empty(_STEPS + meetings)
    for leg in range(len(moves) - 1):
        one, two = leg_duration(shapes, leg), leg_duration(shapes, leg + 1)
        share1 = one if leg == 0 else 0.5 * one
        share2 = two if leg + 2 == len(moves) else 0.5 * two
        most = min(share1, share2)
        for n in range(_STEPS):
            candidates[n] = most * (n + 1) / _STEPS
        for k in range(6):
            for n in range(3):
                candidates[_STEPS + 6 * k + n] = edge(shape_of(shapes, leg, k), n + 1)
                candidates[_STEPS + 6 * k + 3 + n] = edge(shape_of(shapes, leg + 1, k), n + 1)
        candidates.sort()
        above, overlap = most, 0.0
        for n in range(len(candidates) - 1, -1, -1):
            if candidates[n] <= most:
                if _overlap_fits(moves, shapes, leg, candidates[n], velocity, acceleration, jerk):
                    overlap = candidates[n]
                    break
                above = candidates[n]
        for _ in range(_HALVINGS):
            middle = 0.5 * (overlap + above)
            if _overlap_fits(moves, shapes, leg, middle, velocity, acceleration, jerk):
                overlap = middle
            else:
                above = middle
        begin[leg + 1] = begin[leg] + one - overlap
