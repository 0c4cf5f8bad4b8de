"""RRT-Connect and the check of edges in one compiled call; the public side is `kinematics.search`.

Source: J. Kuffner, S. LaValle, "RRT-Connect: An efficient approach to single-query path planning", ICRA 2000.

An edge is free when every moment of it is: an interval of it is proven free by the distance in its middle
where that is more than any point of the arm moves to either end; other intervals are halved, until the motion
within them is less than the resolution.
"""

import math
from typing import NamedTuple

import numpy as np

from kinematics.arrays import Array
from kinematics.clearance import NEAREST, limit_to, lower
from kinematics.jit import inlined, kernel
from kinematics.lanes import LANES
from kinematics.placing import PLACING, place_lanes
from kinematics.scene import Ints, Model

OPEN, FOUND, FULL = 0, 1, 2  # how a call ended
_FIRST_M = 0.2  # motion within the intervals in which an edge is looked at first [m]


class Task(NamedTuple):
    """How an arm may move while the others rest."""

    arm: int
    reach: Array  # (m, 6), see `kinematics.sweep.joint_reach`
    clearance: float  # [m]
    resolution: float  # [m]
    stride: float  # [rad]
    intervals: int  # so many may be in doubt at a time


class Trees(NamedTuple):
    """Configurations reached from the start and from the goal, each with its predecessor."""

    q: Array  # (2, capacity, 6) [rad]
    parent: Ints  # (2, capacity)
    size: Ints  # (2,)


@inlined
def spread(rows: Array) -> None:
    """Copy the first lane into all."""
    for k in range(6):
        for i in range(1, LANES):
            rows[k, i] = rows[k, 0]


@inlined
def closest_node(q: Array, size: int, target: Array) -> int:
    """The node nearest to a configuration."""
    found, least = 0, math.inf
    for node in range(size):
        far = 0.0
        for k in range(6):
            far += (q[node, k] - target[k]) * (q[node, k] - target[k])
        if far < least:
            found, least = node, far
    return found


@inlined
def step_towards(target: Array, origin: Array, stride: float, new: Array) -> bool:
    """Write the configuration at most a stride from the origin towards the target; whether that is the target."""
    longest = 0.0
    for k in range(6):
        longest = max(longest, abs(target[k] - origin[k]))
    for k in range(6):
        new[k] = target[k] if longest <= stride else origin[k] + stride / longest * (target[k] - origin[k])
    return longest <= stride


@inlined
def motion_bound(reach: Array, one: Array, two: Array) -> float:
    """How far any point of the arm moves at most along an edge [m]."""
    moved = 0.0
    for capsule in range(len(reach)):
        far = 0.0
        for k in range(6):
            far += reach[capsule, k] * abs(two[k] - one[k])
        moved = max(moved, far)
    return moved


@kernel
def search(
    model: Model, task: Task, rest: Array, edges: Array, free: Ints, trees: Trees, samples: Array, turn: int
) -> tuple[int, int]:
    """Check edges one by one; then grow the trees in turns, one towards a sample, the other towards what it reached.

    Args:
        model: What is compared; only what has to do with the moving arm.
        task: How it may move.
        rest: (a, 6) joint angles of all arms; those of the moving one are not used [rad].
        edges: (e, 2, 6) ends of the edges to check [rad].
        free: (e,) 1 is written where an edge keeps the clearance all along, otherwise 0.
        trees: With start and goal as roots; written to. When a path is FOUND the last nodes of both are the same.
        samples: (n, 6) random configurations [rad].
        turn: Number of samples used in earlier calls.

    Returns:
        OPEN, FOUND, or FULL when there is no room for another node; and the number of samples used so far.
    """
    placings, nearests = np.zeros(1, PLACING), np.zeros(1, NEAREST)
    ends, spans = np.empty((len(model.link), 6, LANES)), np.empty((len(model.first) - 1, 6, LANES))
    hints, what = np.empty((len(model.pairs), 2), np.int64), np.empty((LANES, 3), np.int64)
    # Laid out like the states that `clearance` has of a single arm, so that placing is compiled once for both.
    q, middles, target = np.empty((LANES, 1, 6)), np.empty((2, task.intervals)), np.empty(6)
    for p in range(len(model.pairs)):
        hints[p, 0], hints[p, 1] = model.pairs[p, 2], model.pairs[p, 4]
    checked, sample, tree, node, connecting, reached = 0, 0, 0, 0, False, False
    # The first rounds place the arms that rest, the others check an edge each.
    round_, arms, status = 0, len(model.base), OPEN
    while True:
        placing, nearest = placings[0], nearests[0]
        one, two = q[0, 0], q[1, 0]
        n, moved, count, half = LANES, 0.0, 0, 0.0
        is_edge = round_ >= arms
        if is_edge:
            if checked < len(edges):
                one, two = edges[checked, 0], edges[checked, 1]
            else:
                if not connecting:
                    if sample == len(samples):
                        break
                    tree = turn % 2
                    for k in range(6):
                        target[k] = samples[sample, k]
                    sample += 1
                    turn += 1
                if trees.size[tree] == trees.q.shape[1]:
                    status = FULL
                    break
                if node < 0 or not connecting:
                    node = closest_node(trees.q[tree], trees.size[tree], target)
                one, two = trees.q[tree, node], trees.q[tree, trees.size[tree]]
                reached = step_towards(target, one, task.stride, two)
            moved = motion_bound(task.reach, one, two)
            count = 1 + int(min(moved / _FIRST_M, LANES - 1.0))
            half = 0.5 / count
            for part in range(count):
                middles[0, part] = (2 * part + 1) * half
        else:
            count = 1
        # Is the edge free?
        blocked = 0
        first, doubtful = 0, 0
        while count > 0 and blocked == 0:
            n = min(LANES, count - first)
            arm = task.arm if is_edge else round_
            for i in range(n):
                for k in range(6):
                    q[i, 0, k] = (
                        one[k] + middles[0, first + i] * (two[k] - one[k]) if is_edge else rest[round_, k]
                    )
            place_lanes(model, arm, q[:n, 0], placing, ends, spans)
            if not is_edge:
                for part in range(2 * arm, 2 * arm + 2):
                    spread(spans[part])
                    for capsule in range(model.first[part], model.first[part + 1]):
                        spread(ends[capsule])
                break
            margin = task.clearance + moved * half
            limit_to(nearest, n, margin)
            lower(model, n, ends, spans, task.clearance, hints, nearest, what)
            last = 2.0 * moved * half <= task.resolution
            for i in range(n):
                if nearest.best[0, i] < margin:
                    blocked += last or nearest.best[0, i] < task.clearance
                    middles[1, doubtful] = middles[0, first + i] - 0.5 * half
                    middles[1, doubtful + 1] = middles[0, first + i] + 0.5 * half
                    doubtful += 2
            first += n
            if first == count:
                count, half = doubtful, 0.5 * half
                for i in range(count):
                    middles[0, i] = middles[1, i]
                first, doubtful = 0, 0
        round_ += 1
        if not is_edge:
            continue
        if checked < len(edges):
            free[checked] = blocked == 0
            checked += 1
            continue
        if blocked == 0:
            new = trees.size[tree]
            trees.parent[tree, new] = node
            trees.size[tree] = new + 1
            if connecting and reached:
                status = FOUND
                break
            if connecting:
                node = new
            else:
                connecting, node = True, -1
                for k in range(6):
                    target[k] = two[k]
                tree = 1 - tree
        else:
            connecting = False
    return status, turn
