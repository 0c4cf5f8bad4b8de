"""A candidate solution and the constraint graph it implies, for one kind of joint or for a mix.

A candidate is three integer vectors over the operations:

* ``choice``: the mode of each operation, a row of `Tables.places`;
* ``order``: all operations in one sequence of entering times within a cycle. It orders the visits of each
  arm, the stays in each nest and the crossing arms at once, so these orders can never contradict each other;
* ``window``: the cycle, counted from the joint's own entry, in which an operation serves it. On the dial it is
  the position; off the dial it is free, and makes the difference between loading for this joint or for a later
  one.

Every joint is treated alike, whatever its kind; a release order (`release`, the kind of each joint of a round that
repeats) then gives each cycle times of its own. The graph holds one round: nodes ``cycle * (n + 1) + v``, the last
of each cycle being the dial's index. With one joint a round this is the graph of a single kind.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode, SchedulingProblem
from kinematics.jit import inlined, kernel

Int64Array = npt.NDArray[np.int64]

# Columns of Tables.places and Tables.times.
ARM, POSITION = range(2)
BEFORE, INSIDE, AFTER, START, END = range(5)
# Kinds of Tables.links.
PRECEDES, NEXT_LOAD, TAKE, FREE = range(4)


class Tables(NamedTuple):
    """A problem, or the problems of several kinds of joints, as arrays for kernels.

    `places` (M, 2) lists arm and position of all modes, those of operation v in rows first[v]:first[v + 1], and
    `times` (kinds, M, 5) what they take. `gap` (M, M) holds the ticks between two stays that must not overlap, -1
    where they may. `links` (k, 3) rows are kind of link, tail, head, `link_ticks` (kinds, k) their ticks.
    `unloader` (n,) is the operation that takes what operation v has loaded, or -1.
    """

    places: Int64Array
    times: Int64Array
    first: Int64Array
    gap: Int64Array
    travel: Int64Array
    links: Int64Array
    link_ticks: Int64Array
    unloader: Int64Array
    positions: int
    index_ticks: int
    margin: int


def build_tables(problems: Sequence[SchedulingProblem]) -> Tables:
    """Lay out problems, which differ in times only, as arrays."""
    problem = problems[0]
    modes = [mode for operation in problem.operations for mode in operation.modes]
    counts = [len(operation.modes) for operation in problem.operations]
    number = {operation.name: v for v, operation in enumerate(problem.operations)}
    links = [(PRECEDES, number[a], number[b]) for a, b in problem.precedence]
    ticks = [[0] * len(links) for _ in problems]
    unloader = np.full(len(number), -1, np.int64)
    for k, buffer in enumerate(problem.buffers):
        loads, unload = [number[name] for name in buffer.loads], number[buffer.unload]
        links += [(NEXT_LOAD, a, b) for a, b in pairwise(loads)]
        links += [(TAKE, loads[-1], unload), (FREE, unload, loads[0])]
        for row, kind in zip(ticks, problems, strict=True):
            row += [0] * (len(loads) - 1) + [kind.buffers[k].process, kind.buffers[k].unload_offset]
        unloader[loads] = unload
    return Tables(
        places=np.array([(m.arm, m.position) for m in modes], np.int64),
        times=np.array(
            [
                [(m.before, m.inside, m.after, m.start, m.end) for o in kind.operations for m in o.modes]
                for kind in problems
            ],
            np.int64,
        ),
        first=np.array([0, *np.cumsum(counts)], np.int64),
        gap=np.array([[_gap(problem, a, b) for b in modes] for a in modes], np.int64),
        travel=problem.travel.copy(),
        links=np.array(links, np.int64).reshape(-1, 3),
        link_ticks=np.array(ticks, np.int64).reshape(len(problems), -1),
        unloader=unloader,
        positions=problem.positions,
        index_ticks=problem.index_ticks,
        margin=problem.margin,
    )


def _gap(problem: SchedulingProblem, a: Mode, b: Mode) -> int:
    """Ticks between the stays of a and b; -1 if they may overlap or one arm does both anyway."""
    if OFF_DIAL in (a.position, b.position) or (a.arm == b.arm != NO_ARM):
        return -1
    if a.position == b.position:
        return problem.margin if NO_ARM not in (a.arm, b.arm) else 0
    here, there = (a.arm, a.position), (b.arm, b.position)
    return 0 if (here, there) in problem.exclusions or (there, here) in problem.exclusions else -1


def arc_capacity(tables: Tables, joints: int = 1) -> int:
    """Number of arcs that a candidate's graph of a round can have at most."""
    n = len(tables.first) - 1
    return joints * (3 * n + n * (n - 1) // 2 + len(tables.links))


@inlined
def joint_kind(release: Int64Array, window: Int64Array, v: int, cycle: int) -> int:
    """Kind of the joint that operation v serves in a cycle."""
    return int(release[(cycle - window[v]) % len(release)])


@inlined
def put_arc(
    arcs: Int64Array,
    m: int,
    nodes: int,
    joints: int,
    cycle: int,
    tail: int,
    head: int,
    weight: int,
    height: int,
) -> int:
    """Write arc m from `tail` in a cycle to `head` in the cycle `height` later, and return m + 1."""
    reached = cycle + height
    arcs[m, 0], arcs[m, 1] = cycle * nodes + tail, reached % joints * nodes + head
    arcs[m, 2], arcs[m, 3] = weight, reached // joints
    return m + 1


@kernel
def build_arcs(
    tables: Tables,
    choice: Int64Array,
    order: Int64Array,
    window: Int64Array,
    release: Int64Array,
    arcs: Int64Array,
) -> int:
    """Write the constraint graph of a candidate and return the number of arcs.

    Does not allocate. Times are relative to the operation's window, so that the index is at 0 in each cycle.
    Arcs (tail, head, weight, height) follow `order`, so that label correction settles forward arcs in one
    pass; a height counts rounds.
    """
    places, n, m, joints = tables.places, len(order), 0, len(release)
    for cycle in range(joints):
        for v in range(n):
            if places[choice[v], POSITION] >= 0:
                m = put_arc(arcs, m, n + 1, joints, cycle, n, v, tables.index_ticks, 0)
        for i in range(n):
            v = order[i]
            a = choice[v]
            arm = places[a, ARM]
            times = tables.times[joint_kind(release, window, v, cycle), a]
            successor, wraps = -1, 0
            # Later ones within the cycle first, then round the corner to find the arm's first visit of the next
            # cycle.
            for j in range(i + 1, n):
                w = order[j]
                b = choice[w]
                if successor < 0 and arm >= 0 and places[b, ARM] == arm:
                    successor = w
                if tables.gap[a, b] >= 0:
                    m = put_arc(arcs, m, n + 1, joints, cycle, v, w, times[INSIDE] + tables.gap[a, b], 0)
            if arm < 0:
                continue
            if successor < 0:
                wraps = 1
                for j in range(i + 1):
                    if places[choice[order[j]], ARM] == arm:
                        successor = order[j]
                        break
            following = tables.times[joint_kind(release, window, successor, cycle + wraps), choice[successor]]
            between = times[AFTER] + tables.travel[arm, times[END], following[START]] + following[BEFORE]
            m = put_arc(arcs, m, n + 1, joints, cycle, v, successor, times[INSIDE] + between, wraps)
        for k in range(len(tables.links)):
            link, v, w = tables.links[k, 0], tables.links[k, 1], tables.links[k, 2]
            kind = joint_kind(release, window, v, cycle)
            ticks, times = tables.link_ticks[kind, k], tables.times[kind, choice[v]]
            height = window[w] - window[v]
            apart = tables.margin if places[choice[v], ARM] != places[choice[w], ARM] else 0
            if link == PRECEDES:
                weight = times[INSIDE]
            elif link == NEXT_LOAD:
                weight = times[INSIDE] + apart
            elif link == TAKE:
                weight = times[INSIDE] + max(ticks, apart) + tables.times[kind, choice[w], BEFORE]
            else:
                # The next joint's load.
                height += 1
                weight = ticks + apart - times[BEFORE]
            m = put_arc(arcs, m, n + 1, joints, cycle, v, w, weight, height)
        for v in range(n):
            if places[choice[v], POSITION] >= 0:
                inside = tables.times[joint_kind(release, window, v, cycle), choice[v], INSIDE]
                m = put_arc(arcs, m, n + 1, joints, cycle, v, n, inside, 1)
    return m
