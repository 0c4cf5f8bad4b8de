"""Who makes which joint while arms come and go.

A joint that was begun while other arms were there than now is only finished (`controller.rearranging`): what is left of it
is done at places that it has not passed yet, behind what arms are in the middle of. All that follow are made alike again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cells.cell import Cell
from controller.choice import Choice, Retreat
from controller.execution.work import UnderWay, Work
from controller.motion.unroll import UNLOAD, Entering
from controller.rearranging import Arrangements, NoArrangementError
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode
from controller.scheduling.schedule import ScheduledOperation

_FIRST = 10**12  # ticks: before everything else


class Takeover:
    """The arms that are missing, and the joints that are made without them.

    Attributes:
        missing: Arms that are left out.
    """

    def __init__(self, cell: Cell, arrangements: Arrangements, work: Work) -> None:
        self.missing: frozenset[str] = frozenset()
        self._cell = cell
        self._arrangements = arrangements
        self._work = work
        self._made_without: dict[str, frozenset[str]] = {}  # by serial, of joints that are made as all others

    def at(self, work: Work) -> "Takeover":
        """The same for a copy of what has been done, for somebody who plans while this goes on."""
        other = Takeover(self._cell, self._arrangements, work)
        other.missing, other._made_without = self.missing, dict(self._made_without)
        return other

    @property
    def choice(self) -> Choice:
        """What is decided for joints that follow."""
        return self._arrangements.choice(self.missing)

    @property
    def first_place(self) -> int:
        """The first place of a joint that is made as all others: behind those that are only finished."""
        places = [joint.place for joint in self._work.joints.values() if self._only_finished(joint)]
        return max(places) + self._cell.dial.positions if places else 0

    def change(self, missing: frozenset[str]) -> None:
        """Other arms are missing.

        Raises:
            NoArrangementError: When those that are left cannot make joints; nothing changes then.
        """
        self._arrangements.choice(missing)
        self.missing = missing

    def settle(self) -> None:
        """Nothing is in work: a better plan, if one was found meanwhile, takes effect."""
        self._arrangements.settle()

    def planned(self) -> None:
        """A plan has been adopted."""
        self._made_without = {
            serial: self._made_without.get(serial, self.missing)
            for serial, joint in self._work.joints.items()
            if joint.schedule is None
        }

    def only_finishes(self, joints: Sequence[Entering]) -> bool:
        """Whether any of the joints is only finished."""
        return any(self._only_finished(joint) for joint in joints)

    def assign(
        self,
        joints: Sequence[Entering],
        leaving: Sequence[Entering],
        indices: int,
        under_way: Mapping[str, UnderWay],
    ) -> list[Entering]:
        """All joints, with who does what is left of those that are only finished.

        Args:
            joints: In work and to come.
            leaving: Have left, and something is still to be tidied up after them.
            indices: The window in which the dial stands.
            under_way: By arm the visit that it is in the middle of.

        Raises:
            NoArrangementError: When a joint cannot have its place or cannot be finished, or what is known of the joints
                contradicts itself.
        """
        old = [joint for joint in joints if self._only_finished(joint)]
        if not old:
            return [*leaving, *joints]
        first = self.first_place
        for joint in joints:
            if joint.place < first and joint.serial not in self._work.joints:
                raise NoArrangementError(
                    f"joint {joint.serial} at place {joint.place}: others are finished first (allowed: from {first} on)"
                )
        visits: dict[str, list[ScheduledOperation]] = {}
        busy: dict[int, int] = {}
        entered: dict[str, set[str]] = {}
        fixed: dict[tuple[str, str], Mode] = {}
        for number, arm in enumerate(self._cell.arms):
            if begun := under_way.get(arm.id):
                node = begun.next
                visit = self._as_planned(node.serial, node.operation)
                if visit.mode.position != OFF_DIAL:
                    busy[number] = node.joint + visit.mode.position - indices
                if begun.entered:
                    entered.setdefault(node.serial, set()).add(node.operation)
                else:
                    fixed[node.serial, node.operation] = visit.mode
                visits.setdefault(node.serial, []).append(
                    replace(visit, start=visit.start - _FIRST, enter=visit.enter - _FIRST)
                )
        old = [replace(joint, done=joint.done | self._work.done.get(joint.serial, set())) for joint in old]
        as_if_done = [replace(joint, done=joint.done | entered.get(joint.serial, set())) for joint in old]
        finish = self._arrangements.finishing(as_if_done, indices, self.missing, first, busy, fixed)
        if finish.scrapped:
            reasons = "; ".join(f"{serial}: {reason}" for serial, reason in finish.scrapped.items())
            raise NoArrangementError(f"joints that cannot be finished have to be taken out first: {reasons}")
        for joint in leaving:
            visits.setdefault(joint.serial, [self._as_planned(joint.serial, UNLOAD)])
        own = {}
        for joint in (*leaving, *old):
            schedule = finish.schedules.get(joint.serial, self.choice.schedule)
            operations = {} if joint in leaving else {item.operation: item for item in schedule.operations}
            operations |= {visit.operation: visit for visit in visits.get(joint.serial, ())}
            own[joint.serial] = replace(
                joint, schedule=replace(schedule, operations=tuple(operations.values()))
            )
        return [own.get(joint.serial, joint) for joint in (*leaving, *joints)]

    def retreats(self, joints: Sequence[Entering]) -> frozenset[Retreat]:
        """After which visits to joints that are only finished arms draw back: after all, nobody has looked for less."""
        return frozenset(
            (self._cell.arms[item.mode.arm].id, item.operation)
            for joint in joints
            if joint.schedule is not None
            for item in joint.schedule.operations
            if item.mode.arm != NO_ARM
        )

    def _as_planned(self, serial: str, operation: str) -> ScheduledOperation:
        schedule = self._work.joints[serial].schedule
        if schedule is None:
            schedule = self._arrangements.choice(self._made_without[serial]).schedule
        return schedule[operation]

    def _only_finished(self, joint: Entering) -> bool:
        touched = bool(joint.done) or self._work.touched(joint.serial)
        return touched and self._made_without.get(joint.serial, frozenset()) != self.missing
