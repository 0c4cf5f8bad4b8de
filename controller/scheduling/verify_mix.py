"""Check a round of a mix by interval arithmetic in absolute time; shares no code with the solver.

The round is repeated until one of its copies is as crowded as in steady state, and every rule is checked for what
happens in that copy.
"""

from collections.abc import Iterator
from itertools import pairwise

from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.placed_visit import PlacedVisit
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Buffer
from controller.scheduling.schedule import ScheduledOperation
from controller.scheduling.verify import Violation


def verify_mix(mix: Mix, schedule: MixSchedule) -> list[Violation]:
    """All violations of the rules of the mix and of the schedule's own statements; [] for a valid schedule."""
    violations = list(_content(mix, schedule))
    if violations:
        return violations
    visits = _unrolled(schedule)
    violations += _dial(mix, schedule)
    violations += _arms(mix, schedule, visits)
    violations += _stays(mix, schedule, visits)
    violations += _joint_order(mix, schedule)
    for number in range(len(mix.problems[0].buffers)):
        violations += _buffer(mix, schedule, number)
    if schedule.lower_bound * len(schedule.release) > schedule.round_ticks:
        violations.append(
            Violation(
                rule="bound",
                detail=f"a round of {schedule.round_ticks} lies below {schedule.lower_bound} per joint",
            )
        )
    return violations


def _content(mix: Mix, schedule: MixSchedule) -> Iterator[Violation]:
    """The joints of the mix, each operation once in a mode of its kind, and every joint treated alike."""
    counts = tuple(schedule.release.count(kind) for kind in range(len(mix.problems)))
    if counts != mix.counts or len(schedule.release) != mix.joints:
        yield Violation(rule="content", detail=f"joints of each kind are {counts}: must be {mix.counts}")
        return
    joints = len(schedule.release)
    if (len(schedule.operations), len(schedule.indices)) != (joints, joints):
        yield Violation(
            rule="content", detail=f"operations and indices: must be one entry for {joints} joints"
        )
        return
    if schedule.round_ticks < 1:
        yield Violation(rule="content", detail=f"round_ticks = {schedule.round_ticks}: must be positive")
    for joint, (kind, items) in enumerate(zip(schedule.release, schedule.operations, strict=True)):
        operations = mix.problems[kind].operations
        if [item.operation for item in items] != [operation.name for operation in operations]:
            yield Violation(rule="content", detail=f"joint {joint} does not have the operations of its kind")
            return
        for operation, item, first in zip(operations, items, schedule.operations[0], strict=True):
            if item.mode not in operation.modes:
                yield Violation(
                    rule="content", detail=f"{item.operation!r} of joint {joint} has no mode {item.mode}"
                )
            if (item.mode.arm, item.mode.position) != (first.mode.arm, first.mode.position):
                yield Violation(
                    rule="content", detail=f"{item.operation!r} is not at one place for joints 0 and {joint}"
                )
            durations = (item.enter - item.start, item.leave - item.enter, item.end - item.leave)
            if durations != (item.mode.before, item.mode.inside, item.mode.after):
                yield Violation(
                    rule="content",
                    detail=f"{item.operation!r} of joint {joint} takes {durations} ticks: its mode says otherwise",
                )


