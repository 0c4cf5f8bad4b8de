"""From the repeating schedule to the event graph of a whole order: fill, steady state and drain.

The joint at place p does every operation p cycles after the one at place 0; an arm's visits are sorted by those times, and
visits for joints that do not exist (before the first, after the last) simply fall out. So do operations that a joint has
behind it already, when a cell goes on with joints in work. Arcs carry the order, not the times.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cells.cell import Cell
from cells.driver import StationCycle
from cells.joint_model import JointModel
from cells.recipe import Operation, Pick, Place, Recipe, recipe_for
from controller.motion.event_graph import Key, Node
from controller.motion.visit import RETREAT, START, Leg, Visit, Zone
from controller.scheduling.schedule import Schedule, ScheduledOperation

UNLOAD = "200"  # the operation by which a joint leaves the cell

VisitOf = Callable[[JointModel, str, int, int | None], Visit]
LegsOf = Callable[[str, Visit | None, Visit], tuple[Leg, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """A joint of an order.

    Attributes:
        serial: Its serial number.
        model: Its model.
        place: Its place in the order: it stands at dial position p while the dial stands in window ``place + p``.
        done: Numbers of the operations that it has behind it.
        schedule: Who does the rest of its operations, when and where, if not what holds for all; its times count from the
            same zero. What it leaves out is not done.
    """

    serial: str
    model: JointModel
    place: int
    done: frozenset[str] = frozenset()
    schedule: Schedule | None = None


@dataclass
class Unrolled:
    """Nodes, their arcs so far, and the legs of each arm in order.

    ``begun`` are legs that an arm is in or stands in already: nobody passes before them.
    """

    nodes: list[Node] = field(default_factory=list)
    predecessors: list[set[int]] = field(default_factory=list)
    chains: dict[str, list[int]] = field(default_factory=dict)
    begun: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One visit (or test) for one joint, and the ids of its nodes."""

    operation: Operation
    joint: int
    window: int | None  # dial cycle in which it is at the nest; None off the dial
    ids: tuple[int, ...]
    zones: tuple[Zone, ...]
    names: tuple[str, ...]

    def first(self, zone: Zone) -> int:
        return self.ids[self.zones.index(zone)]

    def last(self, zone: Zone) -> int:
        return max(node for node, where in zip(self.ids, self.zones, strict=True) if where is zone)

    def named(self, name: str) -> int:
        return self.ids[self.names.index(name)]


def serial_number(joint: int) -> str:
    """Serial number of the joint-th joint of a run."""
    return f"J{joint + 1:04d}"


def entering(order: Sequence[JointModel]) -> tuple[Entering, ...]:
    """The joints of an order that begins in an empty cell."""
    return tuple(
        Entering(serial=serial_number(place), model=model, place=place) for place, model in enumerate(order)
    )


def unroll(
    cell: Cell,
    schedule: Schedule,
    joints: Sequence[Entering],
    visit_of: VisitOf,
    legs_of: LegsOf,
    indices: int = 0,
    ended: Collection[Key] = (),
    begun: Collection[Key] = (),
) -> Unrolled:
    """All nodes of an order and the arcs that recipe, arms, dial and stations ask for (no coordination yet).

    Args:
        cell: The cell.
        schedule: What is done in every cycle.
        joints: The joints in the order of their places.
        visit_of: The visit of a model, operation, arm and dial position.
        legs_of: The legs of an arm's visit that follows another, or none.
        indices: The window in which the dial stands.
        ended: Nodes that have ended: visits that are over tell nothing about where an arm stands.
        begun: Nodes that were begun: an arm that draws back does so although it might not have to any more.
    """
    return _Unroller(cell, schedule, joints, visit_of, legs_of, indices, ended, begun).build()


