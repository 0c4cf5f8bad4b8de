"""Check a schedule of a shop rule by rule in absolute time; shares no code with the solver."""

from collections.abc import Iterator
from itertools import pairwise

from controller.scheduling.shop.problem import ShopProblem, Use
from controller.scheduling.shop.schedule import ScheduledOperation, ShopSchedule
from controller.scheduling.verify import Violation


def verify(problem: ShopProblem, schedule: ShopSchedule) -> list[Violation]:
    """All violations of the problem's rules and of the schedule's own statements; [] for a valid schedule."""
    violations = list(_content(problem, schedule))
    if violations:
        return violations
    return [*_dates(problem, schedule), *_precedence(problem, schedule), *_resources(problem, schedule)]


def _content(problem: ShopProblem, schedule: ShopSchedule) -> Iterator[Violation]:
    """Each operation once, in one of its modes, for as long as that takes."""
    wanted = {(j, k) for j, job in enumerate(problem.jobs) for k in range(len(job.operations))}
    given = [(item.job, item.operation) for item in schedule.operations]
    if set(given) != wanted or len(given) != len(wanted):
        missing, extra = sorted(wanted - set(given)), sorted(set(given) - wanted)
        twice = sorted({pair for pair in given if given.count(pair) > 1})
        yield Violation(
            rule="content", detail=f"(job, operation) missing: {missing}, unknown: {extra}, twice: {twice}"
        )
        return
    for item in schedule.operations:
        modes = problem.jobs[item.job].operations[item.operation].modes
        if not 0 <= item.mode < len(modes):
            yield Violation(
                rule="content",
                detail=f"{_name(problem, item)} has modes 0..{len(modes) - 1}, not {item.mode}",
            )
        elif item.end - item.start != modes[item.mode].duration:
            yield Violation(
                rule="content",
                detail=f"{_name(problem, item)} takes {item.end - item.start} ticks, not {modes[item.mode].duration}",
            )


def _dates(problem: ShopProblem, schedule: ShopSchedule) -> Iterator[Violation]:
    """Release and due dates, and what the schedule says about itself."""
    for item in schedule.operations:
        job = problem.jobs[item.job]
        if item.start < job.release:
            yield Violation(
                rule="release", detail=f"{_name(problem, item)} starts at {item.start}, before {job.release}"
            )
        if job.due is not None and item.end > job.due:
            yield Violation(rule="due", detail=f"{_name(problem, item)} ends at {item.end}, due at {job.due}")
    latest = max(item.end for item in schedule.operations)
    if schedule.makespan != latest:
        yield Violation(
            rule="makespan", detail=f"the last operation ends at {latest}, not {schedule.makespan}"
        )
    if schedule.lower_bound > schedule.makespan:
        yield Violation(
            rule="bound", detail=f"makespan = {schedule.makespan} lies below {schedule.lower_bound}"
        )


def _precedence(problem: ShopProblem, schedule: ShopSchedule) -> Iterator[Violation]:
    place = {(item.job, item.operation): i for i, item in enumerate(schedule.operations)}
    for number, job in enumerate(problem.jobs):
        for a, b in job.precedence:
            i, j = place[number, a], place[number, b]
            before, after = schedule.operations[i], schedule.operations[j]
            if after.start < before.end:
                yield Violation(
                    rule="precedence",
                    detail=f"{_name(problem, after)} starts at {after.start}, "
                    f"{_name(problem, before)} ends at {before.end}",
                )
            if j < i:
                yield Violation(
                    rule="order", detail=f"{_name(problem, after)} is listed before {_name(problem, before)}"
                )


def _resources(problem: ShopProblem, schedule: ShopSchedule) -> Iterator[Violation]:
    """One use at a time on each resource, set up, and let go of before the next begins."""
    place = {(item.job, item.operation): i for i, item in enumerate(schedule.operations)}
    uses: dict[int, list[tuple[ScheduledOperation, Use]]] = {}
    for item in schedule.operations:
        for use in problem.jobs[item.job].operations[item.operation].modes[item.mode].uses:
            uses.setdefault(use.resource, []).append((item, use))
    for resource, own in uses.items():
        kind = problem.resources[resource]
        # Sorting is stable: at the same moment the order of the list decides.
        own.sort(key=lambda pair: pair[0].start)
        for (a, use), (b, following) in pairwise(own):
            heirs = [q for p, q in problem.jobs[a.job].precedence if p == a.operation] if use.hold else []
            setup = kind.setup[use.leave][following.enter] if kind.setup else 0
            free, last = a.end, place[a.job, a.operation]
            if heirs and (a.job, heirs[0]) != (b.job, b.operation):
                last = place[a.job, heirs[0]]
                free = max(free, schedule.operations[last].start)
            if b.start < free + setup:
                yield Violation(
                    rule="resource",
                    detail=f"{kind.name!r}: {_name(problem, b)} starts at {b.start}; {_name(problem, a)} "
                    f"leaves it at {free}, setup takes {setup}",
                )
            if place[b.job, b.operation] < last:
                yield Violation(
                    rule="blocking",
                    detail=f"{kind.name!r}: {_name(problem, b)} is listed before what makes {_name(problem, a)} leave",
                )


def _name(problem: ShopProblem, item: ScheduledOperation) -> str:
    return f"operation {item.operation} of {problem.jobs[item.job].name!r}"