def _unrolled(schedule: MixSchedule) -> list[PlacedVisit]:
    period, joints = schedule.round_ticks, len(schedule.release)
    times = [t for items in schedule.operations for item in items for t in (item.start, item.end)]
    reach = (max(times) - min(times)) // period + 2
    rounds = range(-reach - max(times) // period, reach - min(times) // period + 1)
    return [
        PlacedVisit(item, joint + copy * joints, copy * period)
        for copy in rounds
        for joint, items in enumerate(schedule.operations)
        for item in items
    ]


def _index(schedule: MixSchedule, cycle: int) -> int:
    """Start of the index that brings joint `cycle` to position 0."""
    copy, joint = divmod(cycle, len(schedule.release))
    return schedule.indices[joint] + copy * schedule.round_ticks


def _dial(mix: Mix, schedule: MixSchedule) -> Iterator[Violation]:
    """Indices follow each other; a stay on the dial lies between the one that brings the joint and the next."""
    ticks = mix.problems[0].index_ticks
    if schedule.indices[0] != 0:
        yield Violation(rule="dial", detail=f"the first index starts at {schedule.indices[0]}: must be 0")
    for cycle in range(len(schedule.indices)):
        if _index(schedule, cycle + 1) < _index(schedule, cycle) + ticks:
            yield Violation(rule="dial", detail=f"index {cycle + 1} starts before index {cycle} is done")
    for joint, items in enumerate(schedule.operations):
        for item in items:
            if item.mode.position == OFF_DIAL:
                continue
            opens = _index(schedule, joint + item.mode.position) + ticks
            closes = _index(schedule, joint + item.mode.position + 1)
            if not opens <= item.enter <= item.leave <= closes:
                yield Violation(
                    rule="dial",
                    detail=f"{item.operation!r} of joint {joint} is inside position {item.mode.position} in "
                    f"{item.enter}..{item.leave}, but the joint stands there in {opens}..{closes}",
                )


def _arms(mix: Mix, schedule: MixSchedule, visits: list[PlacedVisit]) -> Iterator[Violation]:
    """An arm ends a visit and travels before it starts the next."""
    for arm in range(mix.problems[0].arms):
        own = sorted((v for v in visits if v.item.mode.arm == arm), key=lambda v: (v.start, v.end))
        for before, after in pairwise(own):
            if not 0 <= before.start < schedule.round_ticks:
                continue
            travel = int(mix.problems[0].travel[arm, before.item.mode.end, after.item.mode.start])
            if after.start < before.end + travel:
                yield Violation(
                    rule="arm",
                    detail=f"arm {arm} ends {before} at {before.end} and travels {travel} ticks, "
                    f"but starts {after} at {after.start}",
                )


def _stays(mix: Mix, schedule: MixSchedule, visits: list[PlacedVisit]) -> Iterator[Violation]:
    """Two stays in one nest, or of crossing arms, are apart."""
    problem = mix.problems[0]
    on_dial = [v for v in visits if v.item.mode.position != OFF_DIAL]
    on_dial.sort(key=lambda v: (v.enter, v.joint, v.item.operation))
    longest = max((v.leave - v.enter for v in on_dial), default=0) + problem.margin
    for number, a in enumerate(on_dial):
        if not 0 <= a.enter < schedule.round_ticks:
            continue
        for b in on_dial[number + 1 :]:
            if b.enter >= a.enter + longest:
                break
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
                    detail=f"{a} leaves position {one.position} at {a.leave}, {b} enters position "
                    f"{other.position} at {b.enter}: {gap} ticks must lie between",
                )


def _joint_order(mix: Mix, schedule: MixSchedule) -> Iterator[Violation]:
    for joint, items in enumerate(schedule.operations):
        by_name = {item.operation: item for item in items}
        for a, b in mix.problems[0].precedence:
            if by_name[b].enter < by_name[a].leave:
                yield Violation(
                    rule="precedence",
                    detail=f"{b!r} of joint {joint} enters at {by_name[b].enter}, before {a!r} leaves at "
                    f"{by_name[a].leave}",
                )


def _buffer(mix: Mix, schedule: MixSchedule, number: int) -> Iterator[Violation]:
    """One item at a time: its loads in order, its process, its taking, then the next joint's item."""
    margin = mix.problems[0].margin

    def apart(a: ScheduledOperation, b: ScheduledOperation) -> int:
        return margin if a.mode.arm != b.mode.arm else 0

    for joint, (kind, items) in enumerate(zip(schedule.release, schedule.operations, strict=True)):
        buffer: Buffer = mix.problems[kind].buffers[number]
        by_name = {item.operation: item for item in items}
        loads, unload = [by_name[name] for name in buffer.loads], by_name[buffer.unload]
        for a, b in pairwise(loads):
            if b.enter < a.leave + apart(a, b):
                yield Violation(
                    rule="buffer",
                    detail=f"{buffer.name!r}: {b.operation!r} of joint {joint} enters too early",
                )
        ready = loads[-1].leave + max(buffer.process, apart(loads[-1], unload))
        if unload.start < ready:
            yield Violation(
                rule="buffer",
                detail=f"{buffer.name!r}: {buffer.unload!r} of joint {joint} starts at {unload.start}, "
                f"ready at {ready}",
            )
        free = unload.start + buffer.unload_offset + apart(unload, loads[0])
        copy, following = divmod(joint + 1, len(schedule.release))
        load = next(item for item in schedule.operations[following] if item.operation == buffer.loads[0])
        if load.enter + copy * schedule.round_ticks < free:
            yield Violation(
                rule="buffer",
                detail=f"{buffer.name!r}: the load of joint {joint + 1} enters at "
                f"{load.enter + copy * schedule.round_ticks}, free at {free}",
            )
