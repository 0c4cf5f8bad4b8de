"""A random feasible candidate to start the search from, or the reason why there is none."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from controller.scheduling.moves import CHOICE, ORDER, WINDOW, Int64Array
from controller.scheduling.problem import NO_ARM, OFF_DIAL, SchedulingProblem


class InfeasibleProblemError(ValueError):
    """No schedule exists; the message names what blocks."""


def pin(problem: SchedulingProblem, allocation: Mapping[str, tuple[int, int]]) -> SchedulingProblem:
    """The problem with only those modes of the named operations that are on the given (arm, position).

    Raises:
        InfeasibleProblemError: An operation does not exist or has no such mode.
    """
    names = {operation.name for operation in problem.operations}
    for name in allocation:
        if name not in names:
            raise InfeasibleProblemError(f"allocation names {name!r}: there is no such operation")
    operations = []
    for operation in problem.operations:
        place = allocation.get(operation.name)
        modes = tuple(m for m in operation.modes if place in (None, (m.arm, m.position)))
        if not modes:
            possible = sorted({(m.arm, m.position) for m in operation.modes})
            raise InfeasibleProblemError(
                f"operation {operation.name!r} has no mode for (arm, position) {place}; it has {possible}"
            )
        operations.append(replace(operation, modes=modes))
    return replace(problem, operations=tuple(operations))


def latest_positions(problem: SchedulingProblem) -> dict[str, int]:
    """The last dial position at which each operation still lets all that follow it be done.

    Along the precedence, positions must not fall. Taking the last possible position from the end decides this
    exactly.

    Raises:
        InfeasibleProblemError: Some operation would have to be done at a position before all that it has.
    """
    pairs = problem.same_joint_order()
    by_name = {operation.name: operation for operation in problem.operations}
    latest: dict[str, int] = {}
    limited_by: dict[str, str] = {}
    for name in reversed(list(_topological(problem, None))):
        limit = problem.positions - 1
        for a, b in pairs:
            if a == name and latest[b] < limit:
                limit, limited_by[name] = latest[b], b
        positions = {m.position for m in by_name[name].modes}
        fitting = [p for p in positions if p <= limit]
        if not fitting:
            follower = limited_by[name]
            raise InfeasibleProblemError(
                f"{name!r} must precede {follower!r}, which must be done at dial position {limit} or before, "
                f"but {name!r} can only be done at {sorted(positions)}"
            )
        latest[name] = limit if OFF_DIAL in positions else max(fitting)
    return latest


def construct(problem: SchedulingProblem, rng: np.random.Generator) -> Int64Array:
    """A random candidate (3, n) by list scheduling onto the least loaded arm and nest.

    Its order is one in which a joint can be built.

    Raises:
        InfeasibleProblemError: As in `latest_positions`.
    """
    latest = latest_positions(problem)
    number = {operation.name: v for v, operation in enumerate(problem.operations)}
    first = np.cumsum([0, *(len(operation.modes) for operation in problem.operations)])
    pairs = problem.same_joint_order()
    arm_load = dict.fromkeys(range(problem.arms), 0)
    nest_load = dict.fromkeys(range(problem.positions), 0)
    reached: dict[str, int] = {}
    candidate = np.zeros((3, len(number)), np.int64)
    sequence = list(_topological(problem, rng))
    for name in sequence:
        operation = problem.operations[number[name]]
        earliest = max((reached[a] for a, b in pairs if b == name), default=0)
        best, best_load, row = None, np.inf, 0
        for k, mode in enumerate(operation.modes):
            if mode.position != OFF_DIAL and not earliest <= mode.position <= latest[name]:
                continue
            load = rng.uniform(0.5, 1.5) * (
                arm_load.get(mode.arm, 0) + mode.duration + nest_load.get(mode.position, 0)
            )
            if load < best_load:
                best, best_load, row = mode, load, k
        assert best is not None, "latest_positions left a mode"
        if best.arm != NO_ARM:
            arm_load[best.arm] += best.duration
        if best.position != OFF_DIAL:
            nest_load[best.position] += best.inside
        reached[name] = max(earliest, best.position)
        candidate[CHOICE, number[name]] = first[number[name]] + row
        candidate[WINDOW, number[name]] = best.position
    candidate[ORDER] = [number[name] for name in sequence]
    # Off the dial: in the cycle of the first that needs it, so that every wait runs forward in the order.
    for name in reversed(sequence):
        v = number[name]
        if candidate[WINDOW, v] == OFF_DIAL:
            candidate[WINDOW, v] = min(
                (candidate[WINDOW, number[b]] for a, b in pairs if a == name), default=max(reached[name], 0)
            )
    return candidate


def _topological(problem: SchedulingProblem, rng: np.random.Generator | None) -> Iterator[str]:
    """The operations in an order that respects the precedence; ties at random, or by name without `rng`."""
    pairs = problem.same_joint_order()
    waiting = {o.name: sum(b == o.name for _, b in pairs) for o in problem.operations}
    while waiting:
        ready = sorted(name for name, count in waiting.items() if count == 0)
        name = ready[0] if rng is None else ready[int(rng.integers(len(ready)))]
        del waiting[name]
        for a, b in pairs:
            if a == name:
                waiting[b] -= 1
        yield name
