"""Finish what is in work in a cell that has lost something: one pass, so that it takes milliseconds.

Each joint keeps to the places of the schedule that follows where it can, and takes the next possible ones where it has
passed them. All visits are then put into one sequence, cycle by cycle, and begin as soon as what stands before them
allows. An item is loaded when the one before has been taken, so the sequence never waits in a circle.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import pairwise
from types import MappingProxyType

from controller.scheduling.construct import InfeasibleProblemError, latest_positions
from controller.scheduling.mix import Mix
from controller.scheduling.problem import (
    NO_ARM,
    OFF_DIAL,
    Buffer,
    Mode,
    Operation,
    ProblemError,
    SchedulingProblem,
)
from controller.scheduling.running import Finishing, FinishingVisit, JointInWork, Lost, RunningCell, Scrapped

Place = tuple[int, int]
"""Arm and position of an operation."""


def remains(problem: SchedulingProblem, name: str, mode: Mode, lost: Lost) -> bool:
    """Whether a mode of an operation can still be used."""
    if mode.arm == lost.arm or (lost.position is not None and mode.position == lost.position):
        return False
    return not any(name in (*b.loads, b.unload) for b in problem.buffers if b.name == lost.buffer)


def without(problem: SchedulingProblem, lost: Lost) -> SchedulingProblem:
    """The problem with the modes that remain; every operation must have one."""
    operations = tuple(
        replace(o, modes=tuple(m for m in o.modes if remains(problem, o.name, m, lost)))
        for o in problem.operations
    )
    return replace(problem, operations=operations)


def finish(
    mix: Mix,
    state: RunningCell,
    places: Mapping[str, Place],
    lost: Lost,
    busy: Mapping[int, int] = MappingProxyType({}),
    fixed: Mapping[tuple[int, str], Mode] = MappingProxyType({}),
) -> Finishing:
    """The finishing of all joints in work.

    Args:
        mix: The kinds.
        state: What is in work.
        places: Where the schedule that follows does each operation; may be empty.
        lost: What there is to do without.
        busy: Indices to come before an arm can do anything on the dial, by arm; it is in the middle of a visit.
        fixed: Modes of operations that have been prepared, by joint and operation: nothing else will do.

    Raises:
        ProblemError: The state contradicts itself or the mix.
    """
    _check(mix, state, fixed)
    chosen: list[dict[str, Mode]] = []
    scrapped: dict[int, str] = {}
    for number, joint in enumerate(state.joints):
        problem = mix.problems[joint.kind]
        try:
            own = {name: mode for (of, name), mode in fixed.items() if of == number}
            chosen.append(_modes(problem, joint, places, lost, busy, own))
        except InfeasibleProblemError as error:
            scrapped[number] = str(error)
            chosen.append(_taking_off(problem, joint, lost))
    for buffer in mix.problems[0].buffers:
        holder = _holder(state, buffer, fixed)
        if holder is None or buffer.unload not in chosen[holder]:
            continue
        taken = chosen[holder][buffer.unload].position - state.joints[holder].position
        for number, joint in enumerate(state.joints):
            mode = chosen[number].get(buffer.unload)
            if number != holder and mode is not None and mode.position - joint.position < taken:
                scrapped[number] = f"{buffer.name!r} holds the item of joint {holder}, which is taken later"
                chosen[number] = _taking_off(mix.problems[joint.kind], joint, lost)
    reasons = tuple(Scrapped(joint=number, reason=reason) for number, reason in sorted(scrapped.items()))
    return _Pass(mix, state, chosen).run(reasons)


def _holder(state: RunningCell, buffer: Buffer, taken: Collection[tuple[int, str]]) -> int | None:
    """The joint whose item a buffer holds; what has been taken out is in an arm's hand."""
    for number, joint in enumerate(state.joints):
        if _holds(buffer, number, joint, taken):
            return number
    return None


def _holds(buffer: Buffer, number: int, joint: JointInWork, taken: Collection[tuple[int, str]]) -> bool:
    unloaded = buffer.unload in joint.done or (number, buffer.unload) in taken
    return buffer.loads[0] in joint.done and not unloaded


