"""Collision-free paths in joint space: RRT-Connect (Kuffner and LaValle, 2000) with shortcuts.

An edge is checked at configurations so close that no point of the arm moves further than the resolution
between two of them, and with half of that added to the clearance: what is found free is free in between,
too.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kinematics.arrays import Array, finite, frozen, indices
from kinematics.chain import Chain
from kinematics.clearance import Boxes, Capsules, box_distance, place_capsules, self_distance
from kinematics.errors import KinematicsError
from kinematics.sweep import joint_reach


class PathStatus(StrEnum):
    """How a path search ended."""

    FOUND = "found"
    START_BLOCKED = "start blocked"
    GOAL_BLOCKED = "goal blocked"
    NOT_FOUND = "not found"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """An arm among fixed boxes, and how near it may come to them and to itself.

    Attributes:
        chain: The arm; its joint limits hold.
        X_WB: (4, 4) pose of its base in the world.
        capsules: Its m capsules.
        boxes: The obstacles.
        pairs: (p, 2) numbers of capsules of the arm that may touch each other.
        clearance: Distance to keep from boxes and between pairs, >= 0 [m].
        resolution: Bound on the motion of any point of the arm between two checks [m].
    """

    chain: Chain
    X_WB: Array
    capsules: Capsules
    boxes: Boxes
    pairs: NDArray[np.int64]
    clearance: float = 0.0
    resolution: float = 0.01

    def __post_init__(self) -> None:
        object.__setattr__(self, "X_WB", frozen("scene.X_WB", self.X_WB, (4, 4)))
        numbers = indices("scene.pairs", self.pairs, (None, 2), len(self.capsules.link))
        object.__setattr__(self, "pairs", numbers)
        if not (self.clearance >= 0.0 and self.resolution > 0.0):
            raise KinematicsError(
                f"scene: clearance {self.clearance} m and resolution {self.resolution} m, "
                "expected at least 0 and more than 0"
            )


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
    iterations: int = 2000,
    shortcuts: int = 60,
    stride: float = 0.5,
) -> Path:
    """Path from start to goal that keeps the clearance; the straight segment if that does.

    `rest_to_rest` with ``straight=True``, corner by corner, stays on the path; `through` cuts its corners, so
    that the result needs a check of its own (`sweep`).

    Args:
        scene: The arm and its surroundings.
        start: (6,) joint angles [rad].
        goal: (6,) joint angles [rad].
        rng: Source of randomness; the same state gives the same path.
        iterations: Random configurations to try at most.
        shortcuts: Random shortcuts to try on the path found.
        stride: Largest change of a joint along one edge of the trees [rad].

    Returns:
        The path, or why there is none.

    Raises:
        KinematicsError: If start or goal is malformed.
    """
    q_start, q_goal = finite("start", start, (6,)), finite("goal", goal, (6,))
    for name, q, status in (
        ("start", q_start, PathStatus.START_BLOCKED),
        ("goal", q_goal, PathStatus.GOAL_BLOCKED),
    ):
        blocked = obstruction(scene, q)
        if blocked:
            return Path(status=status, reason=f"{name}: {blocked}", q=np.empty((0, 6)), iterations=0)
    if edge_free(scene, q_start, q_goal):
        return Path(status=PathStatus.FOUND, reason="", q=np.stack([q_start, q_goal]), iterations=0)

    near, far = _Tree(q_start), _Tree(q_goal)
    for iteration in range(1, iterations + 1):
        target = rng.uniform(scene.chain.q_min, scene.chain.q_max)
        reached = near.grow(scene, target, stride)
        if reached is not None and far.connect(scene, near.q[reached], stride):
            halves = near.branch(reached), far.branch(len(far.q) - 1)
            forward, backward = halves if near.q[0] is q_start else halves[::-1]
            corners = [*forward, *backward[-2::-1]]
            path = _shortened(scene, corners, rng, shortcuts)
            return Path(status=PathStatus.FOUND, reason="", q=np.stack(path), iterations=iteration)
        near, far = far, near
    return Path(
        status=PathStatus.NOT_FOUND,
        reason=f"no path after {iterations} iterations",
        q=np.empty((0, 6)),
        iterations=iterations,
    )


def obstruction(scene: Scene, q: Array) -> str:
    """What is in the way of a configuration (6,), with the distance; empty if nothing is."""
    chain, clearance = scene.chain, scene.clearance
    for k in range(6):
        low, high = chain.q_min[k], chain.q_max[k]
        if not low <= q[k] <= high:
            return f"joint {k + 1} at {q[k]:.4f} rad is outside its limits {low:.4f} to {high:.4f} rad"
    body = place_capsules(chain, scene.X_WB, scene.capsules, q[None])
    for k in range(len(scene.boxes.half)):
        box = Boxes(X_WO=scene.boxes.X_WO[k : k + 1], half=scene.boxes.half[k : k + 1])
        gap = float(box_distance(body, box)[0])
        if gap < clearance:
            return f"{gap:.4f} m from box {k}, clearance {clearance:.4f} m"
    for one, two in scene.pairs:
        gap = float(self_distance(body, [[one, two]])[0])
        if gap < clearance:
            return f"capsules {one} and {two} of the arm are {gap:.4f} m apart, clearance {clearance:.4f} m"
    return ""


def edge_free(scene: Scene, q0: Array, q1: Array) -> bool:
    """Whether the straight segment in joint space keeps the clearance, all along it."""
    moved = float((joint_reach(scene.chain, scene.capsules) @ np.abs(q1 - q0)).max(initial=0.0))
    steps = max(1, int(np.ceil(moved / scene.resolution)))
    q = q0 + np.linspace(0.0, 1.0, steps + 1)[:, None] * (q1 - q0)
    body = place_capsules(scene.chain, scene.X_WB, scene.capsules, q)
    margin = scene.clearance + 0.5 * moved / steps
    return bool(
        (box_distance(body, scene.boxes) >= margin).all()
        and (self_distance(body, scene.pairs) >= margin).all()
    )


class _Tree:
    """Configurations reached from a root, each with its predecessor."""

    def __init__(self, root: Array) -> None:
        self.q = [root]
        self.parent = [0]

    def grow(self, scene: Scene, target: Array, stride: float) -> int | None:
        """Add a node at most a stride from the nearest one, towards the target; its number if free."""
        differences = target - np.stack(self.q)
        nearest = int((differences**2).sum(axis=1).argmin())
        step = differences[nearest]
        longest = float(np.abs(step).max())
        new = target if longest <= stride else self.q[nearest] + step * (stride / longest)
        if not edge_free(scene, self.q[nearest], new):
            return None
        self.q.append(new)
        self.parent.append(nearest)
        return len(self.q) - 1

    def connect(self, scene: Scene, target: Array, stride: float) -> bool:
        """Grow towards the target until it is reached or something is in the way."""
        while True:
            reached = self.grow(scene, target, stride)
            if reached is None:
                return False
            if self.q[reached] is target:
                return True

    def branch(self, node: int) -> list[Array]:
        """Configurations from the root to a node."""
        path = [self.q[node]]
        while node:
            node = self.parent[node]
            path.append(self.q[node])
        return path[::-1]


def _shortened(scene: Scene, corners: list[Array], rng: np.random.Generator, attempts: int) -> list[Array]:
    """The path with random stretches between corners replaced by straight segments where these are free."""
    for _ in range(attempts):
        i, j = sorted(int(k) for k in rng.choice(len(corners), 2, replace=False))
        if j - i > 1 and edge_free(scene, corners[i], corners[j]):
            corners = corners[: i + 1] + corners[j:]
    return corners
