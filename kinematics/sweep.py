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

from kinematics.arrays import Array
from kinematics.chain import JOINT_AXES
from kinematics.clearance import place_capsules
from kinematics.errors import KinematicsError
from kinematics.scene import Body
from kinematics.trajectory import Trajectory, control_steps

RUN = 8  # consecutive samples of one capsule that share a bounding box
_ROUNDING = 1e-9  # [m], added to every radius


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sweep:
    """Swept volume: every capsule at every sample, inflated by what happens between samples.

    Attributes:
        t: (s,) times of the samples [s].
        capsules: (s, m, 7) rows [ax ay az bx by bz r] in the world, r inflated [m].
        spans: (r, m, 6) lower and upper corners of boxes around runs of 8 consecutive samples, then around all
            of them [m].
    """

    t: Array
    capsules: Array
    spans: Array


def sweep(body: Body, trajectory: Trajectory, resolution_m: float) -> Sweep:
    """Swept volume of an arm over a trajectory.

    Args:
        body: The arm in its place.
        trajectory: The motion; a single knot for an arm at rest.
        resolution_m: Bound on the motion of any point of the body between two samples [m]. Capsules grow by
            at most half of it.

    Returns:
        The swept volume.

    Raises:
        KinematicsError: If the resolution is not above zero.
    """
    if not 0.0 < resolution_m < np.inf:
        raise KinematicsError(f"resolution_m: {resolution_m} m, expected a finite length above 0")
    reach = joint_reach(body)
    t, q, turned = _samples(trajectory, reach.max(axis=0, initial=0.0), resolution_m)
    moved = turned @ reach.T  # of each capsule between samples
    inflation = np.zeros((len(t), len(reach)))
    inflation[:-1] = moved
    inflation[1:] = np.maximum(inflation[1:], moved)
    placed = place_capsules(body, q)
    placed[..., 6] += 0.5 * inflation + _ROUNDING
    radius = placed[..., 6:]
    low = np.minimum(placed[..., :3], placed[..., 3:6]) - radius
    high = np.maximum(placed[..., :3], placed[..., 3:6]) + radius
    starts = np.arange(0, len(t), RUN)
    low, high = np.minimum.reduceat(low, starts), np.maximum.reduceat(high, starts)
    spans = np.concatenate([low, high], axis=2)
    around = np.concatenate([low.min(axis=0), high.max(axis=0)], axis=1)
    spans = np.concatenate([spans, around[None]])
    for array in (t, placed, spans):
        array.flags.writeable = False
    return Sweep(t=t, capsules=placed, spans=spans)


@lru_cache(maxsize=256)
def joint_reach(body: Body) -> Array:
    """Greatest distance (m, 6) [m] of any point on a capsule's axis from each joint's axis.

    Over all configurations: the links in between count as stretched out. Zero for the joints that do not move
    a capsule. Known by identity: an arm is swept many times.
    """
    origins, capsules = body.chain.joint_origins, body.capsules
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
