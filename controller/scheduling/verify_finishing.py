"""Check a finishing by interval arithmetic; shares no code with the pass that makes it."""

from collections.abc import Iterator
from itertools import combinations, pairwise

from controller.scheduling.mix import Mix
from controller.scheduling.problem import NO_ARM, OFF_DIAL
from controller.scheduling.running import Finishing, FinishingVisit, Lost, RunningCell
from controller.scheduling.verify import Violation


def verify_finishing(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> list[Violation]:
    """All violations; [] when every joint that is not scrapped is finished and no rule is broken."""
    checks = (_content, _dial, _arms, _stays, _joint_order, _buffers)
    return [violation for check in checks for violation in check(mix, state, lost, finishing)]


def _content(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> Iterator[Violation]:
    scrapped = {item.joint for item in finishing.scrapped}
    for number, joint in enumerate(state.joints):
        own = sorted(v.operation for v in finishing.visits if v.joint == number)
        wanted = sorted(o.name for o in mix.problems[joint.kind].operations if o.name not in joint.done)
        if own != wanted and number not in scrapped:
            yield Violation(rule="content", detail=f"joint {number} gets {own}: still needs {wanted}")
    for visit in finishing.visits:
        problem = mix.problems[state.joints[visit.joint].kind]
        operation = next(o for o in problem.operations if o.name == visit.operation)
        mode = visit.mode
        times = (visit.enter - visit.start, visit.leave - visit.enter, visit.end - visit.leave)
        stations = [b.name for b in problem.buffers if visit.operation in (*b.loads, b.unload)]
        if mode not in operation.modes or times != (mode.before, mode.inside, mode.after):
            yield Violation(rule="content", detail=f"{visit} is not one of its modes with its times")
        if (
            mode.arm == lost.arm
            or (mode.position == lost.position and lost.position is not None)
            or lost.buffer in stations
        ):
            yield Violation(rule="lost", detail=f"{visit} needs what is lost")


def _dial(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> Iterator[Violation]:
    ticks = mix.problems[0].index_ticks
    for a, b in pairwise(finishing.indices):
        if b < a + ticks:
            yield Violation(rule="dial", detail=f"an index starts at {b}, before that of {a} is done")
    for visit in finishing.visits:
        if visit.mode.position == OFF_DIAL:
            continue
        cycle = visit.mode.position - state.joints[visit.joint].position
        opens = finishing.indices[cycle - 1] + ticks if cycle > 0 else 0
        closes = finishing.indices[cycle] if cycle < len(finishing.indices) else visit.leave
        if cycle < 0 or not opens <= visit.enter <= visit.leave <= closes:
            yield Violation(rule="dial", detail=f"{visit} is not inside while its joint stands there")


def _arms(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> Iterator[Violation]:
    travel = mix.problems[0].travel
    for arm in range(mix.problems[0].arms):
        own = sorted((v for v in finishing.visits if v.mode.arm == arm), key=lambda v: v.start)
        pose, free = state.arm_poses[arm], 0
        for visit in own:
            if visit.start < free + int(travel[arm, pose, visit.mode.start]):
                yield Violation(rule="arm", detail=f"arm {arm} starts {visit} before it can be there")
            pose, free = visit.mode.end, visit.end


def _stays(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> Iterator[Violation]:
    problem = mix.problems[0]
    for a, b in combinations([v for v in finishing.visits if v.mode.position != OFF_DIAL], 2):
        places = ((a.mode.arm, a.mode.position), (b.mode.arm, b.mode.position))
        if a.mode.position == b.mode.position:
            two_arms = a.mode.arm != b.mode.arm and NO_ARM not in (a.mode.arm, b.mode.arm)
            gap = problem.margin if two_arms else 0
        elif places in problem.exclusions or places[::-1] in problem.exclusions:
            gap = 0
        else:
            continue
        if a.leave + gap > b.enter and b.leave + gap > a.enter:
            yield Violation(rule="nest", detail=f"{a} and {b} are inside at once")


def _joint_order(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> Iterator[Violation]:
    visits = {(v.joint, v.operation): v for v in finishing.visits}
    for (joint, name), visit in visits.items():
        for a, b in mix.problems[0].precedence:
            if a == name and (joint, b) in visits and visits[joint, b].enter < visit.leave:
                yield Violation(
                    rule="precedence", detail=f"{b!r} of joint {joint} enters before {a!r} leaves"
                )


def _buffers(mix: Mix, state: RunningCell, lost: Lost, finishing: Finishing) -> Iterator[Violation]:
    """Each item is whole and processed when it is taken, and nothing is loaded while another item is in."""
    for number, first in enumerate(mix.problems[0].buffers):
        stays: list[tuple[float, float]] = []
        for joint, item in enumerate(state.joints):
            buffer = mix.problems[item.kind].buffers[number]
            loads = [v for name in first.loads for v in _of(finishing, joint, name)]
            unload = next(_of(finishing, joint, first.unload), None)
            inside = first.loads[0] in item.done and first.unload not in item.done
            if unload is None:
                continue
            ready = state.ready.get(first.name, 0) if not loads else loads[-1].leave + buffer.process
            if unload.start < ready or any(b.enter < a.leave for a, b in pairwise(loads)):
                yield Violation(
                    rule="buffer", detail=f"{unload} takes an item of {first.name!r} that is not ready"
                )
            begins = 0 if inside else loads[0].enter if loads else unload.start
            stays.append((begins, unload.start + buffer.unload_offset))
        for (_, out), (begun, _) in pairwise(sorted(stays)):
            if begun < out:
                yield Violation(rule="buffer", detail=f"{first.name!r} is loaded at {begun}, before {out}")


def _of(finishing: Finishing, joint: int, name: str) -> Iterator[FinishingVisit]:
    return (v for v in finishing.visits if (v.joint, v.operation) == (joint, name))
