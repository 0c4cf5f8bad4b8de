"""The space an arm sweeps over a trajectory, conservatively: no motion between samples escapes it.

A point on link L moves, from one configuration to another, by at most the sum over joints k <= L of the
turned angle times the greatest distance the point can have from joint k's axis. The angle turned between
two samples is bounded by the control polygon of the quintic between them (the variation of a Bezier curve
is at most that of its control points). Any moment is then within half of that sum of the nearer of its two
samples, and by so much the capsules of the samples are inflated.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array
from kinematics.chain import JOINT_AXES, Chain
from kinematics.clearance import (
    Boxes,
    Capsules,
    nearer,
    nearer_box,
    place_capsules,
    square,
)
from kinematics.errors import KinematicsError
from kinematics.jit import inlined, kernel
from kinematics.trajectory import Trajectory, control_steps

_RUN = 8  # consecutive samples of one capsule that share a bounding box
_ROUNDING = 1e-9  # [m], added to every radius


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Swept volume: every capsule at every sample, inflated by what happens between samples.

    Attributes:
        t: (s,) times of the samples [s].
        capsules: (s, m, 7) rows [ax ay az bx by bz r] in the world, r inflated [m].
        low: (r, m, 3) lower corners of boxes around runs of 8 consecutive samples, then of all of them [m].
        high: (r, m, 3) upper corners [m].
    """

    t: Array
    capsules: Array
    low: Array
    high: Array


def sweep(
    chain: Chain, X_WB: ArrayLike, capsules: Capsules, trajectory: Trajectory, resolution_m: float
) -> Sweep:
    """Swept volume of an arm over a trajectory.

    Args:
        chain: The arm.
        X_WB: (4, 4) pose of its base in the world.
        capsules: Its m capsules.
        trajectory: The motion; a single knot for an arm at rest.
        resolution_m: Bound on the motion of any point of the body between two samples [m]. Capsules grow by
            at most half of it.

    Returns:
        The swept volume.

    Raises:
        KinematicsError: If the resolution is not above zero or X_WB is malformed.
    """
    if not 0.0 < resolution_m < np.inf:
        raise KinematicsError(f"resolution_m: {resolution_m} m, expected a finite length above 0")
    reach = joint_reach(chain, capsules)
    t, q, turned = _samples(trajectory, reach.max(axis=0, initial=0.0), resolution_m)
    moved = turned @ reach.T  # of each capsule between samples
    inflation = np.zeros((len(t), len(reach)))
    inflation[:-1] = moved
    inflation[1:] = np.maximum(inflation[1:], moved)
    placed = place_capsules(chain, X_WB, capsules, q)
    placed[..., 6] += 0.5 * inflation + _ROUNDING
    radius = placed[..., 6:]
    low = np.minimum(placed[..., :3], placed[..., 3:6]) - radius
    high = np.maximum(placed[..., :3], placed[..., 3:6]) + radius
    starts = np.arange(0, len(t), _RUN)
    low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    low, high = np.concatenate([low, low.min(axis=0)[None]]), np.concatenate([high, high.max(axis=0)[None]])
    for array in (t, placed, low, high):
        array.flags.writeable = False
    return Sweep(t=t, capsules=placed, low=low, high=high)


def sweep_distance(A: Sweep, B: Sweep, enough: float) -> float:
    """Lower bound of the distance between any state of A and any state of B.

    Args:
        A: A swept volume.
        B: Another.
        enough: Distance above which it does not matter how far apart they are [m].

    Returns:
        The smallest distance of the inflated capsules [m], or `enough` if they are at least that far apart.
        If it is negative they meet, and the search has ended at the first contact found.
    """
    return float(_sweep_distance(A.capsules, A.low, A.high, B.capsules, B.low, B.high, enough, 0.0))


def sweep_hits(A: Sweep, B: Sweep, clearance: float) -> bool:
    """Whether any state of A might come nearer than the clearance [m] to any state of B."""
    found = _sweep_distance(A.capsules, A.low, A.high, B.capsules, B.low, B.high, clearance, clearance)
    return bool(found < clearance)


def sweep_box_distance(A: Sweep, boxes: Boxes, enough: float = np.inf) -> float:
    """Lower bound of the distance between any state of A and any box [m], as in `sweep_distance`."""
    return float(_sweep_box_distance(A.capsules, A.low, A.high, boxes.rows, enough))


