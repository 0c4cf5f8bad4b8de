"""Time-optimal speed along given paths under velocity, acceleration and torque limits, many paths at once.

Reachability analysis after H. Pham and Q.-C. Pham, "A New Approach to Time-Optimal Path Parameterization Based
on Reachability Analysis", IEEE Transactions on Robotics 34 (3), 2018 (TOPP-RA). With s the path parameter,
x = (ds/dt)^2 and u = d2s/dt2, constant over each interval, all limits are linear in u and x:

    qdd = q' u + q'' x,   tau = inertial u + quadratic x + static.

They are held at both ends of every interval (the paper's "first-order interpolation scheme", sec. IV-A).
One pass from the end finds the largest x from which the rest of the path can be followed; one from the start
takes the greatest u everywhere. Where the paper solves a linear program in each step, the greatest x is the
larger root of the concave function (least upper bound - greatest lower bound of u) of x, found by Newton's
method from the right, which ends after as many steps as bounds change: mostly two.
One path is one SIMD lane.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, finite
from kinematics.chain import Limits
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.lanes import Block, block
from kinematics.vectors import Joints

_LANES = 16  # the rows of a block stay in the nearest cache

_FLAT = 1e-9  # a coefficient of u nearer to zero than that counts as that: its row bounds x alone
_SETTLED = 1.0 - 1e-12  # relative change of x with which Newton's method ends
_MOST_STEPS = 32
_FEW = 3  # below this many paths, one by one is faster than a block of lanes


Bounds = tuple[float, float, float, float]  # least upper and greatest lower bound of u, each with its slope
Ratio = tuple[float, float]  # numerator and denominator > 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TorqueTerms:
    """Joint torques along paths as linear functions of path acceleration u and squared path speed x.

    Attributes:
        inertial: (n, m, 6) or (m, 6) factors of u.
        quadratic: The same, factors of x.
        static: The same, torque at rest [N m].
        limit: (6,) > 0, in both directions [N m].
    """

    inertial: ArrayLike
    quadratic: ArrayLike
    static: ArrayLike
    limit: ArrayLike


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PathSpeeds:
    """Fastest speeds along paths, at rest at both ends.

    Attributes:
        squared: (n, m) squares of ds/dt at the grid points; linear in s between them.
        duration: (n,) [s]; infinite where a path can't be followed.

    For a single path both come without the batch axis (a float).
    """

    squared: Array
    duration: Array


def path_speeds(
    s: ArrayLike, tangent: ArrayLike, curvature: ArrayLike, limits: Limits, torque: TorqueTerms | None = None
) -> PathSpeeds:
    """Fastest motion along paths given by their derivatives at common grid points.

    The limits of velocity and acceleration, and those of torque if given, hold at the grid points and, for the
    path acceleration of each interval, at both its ends; jerk is not limited (`retime` does that).

    Args:
        s: (m,) path parameter of the grid points, ascending, m >= 2.
        tangent: (n, m, 6) or (m, 6) dq/ds [rad]; not zero in all joints.
        curvature: (n, m, 6) or (m, 6) d2q/ds2 [rad].
        limits: Joint limits.
        torque: Torque terms at the same points.

    Raises:
        KinematicsError: If an input has another shape or holds NaN or infinity, a path stands still, or an arm
            can't hold itself up at rest.
    """
    grid = finite("s", s, (None,))
    if len(grid) < 2 or (np.diff(grid) <= 0.0).any():
        raise KinematicsError("s: expected at least two, strictly ascending values")
    single = np.ndim(tangent) == 2
    shape = (1 if single else len(np.asarray(tangent)), len(grid), 6)

    def rows(name: str, value: ArrayLike) -> Array:
        return finite(name, value, shape[1:] if single else shape).reshape(shape)

    a, b = rows("tangent", tangent), rows("curvature", curvature)
    bound = limits.acceleration
    c = np.zeros((*shape[:2], 0))
    if torque is not None:
        c = rows("torque.static", torque.static)
        a = np.concatenate([a, rows("torque.inertial", torque.inertial)], axis=2)
        b = np.concatenate([b, rows("torque.quadratic", torque.quadratic)], axis=2)
        most = finite("torque.limit", torque.limit, (6,))
        weak = np.argwhere(np.abs(c) >= most)
        if len(weak):
            i, j, k = weak[0]
            raise KinematicsError(
                f"torque.static: joint {k + 1} needs {c[i, j, k]:.4g} N m at rest at s = {grid[j]:g}, "
                f"expected less than its limit of {most[k]:g} N m"
            )
        bound = np.concatenate([bound, most])
    x, duration = np.empty(shape[:2]), np.empty(shape[0])
    lanes = np.zeros(1, _BLOCKS[len(bound), 1 if shape[0] < _FEW else _LANES])[0]
    with np.errstate(divide="ignore"):  # interpreted, a path that stands still would warn
        _speeds(np.diff(grid), a, b, c, limits.velocity, bound, lanes, x, duration)
    if np.isinf(duration).any():
        _refuse_still(grid, a)
    return PathSpeeds(squared=x[0] if single else x, duration=duration[0] if single else duration)


def _refuse_still(grid: Array, a: Array) -> None:
    """Say where a tangent vanishes: with torques that hold the arm up, nothing else stops it for good."""
    size = np.abs(a[..., :6]).max(axis=2)
    i = int(size.argmin()) % len(grid)
    raise KinematicsError(f"tangent: {size.min():g} at s = {grid[i]:g}, expected a path that moves on")


def _rows(lanes: int, count: int) -> np.dtype[Any]:
    """Record type of a block of paths: coefficients at two points, bounds of u at both, state of a pass."""
    return block(
        lanes, a=count, b=count, c=count, r0=count, m0=count, w0=count, r1=count, m1=count, w1=count, x=5
    )


# Acceleration alone, or with torque; one path, or a block of them.
_BLOCKS = {(count, lanes): _rows(lanes, count) for count in (6, 12) for lanes in (1, _LANES)}


@inlined
def load_point(lanes: Block, a: Array, b: Array, c: Array, first: int, i: int) -> None:
    """Copy the rows of grid point i of paths first, ... into lanes; lanes beyond the last keep what they have."""
    for lane in range(min(lanes.x.shape[1], len(a) - first)):
        for k in range(lanes.a.shape[0]):
            lanes.a[k, lane] = a[first + lane, i, k]
            lanes.b[k, lane] = b[first + lane, i, k]
        for k in range(6, lanes.a.shape[0]):
            lanes.c[k, lane] = c[first + lane, i, k - 6]


@inlined
def put_bounds(lanes: Block, ahead: float, bound: Array, r: Array, m: Array, w: Array) -> None:
    """The rows as bounds of u: m - r x - w <= u <= m - r x + w.

    With `ahead` zero they hold where the interval starts, with its length 2 ds where it ends.
    """
    for lane in range(lanes.x.shape[1]):
        for k in range(lanes.a.shape[0]):
            a = lanes.a[k, lane] + ahead * lanes.b[k, lane]
            reciprocal = 1.0 / (a if abs(a) > _FLAT else _FLAT)
            r[k, lane] = lanes.b[k, lane] * reciprocal
            m[k, lane] = -lanes.c[k, lane] * reciprocal if k >= 6 else 0.0
            w[k, lane] = bound[k] * abs(reciprocal)


@inlined
def most_by_velocity(lanes: Block, slowness: Joints, lane: int) -> float:
    """Greatest x at the point in the lanes."""
    most = 0.0
    for k in range(6):
        share = abs(lanes.a[k, lane]) * slowness[k]
        most = share if share > most else most
    return 1.0 / (most * most) if most > _FLAT else 0.0


@inlined
def tighten(bounds: Bounds, x: float, r: float, m: float, w: float) -> Bounds:
    """Bounds of u at x, each with its slope, after one more row."""
    upper, r_upper, lower, r_lower = bounds
    middle = m - r * x
    high, low = middle + w, middle - w
    less, more = high < upper, low > lower
    return (
        high if less else upper,
        r if less else r_upper,
        low if more else lower,
        r if more else r_lower,
    )


@inlined
def newton_step(lanes: Block, h: float) -> int:
    """Improve x[0] from above, given x[1], the most that may be reached at the next point; lanes not settled.

    h is 1 / (2 ds).
    """
    moving = 0
    for lane in range(lanes.x.shape[1]):
        x = lanes.x[0, lane]
        bounds = (h * (lanes.x[1, lane] - x), h, -h * x, h)
        for k in range(lanes.a.shape[0]):
            bounds = tighten(
                bounds, x, lanes.r0[k, lane], lanes.m0[k, lane] if k >= 6 else 0.0, lanes.w0[k, lane]
            )
            bounds = tighten(
                bounds, x, lanes.r1[k, lane], lanes.m1[k, lane] if k >= 6 else 0.0, lanes.w1[k, lane]
            )
        upper, r_upper, lower, r_lower = bounds
        slope = r_upper - r_lower
        crossing = x + (upper - lower) / (slope if slope > 0.0 else 1.0)
        better = crossing if upper < lower else x
        better = better if better > 0.0 else 0.0
        moving += 1 if better < _SETTLED * x else 0
        lanes.x[0, lane] = better
    return moving


@inlined
def smaller(ratio: Ratio, x: float, a: float, b: float, c: float, bound: float) -> Ratio:
    """The smaller of a ratio and the upper bound of u by the row |a u + b x + c| <= bound; without division."""
    top, bottom = ratio
    size = abs(a)
    size = size if size > _FLAT else _FLAT
    value = b * x + c
    rest = bound - value if a > 0.0 else bound + value
    less = rest * bottom < top * size
    return (rest if less else top, size if less else bottom)


@inlined
def lower_greatest(lanes: Block, ahead: float, bound: Array) -> None:
    """Lower the greatest u, held as the ratio x[3] / x[4], by the rows of the point in the lanes."""
    for lane in range(lanes.x.shape[1]):
        ratio = (lanes.x[3, lane], lanes.x[4, lane])
        for k in range(lanes.a.shape[0]):
            c = lanes.c[k, lane] if k >= 6 else 0.0
            a = lanes.a[k, lane] + ahead * lanes.b[k, lane]
            ratio = smaller(ratio, lanes.x[0, lane], a, lanes.b[k, lane], c, bound[k])
        lanes.x[3, lane], lanes.x[4, lane] = ratio


@inlined
def advance(lanes: Block, h: float) -> None:
    """Go on to the next point with the greatest u; x[1] is the most there. h is 2 ds, x[2] adds up the time."""
    for lane in range(lanes.x.shape[1]):
        x, most = lanes.x[0, lane], lanes.x[1, lane]
        following = x + h * lanes.x[3, lane] / lanes.x[4, lane]
        following = following if following < most else most
        following = following if following > 0.0 else 0.0
        lanes.x[2, lane] += h / (math.sqrt(x) + math.sqrt(following))
        lanes.x[0, lane] = following


@kernel
def _speeds(
    step: Array,
    a: Array,
    b: Array,
    c: Array,
    velocity: Array,
    bound: Array,
    lanes: Block,
    squared: Array,
    duration: Array,
) -> None:
    """Both passes over paths with rows a and b (n, m, R) and c (n, m, R - 6); lanes are scratch."""
    width, last = lanes.x.shape[1], len(step)
    v = velocity
    slowness = (1.0 / v[0], 1.0 / v[1], 1.0 / v[2], 1.0 / v[3], 1.0 / v[4], 1.0 / v[5])
    for first in range(0, len(a), width):
        count = min(width, len(a) - first)
        squared[first : first + count, last] = 0.0
        load_point(lanes, a, b, c, first, last)
        for lane in range(width):
            lanes.x[1, lane] = 0.0
        for i in range(last - 1, -1, -1):
            put_bounds(lanes, 2.0 * step[i], bound, lanes.r1, lanes.m1, lanes.w1)
            load_point(lanes, a, b, c, first, i)
            put_bounds(lanes, 0.0, bound, lanes.r0, lanes.m0, lanes.w0)
            for lane in range(width):
                lanes.x[0, lane] = most_by_velocity(lanes, slowness, lane)
            steps = 0
            while newton_step(lanes, 0.5 / step[i]) > 0 and steps < _MOST_STEPS:
                steps += 1
            for lane in range(count):
                squared[first + lane, i] = lanes.x[0, lane]
            for lane in range(width):
                lanes.x[1, lane] = lanes.x[0, lane]
        for lane in range(width):
            lanes.x[0, lane] = 0.0
            lanes.x[2, lane] = 0.0
        load_point(lanes, a, b, c, first, 0)
        for i in range(last):
            h = 2.0 * step[i]
            for lane in range(count):
                lanes.x[1, lane] = squared[first + lane, i + 1]
                squared[first + lane, i] = lanes.x[0, lane]
            for lane in range(width):
                lanes.x[3, lane] = lanes.x[1, lane] - lanes.x[0, lane]
                lanes.x[4, lane] = h
            lower_greatest(lanes, 0.0, bound)
            load_point(lanes, a, b, c, first, i + 1)
            lower_greatest(lanes, h, bound)
            advance(lanes, h)
        for lane in range(count):
            squared[first + lane, last] = lanes.x[0, lane]
            duration[first + lane] = lanes.x[2, lane]