def _check(mix: Mix, state: RunningCell, taken: Collection[tuple[int, str]]) -> None:
    problem = mix.problems[0]
    if len(state.arm_poses) != problem.arms:
        raise ProblemError(f"state: {len(state.arm_poses)} arm poses for {problem.arms} arms")
    names = {operation.name for operation in problem.operations}
    positions = [joint.position for joint in state.joints]
    for number, joint in enumerate(state.joints):
        where = f"state: joint {number}"
        if not 0 <= joint.kind < len(mix.problems):
            raise ProblemError(f"{where} is of kind {joint.kind}: must lie in 0..{len(mix.problems) - 1}")
        if joint.position >= problem.positions or positions.count(joint.position) > 1:
            raise ProblemError(f"{where} is at position {joint.position}, which is taken or does not exist")
        if unknown := joint.done - names:
            raise ProblemError(f"{where} has done {sorted(unknown)}: there are no such operations")
        for a, b in problem.same_joint_order():
            if b in joint.done and a not in joint.done:
                raise ProblemError(f"{where} has done {b!r} but not {a!r}, which comes before")
    for buffer in problem.buffers:
        items = [n for n, j in enumerate(state.joints) if _holds(buffer, n, j, taken)]
        if len(items) > 1:
            raise ProblemError(
                f"state: buffer {buffer.name!r} holds the items of joints {items}: it has room for one"
            )


def _modes(
    problem: SchedulingProblem,
    joint: JointInWork,
    places: Mapping[str, Place],
    lost: Lost,
    busy: Mapping[int, int],
    fixed: Mapping[str, Mode],
) -> dict[str, Mode]:
    """A mode for every operation still to do, at positions that the joint has not passed.

    Raises:
        InfeasibleProblemError: There is none; the message names what is in the way.
    """
    remaining = []
    for operation in problem.operations:
        name = operation.name
        if name in joint.done:
            continue
        if name in fixed:
            remaining.append(Operation(name=name, modes=(fixed[name],)))
            continue
        modes = tuple(m for m in operation.modes if remains(problem, name, m, lost))
        if not modes:
            raise InfeasibleProblemError(f"{name!r} is still to be done and nothing that is left can do it")
        ahead = tuple(
            m
            for m in modes
            if m.position == OFF_DIAL or m.position >= joint.position + max(0, busy.get(m.arm, 0))
        )
        if not ahead:
            raise InfeasibleProblemError(
                f"{name!r} is still to be done and the joint at position {joint.position} has passed "
                f"{sorted({mode.position for mode in modes})}, where it could be"
            )
        remaining.append(Operation(name=name, modes=ahead))
    if not remaining:
        return {}
    names = {operation.name for operation in remaining}
    pairs = tuple(pair for pair in problem.same_joint_order() if names.issuperset(pair))
    rest = replace(problem, operations=tuple(remaining), precedence=pairs, buffers=())
    latest = latest_positions(rest)
    chosen: dict[str, Mode] = {}
    while len(chosen) < len(remaining):
        for operation in remaining:
            name = operation.name
            if name in chosen or any(b == name and a not in chosen for a, b in pairs):
                continue
            reached = max((chosen[a].position for a, b in pairs if b == name), default=OFF_DIAL)
            fitting = [
                m for m in operation.modes if m.position == OFF_DIAL or reached <= m.position <= latest[name]
            ]
            kept = [m for m in fitting if (m.arm, m.position) == places.get(name)]
            chosen[name] = kept[0] if kept else min(fitting, key=lambda m: (m.position, m.duration))
    return chosen


def _taking_off(problem: SchedulingProblem, joint: JointInWork, lost: Lost) -> dict[str, Mode]:
    """Only what nothing waits for: the joint leaves the dial unfinished, if it is on it and anything can take it."""
    before = {a for a, _ in problem.same_joint_order()}
    return {
        operation.name: mode
        for operation in problem.operations
        if operation.name not in before | joint.done and joint.position >= 0
        for mode in operation.modes[::-1]
        if mode.position >= joint.position and remains(problem, operation.name, mode, lost)
    }


