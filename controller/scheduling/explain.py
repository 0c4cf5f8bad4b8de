"""Why there is no schedule, or no better one: the smallest conflict found, and what a critical circuit costs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from controller.scheduling.allocation import Allocations, Budget, OutOfBudgetError
from controller.scheduling.candidate import build_tables
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.ordering import Orders
from controller.scheduling.problem import SchedulingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Rules that no schedule of a cycle time can keep together; without any one of them there is a schedule.

    Attributes:
        cycle_time: Ticks for which this holds.
        operations: Names of the operations that take part.
        rules: Each other rule, as a sentence.
        relaxations: What would end the conflict: first what takes time, the least ticks first, then rules to give up and
            other places.
    """

    cycle_time: int
    operations: tuple[str, ...]
    rules: tuple[str, ...]
    relaxations: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """A part of the critical circuit and its share of the cycle time, in ticks per joint."""

    what: str
    ticks: float


def critical_costs(schedule: MixSchedule) -> tuple[Cost, ...]:
    """What each part of the critical circuit costs, the largest first; the sum is the cycle time."""
    total = sum(wait.ticks for wait in schedule.critical)
    parts: dict[str, int] = {}
    for wait in schedule.critical:
        what = f"{wait.event}: {wait.reason}"
        parts[what] = parts.get(what, 0) + wait.ticks
    costs = (Cost(what=what, ticks=ticks * schedule.cycle_time / total) for what, ticks in parts.items())
    return tuple(sorted(costs, key=lambda cost: (-cost.ticks, cost.what)))


def conflict(problem: SchedulingProblem, cycle_time: int, budget: int = 30_000) -> Conflict | None:
    """A smallest conflict at a cycle time, by leaving out one rule after the other; None when none is shown.

    A search that is not finished within the budget counts as feasible, so the conflict may be larger than it need be,
    never too small.

    Args:
        problem: One kind of joint.
        cycle_time: Ticks; a large one shows what no cycle time can mend.
        budget: Steps of each search.
    """
    if not _impossible(problem, cycle_time, budget):
        return None
    rest = problem
    for operation in problem.operations:
        less = _without_operation(rest, operation.name)
        if less.operations and _impossible(less, cycle_time, budget):
            rest = less
    for _, less in _with_one_rule_less(rest):
        # Rules are left out of what is left, one by one; the list is made anew each time.
        if _impossible(less, cycle_time, budget):
            return conflict(less, cycle_time, budget)
    rules = tuple(rule for rule, _ in _with_one_rule_less(rest))
    in_time = sorted(_in_time(rest, cycle_time, budget))
    places = (
        f"let {o.name!r} be done elsewhere than at {sorted({(m.arm, m.position) for m in o.modes})} (arm, position)"
        for o in rest.operations
    )
    return Conflict(
        cycle_time=cycle_time,
        operations=tuple(operation.name for operation in rest.operations),
        rules=rules,
        relaxations=(*(way for _, way in in_time), *(f"give up: {rule}" for rule in rules), *places),
    )


def _in_time(problem: SchedulingProblem, cycle_time: int, budget: int) -> Iterator[tuple[int, str]]:
    """What ends a conflict by taking less time or allowing more: the least ticks of each, and the way in words."""
    more = _least(lambda ticks: _impossible(problem, cycle_time + ticks, budget), cycle_time)
    if more is not None:
        yield more, f"let a cycle take {cycle_time + more} ticks, {more} more"
    for operation in problem.operations:
        name, longest = operation.name, max(mode.inside for mode in operation.modes)

        def impossible(ticks: int, name: str = name) -> bool:
            return _impossible(_shorter(problem, name, ticks), cycle_time, budget)

        less = _least(impossible, longest - 1)
        if less is not None:
            yield less, f"let {name!r} take {less} ticks less in the nest"


def _least(impossible: Callable[[int], bool], most: int) -> int | None:
    """The least ticks in 1..most that make something possible, by bisection; None when not even the most do."""
    if most < 1 or impossible(most):
        return None
    low = 0
    while most - low > 1:
        middle = (low + most) // 2
        low, most = (middle, most) if impossible(middle) else (low, middle)
    return most


def _shorter(problem: SchedulingProblem, name: str, ticks: int) -> SchedulingProblem:
    """The problem with less time in the nest for an operation."""
    return replace(
        problem,
        operations=tuple(
            replace(o, modes=tuple(replace(m, inside=max(1, m.inside - ticks)) for m in o.modes))
            if o.name == name
            else o
            for o in problem.operations
        ),
    )


def _impossible(problem: SchedulingProblem, cycle_time: int, budget: int) -> bool:
    """Whether it is shown that nothing runs with the cycle time."""
    left = Budget(budget)
    orders = Orders(problem, build_tables([problem]), cycle_time, left)
    try:
        allocations = Allocations(problem).within(cycle_time, left)
        return all(orders.run(allocation) is None for allocation in allocations)
    except OutOfBudgetError:
        return False


def _without_operation(problem: SchedulingProblem, name: str) -> SchedulingProblem:
    """The problem without an operation; what comes before what stays, and a buffer goes with any of its operations."""
    pairs = problem.precedence
    bridged = tuple((a, d) for a, b in pairs for c, d in pairs if b == c == name)
    return replace(
        problem,
        operations=tuple(o for o in problem.operations if o.name != name),
        precedence=tuple(dict.fromkeys((*(pair for pair in pairs if name not in pair), *bridged))),
        buffers=tuple(b for b in problem.buffers if name not in (*b.loads, b.unload)),
    )


def _with_one_rule_less(problem: SchedulingProblem) -> Iterator[tuple[str, SchedulingProblem]]:
    """Each rule that is not an operation, with the problem without it; zones first, since they are cheapest to give up."""
    names = {operation.name for operation in problem.operations}
    used = {(mode.arm, mode.position) for operation in problem.operations for mode in operation.modes}
    for pair in problem.exclusions:
        if set(pair) <= used:
            kept = tuple(other for other in problem.exclusions if other != pair)
            rule = f"arms {pair[0][0]} and {pair[1][0]} cross at positions {pair[0][1]} and {pair[1][1]}"
            yield rule, replace(problem, exclusions=kept)
    for a, b in problem.precedence:
        if {a, b} <= names:
            rest = tuple(other for other in problem.precedence if other != (a, b))
            yield f"{a!r} comes before {b!r}", replace(problem, precedence=rest)
    for buffer in problem.buffers:
        others = tuple(other for other in problem.buffers if other != buffer)
        yield f"{buffer.name!r} holds one item", replace(problem, buffers=others)
