"""Every way to give operations to arms and positions that a cycle time leaves open, by depth-first search.

First operations are given to arms, then positions to operations. What prunes:

* the shortest round trip of an arm through its visits, travel included, must fit into the cycle. Travel is first
  replaced by the shortest way through any poses, which only takes time away and makes a trip through more visits at
  least as long by their durations;
* what is still to be given away must fit into what is left of all arms;
* positions do not fall along the precedence, and what is done in one nest fits between two indices.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np
import numpy.typing as npt

from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode, SchedulingProblem

Allocation = tuple[Mode, ...]
"""One mode for each operation, in the order of the problem."""


class Budget:
    """Steps that a search may still take; a count rather than a clock, so that a result does not depend on speed."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Take steps.

        Raises:
            OutOfBudgetError: There are none left.
        """
        self.left -= steps
        if self.left < 0:
            raise OutOfBudgetError


class OutOfBudgetError(Exception):
    """A search was not finished within its budget and shows nothing."""


def round_trip(travel: npt.NDArray[np.int64], visits: Sequence[Mode]) -> int:
    """Least ticks in which an arm does its visits once and is back, over all cyclic orders."""
    if not visits:
        return 0
    first, *others = visits
    ways = (
        sum(int(travel[a.end, b.start]) for a, b in zip((first, *order), (*order, first), strict=True))
        for order in permutations(others)
    )
    return sum(mode.duration for mode in visits) + min(ways)


class Allocations:
    """The allocations of a problem; one object serves searches with several cycle times."""

    def __init__(self, problem: SchedulingProblem) -> None:
        self._problem = problem
        names = [operation.name for operation in problem.operations]
        pairs = {(names.index(a), names.index(b)) for a, b in problem.same_joint_order()}
        self._before, self._after = _closure(len(names), pairs)
        # Operations with the fewest arms first, long ones before short ones.
        modes = [operation.modes for operation in problem.operations]
        self._modes = modes
        self._arms = [sorted({mode.arm for mode in rows}) for rows in modes]
        self._least = [
            {arm: min(m.duration for m in rows if m.arm == arm) for arm in arms}
            for rows, arms in zip(modes, self._arms, strict=True)
        ]
        self._by_arms = sorted(
            range(len(names)), key=lambda v: (len(self._arms[v]), -min(self._least[v].values()))
        )
        rest = [0 if NO_ARM in self._arms[v] else min(self._least[v].values()) for v in self._by_arms]
        self._remaining = [sum(rest[k:]) for k in range(len(rest) + 1)]
        self._ways = [self._least_ways(arm) for arm in range(problem.arms)]
        self._trips: dict[tuple[int, frozenset[int]], int] = {}
        self._rounds: dict[tuple[Mode, ...], int] = {}

    def within(self, cycle_time: int, budget: Budget) -> Iterator[Allocation]:
        """All allocations that the tests above leave open for a cycle time."""
        for arms in self._to_arms(cycle_time, budget):
            yield from self._to_positions(arms, cycle_time, budget)

    def _least_ways(self, arm: int) -> npt.NDArray[np.int64]:
        """(n, n) least travel of an arm between two operations in any modes, by any way."""
        n, travel = len(self._modes), self._problem.travel[arm]
        ways = np.full((n, n), np.iinfo(np.int64).max // 4, np.int64)
        own = [[m for m in rows if m.arm == arm] for rows in self._modes]
        for v in range(n):
            for w in range(n):
                if own[v] and own[w]:
                    ways[v, w] = min(travel[a.end, b.start] for a in own[v] for b in own[w])
        for via in range(n):
            ways = np.minimum(ways, ways[:, via, None] + ways[None, via, :])
        return ways

    def _trip(self, arm: int, visits: frozenset[int]) -> int:
        """Least round trip through operations, whatever their modes and whatever else the arm does."""
        key = arm, visits
        if key not in self._trips:
            first, *others = sorted(visits)
            ways = self._ways[arm]
            travel = min(
                sum(int(ways[v, w]) for v, w in zip((first, *order), (*order, first), strict=True))
                for order in permutations(others)
            )
            self._trips[key] = travel + sum(self._least[v][arm] for v in visits)
        return self._trips[key]

    def _round(self, arm: int, allocation: Allocation) -> int:
        """Least round trip of an arm through its visits of an allocation."""
        visits = tuple(mode for mode in allocation if mode.arm == arm)
        if visits not in self._rounds:
            self._rounds[visits] = round_trip(self._problem.travel[arm], visits)
        return self._rounds[visits]

    def _to_arms(self, cycle_time: int, budget: Budget) -> Iterator[list[int]]:
        n = len(self._modes)
        given = [NO_ARM] * n
        visits: list[frozenset[int]] = [frozenset()] * self._problem.arms
        busy = [0] * self._problem.arms

        def give(k: int) -> Iterator[list[int]]:
            budget.spend()
            if k == n:
                yield given
                return
            v = self._by_arms[k]
            for arm in self._arms[v]:
                given[v] = arm
                if arm == NO_ARM:
                    yield from give(k + 1)
                    continue
                if busy[arm] + self._least[v][arm] > cycle_time:
                    continue
                before = busy[arm], visits[arm]
                visits[arm] = visits[arm] | {v}
                busy[arm] = self._trip(arm, visits[arm])
                left = sum(cycle_time - ticks for ticks in busy)
                if busy[arm] <= cycle_time and self._remaining[k + 1] <= left:
                    yield from give(k + 1)
                busy[arm], visits[arm] = before

        yield from give(0)

    def _to_positions(self, arms: list[int], cycle_time: int, budget: Budget) -> Iterator[Allocation]:
        problem, n = self._problem, len(arms)
        modes = [[m for m in rows if m.arm == arm] for rows, arm in zip(self._modes, arms, strict=True)]
        order = sorted(range(n), key=lambda v: len(modes[v]))
        chosen: list[Mode | None] = [None] * n
        at = [OFF_DIAL] * n  # positions on the dial, as far as they are chosen
        room = [cycle_time - problem.index_ticks] * problem.positions
        # Those that have their position already when an operation gets its own.
        before = [[u for u in order[:k] if u in self._before[v]] for k, v in enumerate(order)]
        after = [[u for u in order[:k] if u in self._after[v]] for k, v in enumerate(order)]

        def place(k: int) -> Iterator[Allocation]:
            budget.spend()
            if k == n:
                allocation = tuple(mode for mode in chosen if mode is not None)
                if all(self._round(arm, allocation) <= cycle_time for arm in range(problem.arms)):
                    yield allocation
                return
            v = order[k]
            first, last = 0, problem.positions
            for u in before[k]:
                first = max(first, at[u])
            for u in after[k]:
                if at[u] != OFF_DIAL:
                    last = min(last, at[u])
            for mode in modes[v]:
                if mode.position == OFF_DIAL:
                    chosen[v] = mode
                    yield from place(k + 1)
                elif first <= mode.position <= last and mode.inside <= room[mode.position]:
                    chosen[v], at[v] = mode, mode.position
                    room[mode.position] -= mode.inside
                    yield from place(k + 1)
                    room[mode.position] += mode.inside
                at[v] = OFF_DIAL
            chosen[v] = None

        yield from place(0)


def _closure(n: int, pairs: set[tuple[int, int]]) -> tuple[list[set[int]], list[set[int]]]:
    """For every operation all that come before it in the same joint, and all that come after."""
    before: list[set[int]] = [set() for _ in range(n)]
    after: list[set[int]] = [set() for _ in range(n)]
    for group, links in ((after, pairs), (before, {(b, a) for a, b in pairs})):
        for v in range(n):
            open_ends = [v]
            while open_ends:
                u = open_ends.pop()
                for a, b in links:
                    if a == u and b not in group[v]:
                        group[v].add(b)
                        open_ends.append(b)
    return before, after
