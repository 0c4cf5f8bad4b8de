"""RRT-Connect and shortcuts in one compiled call; the public side is `kinematics.search`.

Source: J. Kuffner, S. LaValle, "RRT-Connect: An efficient approach to single-query path planning", ICRA 2000.

An edge is free when every moment of it is: an interval of it is proven free by the distance in its middle
where that is more than any point of the arm moves to either end; other intervals are halved, until the motion
within them is less than the resolution.
"""

import math
from typing import NamedTuple

import numpy as np

from kinematics.arrays import Array
from kinematics.clearance import NEAREST, lower
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES, Block
from kinematics.placing import PLACING, place_lanes
from kinematics.scene import Ints, Model

LOOK, GROW, SHORTEN = 0, 1, 2  # what the kernel is asked to do
OPEN, FOUND, START_BLOCKED, GOAL_BLOCKED = 0, 1, 2, 3  # what has come of it
_PARTS = 8  # intervals in which an edge is looked at first


class Task(NamedTuple):
    """An arm that moves while the others rest.

    Its model compares only what has to do with the moving arm.
    """

    model: Model
    arm: int
    rest: Array  # (a, 6) joint angles of all arms [rad]; those of the moving one are not used
    reach: Array  # (m, 6), see `kinematics.sweep.joint_reach`
    clearance: float  # [m]
    resolution: float  # [m]
    stride: float  # [rad]
    intervals: int  # as many may be in doubt at a time


class Trees(NamedTuple):
    """Configurations reached from the start and from the goal, each with its predecessor; then the path."""

    q: Array  # (2, capacity, 6) [rad]
    parent: Ints  # (2, capacity)
    size: Ints  # (3,) nodes of both trees, corners of the path
    path: Array  # (.., 6) [rad]


class Work(NamedTuple):
    """Scratch: records in arrays of one, as they do not keep their memory alive themselves."""

    placing: Block
    nearest: Block
    ends: Array
    spans: Array
    hints: Ints
    what: Ints
    q: Array  # (LANES, 6)
    q_ends: Array  # (2, 6)
    middles: Array  # (2, ..) of the intervals in doubt, now and next


@inlined
def states_free(task: Task, work: Work, n: int, margin: float) -> bool:
    """Look at n states; False if one is nearer than the clearance. Distances below the margin are left behind."""
    nearest = work.nearest[0]
    for i in range(n):
        nearest.best[0, i] = margin
    place_lanes(task.model, task.arm, work.q[:n], work.placing[0], work.ends, work.spans)
    lower(task.model, n, work.ends, work.spans, task.clearance, work.hints, nearest, work.what)
    blocked = 0
    for i in range(n):
        blocked += nearest.best[0, i] < task.clearance
    return blocked == 0


@kernel
def edge_free(task: Task, work: Work, one: Array, two: Array) -> bool:
    """Whether the straight segment between two configurations keeps the clearance all along."""
    moved = 0.0
    for capsule in range(len(task.reach)):
        far = 0.0
        for k in range(6):
            far += task.reach[capsule, k] * abs(two[k] - one[k])
        moved = max(moved, far)
    count = _PARTS if moved > 0.0 else 1
    half = 0.5 / count
    for part in range(count):
        work.middles[0, part] = (2 * part + 1) * half
    while count > 0:
        doubtful, margin = 0, task.clearance + moved * half
        last = 2.0 * moved * half <= task.resolution
        for first in range(0, count, LANES):
            n = min(LANES, count - first)
            for i in range(n):
                for k in range(6):
                    work.q[i, k] = one[k] + work.middles[0, first + i] * (two[k] - one[k])
            if not states_free(task, work, n, margin):
                return False
            for i in range(n):
                if work.nearest[0].best[0, i] < margin:
                    if last:
                        return False
                    work.middles[1, doubtful] = work.middles[0, first + i] - 0.5 * half
                    work.middles[1, doubtful + 1] = work.middles[0, first + i] + 0.5 * half
                    doubtful += 2
        count, half = doubtful, 0.5 * half
        for i in range(count):
            work.middles[0, i] = work.middles[1, i]
    return True


@inlined
def closest_node(q: Array, size: int, target: Array) -> int:
    """The node nearest to a configuration."""
    found, least = 0, math.inf
    for node in range(size):
        far = 0.0
        for k in range(6):
            far += (q[node, k] - target[k]) ** 2
        if far < least:
            found, least = node, far
    return found


@inlined
def extend(
    task: Task, work: Work, trees: Trees, tree: int, node: int, target: Array
) -> int:
    """Add a node at most a stride from the given one towards the target: 2 if that is reached, 1, 0 if blocked."""
    q, new = trees.q[tree], trees.size[tree]
    if new == q.shape[0]:
        return 0
    longest = 0.0
    for k in range(6):
        longest = max(longest, abs(target[k] - q[node, k]))
    share = min(1.0, task.stride / max(longest, task.stride))
    for k in range(6):
        q[new, k] = target[k] if share == 1.0 else q[node, k] + share * (target[k] - q[node, k])
    if not edge_free(task, work, q[node], q[new]):
        return 0
    trees.parent[tree, new] = node
    trees.size[tree] += 1
    return 2 if share == 1.0 else 1


