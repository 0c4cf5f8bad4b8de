"""Schedules that are coordinated from the beginning: allocations near the proven bound, until none runs faster.

Those whose busiest arm has most time to spare come first. An allocation is tried with a period just below that of the
best found so far. Most are refuted within milliseconds; one that runs is tried again with a shorter period.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from controller.coordination.pattern import Case, case
from controller.coordination.search import Room, fits, run
from controller.coordination.stretches import Stretches
from controller.motion.passing import Passing
from controller.motion.visit import Zone
from controller.scheduling.allocation import Allocation, Allocations, Budget, OutOfBudgetError
from controller.scheduling.mix import Mix, mean_problem
from controller.scheduling.problem import OFF_DIAL, Mode, SchedulingProblem
from controller.scheduling.schedule import Schedule, ScheduledOperation

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# How far above the bound allocations are looked for, as long as nothing was found.
_REACHES = (0.06, 0.12, 0.25, 0.5)
_ALLOCATIONS = 500
_STEPS = 2_000_000  # of the search for allocations
_DECISIONS = 1000  # for one allocation and period
_SHORTER_S = 0.01
_SLOW = 4  # times that a joint slower than the mean counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordination:
    """A schedule whose arms keep clear of each other.

    Attributes:
        schedule: What every arm does in a cycle, with the mean times of the mix.
        retreats: (arm, operation) after which the arm draws back.
        passing: Times in whose order arms pass.
    """

    schedule: Schedule
    retreats: frozenset[tuple[str, str]]
    passing: Passing


def weighted(mix: Mix) -> Mix:
    """The mix with fewer of the joints that take less than the mean: what they save does not make up for the others.

    The dial keeps all arms in step, so an arm gains from a quick joint only as far as it can work ahead.
    """
    works = [
        sum(min(mode.duration for mode in o.modes) for o in problem.operations) for problem in mix.problems
    ]
    mean = np.dot(works, mix.counts) / mix.joints
    return replace(
        mix,
        counts=tuple(
            count * (_SLOW if work >= mean else 1) for work, count in zip(works, mix.counts, strict=True)
        ),
    )


def coordinations(
    mix: Mix, stretches: Stretches, bound_s: float, progress: Callable[[int, int], None]
) -> list[Coordination]:
    """Coordinated schedules, each faster than the one before.

    Args:
        mix: The kinds of joints, with the weights that count.
        stretches: Of the same kinds with the same weights.
        bound_s: A cycle time that none can beat [s].
        progress: Called with the allocations tried and their number.
    """
    problem = replace(mean_problem(mix), exclusions=(), margin=0)
    allocations, rng = Allocations(problem), np.random.default_rng(0)
    found: list[Coordination] = []
    for reach in _REACHES:
        limit_s = bound_s * (1 + reach)
        near = list(_within(allocations, math.floor(limit_s * 1000)))
        rounds = np.array([allocations.longest_round(one) for one in near])
        order = np.lexsort((rng.permutation(len(near)), rounds))
        best_s = limit_s + _SHORTER_S
        for tried, k in enumerate(order[:_ALLOCATIONS].tolist()):
            progress(tried, min(len(near), _ALLOCATIONS))
            made = case(problem, near[k], stretches, limit_s)
            if made is None or not _fits(made, best_s - _SHORTER_S):
                continue
            for steps in product((0, 1), repeat=sum(len(buffer.loads) - 1 for buffer in problem.buffers)):
                whole = made.buffered(problem, steps)
                while better := _run(problem, near[k], stretches, whole, best_s - _SHORTER_S):
                    schedule = replace(better.schedule, lower_bound=math.floor(bound_s * 1000))
                    found.append(replace(better, schedule=schedule))
                    best_s = better.schedule.cycle_time / 1000
        if found:
            break
    return found


def _within(allocations: Allocations, ticks: int) -> Iterator[Allocation]:
    try:
        yield from allocations.within(ticks, Budget(_STEPS))
    except OutOfBudgetError:
        return


def _fits(made: Case, period_s: float) -> bool:
    """Whether an allocation may run in a period, as far as is known of each arm without the others."""
    return bool(fits(made.pattern, made.variants, period_s, *Room.of(made.pattern)))


def _run(
    problem: SchedulingProblem, allocation: Allocation, stretches: Stretches, made: Case, period_s: float
) -> Coordination | None:
    """The allocation running in a period, if that was found."""
    if not _fits(made, period_s):
        return None
    pattern, variants = made.pattern, made.variants
    numbers = np.unique(np.concatenate([pattern.stretch[pattern.stretch >= 0], variants.first_id.ravel()]))
    stretches.compare(numbers)
    near = stretches.near, stretches.rest_near
    chosen, starts = np.zeros(problem.arms, np.int64), np.zeros(len(pattern.duration))
    budget = np.array([_DECISIONS])
    if not run(pattern, variants, period_s, *near, chosen, starts, budget, *Room.of(pattern)):
        return None
    return _coordination(problem, allocation, stretches, made, period_s, chosen, starts)


def _coordination(
    problem: SchedulingProblem,
    allocation: Allocation,
    stretches: Stretches,
    made: Case,
    period_s: float,
    chosen: Ints,
    starts: Floats,
) -> Coordination:
    """What was found, for the joint that enters first."""
    node, variants = made.pattern.node, made.variants
    arms = stretches.planner.cell.arms
    times: dict[str, list[float]] = {}
    inside: dict[str, tuple[float, float]] = {}
    retreats, names = set(), dict[str, list[str]]()
    for arm in range(problem.arms):
        row = chosen[arm]
        for k in range(variants.visits[arm]):
            v, back = variants.order[row, k], int(variants.back[row, k])
            place, parts = made.places[v], stretches.of(made.places[v])
            if back:
                retreats.add((arms[arm].id, place.operation))
            begin = [float(start) for start in starts[node[v] : node[v + 1] - 1 + back]]
            names[place.operation] = [part.name for part in parts[: len(begin)]]
            times[place.operation] = [*begin, begin[-1] + parts[len(begin) - 1].duration_s]
            within = [n for n, part in enumerate(parts) if part.zone is Zone.INSIDE]
            inside[place.operation] = begin[within[0]], begin[within[-1]] + parts[within[-1]].duration_s
    modes = {o.name: mode for o, mode in zip(problem.operations, allocation, strict=True)}
    for number, place in enumerate(made.tests):
        start = float(starts[node[-1] + number])
        inside[place.operation] = start, start + modes[place.operation].inside / 1000
        times[place.operation] = list(inside[place.operation])
    windows = _windows(problem, modes, times, inside, period_s)

    def ticks(operation: str, time_s: float) -> int:
        return round((time_s + windows[operation] * period_s) * 1000)

    schedule = Schedule(
        cycle_time=round(period_s * 1000),
        lower_bound=0,
        operations=tuple(
            ScheduledOperation(
                operation=name,
                mode=mode,
                window=windows[name],
                start=ticks(name, times[name][0]),
                enter=ticks(name, inside[name][0]),
                leave=ticks(name, inside[name][1]),
                end=ticks(name, times[name][-1]),
            )
            for name, mode in modes.items()
        ),
        arm_sequences=tuple(
            tuple(made.places[variants.order[chosen[arm], k]].operation for k in range(variants.visits[arm]))
            for arm in range(problem.arms)
        ),
        nest_orders=tuple(
            tuple(
                sorted(
                    (name for name, mode in modes.items() if mode.position == position),
                    key=lambda name: inside[name],
                )
            )
            for position in range(problem.positions)
        ),
        exclusion_orders=(),
        buffer_heights=tuple(
            (buffer.name, load, windows[buffer.unload] - windows[load])
            for buffer in problem.buffers
            for load in buffer.loads
        ),
        critical=(),
    )
    return Coordination(
        schedule=schedule,
        retreats=frozenset(retreats),
        passing=Passing(
            begins={
                place.operation: tuple(
                    zip(
                        [*names[place.operation], ""],
                        [time + windows[place.operation] * period_s for time in times[place.operation]],
                        strict=True,
                    )
                )
                for place in made.places
            }
        ),
    )


def _windows(
    problem: SchedulingProblem,
    modes: dict[str, Mode],
    times: dict[str, list[float]],
    inside: dict[str, tuple[float, float]],
    period_s: float,
) -> dict[str, int]:
    """The cycle, counted from a joint's own entry, in which an operation serves it: on the dial its position."""
    windows = {name: mode.position for name, mode in modes.items() if mode.position != OFF_DIAL}
    for buffer in problem.buffers:
        # A load serves the first taking that it can serve.
        follows, begins, process = buffer.unload, times[buffer.unload][0], buffer.process / 1000
        for load in reversed(buffer.loads):
            ahead = math.ceil((inside[load][1] + process - begins) / period_s - 1e-6)
            windows[load] = windows[follows] - ahead
            follows, begins, process = load, inside[load][0], 0.0
    return windows
