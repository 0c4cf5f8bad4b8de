"""Check a schedule by interval arithmetic in absolute time; shares no code with the solver.

The schedule is unrolled over enough joints before and after joint 0 that one cycle is as crowded as in steady
state. Every rule is then checked for what happens in that cycle.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from controller.scheduling.placed_visit import PlacedVisit
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Buffer, SchedulingProblem
from controller.scheduling.schedule import Schedule, ScheduledOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken rule: its name and what happens, with joints, operations and ticks."""

    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


def verify(problem: SchedulingProblem, schedule: Schedule) -> list[Violation]:
    """All violations of the problem's rules and of the schedule's own statements; [] for a valid schedule."""
    violations = list(_content(problem, schedule))
    if violations:
        return violations
    period = schedule.cycle_time
    times = [t for item in schedule.operations for t in (item.start, item.end)]
    reach = (max(times) - min(times)) // period + 2
    first, last = -reach - max(times) // period, reach - min(times) // period
    visits = [
        PlacedVisit(item, joint, joint * period)
        for joint in range(first, last + 1)
        for item in schedule.operations
    ]
    violations += _dial(problem, schedule)
    violations += _arms(problem, visits, period)
    violations += _stays(problem, visits, period)
    violations += _joint_order(problem, schedule)
    for buffer in problem.buffers:
        violations += _buffer(problem, schedule, buffer)
    violations += _statements(problem, schedule)
    return violations


def _content(problem: SchedulingProblem, schedule: Schedule) -> Iterator[Violation]:
    """Each operation once, in one of its modes, with times that add up."""
    wanted, given = [o.name for o in problem.operations], [item.operation for item in schedule.operations]
    if given != wanted:
        yield Violation(rule="content", detail=f"operations are {given}: must be {wanted}")
        return
    if schedule.cycle_time < 1:
        yield Violation(rule="content", detail=f"cycle_time = {schedule.cycle_time}: must be positive")
    for operation, item in zip(problem.operations, schedule.operations, strict=True):
        if item.mode not in operation.modes:
            yield Violation(rule="content", detail=f"{item.operation!r} has no mode {item.mode}")
        durations = (item.enter - item.start, item.leave - item.enter, item.end - item.leave)
        if durations != (item.mode.before, item.mode.inside, item.mode.after):
            yield Violation(
                rule="content", detail=f"{item.operation!r} takes {durations} ticks: its mode says otherwise"
            )


def _dial(problem: SchedulingProblem, schedule: Schedule) -> Iterator[Violation]:
    """A stay on the dial lies between the index that brings the joint there and the next one."""
    for item in schedule.operations:
        position = item.mode.position
        if position == OFF_DIAL:
            continue
        opens, closes = (
            position * schedule.cycle_time + problem.index_ticks,
            (position + 1) * schedule.cycle_time,
        )
        if not opens <= item.enter <= item.leave <= closes:
            yield Violation(
                rule="dial",
                detail=f"{item.operation!r} is inside position {position} in {item.enter}..{item.leave}, "
                f"but the joint stands there in {opens}..{closes}",
            )


def _arms(problem: SchedulingProblem, visits: list[PlacedVisit], period: int) -> Iterator[Violation]:
    """An arm ends a visit and travels before it starts the next."""
    for arm in range(problem.arms):
        own = sorted((v for v in visits if v.item.mode.arm == arm), key=lambda v: (v.start, v.end))
        for before, after in pairwise(own):
            if not 0 <= before.start < period:
                continue
            travel = int(problem.travel[arm, before.item.mode.end, after.item.mode.start])
            if after.start < before.end + travel:
                yield Violation(
                    rule="arm",
                    detail=f"arm {arm} ends {before} at {before.end} and travels {travel} ticks, "
                    f"but starts {after} at {after.start}",
                )


