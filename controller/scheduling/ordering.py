"""Whether one allocation can run with a cycle time: a search over orders, complete within its budget.

With modes and cycle time fixed, what is open is in which cycle an operation off the dial serves a joint, in which order
an arm makes its visits within a cycle, and who goes first in a nest or where arms cross. The first two are tried out
one by one; of the last only pairs that overlap in the earliest times are decided, one way and then the other. Waits
that close a circuit longer than its cycles allow end a branch.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, permutations, product

import numpy as np
import numpy.typing as npt

from controller.scheduling.allocation import Allocation, Budget
from controller.scheduling.candidate import FREE, NEXT_LOAD, PRECEDES, Tables
from controller.scheduling.cycle_ratio import positive_circuit
from controller.scheduling.problem import NO_ARM, OFF_DIAL, SchedulingProblem

Int64Array = npt.NDArray[np.int64]
Arc = tuple[int, int, int, int]


def run(
    problem: SchedulingProblem, tables: Tables, allocation: Allocation, cycle_time: int, budget: Budget
) -> Int64Array | None:
    """A candidate (3, n) with that allocation that runs within the cycle time, or None when there is none."""
    for window in _windows(problem, tables, allocation, cycle_time):
        found = _Orders(problem, tables, allocation, window, cycle_time, budget).search()
        if found is not None:
            rows = [
                int(tables.first[v]) + operation.modes.index(mode)
                for v, (operation, mode) in enumerate(zip(problem.operations, allocation, strict=True))
            ]
            return np.array([rows, found, window], np.int64)
    return None


def _windows(
    problem: SchedulingProblem, tables: Tables, allocation: Allocation, cycle_time: int
) -> Iterator[list[int]]:
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


class _Orders:
    """The search over orders for fixed modes, windows and cycle time."""

    def __init__(
        self,
        problem: SchedulingProblem,
        tables: Tables,
        allocation: Allocation,
        window: Sequence[int],
        cycle_time: int,
        budget: Budget,
    ) -> None:
        self._problem, self._allocation, self._window = problem, allocation, window
        self._ratio = np.array([cycle_time, 1], np.int64)
        self._budget = budget
        n = len(allocation)
        self._n = n
        rows = [
            int(tables.first[v]) + operation.modes.index(mode)
            for v, (operation, mode) in enumerate(zip(problem.operations, allocation, strict=True))
        ]
        self._pairs = [
            (v, w, int(tables.gap[rows[v], rows[w]]))
            for v, w in combinations(range(n), 2)
            if tables.gap[rows[v], rows[w]] >= 0
        ]
        self._arcs = np.empty((5 * n + len(tables.links) + len(self._pairs), 4), np.int64)
        self._scratch = np.empty((4, n + 1), np.int64)
        self._fixed = 0
        for arc in (*self._dial_arcs(), *self._link_arcs(tables)):
            self._arcs[self._fixed] = arc
            self._fixed += 1

    def search(self) -> list[int] | None:
        """All operations in the order of their times within a cycle, or None."""
        if not self._runs(self._fixed):
            return None
        own = [[v for v in range(self._n) if self._allocation[v].arm == arm] for arm in range(self._problem.arms)]
        sequences = []
        for visits in own:
            possible = []
            for order in permutations(visits):
                arcs = self._arm_arcs(order)
                if self._runs(self._put(self._fixed, arcs)):
                    possible.append(arcs)
            if not possible:
                return None
            sequences.append(possible)
        sequences.sort(key=len)
        return self._choose(sequences, self._fixed)

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

    def _put(self, m: int, arcs: Sequence[Arc]) -> int:
        for arc in arcs:
            self._arcs[m] = arc
            m += 1
        return m

    def _runs(self, m: int) -> bool:
        """Whether the first m arcs leave start times; the earliest are then in the scratch."""
        self._budget.spend()
        label, parent, mark, circuit = self._scratch
        return positive_circuit(self._arcs[:m], self._ratio, label, parent, mark, circuit) == 0

    def _dial_arcs(self) -> Iterator[Arc]:
        for v, mode in enumerate(self._allocation):
            if mode.position != OFF_DIAL:
                yield self._n, v, self._problem.index_ticks, 0
                yield v, self._n, mode.inside, 1

    def _arm_arcs(self, order: Sequence[int]) -> list[Arc]:
        arcs = []
        for k, v in enumerate(order):
            w = order[(k + 1) % len(order)]
            a, b = self._allocation[v], self._allocation[w]
            way = int(self._problem.travel[a.arm, a.end, b.start])
            arcs.append((v, w, a.inside + a.after + way + b.before, 1 if k + 1 == len(order) else 0))
        return arcs

    def _link_arcs(self, tables: Tables) -> Iterator[Arc]:
        for (link, v, w), ticks in zip(tables.links.tolist(), tables.link_ticks[0].tolist(), strict=True):
            a, b = self._allocation[v], self._allocation[w]
            apart = self._problem.margin if a.arm != b.arm else 0
            height = self._window[w] - self._window[v]
            if link == PRECEDES:
                yield v, w, a.inside, height
            elif link == NEXT_LOAD:
                yield v, w, a.inside + apart, height
            elif link == FREE:
                yield v, w, ticks + apart - a.before, height + 1
            else:
                yield v, w, a.inside + max(ticks, apart) + b.before, height