@inlined
def join(trees: Trees) -> None:
    """Write the path from the root of tree 0 over both newest nodes, which are the same, to that of tree 1."""
    count, node = 0, trees.size[0] - 1
    while True:
        trees.path[count] = trees.q[0, node]
        count += 1
        if node == 0:
            break
        node = trees.parent[0, node]
    for i in range(count // 2):
        for k in range(6):
            swapped = trees.path[i, k]
            trees.path[i, k] = trees.path[count - 1 - i, k]
            trees.path[count - 1 - i, k] = swapped
    node = trees.size[1] - 1
    while node > 0:
        node = trees.parent[1, node]
        trees.path[count] = trees.q[1, node]
        count += 1
    trees.size[2] = count


@inlined
def connect(task: Task, work: Work, trees: Trees, samples: Array, iteration: int) -> tuple[int, int]:
    """Grow one tree towards each sample and the other towards what that has reached; they take turns."""
    for sample in samples:
        tree = iteration % 2
        iteration += 1
        node = closest_node(trees.q[tree], trees.size[tree], sample)
        if extend(task, work, trees, tree, node, sample) > 0:
            reached = trees.q[tree, trees.size[tree] - 1]
            node = closest_node(trees.q[1 - tree], trees.size[1 - tree], reached)
            came = extend(task, work, trees, 1 - tree, node, reached)
            while came == 1:
                came = extend(task, work, trees, 1 - tree, trees.size[1 - tree] - 1, reached)
            if came == 2:
                join(trees)
                return FOUND, iteration
    return OPEN, iteration


@inlined
def shorten(task: Task, work: Work, trees: Trees, samples: Array) -> None:
    """Replace the path between two random points on it by a straight segment where that is free."""
    path, ends = trees.path, work.q_ends
    for sample in samples:
        count = trees.size[2]
        places = min(sample[0], sample[1]) * (count - 1), max(sample[0], sample[1]) * (count - 1)
        i, j = int(places[0]), int(places[1])
        if i == j:
            continue
        for k in range(6):
            ends[0, k] = path[i, k] + (places[0] - i) * (path[i + 1, k] - path[i, k])
            ends[1, k] = path[j, k] + (places[1] - j) * (path[j + 1, k] - path[j, k])
        if not edge_free(task, work, ends[0], ends[1]):
            continue
        # Corners i + 1 .. j give way to the two points.
        move = 2 - (j - i)
        if move > 0:
            for corner in range(count - 1, j, -1):
                path[corner + move] = path[corner]
        else:
            for corner in range(j + 1, count):
                path[corner + move] = path[corner]
        path[i + 1], path[i + 2] = ends[0], ends[1]
        trees.size[2] = count + move


@kernel
def search(task: Task, what: int, trees: Trees, samples: Array, iteration: int) -> tuple[int, int]:
    """Look whether the ends and the straight way between them are free (LOOK), GROW the trees, SHORTEN the path.

    Args:
        task: What moves among what.
        what: Which of the three.
        trees: With the start and the goal as roots; written to.
        samples: (n, 6) random configurations to GROW towards, or in columns 0 and 1 places on the path in [0, 1).
        iteration: Number of samples used so far.

    Returns:
        What has come of it, and the number of samples used now.
    """
    model = task.model
    work = Work(
        np.zeros(1, PLACING),
        np.zeros(1, NEAREST),
        np.empty((len(model.link), 6, LANES)),
        np.empty((len(model.first) - 1, 6, LANES)),
        np.empty((len(model.pairs), 2), np.int64),
        np.empty((LANES, 3), np.int64),
        np.empty((LANES, 6)),
        np.empty((2, 6)),
        np.empty((2, task.intervals)),
    )
    for p in range(len(model.pairs)):
        work.hints[p, 0], work.hints[p, 1] = model.pairs[p, 2], model.pairs[p, 4]
    for arm in range(len(model.base)):
        for i in range(LANES):
            for k in range(6):
                work.q[i, k] = task.rest[arm, k]
        place_lanes(model, arm, work.q, work.placing[0], work.ends, work.spans)
    if what == GROW:
        return connect(task, work, trees, samples, iteration)
    if what == SHORTEN:
        shorten(task, work, trees, samples)
        return FOUND, iteration
    start, goal = trees.q[0, 0], trees.q[1, 0]
    if not edge_free(task, work, start, start):
        return START_BLOCKED, iteration
    if not edge_free(task, work, goal, goal):
        return GOAL_BLOCKED, iteration
    if not edge_free(task, work, start, goal):
        return OPEN, iteration
    trees.path[0], trees.path[1] = start, goal
    trees.size[2] = 2
    return FOUND, iteration
