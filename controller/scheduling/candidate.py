"""A candidate solution and the constraint graph it implies.

A candidate is three integer vectors over the operations:

* ``choice``: the mode of each operation, a row of `Tables.modes`;
* ``order``: all operations in one sequence of entering times within a cycle. It orders the visits of each
arm, the stays
  in each nest and the crossing arms at once, so these orders can never contradict each other;
* ``window``: the cycle, counted from the joint's own entry, in which an operation serves it. On the dial it
is the
  position; off the dial it is free, and makes the difference between loading for this joint or for a later
  one.

Times in the graph are relative to the operation's window, so that the dial index (node n) is at 0 in each.
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode, SchedulingProblem
from kinematics.jit import kernel

Int64Array = npt.NDArray[np.int64]

# Columns of Tables.modes.
ARM, POSITION, BEFORE, INSIDE, AFTER, START, END = range(7)
# Kinds of Tables.links.
PRECEDES, NEXT_LOAD, TAKE, FREE = range(4)


class Tables(NamedTuple):
    """A problem as arrays for kernels.

    `modes` (M, 7) lists all modes, those of operation v in rows first[v]:first[v + 1]. `gap` (M, M) holds the
    ticks between two stays that must not overlap, -1 where they may. `links` (k, 4) rows are kind, tail,
    head, ticks. `unloader` (n,) is the operation that takes what operation v has loaded, or -1.
    """

    modes: Int64Array
    first: Int64Array
    gap: Int64Array
    travel: Int64Array
    links: Int64Array
    unloader: Int64Array
    positions: int
    index_ticks: int
    margin: int


def build_tables(problem: SchedulingProblem) -> Tables:
    """Lay a problem out as arrays."""
    modes = [mode for operation in problem.operations for mode in operation.modes]
    counts = [len(operation.modes) for operation in problem.operations]
    number = {operation.name: v for v, operation in enumerate(problem.operations)}
    links = [(PRECEDES, number[a], number[b], 0) for a, b in problem.precedence]
    unloader = np.full(len(number), -1, np.int64)
    for buffer in problem.buffers:
        loads, unload = [number[name] for name in buffer.loads], number[buffer.unload]
        links += [(NEXT_LOAD, a, b, 0) for a, b in pairwise(loads)]
        links += [(TAKE, loads[-1], unload, buffer.process), (FREE, unload, loads[0], buffer.unload_offset)]
        unloader[loads] = unload
    return Tables(
        modes=np.array(
            [(m.arm, m.position, m.before, m.inside, m.after, m.start, m.end) for m in modes], np.int64
        ),
        first=np.array([0, *np.cumsum(counts)], np.int64),
        gap=np.array([[_gap(problem, a, b) for b in modes] for a in modes], np.int64),
        travel=problem.travel.copy(),
        links=np.array(links, np.int64).reshape(-1, 4),
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


def arc_capacity(tables: Tables) -> int:
    """Number of arcs that a candidate's graph can have at most."""
    n = len(tables.first) - 1
    return 3 * n + n * (n - 1) // 2 + len(tables.links)


@kernel
def build_arcs(
    tables: Tables, choice: Int64Array, order: Int64Array, window: Int64Array, arcs: Int64Array
) -> int:
    """Write the constraint graph of a candidate, node n being the index; return the number of arcs.

    Does not allocate.
    Arcs (tail, head, weight, height) follow `order`, so that label correction settles forward arcs in one
    pass.
    """
    modes, n, m = tables.modes, len(order), 0
    for v in range(n):
        if modes[choice[v], POSITION] >= 0:
            arcs[m, 0], arcs[m, 1], arcs[m, 2], arcs[m, 3] = n, v, tables.index_ticks, 0
            m += 1
    for i in range(n):
        v = order[i]
        a = choice[v]
        arm = modes[a, ARM]
        successor, wraps = -1, 0
        # Later ones within the cycle first, then round the corner to find the arm's first visit of the next
        # cycle.
        for j in range(i + 1, n):
            w = order[j]
            b = choice[w]
            if successor < 0 and arm >= 0 and modes[b, ARM] == arm:
                successor = w
            if tables.gap[a, b] >= 0:
                arcs[m, 0], arcs[m, 1], arcs[m, 2], arcs[m, 3] = v, w, modes[a, INSIDE] + tables.gap[a, b], 0
                m += 1
        if arm < 0:
            continue
        if successor < 0:
            wraps = 1
            for j in range(i + 1):
                if modes[choice[order[j]], ARM] == arm:
                    successor = order[j]
                    break
        b = choice[successor]
        between = modes[a, AFTER] + tables.travel[arm, modes[a, END], modes[b, START]] + modes[b, BEFORE]
        arcs[m, 0], arcs[m, 1], arcs[m, 2], arcs[m, 3] = v, successor, modes[a, INSIDE] + between, wraps
        m += 1
    for k in range(len(tables.links)):
        kind, v, w = tables.links[k, 0], tables.links[k, 1], tables.links[k, 2]
        ticks = tables.links[k, 3]
        a, b = choice[v], choice[w]
        height = window[w] - window[v]
        apart = tables.margin if modes[a, ARM] != modes[b, ARM] else 0
        if kind == PRECEDES:
            weight = modes[a, INSIDE]
        elif kind == NEXT_LOAD:
            weight = modes[a, INSIDE] + apart
        elif kind == TAKE:
            weight = modes[a, INSIDE] + max(ticks, apart) + modes[b, BEFORE]
        else:
            weight = ticks + apart - modes[a, BEFORE]
            height += 1
        arcs[m, 0], arcs[m, 1], arcs[m, 2], arcs[m, 3] = v, w, weight, height
        m += 1
    for v in range(n):
        if modes[choice[v], POSITION] >= 0:
            arcs[m, 0], arcs[m, 1], arcs[m, 2], arcs[m, 3] = v, n, modes[choice[v], INSIDE], 1
            m += 1
    return m
