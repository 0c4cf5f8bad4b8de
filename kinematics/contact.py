"""When arms that move at the same time first come too near to each other or to a box, between samples too.

An interval of time is proven clear by the distance in its middle where that is more than the arms can move
to either end; other intervals are halved, many at a time, until the motion within them is less than the
tolerance. What points can move is bounded as for swept volumes: by the control polygons of the joints'
quintics and by how far points can be from the joints' axes.
"""

import math
from collections.abc import Sequence

import numpy as np

from kinematics.arrays import Array
from kinematics.clearance import clearance as distances
from kinematics.errors import KinematicsError
from kinematics.scene import Scene
from kinematics.sweep import joint_reach
from kinematics.trajectory import Trajectory, control_steps

_PARTS = 16  # intervals to look at first


def first_contact(
    scene: Scene, motions: Sequence[Trajectory], clearance: float = 0.0, tolerance: float = 1e-3
) -> float | None:
    """First time at which arms that start together come nearer than the clearance.

    Args:
        scene: The a arms and boxes.
        motions: The motion of each arm; before and after it the arm rests.
        clearance: Distance to keep [m].
        tolerance: What is nearer than the clearance and this may count as too near, > 0 [m].

    Returns:
        A time up to which the clearance is kept for certain [s], at most one interval before it may not be;
        None if it is kept all along.

    Raises:
        KinematicsError: If there are not as many motions as arms, or a number is out of range.
    """
    if len(motions) != len(scene.bodies):
        raise KinematicsError(f"motions: {len(motions)}, expected one for each of {len(scene.bodies)} arms")
    if not (clearance >= 0.0 and 0.0 < tolerance < math.inf):
        raise KinematicsError(
            f"first_contact: clearance {clearance} m and tolerance {tolerance} m, expected at least 0 and more than 0"
        )
    end = max(motion.duration for motion in motions)
    width: Array = np.full(_PARTS, end / _PARTS)
    start: Array = width * np.arange(_PARTS)
    while len(start):
        q = np.stack([motion.sample(start + 0.5 * width)[0] for motion in motions], axis=1)
        # Two arms may approach each other: the two that move most count. Within an arm only the joints between
        # two capsules change their distance.
        moved = np.sort([_moved(scene, k, motion, start, width) for k, motion in enumerate(motions)], axis=0)
        margin = moved[-2:].sum(axis=0)
        found = distances(scene, q, clearance + float(margin.max()))
        near = found < clearance + margin
        certain = near & ((found < clearance) | (2.0 * margin <= tolerance))
        if certain.any():
            # Nothing later matters; what is earlier and in doubt is looked at more closely.
            first = int(certain.argmax())
            if not near[:first].any() and (2.0 * margin[first] <= tolerance or width[first] <= 0.0):
                return float(start[first])
            near[first + 1 :] = False
        half: Array = 0.5 * width[near]
        start = np.ravel([start[near], start[near] + half], order="F")
        width = np.repeat(half, 2)
    return None


def _moved(scene: Scene, arm: int, motion: Trajectory, start: Array, width: Array) -> Array:
    """How far any point of an arm moves at most from the middle of each interval to its ends (n,) [m]."""
    times = np.stack([start, start + 0.5 * width, start + width], axis=1).ravel()
    t = np.unique(np.concatenate([times, motion.t]))
    q, qd, qdd = motion.sample(t)
    outside = (t < motion.t[0]) | (t > motion.t[-1])
    qd[outside], qdd[outside] = 0.0, 0.0
    turned = np.abs(control_steps(t, q, qd, qdd)).sum(axis=0)
    since = np.concatenate([np.zeros((1, 6)), turned.cumsum(axis=0)])
    low, middle, high = since[np.searchsorted(t, times)].reshape(-1, 3, 6).transpose(1, 0, 2)
    reach = joint_reach(scene.bodies[arm])
    bound: Array = (np.maximum(middle - low, high - middle) @ reach.T).max(axis=1, initial=0.0)
    return bound
