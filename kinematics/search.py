"""Collision-free paths of one arm in joint space: RRT-Connect with shortcuts, proven free between samples too."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from kinematics.arrays import Array, finite
from kinematics.clearance import nearest
from kinematics.errors import KinematicsError
from kinematics.rrt_connect import FOUND, FULL, OPEN, Task, Trees, search
from kinematics.scene import Scene, moving_only
from kinematics.sweep import joint_reach

_FIRST_SAMPLES = 32
_ENDS = [[0, 0], [1, 1], [0, 1]]  # start, goal, and the straight way
_NODES = 256  # room for as many at first, in each tree


class PathStatus(StrEnum):
    """How a path search ended."""

    FOUND = "found"
    START_BLOCKED = "start blocked"
    GOAL_BLOCKED = "goal blocked"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Path:
    """Result of a path search.

    Attributes:
        status: How it ended.
        reason: In words, what was in the way; empty if a path was found.
        q: (k, 6) corners of the path, start and goal included; straight in joint space between them; empty
            if none was found [rad].
        iterations: Number of random configurations tried.
    """

    status: PathStatus
    reason: str
    q: Array
    iterations: int


def plan_path(
    scene: Scene,
    start: ArrayLike,
    goal: ArrayLike,
    rng: np.random.Generator,
    *,
    arm: int = 0,
    clearance: float = 0.0,
    resolution: float = 0.01,
    iterations: int = 2000,
    shortcuts: int = 60,
    stride: float = 0.5,
) -> Path:
    """Path of one arm that keeps the clearance while the others rest; the straight segment if that does.

    `rest_to_rest` with ``straight=True``, corner by corner, stays on the path; `through` cuts its corners, so
    that the result needs a check of its own (`first_contact`).

    Args:
        scene: The arms and their surroundings; joint limits of the moving arm hold.
        start: (a, 6) joint angles of all arms, or (6,) in a scene of a single one [rad].
        goal: (6,) joint angles of the arm that moves [rad].
        rng: Source of randomness; the same state gives the same path.
        arm: Number of the arm that moves.
        clearance: Distance to keep from boxes, from other arms and within the arm, >= 0 [m].
        resolution: What is nearer than the clearance and half of this may count as too near [m].
        iterations: Random configurations to try at most.
        shortcuts: Random shortcuts to try on the path found.
        stride: Largest change of a joint along one edge of the trees [rad].

    Returns:
        The path, or why there is none.

    Raises:
        KinematicsError: If an argument is malformed.
    """
    if not 0 <= arm < len(scene.bodies):
        raise KinematicsError(f"arm: {arm}, expected an integer from 0 to {len(scene.bodies) - 1}")
    if not (clearance >= 0.0 and resolution > 0.0 and stride > 0.0):
        raise KinematicsError(
            f"plan_path: clearance {clearance} m, resolution {resolution} m and stride {stride} rad, "
            "expected at least 0 and more than 0"
        )
    rest, _ = scene.angles("start", np.reshape(start, (1, -1)) if np.ndim(start) == 1 else start)
    q = {"start": rest[0, arm], "goal": finite("goal", goal, (6,))}
    chain = scene.bodies[arm].chain
    for name, status in (("start", PathStatus.START_BLOCKED), ("goal", PathStatus.GOAL_BLOCKED)):
        outside = (q[name] < chain.q_min) | (q[name] > chain.q_max)
        if outside.any():
            k = int(outside.argmax())
            reason = f"{name}: joint {k + 1} at {q[name][k]:.4f} rad is outside its limits "
            reason += f"{chain.q_min[k]:.4f} to {chain.q_max[k]:.4f} rad"
            return Path(status=status, reason=reason, q=np.empty((0, 6)), iterations=0)

    reach = joint_reach(scene.bodies[arm])
    farthest = float((reach @ (chain.q_max - chain.q_min)).max(initial=0.0))
    model, rest = moving_only(scene, arm), rest[0]
    task = Task(
        arm=arm,
        reach=reach,
        clearance=float(clearance),
        resolution=float(resolution),
        stride=float(stride),
        intervals=64 + 4 * int(np.ceil(farthest / resolution)),
    )
    trees = Trees(np.empty((2, _NODES, 6)), np.empty((2, _NODES), dtype=np.int64), np.ones(2, dtype=np.int64))
    trees.q[0, 0], trees.q[1, 0] = q["start"], q["goal"]
    none = np.empty((0, 6))

    def are_free(edges: Array) -> list[int]:
        free = np.empty(len(edges), dtype=np.int64)
        search(model, task, rest, edges, free, trees, none, 0)
        return free.tolist()

    ends = np.stack([q["start"], q["goal"]])
    *are, straight = are_free(ends[_ENDS])
    for name, status, good in zip(q, (PathStatus.START_BLOCKED, PathStatus.GOAL_BLOCKED), are, strict=True):
        if not good:
            state = rest.copy()
            state[arm] = q[name]
            reason = f"{name}: {nearest(scene, state, arm)}, clearance {clearance:.4f} m"
            return Path(status=status, reason=reason, q=none, iterations=0)
    if straight:
        return Path(status=PathStatus.FOUND, reason="", q=ends, iterations=0)
    ended, used, size = OPEN, 0, _FIRST_SAMPLES
    while ended == OPEN and used < iterations:
        samples = rng.uniform(chain.q_min, chain.q_max, (min(size, iterations - used), 6))
        no_edges = np.empty((0, 2, 6))
        ended, used = search(model, task, rest, no_edges, np.empty(0, dtype=np.int64), trees, samples, used)
        size *= 2
        if ended == FULL:
            room = trees.q.shape[1]
            trees = Trees(
                np.concatenate([trees.q, np.empty((2, room, 6))], axis=1),
                np.concatenate([trees.parent, np.empty((2, room), dtype=np.int64)], axis=1),
                trees.size,
            )
            ended = OPEN
    if ended != FOUND:
        reason = f"no path after {used} iterations"
        return Path(status=PathStatus.NOT_FOUND, reason=reason, q=none, iterations=used)
    path = _shortened(_joined(trees), are_free, rng, shortcuts)
    return Path(status=PathStatus.FOUND, reason="", q=path, iterations=used)


def _joined(trees: Trees) -> Array:
    """The path from the root of the first tree over the last nodes of both, which are the same, to the other root."""
    halves = []
    for tree in range(2):
        nodes = [int(trees.size[tree]) - 1]
        while nodes[-1]:
            nodes.append(int(trees.parent[tree, nodes[-1]]))
        halves.append(trees.q[tree, nodes])
    return np.concatenate([halves[0][::-1], halves[1][1:]])


def _shortened(
    path: Array, are_free: Callable[[Array], list[int]], rng: np.random.Generator, attempts: int
) -> Array:
    """The path with stretches between two random points on it replaced by straight segments where that is free."""
    for places in np.sort(rng.random((attempts, 2)), axis=1) if attempts else ():
        (i, j), shares = divmod(places * (len(path) - 1), 1.0)
        i, j = int(i), int(j)
        if i < j:
            ends = path[[i, j]] + shares[:, None] * (path[[i + 1, j + 1]] - path[[i, j]])
            if are_free(ends[None])[0]:
                path = np.concatenate([path[: i + 1], ends, path[j + 1 :]])
    return path
