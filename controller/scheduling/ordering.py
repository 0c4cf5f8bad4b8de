"""Whether an allocation can run with a cycle time: a search over orders, complete within its budget.

With modes and cycle time fixed, what is open is in which cycle an operation off the dial serves a joint, in which order
an arm makes its visits within a cycle, and who goes first in a nest or where arms cross. The first two are tried out
one by one; of the last only pairs that overlap in the earliest times are decided, one way and then the other. Waits
that close a circuit longer than its cycles allow end a branch.
"""

from collections.abc import Iterable, Iterator
from itertools import combinations, permutations, product

import numpy as np
import numpy.typing as npt

from controller.scheduling.allocation import Allocation, Budget
from controller.scheduling.candidate import FREE, NEXT_LOAD, PRECEDES, Tables
from controller.scheduling.cycle_ratio import positive_circuit
from controller.scheduling.problem import OFF_DIAL, Mode, SchedulingProblem

Int64Array = npt.NDArray[np.int64]
Arc = tuple[int, int, int, int]


def _windows(tables: Tables, allocation: Allocation, cycle_time: int) -> Iterator[list[int]]:
    """The cycles in which operations serve a joint: their positions, and for those off the dial all that can matter.

    What is loaded cannot be taken in an earlier cycle, nor more than one after the next item's load may wait for its
    taking. Elsewhere off the dial, an operation lies between those before and after it; two cycles away nothing binds.
    """
    n = len(allocation)
    low: list[float] = [mode.position if mode.position != OFF_DIAL else -np.inf for mode in allocation]
    high: list[float] = [mode.position if mode.position != OFF_DIAL else np.inf for mode in allocation]
    changed = True
    while changed:
        changed = False
        for link, v, w in tables.links.tolist():
            if link == FREE:
                # Here w is the load of the next joint: no more cycles ahead than this.
                ahead = 1 - (-allocation[v].before // cycle_time)
                bounds = ((w, low[v] - ahead, np.inf), (v, -np.inf, high[w] + ahead))
            else:
                bounds = ((w, low[v], np.inf), (v, -np.inf, high[w]))
            for u, least, most in bounds:
                if least > low[u] or most < high[u]:
                    low[u], high[u] = max(low[u], least), min(high[u], most)
                    changed = True
            if low[v] > high[v] or low[w] > high[w]:
                return
    apart = 2 + max(mode.duration for mode in allocation) // cycle_time
    ranges = []
    for v in range(n):
        if low[v] == -np.inf:
            low[v] = high[v] - apart if high[v] < np.inf else 0
        if high[v] == np.inf:
            high[v] = low[v] + apart if allocation[v].position == OFF_DIAL else low[v]
        ranges.append(range(int(low[v]), int(high[v]) + 1))
    for windows in product(*ranges):
        if all(link == FREE or windows[v] <= windows[w] for link, v, w in tables.links.tolist()):
            yield list(windows)


class Orders:
    """The search over orders of one problem for one cycle time; what is found out about an arm serves all allocations."""

    def __init__(self, problem: SchedulingProblem, tables: Tables, cycle_time: int, budget: Budget) -> None:
        n = len(problem.operations)
        self._n, self._problem, self._tables, self._budget = n, problem, tables, budget
        self._cycle_time = cycle_time
        self._ratio = np.array([cycle_time, 1], np.int64)
        self._arcs = np.empty((5 * n + len(tables.links) + n * (n - 1) // 2, 4), np.int64)
        self._scratch = np.empty((4, n + 1), np.int64)
        self._sequences: dict[tuple[tuple[int, Mode], ...], list[list[Arc]]] = {}
        self._allocation: Allocation = ()
        self._pairs: list[tuple[int, int, int]] = []

    def run(self, allocation: Allocation) -> Int64Array | None:
        """A candidate (3, n) with that allocation that runs within the cycle time, or None when there is none."""
        self._allocation = allocation
        sequences = []
        for arm in range(self._problem.arms):
            visits = tuple((v, mode) for v, mode in enumerate(allocation) if mode.arm == arm)
            if visits not in self._sequences:
                self._sequences[visits] = list(self._arm_sequences(visits))
            sequences.append(self._sequences[visits])
        sequences.sort(key=len)
        if not sequences[0]:
            return None
        first, gap = self._tables.first, self._tables.gap
        rows = [
            int(first[v]) + operation.modes.index(mode)
            for v, (operation, mode) in enumerate(zip(self._problem.operations, allocation, strict=True))
        ]
        self._pairs = [
            (v, w, int(gap[rows[v], rows[w]]))
            for v, w in combinations(range(self._n), 2)
            if gap[rows[v], rows[w]] >= 0
        ]
        dial = self._put(0, self._dial_arcs(enumerate(allocation)))
        for window in _windows(self._tables, allocation, self._cycle_time):
            fixed = self._put(dial, self._link_arcs(window))
            order = self._choose(sequences, fixed) if self._runs(fixed) else None
            if order is not None:
                return np.array([rows, order, window], np.int64)
        return None

    def _arm_sequences(self, visits: tuple[tuple[int, Mode], ...]) -> Iterator[list[Arc]]:
        """The orders of an arm's visits within a cycle that the arm itself and the dial leave open, as arcs."""
        dial = self._put(0, self._dial_arcs(visits))
        for order in permutations(visits):
            arcs = []
            for k, (v, a) in enumerate(order):
                w, b = order[(k + 1) % len(order)]
                way = int(self._problem.travel[a.arm, a.end, b.start])
                arcs.append((v, w, a.inside + a.after + way + b.before, 1 if k + 1 == len(order) else 0))
            if self._runs(self._put(dial, arcs)):
                yield arcs

    def _choose(self, sequences: list[list[list[Arc]]], m: int) -> list[int] | None:
        if not sequences:
            return self._decide(m)
        for arcs in sequences[0]:
            end = self._put(m, arcs)
            if self._runs(end):
                found = self._choose(sequences[1:], end)
                if found is not None:
                    return found
        return None

    def _decide(self, m: int) -> list[int] | None:
        """Settle who goes first where two stays overlap in the earliest times."""
        if not self._runs(m):
            return None
        enter = self._scratch[0, : self._n].copy()
        for v, w, gap in self._pairs:
            one, other = self._allocation[v].inside + gap, self._allocation[w].inside + gap
            if enter[v] + one <= enter[w] or enter[w] + other <= enter[v]:
                continue
            for arc in ((v, w, one, 0), (w, v, other, 0)):
                found = self._decide(self._put(m, [arc]))
                if found is not None:
                    return found
            return None
        return [int(v) for v in np.argsort(enter, kind="stable")]

    def _put(self, m: int, arcs: Iterable[Arc]) -> int:
        for arc in arcs:
            self._arcs[m] = arc
            m += 1
        return m

    def _runs(self, m: int) -> bool:
        """Whether the first m arcs leave start times; the earliest are then in the scratch."""
        self._budget.spend()
        label, parent, mark, circuit = self._scratch
        return positive_circuit(self._arcs[:m], self._ratio, label, parent, mark, circuit) == 0

    def _dial_arcs(self, visits: Iterable[tuple[int, Mode]]) -> Iterator[Arc]:
        for v, mode in visits:
            if mode.position != OFF_DIAL:
                yield self._n, v, self._problem.index_ticks, 0
                yield v, self._n, mode.inside, 1

    def _link_arcs(self, window: list[int]) -> Iterator[Arc]:
        links, link_ticks = self._tables.links.tolist(), self._tables.link_ticks[0].tolist()
        for (link, v, w), ticks in zip(links, link_ticks, strict=True):
            a, b = self._allocation[v], self._allocation[w]
            apart = self._problem.margin if a.arm != b.arm else 0
            height = window[w] - window[v]
            if link == PRECEDES:
                yield v, w, a.inside, height
            elif link == NEXT_LOAD:
                yield v, w, a.inside + apart, height
            elif link == FREE:
                yield v, w, ticks + apart - a.before, height + 1
            else:
                yield v, w, a.inside + max(ticks, apart) + b.before, height