@lru_cache(maxsize=256)
def joint_reach(chain: Chain, capsules: Capsules) -> Array:
    """Greatest distance (m, 6) [m] of any point on a capsule's axis from each joint's axis.

    Over all configurations: the links in between count as stretched out. Zero for the joints that do not move
    a capsule. Known by identity: an arm is swept many times.
    """
    origins = chain.joint_origins
    along = np.append(0.0, np.cumsum(np.linalg.norm(origins, axis=1)))  # to each frame, stretched out
    tips = np.stack([capsules.a, capsules.b])
    own = np.linalg.norm(tips, axis=2).max(axis=0)
    reach = np.zeros((len(own), 6))
    for k in range(6):
        about = np.linalg.norm(np.cross(tips, JOINT_AXES[k]), axis=2).max(axis=0)
        reach[capsules.link == k + 1, k] = about[capsules.link == k + 1]
        beyond = capsules.link > k + 1
        if beyond.any():
            next_frame = float(np.linalg.norm(np.cross(origins[k + 1], JOINT_AXES[k])))
            reach[beyond, k] = next_frame + along[capsules.link[beyond]] - along[k + 2] + own[beyond]
    reach.flags.writeable = False
    return reach


def _samples(trajectory: Trajectory, reach: Array, resolution: float) -> tuple[Array, Array, Array]:
    """Times, positions and the angles turned in between.

    Intervals between knots are divided until the resolution holds in each; then neighbours are joined while
    it does.
    """
    t = trajectory.t
    while True:
        q, qd, qdd = trajectory.q, trajectory.qd, trajectory.qdd
        if t is not trajectory.t:
            q, qd, qdd = trajectory.sample(t)
        turned = np.abs(control_steps(t, q, qd, qdd)).sum(axis=0)
        parts = np.ceil(turned @ reach / resolution).astype(np.int64).clip(1)
        if (parts == 1).all():
            break
        step = np.repeat(np.diff(t) / parts, parts)
        within = np.arange(len(step)) - np.repeat(np.cumsum(parts) - parts, parts)
        t = np.append(np.repeat(t[:-1], parts) + within * step, t[-1])
    since_start = np.concatenate([np.zeros((1, 6)), turned.cumsum(axis=0)])
    moved = since_start @ reach
    keep = [0]
    while keep[-1] < len(t) - 1:
        last_within = int(np.searchsorted(moved, moved[keep[-1]] + resolution, side="right")) - 1
        keep.append(max(last_within, keep[-1] + 1))
    return t[keep], q[keep], np.diff(since_start[keep], axis=0)


@inlined
def boxes_apart(low_a: Array, high_a: Array, low_b: Array, high_b: Array) -> float:
    """Squared distance of two boxes along the world's axes [m^2]."""
    squared = 0.0
    for k in range(3):
        gap = max(low_a[k] - high_b[k], low_b[k] - high_a[k])
        squared += gap * gap if gap > 0.0 else 0.0
    return squared


@kernel
def _sweep_distance(
    A: Array, low_a: Array, high_a: Array, B: Array, low_b: Array, high_b: Array, enough: float, stop: float
) -> float:
    """Smallest distance of two sweeps below `enough`; ends below `stop`. Does not allocate.

    From coarse to fine: all samples of a capsule, runs of samples, single samples.
    """
    best = enough
    runs_a, runs_b = len(low_a) - 1, len(low_b) - 1
    for j in range(A.shape[1]):
        for k in range(B.shape[1]):
            if boxes_apart(low_a[-1, j], high_a[-1, j], low_b[-1, k], high_b[-1, k]) > square(best):
                continue
            for run in range(runs_a):
                if boxes_apart(low_a[run, j], high_a[run, j], low_b[-1, k], high_b[-1, k]) > square(best):
                    continue
                low, high = low_a[run, j], high_a[run, j]
                for other in range(runs_b):
                    if boxes_apart(low, high, low_b[other, k], high_b[other, k]) > square(best):
                        continue
                    for s in range(run * _RUN, min(len(A), (run + 1) * _RUN)):
                        for r in range(other * _RUN, min(len(B), (other + 1) * _RUN)):
                            best = nearer(A[s, j], B[r, k], best)
                    if best < stop:
                        return best
    return best


@kernel
def _sweep_box_distance(A: Array, low: Array, high: Array, boxes: Array, enough: float) -> float:
    """Smallest distance of a sweep from boxes (k, 15) below `enough`; ends below zero. Does not allocate."""
    best = enough
    corner_low, corner_high = np.empty(3), np.empty(3)
    for k in range(len(boxes)):
        for axis in range(3):
            extent = 0.0
            for edge in range(3):
                extent += abs(boxes[k, 4 * axis + edge]) * boxes[k, 12 + edge]
            corner_low[axis] = boxes[k, 4 * axis + 3] - extent
            corner_high[axis] = boxes[k, 4 * axis + 3] + extent
        for j in range(A.shape[1]):
            if boxes_apart(low[-1, j], high[-1, j], corner_low, corner_high) > square(best):
                continue
            for run in range(len(low) - 1):
                if boxes_apart(low[run, j], high[run, j], corner_low, corner_high) > square(best):
                    continue
                for s in range(run * _RUN, min(len(A), (run + 1) * _RUN)):
                    best = nearer_box(A[s, j], boxes[k], best)
                if best < 0.0:
                    return best
    return best