class _Pass:
    """One pass over all visits in sequence."""

    def __init__(self, mix: Mix, state: RunningCell, chosen: list[dict[str, Mode]]) -> None:
        self._mix, self._state, self._chosen = mix, state, chosen
        self._problem = mix.problems[0]
        self._poses = list(state.arm_poses)
        self._free = [0] * self._problem.arms
        self._visits: list[FinishingVisit] = []
        self._indices: list[int] = []
        self._done: dict[tuple[int, str], FinishingVisit] = {}

    def run(self, scrapped: tuple[Scrapped, ...]) -> Finishing:
        """Place every visit, the earliest cycle first."""
        for cycle, joint, name in self._sequence():
            while len(self._indices) < cycle:
                self._turn()
            self._place(cycle, joint, name)
        return Finishing(visits=tuple(self._visits), indices=tuple(self._indices), scrapped=scrapped)

    def _turn(self) -> None:
        """One index, as soon as nobody is inside a nest."""
        left = [v.leave for v in self._visits if v.mode.position != OFF_DIAL]
        previous = [start + self._problem.index_ticks for start in self._indices[-1:]]
        self._indices.append(max((*left, *previous), default=0))

    def _sequence(self) -> list[tuple[int, int, str]]:
        """(cycle, joint, operation) of all visits, each behind what it waits for, the earliest cycle first.

        What is loaded is for the cycle of its unload and goes as far ahead of it as the buffer allows.
        """
        joints, pairs = self._state.joints, self._problem.same_joint_order()
        waits: dict[tuple[int, str], set[tuple[int, str]]] = {}
        cycles: dict[tuple[int, str], int] = {}
        for j, modes in enumerate(self._chosen):
            for name, mode in modes.items():
                waits[j, name] = {(j, a) for a, b in pairs if b == name and a in modes}
                cycles[j, name] = max(0, mode.position - joints[j].position)
        for buffer in self._problem.buffers:
            items = [j for j, modes in enumerate(self._chosen) if buffer.unload in modes]
            items.sort(
                key=lambda j: (
                    buffer.loads[0] not in joints[j].done,
                    cycles[j, buffer.unload],
                    -joints[j].position,
                )
            )
            for before, j in pairwise([-1, *items]):
                for load in buffer.loads:
                    if (j, load) in waits:
                        cycles[j, load] = max(0, cycles[j, buffer.unload] - 1)
                        waits[j, load] |= {(before, buffer.unload)} if before >= 0 else set()
        sequence = []
        while waits:
            ready = [key for key, before in waits.items() if not before & waits.keys()]
            j, name = min(ready, key=lambda key: (cycles[key], -joints[key[0]].position, key))
            sequence.append((cycles[j, name] if self._on_dial(j, name) else 0, j, name))
            del waits[j, name]
        return sequence

    def _on_dial(self, joint: int, name: str) -> bool:
        return self._chosen[joint][name].position != OFF_DIAL

    def _place(self, cycle: int, joint: int, name: str) -> None:
        mode = self._chosen[joint][name]
        enter = mode.before
        if mode.arm != NO_ARM:
            way = int(self._problem.travel[mode.arm, self._poses[mode.arm], mode.start])
            enter += self._free[mode.arm] + way
        if mode.position != OFF_DIAL and cycle > 0:
            enter = max(enter, self._indices[cycle - 1] + self._problem.index_ticks)
        for other in self._visits:
            gap = self._gap(other.mode, mode)
            if gap >= 0:
                enter = max(enter, other.leave + gap)
        for a, b in self._problem.same_joint_order():
            if b == name and (joint, a) in self._done:
                enter = max(enter, self._done[joint, a].leave)
        enter = max(enter, self._buffer_free(joint, name, mode))
        visit = FinishingVisit(
            joint=joint,
            operation=name,
            mode=mode,
            cycle=cycle,
            start=enter - mode.before,
            enter=enter,
            leave=enter + mode.inside,
            end=enter + mode.inside + mode.after,
        )
        self._visits.append(visit)
        self._done[joint, name] = visit
        if mode.arm != NO_ARM:
            self._free[mode.arm], self._poses[mode.arm] = visit.end, mode.end

    def _gap(self, one: Mode, other: Mode) -> int:
        if OFF_DIAL in (one.position, other.position):
            return -1
        if one.position == other.position:
            return self._problem.margin if one.arm != other.arm and NO_ARM not in (one.arm, other.arm) else 0
        here, there = (one.arm, one.position), (other.arm, other.position)
        exclusions = self._problem.exclusions
        return 0 if (here, there) in exclusions or (there, here) in exclusions else -1

    def _buffer_free(self, joint: int, name: str, mode: Mode) -> int:
        """The earliest entering that the buffers allow."""
        margin, least = self._problem.margin, 0
        for buffer in self._mix.problems[self._state.joints[joint].kind].buffers:
            if name in buffer.loads:
                taken = [v for v in self._visits if v.operation == buffer.unload]
                if taken and name == buffer.loads[0]:
                    last = taken[-1]
                    offset = self._mix.problems[self._state.joints[last.joint].kind]
                    out = next(b.unload_offset for b in offset.buffers if b.name == buffer.name)
                    least = max(least, last.start + out + (margin if last.mode.arm != mode.arm else 0))
                for earlier in buffer.loads[: buffer.loads.index(name)]:
                    if (joint, earlier) in self._done:
                        load = self._done[joint, earlier]
                        least = max(least, load.leave + (margin if load.mode.arm != mode.arm else 0))
            elif name == buffer.unload:
                if (joint, buffer.loads[-1]) in self._done:
                    load = self._done[joint, buffer.loads[-1]]
                    apart = margin if load.mode.arm != mode.arm else 0
                    least = max(least, load.leave + max(buffer.process, apart) + mode.before)
                elif buffer.loads[-1] in self._state.joints[joint].done:
                    least = max(least, self._state.ready.get(buffer.name, 0) + mode.before)
        return least
