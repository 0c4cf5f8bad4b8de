"""Solve a dial cell: construct, anneal, restart, and turn the best candidate into a schedule."""

import math
from collections.abc import Callable, Mapping

import numpy as np

from controller.scheduling.annealing import Int64Array, anneal
from controller.scheduling.bound import lower_bound
from controller.scheduling.candidate import Tables, arc_capacity, build_arcs, build_tables
from controller.scheduling.construct import InfeasibleProblemError, construct, pin
from controller.scheduling.cycle_ratio import CycleRatio, DeadlockError, earliest_starts, max_cycle_ratio
from controller.scheduling.moves import CHOICE, DRAWS, ORDER, WINDOW
from controller.scheduling.problem import SchedulingProblem
from controller.scheduling.schedule import Schedule, ScheduledOperation

_STEPS_BETWEEN_REPORTS = 20_000
# Accepted growth of the cycle time, as a share of it, falls geometrically from the first to the second.
_HOT, _COLD = 0.02, 0.01
_STARTS_TRIED = 20
_ONE_KIND: Int64Array = np.zeros(1, np.int64)


def solve(
    problem: SchedulingProblem,
    *,
    rng: np.random.Generator,
    iterations: int = 1_000_000,
    restarts: int = 4,
    allocation: Mapping[str, tuple[int, int]] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Schedule:
    """Find modes and orders with a short cycle time.

    Args:
        problem: What to schedule.
        rng: All randomness; the same state gives the same schedule.
        iterations: Moves tried in all. The search ends sooner only when the lower bound is reached.
        restarts: Number of independent searches that share the iterations.
        allocation: Operations pinned to an (arm, position) by name.
        progress: Called now and then with the moves tried so far and the best cycle time in ticks.

    Returns:
        The best schedule found, with the lower bound of the problem as pinned.

    Raises:
        InfeasibleProblemError: Nothing fits; the message names the operations in each other's way.
    """
    if allocation:
        problem = pin(problem, allocation)
    best, _ = search(problem, rng=rng, iterations=iterations, restarts=restarts, progress=progress)
    return schedule_of(problem, best, lower_bound(problem))


def search(
    problem: SchedulingProblem,
    *,
    rng: np.random.Generator,
    iterations: int,
    restarts: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Int64Array, int]:
    """The best candidate found and its cycle time in ticks. Arguments and errors as in `solve`."""
    if iterations < 0 or restarts < 1:
        raise ValueError(f"iterations = {iterations}, restarts = {restarts}: must be at least 0 and 1")
    tables, bound = build_tables([problem]), lower_bound(problem)
    scratch = np.empty((arc_capacity(tables), 4), np.int64)
    best: Int64Array | None = None
    best_time = np.iinfo(np.int64).max
    tried = 0
    for restart in range(restarts):
        share = iterations * (restart + 1) // restarts - iterations * restart // restarts
        state, ratio = _start(problem, tables, rng)
        found, times = state.copy(), np.full(2, math.ceil(ratio.value), np.int64)
        for done in range(0, share, _STEPS_BETWEEN_REPORTS):
            steps = np.arange(done, min(done + _STEPS_BETWEEN_REPORTS, share))
            temperature = times[1] * _HOT * (_COLD / _HOT) ** (steps / share)
            slack = (temperature * rng.standard_exponential(len(steps))).astype(np.int64)
            draws = rng.integers(0, 2**31, (len(steps), DRAWS))
            anneal(tables, draws, slack, bound, state, found, _ONE_KIND, _ONE_KIND, times, scratch)
            tried += len(steps)
            if progress is not None:
                progress(tried, int(min(times[1], best_time)))
        if best is None or times[1] < best_time:
            best, best_time = found, int(times[1])
        if best_time <= bound:
            break
    assert best is not None
    return best, int(best_time)


def _start(
    problem: SchedulingProblem, tables: Tables, rng: np.random.Generator
) -> tuple[Int64Array, CycleRatio]:
    """A constructed candidate without deadlock and its cycle ratio."""
    for attempt in range(_STARTS_TRIED):
        candidate = construct(problem, rng)
        try:
            return candidate, max_cycle_ratio(
                len(problem.operations) + 1, _arcs(tables, candidate), names=_event_names(problem)
            )
        except DeadlockError as error:
            if attempt == _STARTS_TRIED - 1:
                message = f"none of {_STARTS_TRIED} starts can run; in the last, {error}"
                raise InfeasibleProblemError(message) from error
    raise AssertionError("unreachable")


def _arcs(tables: Tables, candidate: Int64Array) -> Int64Array:
    """The constraint graph of a candidate; its last node is the index."""
    arcs = np.empty((arc_capacity(tables), 4), np.int64)
    return arcs[: build_arcs(tables, candidate[CHOICE], candidate[ORDER], candidate[WINDOW], _ONE_KIND, arcs)]


def _event_names(problem: SchedulingProblem) -> tuple[str, ...]:
    return (*(operation.name for operation in problem.operations), "index")


def schedule_of(problem: SchedulingProblem, candidate: Int64Array, bound: int) -> Schedule:
    """A candidate as a schedule: earliest times at its least whole cycle time."""
    n, tables = len(problem.operations), build_tables([problem])
    arcs = _arcs(tables, candidate)
    ratio = max_cycle_ratio(n + 1, arcs)
    cycle_time = math.ceil(ratio.value)
    starts = earliest_starts(n + 1, arcs, cycle_time)
    items = []
    for v, operation in enumerate(problem.operations):
        mode = operation.modes[candidate[CHOICE, v] - tables.first[v]]
        enter = int(starts[v] - starts[n] + candidate[WINDOW, v] * cycle_time)
        leave = enter + mode.inside
        items.append(
            ScheduledOperation(
                operation=operation.name,
                mode=mode,
                window=enter // cycle_time,
                start=enter - mode.before,
                enter=enter,
                leave=leave,
                end=leave + mode.after,
            )
        )
    windows = {item.operation: item.window for item in items}
    in_nest_order = sorted(items, key=lambda item: item.enter % cycle_time)
    names = _event_names(problem)
    return Schedule(
        cycle_time=cycle_time,
        lower_bound=bound,
        operations=tuple(items),
        arm_sequences=tuple(
            tuple(
                item.operation
                for item in sorted(items, key=lambda item: item.start % cycle_time)
                if item.mode.arm == arm
            )
            for arm in range(problem.arms)
        ),
        nest_orders=tuple(
            tuple(item.operation for item in in_nest_order if item.mode.position == position)
            for position in range(problem.positions)
        ),
        exclusion_orders=tuple(
            (a.operation, b.operation)
            for i, a in enumerate(in_nest_order)
            for b in in_nest_order[i + 1 :]
            if _cross(problem, (a.mode.arm, a.mode.position), (b.mode.arm, b.mode.position))
        ),
        buffer_heights=tuple(
            (buffer.name, load, windows[buffer.unload] - windows[load])
            for buffer in problem.buffers
            for load in buffer.loads
        ),
        critical=tuple(names[v] for v in ratio.circuit),
    )


def _cross(problem: SchedulingProblem, here: tuple[int, int], there: tuple[int, int]) -> bool:
    return (here, there) in problem.exclusions or (there, here) in problem.exclusions
