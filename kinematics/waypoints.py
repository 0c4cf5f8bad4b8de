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
from kinematics.profile import jerk_of, length, profile_state, rest_to_rest_profiles, trajectory_of_legs
from kinematics.trajectory import Trajectory
from kinematics.vectors import Vector

_STEPS = 48  # overlaps tried at a corner, evenly spaced
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
    legs = rest_to_rest_profiles(np.zeros(6), moves, limits, straight=straight)
    shapes, durations = legs.shape, legs.duration
    begin = np.zeros(len(moves))
    for leg in range(len(moves) - 1):
        share1 = durations[leg] * (1.0 if leg == 0 else 0.5)
        share2 = durations[leg + 1] * (1.0 if leg + 2 == len(moves) else 0.5)
        most = min(share1, share2)
        # Besides even steps, the overlaps at which phases of one leg meet those of the other.
        meetings = shapes[leg : leg + 2, :, :2] @ [[1.0, 1.0, 2.0], [0.0, 1.0, 1.0]]
        steps = most * np.arange(_STEPS + 1) / _STEPS
        candidates = np.unique(np.concatenate([steps, meetings[meetings < most]]))[::-1].copy()
        overlap = _overlap(
            moves[leg : leg + 2],
            shapes[leg : leg + 2],
            limits.velocity,
            limits.acceleration,
            limits.jerk,
            candidates,
        )
        begin[leg + 1] = begin[leg] + durations[leg] - overlap
    return trajectory_of_legs(points[0], moves, shapes, begin)


@inlined
def edge(shape: Vector, n: int) -> float:
    """Time of the n-th of the eight jumps of a profile's jerk."""
    tj, ta, tv = shape
    half = n if n < 4 else 7 - n
    t = tj * min(half, 1) + ta * (half > 1) + tj * (half > 2)
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
def _fits(
    moves: Array,
    shapes: Array,
    overlap: float,
    velocity: Array,
    acceleration: Array,
    jerk: Array,
    times: Array,
) -> bool:
    """Whether two legs, the second starting `overlap` [s] before the end of the first, hold the limits.

    Moves are (2, 6), shapes (2, 6, 3), times (16,) is scratch. Does not allocate.
    """
    for k in range(6):
        begin = 0.0
        for leg in range(2):
            shape = (shapes[leg, k, 0], shapes[leg, k, 1], shapes[leg, k, 2])
            for n in range(8):
                times[8 * leg + n] = begin + edge(shape, n)
            begin = length(shape) - overlap  # a joint at rest has no duration: any time will do
        for n in range(16):
            t0, t1 = times[n], np.inf
            for other in range(16):
                t1 = min(t1, times[other]) if times[other] > t0 + _MOVING else t1
            if t1 == np.inf:
                continue
            v, a, j, begin = 0.0, 0.0, 0.0, 0.0
            for leg in range(2):
                shape = (shapes[leg, k, 0], shapes[leg, k, 1], shapes[leg, k, 2])
                _, dv, da = profile_state(moves[leg, k], shape, t0 - begin)
                v, a = v + dv, a + da
                j += jerk_at(moves[leg, k], shape, 0.5 * (t0 + t1) - begin)
                begin = length(shape) - overlap
            if abs(v) > velocity[k] * _FITS or abs(a) > acceleration[k] * _FITS or abs(j) > jerk[k] * _FITS:
                return False
            end = a + j * (t1 - t0)
            if a * end < 0.0 and abs(v - 0.5 * a * a / j) > velocity[k] * _FITS:
                return False
    return True


@kernel
def _overlap(
    moves: Array, shapes: Array, velocity: Array, acceleration: Array, jerk: Array, candidates: Array
) -> float:
    """Largest overlap [s] of two legs found to hold the limits; candidates descend to zero, which does.

    The overlaps that fit are not one interval (two jerk phases may cancel): candidates are tried from the
    largest down, then the gap above the first that fits is halved.
    """
    times = np.empty(16)
    n = 0
    while n < len(candidates) - 1 and not _fits(
        moves, shapes, candidates[n], velocity, acceleration, jerk, times
    ):
        n += 1
    overlap, above = candidates[n], candidates[max(n - 1, 0)]
    for _ in range(_HALVINGS):
        middle = 0.5 * (overlap + above)
        if _fits(moves, shapes, middle, velocity, acceleration, jerk, times):
            overlap = middle
        else:
            above = middle
    return float(overlap)
