"""The state of a running cell at a moment of its schedule, taken from the schedule's times."""

from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.problem import OFF_DIAL
from controller.scheduling.running import JointInWork, RunningCell


def moment(mix: Mix, schedule: MixSchedule, tick: int) -> RunningCell:
    """What is in work at a tick of the first round, visits under way finished, the dial standing."""
    joints, period, positions = len(schedule.release), schedule.round_ticks, mix.problems[0].positions
    index = [
        schedule.indices[c % joints] + c // joints * period
        for c in range(-3 * positions, 3 * positions + joints)
    ]
    cycle = max(k for k, start in enumerate(index) if start <= tick) - 3 * positions
    begins, ends = index[cycle + 3 * positions], index[cycle + 1 + 3 * positions]
    tick = max(tick, begins)
    work, poses = [], [0] * mix.problems[0].arms
    ready: dict[str, int] = {}
    latest = [-(10**12)] * len(poses)
    for number in range(cycle - positions - 1, cycle + 4):
        copy, joint = divmod(number, joints)
        visits = schedule.operations[joint]
        done = set()
        for visit in visits:
            start = visit.start + copy * period
            if visit.mode.arm >= 0 and start < tick and start > latest[visit.mode.arm]:
                latest[visit.mode.arm], poses[visit.mode.arm] = start, visit.mode.end
            if start < tick and (visit.mode.position == OFF_DIAL or visit.leave + copy * period <= ends):
                done.add(visit.operation)
        position = cycle - number
        if position < positions and (position >= 0 or done):
            unloaded = {o.name for o in mix.problems[0].operations} <= done
            if not unloaded:
                work.append(
                    JointInWork(kind=schedule.release[joint], position=position, done=frozenset(done))
                )
                for buffer in mix.problems[schedule.release[joint]].buffers:
                    if buffer.loads[-1] in done and buffer.unload not in done:
                        loaded = (
                            next(v for v in visits if v.operation == buffer.loads[-1]).leave + copy * period
                        )
                        ready[buffer.name] = max(0, loaded + buffer.process - tick)
    return RunningCell(joints=tuple(work), arm_poses=tuple(poses), ready=ready)
