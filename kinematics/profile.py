"""Jerk-limited motion from rest to rest, time-optimal for the slowest joint, all joints ending together.

A joint's profile is symmetric: jerk phase, constant acceleration, jerk phase, cruise, and the same in
reverse (Biagiotti and Melchiorri, 2008, sec. 3.4). It is described by its *shape* (tj, ta, tv): the
durations [s] of the jerk phase, of constant acceleration and of the cruise; the distance then fixes the
jerk. A faster joint follows the slowest one's shape where its limits allow that, otherwise its own, slowed
down to the same duration.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, batch, finite
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.trajectory import Trajectory
from kinematics.vectors import Vector

_SAME_TIME = 1e-9  # [s]: breakpoints nearer than this are one knot
_STILL = 1e-15  # [rad]: a joint that moves less than this does not move
_FITS = 1.0 + 1e-12  # relative: rounding in the comparison with a limit

# Durations of jerk phase and constant acceleration to full speed [s]; the distances from which full speed and full
# acceleration are reached [rad]; 1 / v, 1 / a, 1 / (2 j).
Ramp = tuple[float, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """Motions of six joints from rest to rest, each as the durations of its phases.

    Attributes:
        start: (n, 6) [rad].
        displacement: (n, 6) [rad].
        shape: (n, 6, 3) durations (tj, ta, tv) of jerk phase, constant acceleration and cruise [s]; zero for a
            joint that does not move.
        jerk: (n, 6) jerk of the first phase, with its sign [rad/s^3].
        duration: (n,) [s].
    """

    start: Array
    displacement: Array
    shape: Array
    jerk: Array
    duration: Array

    def trajectory(self, i: int) -> Trajectory:
        """Motion i, with knots where the jerk jumps; one knot if nothing moves."""
        move, shape = self.displacement[i : i + 1], self.shape[i : i + 1]
        return trajectory_of_legs(self.start[i].copy(), move, shape, np.zeros(1))


def rest_to_rest(q0: ArrayLike, q1: ArrayLike, limits: Limits, *, straight: bool = False) -> Trajectory:
    """Fastest synchronised motion between two configurations, at rest in both.

    Args:
        q0: (6,) start [rad].
        q1: (6,) end [rad].
        limits: Velocity, acceleration and jerk limits.
        straight: Keep to the straight segment in joint space, as checked by a path search. It takes longer
            where one joint is bound by velocity and another by acceleration or jerk.

    Returns:
        A trajectory whose knots are the jumps of the jerk; one knot if q0 equals q1.

    Raises:
        KinematicsError: If an input has another shape or holds NaN or infinity.
    """
    start, end = finite("q0", q0, (6,)), finite("q1", q1, (6,))
    return rest_to_rest_profiles(start, end, limits, straight=straight).trajectory(0)


def rest_to_rest_profiles(
    q0: ArrayLike, q1: ArrayLike, limits: Limits, *, straight: bool = False
) -> Profiles:
    """The motions of `rest_to_rest` for many pairs at once.

    Args:
        q0: (n, 6) or (6,) starts [rad].
        q1: (n, 6) or (6,) ends [rad]; a single configuration goes with every one of the other.
        limits: Velocity, acceleration and jerk limits.
        straight: See `rest_to_rest`.

    Raises:
        KinematicsError: If an input has another shape or holds NaN or infinity, or the lengths differ.
    """
    start, _ = batch("q0", q0, (6,))
    end, _ = batch("q1", q1, (6,))
    if len(start) != len(end) and 1 not in (len(start), len(end)):
        raise KinematicsError(f"q0, q1: {len(start)} and {len(end)} configurations, expected the same or one")
    displacement = end - start
    n = len(displacement)
    shape, jerk, duration = np.empty((n, 6, 3)), np.empty((n, 6)), np.empty(n)
    _profiles(
        displacement, limits.velocity, limits.acceleration, limits.jerk, straight, shape, jerk, duration
    )
    start = np.broadcast_to(start, displacement.shape)
    return Profiles(start=start, displacement=displacement, shape=shape, jerk=jerk, duration=duration)


def rest_to_rest_duration(q0: ArrayLike, q1: ArrayLike, limits: Limits) -> Array:
    """Durations (n,) [s] of `rest_to_rest_profiles`."""
    return rest_to_rest_profiles(q0, q1, limits).duration


def trajectory_of_legs(start: Array, displacement: Array, shapes: Array, begin: Array) -> Trajectory:
    """Sum of legs (m, 6) with shapes (m, 6, 3) that begin at times (m,) [s], from rest at start (6,)."""
    tj, ta, tv = shapes[..., 0], shapes[..., 1], shapes[..., 2]
    phases = np.stack([np.zeros_like(tj), tj, ta, tj, tv, tj, ta, tj], axis=-1)
    times = np.unique(begin[:, None, None] + phases.cumsum(axis=-1))
    keep = np.concatenate([[True], np.diff(times) > _SAME_TIME])
    t = times[keep]
    t[-1] = times[-1]  # at rest there
    q, qd, qdd = np.empty((len(t), 6)), np.empty((len(t), 6)), np.empty((len(t), 6))
    _sum_legs(start, displacement, shapes, begin, t, q, qd, qdd)
    return Trajectory(t=t - t[0], q=q, qd=qd, qdd=qdd)


@inlined
def ramp(v: float, a: float, j: float) -> Ramp:
    """How a joint with limits v, a and j gets to full speed, and what follows from that."""
    tj = min(a / j, np.sqrt(v / j))  # reaches the acceleration limit, or the velocity limit before it
    ta = v / (j * tj) - tj
    ta = ta if ta > 0.0 else 0.0
    to_acceleration = 2.0 * a * tj * tj if v * j > a * a else np.inf
    return tj, ta, v * (2.0 * tj + ta), to_acceleration, 1.0 / v, 1.0 / a, 0.5 / j


@inlined
def fastest_shape(distance: float, limits: Ramp) -> Vector:
    """Shape (tj, ta, tv) [s] of the fastest profile over a distance >= 0."""
    tj, ta, to_velocity, to_acceleration, per_v, per_a, half_per_j = limits
    if distance >= to_velocity:
        return tj, ta, distance * per_v - (2.0 * tj + ta)
    if distance > to_acceleration:  # no cruise, but constant acceleration
        return tj, np.sqrt(0.25 * tj * tj + distance * per_a) - 1.5 * tj, 0.0
    return (distance * half_per_j) ** (1.0 / 3.0), 0.0, 0.0


@inlined
def length(shape: Vector) -> float:
    """Duration of a shape [s]."""
    return 4.0 * shape[0] + 2.0 * shape[1] + shape[2]


@inlined
def jerk_of(distance: float, shape: Vector) -> float:
    """The jerk with which a shape covers a distance."""
    tj, ta, tv = shape
    volume = tj * (tj + ta) * (2.0 * tj + ta + tv)
    return distance / volume if volume > 0.0 else 0.0


@inlined
def fits(jerk: float, shape: Vector, v: float, a: float, j: float) -> bool:
    """Whether a shape with a jerk stays within the limits."""
    acceleration = jerk * shape[0]
    velocity = acceleration * (shape[0] + shape[1])
    return (jerk <= j * _FITS) & (acceleration <= a * _FITS) & (velocity <= v * _FITS)


@inlined
def rising(jerk: float, shape: Vector, t: float) -> Vector:
    """Covered distance, velocity and acceleration in the first half of a profile."""
    tj, ta, _ = shape
    if t < tj:
        return jerk * t * t * t / 6.0, 0.5 * jerk * t * t, jerk * t
    a = jerk * tj
    v1, q1 = 0.5 * a * tj, a * tj * tj / 6.0
    if t < tj + ta:
        t -= tj
        return q1 + t * (v1 + 0.5 * a * t), v1 + a * t, a
    v2, q2 = v1 + a * ta, q1 + ta * (v1 + 0.5 * a * ta)
    if t < 2.0 * tj + ta:
        t -= tj + ta
        return q2 + t * (v2 + t * (0.5 * a - jerk * t / 6.0)), v2 + t * (a - 0.5 * jerk * t), a - jerk * t
    v = a * (tj + ta)
    return 0.5 * v * (2.0 * tj + ta) + v * (t - (2.0 * tj + ta)), v, 0.0


@inlined
def profile_state(distance: float, shape: Vector, t: float) -> Vector:
    """Covered distance, velocity and acceleration at any time since the start; at rest outside of it."""
    duration = length(shape)
    jerk = jerk_of(distance, shape)
    if t <= 0.0:
        return 0.0, 0.0, 0.0
    if t >= duration:
        return distance, 0.0, 0.0
    if 2.0 * t <= duration:
        return rising(jerk, shape, t)
    q, v, a = rising(jerk, shape, duration - t)
    return distance - q, v, -a


@kernel
def _profiles(
    displacement: Array,
    velocity: Array,
    acceleration: Array,
    jerk: Array,
    straight: bool,
    shapes: Array,
    jerks: Array,
    duration: Array,
) -> None:
    """Shapes (n, 6, 3), signed jerks (n, 6) and durations (n,) over displacements (n, 6). Does not allocate."""
    v, a, j = velocity, acceleration, jerk
    ramps = (
        ramp(v[0], a[0], j[0]),
        ramp(v[1], a[1], j[1]),
        ramp(v[2], a[2], j[2]),
        ramp(v[3], a[3], j[3]),
        ramp(v[4], a[4], j[4]),
        ramp(v[5], a[5], j[5]),
    )
    for i in range(len(displacement)):
        slowest, longest = (0.0, 0.0, 0.0), 0.0
        least_v, least_a, least_j = np.inf, np.inf, np.inf  # of the path coordinate from 0 to 1, if straight
        for k in range(6):
            distance = abs(displacement[i, k])
            own = (0.0, 0.0, 0.0)
            if distance > _STILL:
                own = fastest_shape(distance, ramps[k])
                if straight:
                    least_v = min(least_v, v[k] / distance)
                    least_a = min(least_a, a[k] / distance)
                    least_j = min(least_j, j[k] / distance)
            shapes[i, k, 0], shapes[i, k, 1], shapes[i, k, 2] = own
            if length(own) > longest:
                slowest, longest = own, length(own)
        if straight and longest > 0.0:
            slowest = fastest_shape(1.0, ramp(least_v, least_a, least_j))
            longest = length(slowest)
        duration[i] = longest
        shared = jerk_of(1.0, slowest)  # for each radian
        for k in range(6):
            jerks[i, k] = 0.0
            distance = abs(displacement[i, k])
            if distance > _STILL:
                shape = slowest
                jerks[i, k] = displacement[i, k] * shared
                if not (straight or fits(distance * shared, shape, v[k], a[k], j[k])):
                    own = (shapes[i, k, 0], shapes[i, k, 1], shapes[i, k, 2])
                    factor = longest / length(own)
                    shape = (factor * own[0], factor * own[1], factor * own[2])
                    jerks[i, k] = jerk_of(displacement[i, k], shape)
                shapes[i, k, 0], shapes[i, k, 1], shapes[i, k, 2] = shape


@kernel
def _sum_legs(
    start: Array, displacement: Array, shapes: Array, begin: Array, t: Array, q: Array, qd: Array, qdd: Array
) -> None:
    """State at times t (n,) of the sum of all legs, into three arrays (n, 6). Does not allocate."""
    for i in range(len(t)):
        for k in range(6):
            position, v, a = start[k], 0.0, 0.0
            for leg in range(len(begin)):
                shape = (shapes[leg, k, 0], shapes[leg, k, 1], shapes[leg, k, 2])
                dq, dv, da = profile_state(displacement[leg, k], shape, t[i] - begin[leg])
                position, v, a = position + dq, v + dv, a + da
            q[i, k], qd[i, k], qdd[i, k] = position, v, a
