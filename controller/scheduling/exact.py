"""The optimum of one kind of joint, with proof: cycle times are shown to be impossible from below until one runs.

For a cycle time every allocation that it leaves open (`allocation`) is tried in every order (`ordering`). When none
runs, the next tick is a lower bound; when one does, its cycle time is an upper one. Between them the search goes up in
growing steps, since impossible times are cheap to refute far below the optimum and what is far above it leaves too
much open.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from controller.scheduling.allocation import Allocations, Budget, OutOfBudgetError
from controller.scheduling.bound import lower_bound
from controller.scheduling.candidate import Tables, arc_capacity, build_arcs, build_tables
from controller.scheduling.cycle_ratio import max_cycle_ratio
from controller.scheduling.ordering import Orders
from controller.scheduling.problem import SchedulingProblem

Int64Array = npt.NDArray[np.int64]

BUDGET = 2_000_000
_FIRST_STEP = 0.005  # of the cycle time


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What is known about the least cycle time of a problem.

    Attributes:
        lower_bound: Ticks that no schedule can beat.
        cycle_time: Ticks of the best schedule known; None when none is.
        candidate: (3, n) that schedule, if it was found here; None otherwise.
        steps: Steps of search spent.
    """

    lower_bound: int
    cycle_time: int | None
    candidate: Int64Array | None
    steps: int

    @property
    def optimal(self) -> bool:
        """Whether bound and schedule meet."""
        return self.cycle_time == self.lower_bound


def prove(
    problem: SchedulingProblem, *, known: int | None = None, horizon: int | None = None, budget: int = BUDGET
) -> Proof:
    """Raise the lower bound as far as a budget goes, and find a schedule when there is a better one on the way.

    Args:
        problem: One kind of joint.
        known: Cycle time of a schedule that is known; the proof ends there.
        horizon: Cycle time above which nothing is looked for; by default all work done one after the other.
        budget: Steps of search, about a hundred thousand in a second.

    Returns:
        Bound and schedule. Without any schedule the bound is above the horizon, or the budget was too small.
    """
    tables = build_tables([problem])
    allocations = Allocations(problem)
    left = Budget(budget)
    low, high, best = lower_bound(problem), known, None
    limit = horizon or _one_after_the_other(problem)
    step = int(low * _FIRST_STEP)
    try:
        while low <= limit and (high is None or low < high):
            cycle_time = min(low + step, limit) if high is None else min(low + step, high - 1)
            candidate = _first(problem, tables, allocations, cycle_time, left)
            if candidate is None:
                low, step = cycle_time + 1, step * 5 // 4
            else:
                high, best = _cycle_time(tables, candidate), candidate
    except OutOfBudgetError:
        pass
    return Proof(lower_bound=low, cycle_time=high, candidate=best, steps=budget - max(0, left.left))


def _first(
    problem: SchedulingProblem, tables: Tables, allocations: Allocations, cycle_time: int, left: Budget
) -> Int64Array | None:
    orders = Orders(problem, tables, cycle_time, left)
    for allocation in allocations.within(cycle_time, left):
        candidate = orders.run(allocation)
        if candidate is not None:
            return candidate
    return None


def _cycle_time(tables: Tables, candidate: Int64Array) -> int:
    arcs = np.empty((arc_capacity(tables), 4), np.int64)
    choice, order, window = candidate
    count = build_arcs(tables, choice, order, window, np.zeros(1, np.int64), arcs)
    return math.ceil(max_cycle_ratio(len(order) + 1, arcs[:count]).value)


def _one_after_the_other(problem: SchedulingProblem) -> int:
    """A cycle time that suffices whenever any does: every operation alone, with travel, margin and index."""
    longest = sum(max(mode.duration for mode in operation.modes) for operation in problem.operations)
    apart = int(problem.travel.max(initial=0)) + problem.margin
    processes = sum(buffer.process + buffer.unload_offset for buffer in problem.buffers)
    return (
        longest + processes + len(problem.operations) * apart + (problem.positions + 1) * problem.index_ticks
    )