def _stays(problem: SchedulingProblem, visits: list[PlacedVisit], period: int) -> Iterator[Violation]:
    """Two stays in one nest, or of crossing arms, are apart."""
    on_dial = [v for v in visits if v.item.mode.position != OFF_DIAL]
    for a in on_dial:
        if not 0 <= a.enter < period:
            continue
        for b in on_dial:
            if a is b or (b.enter, b.item.operation) < (a.enter, a.item.operation):
                continue
            one, other = a.item.mode, b.item.mode
            places = ((one.arm, one.position), (other.arm, other.position))
            if one.position == other.position:
                two_arms = one.arm != other.arm and NO_ARM not in (one.arm, other.arm)
                rule, gap = "nest", problem.margin if two_arms else 0
            elif places in problem.exclusions or places[::-1] in problem.exclusions:
                rule, gap = "exclusion", 0
            else:
                continue
            if b.enter < a.leave + gap:
                yield Violation(
                    rule=rule,
                    detail=f"{a} leaves position {one.position} at {a.leave}, "
                    f"{b} enters position {other.position} at {b.enter}: {gap} ticks must lie between",
                )


def _joint_order(problem: SchedulingProblem, schedule: Schedule) -> Iterator[Violation]:
    for a, b in problem.precedence:
        if schedule[b].enter < schedule[a].leave:
            yield Violation(
                rule="precedence",
                detail=f"{b!r} enters at {schedule[b].enter}, before {a!r} leaves at {schedule[a].leave}",
            )


def _buffer(problem: SchedulingProblem, schedule: Schedule, buffer: Buffer) -> Iterator[Violation]:
    """One item at a time: its loads in order, its process, its taking, then the next joint's item."""
    loads, unload = [schedule[name] for name in buffer.loads], schedule[buffer.unload]

    def margin(a: ScheduledOperation, b: ScheduledOperation) -> int:
        return problem.margin if a.mode.arm != b.mode.arm else 0

    for a, b in pairwise(loads):
        free = a.leave + margin(a, b)
        if b.enter < free:
            yield Violation(
                rule="buffer",
                detail=f"{buffer.name!r}: {b.operation!r} enters at {b.enter}, the nest is free at {free}",
            )
    ready = loads[-1].leave + max(buffer.process, margin(loads[-1], unload))
    if unload.start < ready:
        yield Violation(
            rule="buffer",
            detail=f"{buffer.name!r}: {buffer.unload!r} starts at {unload.start}, ready at {ready}",
        )
    free = unload.start + buffer.unload_offset + margin(unload, loads[0])
    following = loads[0].enter + schedule.cycle_time
    if following < free:
        yield Violation(
            rule="buffer",
            detail=f"{buffer.name!r}: the next {buffer.loads[0]!r} enters at {following}, free at {free}",
        )


def _statements(problem: SchedulingProblem, schedule: Schedule) -> Iterator[Violation]:
    """What the schedule says about itself follows from its times."""
    period = schedule.cycle_time
    if schedule.lower_bound > period:
        yield Violation(rule="bound", detail=f"cycle_time = {period} lies below {schedule.lower_bound}")
    for item in schedule.operations:
        if item.window != item.enter // period:
            yield Violation(rule="window", detail=f"{item.operation!r} enters in {item.enter // period}")
    for arm, sequence in enumerate(schedule.arm_sequences):
        own = [item for item in schedule.operations if item.mode.arm == arm]
        expected = tuple(item.operation for item in sorted(own, key=lambda item: item.start % period))
        if sequence != expected:
            yield Violation(rule="arm_sequences", detail=f"arm {arm} does {expected}, not {sequence}")
    for position, order in enumerate(schedule.nest_orders):
        own = [item for item in schedule.operations if item.mode.position == position]
        expected = tuple(item.operation for item in sorted(own, key=lambda item: item.enter))
        if order != expected:
            yield Violation(rule="nest_orders", detail=f"position {position} sees {expected}, not {order}")
    for a, b in schedule.exclusion_orders:
        if schedule[a].leave - schedule[a].window * period > schedule[b].enter - schedule[b].window * period:
            yield Violation(rule="exclusion_orders", detail=f"{a!r} does not leave before {b!r} enters")
    heights = tuple(
        (buffer.name, load, schedule[buffer.unload].enter // period - schedule[load].enter // period)
        for buffer in problem.buffers
        for load in buffer.loads
    )
    if schedule.buffer_heights != heights:
        yield Violation(rule="buffer_heights", detail=f"are {heights}, not {schedule.buffer_heights}")