class _Unroller:
    def __init__(
        self,
        cell: Cell,
        schedule: Schedule,
        joints: Sequence[Entering],
        visit_of: VisitOf,
        legs_of: LegsOf,
        indices: int,
        ended: Collection[Key],
        begun: Collection[Key],
    ) -> None:
        self.begun = begun
        self.cell, self.schedule, self.indices, self.ended = cell, schedule, indices, ended
        self.joints = {joint.place: joint for joint in joints}
        self.visit_of, self.legs_of = visit_of, legs_of
        self.recipes: dict[str, Recipe] = {joint.model.name: recipe_for(joint.model) for joint in joints}
        self.graph = Unrolled()
        self.turns: dict[tuple[str, int], _Turn] = {}

    def build(self) -> Unrolled:
        self._to_do = {(joint, number) for _, joint, number in self._joint_times()}
        self._arms()
        self._tests()
        self._precedence()
        self._dial()
        self._stations()
        return self.graph

    def _node(self, before: Sequence[int], **facts: object) -> int:
        node = Node(id=len(self.graph.nodes), **facts)  # type: ignore[arg-type]
        self.graph.nodes.append(node)
        self.graph.predecessors.append(set(before))
        return node.id

    def _arc(self, before: int, after: int) -> None:
        self.graph.predecessors[after].add(before)

    def _facts(self, place: int) -> dict[str, object]:
        joint = self.joints[place]
        return {"joint": place, "serial": joint.serial, "model": joint.model.name}

    def _recipe(self, place: int) -> Recipe:
        return self.recipes[self.joints[place].model.name]

    def _joint_times(self) -> list[tuple[int, int, str]]:
        """(start tick, place, operation) of everything that is to be done, in order of time."""
        times = [
            (planned.start + place * self.schedule.cycle_time, place, planned.operation)
            for place in self.joints
            for planned in self._schedule(place).operations
            if planned.operation not in self.joints[place].done
        ]
        return sorted(times)

    def _schedule(self, place: int) -> Schedule:
        return self.joints[place].schedule or self.schedule

    def _arms(self) -> None:
        last: dict[str, Visit] = {}
        self.graph.chains = {arm.id: [] for arm in self.cell.arms}
        for _, joint, number in self._joint_times():
            planned = self._schedule(joint)[number]
            operation = self._recipe(joint).operation(number)
            if not operation.arm:
                continue
            position = planned.mode.position if planned.mode.position >= 0 else None
            visit = self.visit_of(self.joints[joint].model, number, planned.mode.arm, position)
            drawn_back = (
                visit.arm,
                number,
                self.joints[joint].serial,
                1 + len(visit.rest),
                RETREAT,
            ) in self.begun
            if drawn_back or not self._followed(planned, joint):
                visit = visit.drawn_back
            chain = self.graph.chains[visit.arm]
            legs = self.legs_of(visit.arm, last.get(visit.arm), visit)
            ids = []
            touching = [leg for leg in legs if leg.zone is Zone.INSIDE or leg.process is not None]
            entering_leg = next((leg for leg in legs if leg.zone is Zone.INSIDE), None)
            for part, leg in enumerate(legs, -1 if legs[0].name == START else 0):
                node = self._node(
                    chain[-1:],
                    resource=visit.arm,
                    label=leg.name,
                    duration_s=leg.duration_s,
                    operation=number,
                    part=part,
                    zone=leg.zone.value,
                    leg=leg,
                    begins=leg is touching[0],
                    enters=leg is entering_leg,
                    ends=leg is touching[-1],
                    finishes=number == UNLOAD and leg.name == "release",
                    **self._facts(joint),
                )
                chain.append(node)
                ids.append(node)
            self.turns[number, joint] = _Turn(
                operation=operation,
                joint=joint,
                window=None if position is None else joint + position,
                ids=tuple(ids),
                zones=tuple(leg.zone for leg in legs),
                names=tuple(leg.name for leg in legs),
            )
            if self.graph.nodes[ids[-1]].key not in self.ended:
                last[visit.arm] = visit

    def _followed(self, planned: ScheduledOperation, place: int) -> bool:
        """Whether the visit that follows in the repeating cycle takes the arm away: at first and last it may be missing."""
        cycle = self.schedule.cycle_time
        later, start, operation = min(
            ((other.start - planned.start - 1) % cycle, other.start, other.operation)
            for other in self.schedule.operations
            if other.mode.arm == planned.mode.arm
        )
        joint = self.joints.get(place + (planned.start + 1 + later - start) // cycle)
        return joint is not None and operation not in joint.done

    def _tests(self) -> None:
        for joint in self.joints:
            for operation in self._recipe(joint).operations:
                if operation.arm or (joint, operation.number) not in self._to_do:
                    continue
                position = self._schedule(joint)[operation.number].mode.position
                node = self._station(
                    f"P{position}", operation.name, operation.core_s, joint, operation.number
                )
                self.turns[operation.number, joint] = _Turn(
                    operation=operation,
                    joint=joint,
                    window=joint + position,
                    ids=(node,),
                    zones=(Zone.INSIDE,),
                    names=("test",),
                )

    def _station(
        self, station: str, label: str, duration_s: float, joint: int | None, operation: str = ""
    ) -> int:
        facts = {} if joint is None else self._facts(joint)
        cycle = StationCycle(
            id=len(self.graph.nodes),
            station=station,
            duration_s=duration_s,
            serial="" if joint is None else self.joints[joint].serial,
            model="" if joint is None else self.joints[joint].model.name,
        )
        return self._node(
            (),
            resource=station,
            label=label,
            duration_s=duration_s,
            operation=operation,
            cycle=cycle,
            begins=bool(operation),
            ends=bool(operation),
            **facts,
        )

    def _precedence(self) -> None:
        """Within one joint: needs across stations, and the order in a nest."""
        for joint in self.joints:
            at_nest: dict[int, list[tuple[int, _Turn]]] = {}
            for operation in self._recipe(joint).operations:
                turn = self.turns.get((operation.number, joint))
                if turn is None:
                    continue
                if turn.window is not None:
                    at_nest.setdefault(turn.window, []).append(
                        (self._schedule(joint)[operation.number].enter, turn)
                    )
                for need in operation.needs:
                    before = self.turns.get((need, joint))
                    if before is None or (before.window is not None and before.window != turn.window):
                        continue  # it is done, or the dial orders them
                    self._arc(before.last(Zone.INSIDE), turn.first(Zone.INSIDE))
            for visits in at_nest.values():
                visits.sort(key=lambda item: item[0])
                for (_, one), (_, two) in pairwise(visits):
                    self._arc(one.last(Zone.INSIDE), two.first(Zone.INSIDE))

    def _dial(self) -> None:
        """An index when every visit of a window has left its nest; the next window's enter after it."""
        windows: dict[int, list[_Turn]] = {}
        for turn in self.turns.values():
            if turn.window is not None:
                windows.setdefault(turn.window, []).append(turn)
        previous: int | None = None
        for window in range(self.indices + 1, max(windows, default=0) + 1):
            index = self._station("dial", f"index {window}", self.cell.dial.index_s, None)
            if previous is not None:
                self._arc(previous, index)
            for turn in windows.get(window - 1, []):
                self._arc(turn.last(Zone.INSIDE), index)
            for turn in windows.get(window, []):
                self._arc(index, turn.first(Zone.INSIDE))
            previous = index

    def _stations(self) -> None:
        """Feeders present, press and bench work, the out tray takes away: each in the order of its visits."""
        free: dict[str, int] = {}  # the node after which a feeder or the out tray is free again
        for _, joint, number in self._joint_times():
            turn = self.turns[number, joint]
            for step in turn.operation.steps:
                if isinstance(step, Pick) and step.station.startswith("feeder_"):
                    present = self._station(step.station, "present", self.cell.motion.present_s, joint)
                    if step.station in free:
                        self._arc(free[step.station], present)
                    self._arc(present, turn.named("fetch"))
                    free[step.station] = turn.named("carry")
                elif isinstance(step, Place) and step.station == "out_tray":
                    taken = self._station(step.station, "take away", self.cell.motion.present_s, joint)
                    self._arc(turn.ids[-1], taken)
                    if step.station in free:
                        self._arc(free[step.station], turn.first(Zone.AFTER))
                    free[step.station] = taken
        self._processes()

    def _processes(self) -> None:
        """Press and bench: loaded, worked, unloaded before the next load."""
        taken_out: dict[str, int] = {}
        for joint in self.joints:
            for own in self._recipe(joint).processes:
                unload = self.turns.get((own.unload, joint))
                if unload is None:
                    continue
                loads = [turn for number in own.loads if (turn := self.turns.get((number, joint)))]
                duration = own.core_s + 2 * self.cell.motion.shuttle_s
                node = self._station(own.station, "process", duration, joint)
                self._arc(node, unload.named("fetch"))
                if loads:
                    self._arc(loads[-1].last(Zone.INSIDE), node)
                    if own.station in taken_out:
                        self._arc(taken_out[own.station], loads[0].first(Zone.INSIDE))
                taken_out[own.station] = unload.named("carry")
