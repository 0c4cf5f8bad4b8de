"""Arms and stations of one cell at work on a plan that is renewed from wherever they are.

The plan covers the joints in work and a few more; `Line.extend` adds joints behind them while everything goes on, and
`Line.begin` plans again after a stop, from the measured poses: what was interrupted is finished along the rest of its path,
arms that stand elsewhere first go home one after the other. An arm that is left out stays where it is, in the way, and the
others finish what is in work and go on without it. Nothing here knows orders, states of the cell or files.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.driver import ArmDriver, ArmState, Clock, StationDriver, Status, StopCategory
from cells.joint_model import load_joint_model
from controller.execution.engine import Engine
from controller.execution.resuming import Resumed, interrupted
from controller.execution.state import CellState, Ended, Event
from controller.execution.takeover import Takeover
from controller.execution.work import UnderWay, Visit, Work, given, leaving, left
from controller.motion.coordinate import DeadlockError
from controller.motion.event_graph import EventGraph, Node
from controller.motion.plan import MotionPlan, MotionPlanner
from controller.motion.poses import UnreachableError
from controller.motion.renewal import Stand, TooLateError, Whereabouts
from controller.motion.unroll import Entering
from controller.motion.visit import RETREAT
from controller.motion.volumes import CollisionError
from controller.motion.way_home import HOME, NoWayError
from controller.rearranging import Arrangements, NoArrangementError
from kinematics import KinematicsError

FloatArray = NDArray[np.float64]
Listener = Callable[[Event], None]

_EMPTY = EventGraph(nodes=(), predecessors=(), coordination=frozenset())
_PLANNING_ERRORS = (
    CollisionError,
    DeadlockError,
    KinematicsError,
    NoWayError,
    TooLateError,
    UnreachableError,
)


class PlanError(Exception):
    """There is no plan; the message says who or what is in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JointToMake:
    """A joint in work or to come.

    Attributes:
        serial: Its serial number.
        model: Name of its model.
        place: It stands at dial position 0 while the dial stands in window ``place``; rises along the order.
        done: Numbers of the operations that are complete.
    """

    serial: str
    model: str
    place: int
    done: frozenset[str] = frozenset()


class Line:
    """See the module. All calls come from one thread.

    Args:
        cell: The cell.
        planner: Plans its motion.
        arrangements: What is decided for the cell, whatever the order of the joints.
        arms: Drivers by the arms' names, connected.
        stations: Driver of all stations.
        clock: Time of the cell.
        listener: Called with every event; `graph` is that of the event then.
    """

    def __init__(
        self,
        cell: Cell,
        planner: MotionPlanner,
        arrangements: Arrangements,
        arms: Mapping[str, ArmDriver],
        stations: StationDriver,
        clock: Clock,
        listener: Listener,
    ) -> None:
        self.cell = cell
        self.clock = clock
        self.origin_ns = clock.now_ns
        self.starts_s: FloatArray = np.zeros(0)
        self.giving = True
        self.ahead = 1
        self._planner = planner
        self._arms = arms
        self._listener = listener
        self._work = Work()
        self._takeover = Takeover(cell, arrangements, self._work)
        self._engine = Engine(_EMPTY, arms, stations, clock, self._listen)

    # --- looking ------------------------------------------------------------------------------------------

    @property
    def indices(self) -> int:
        """The window in which the dial stands or, while it turns, stood."""
        return self._work.indices

    @property
    def graph(self) -> EventGraph:
        """The plan."""
        return self._engine.course.graph

    @property
    def state(self) -> CellState:
        """Progress of every resource in the plan."""
        return self._engine.state

    @property
    def readings(self) -> Mapping[str, ArmState]:
        """What every arm reported last."""
        return self._engine.readings

    @property
    def at_rest(self) -> bool:
        """Whether nothing moved at the last reading."""
        return self._engine.at_rest

    @property
    def idle(self) -> bool:
        """Whether everything given has ended."""
        return self._engine.idle

    @property
    def exhausted(self) -> bool:
        """Whether every node of the plan has ended."""
        return self._engine.exhausted

    @property
    def stuck(self) -> bool:
        """Whether nodes are left of which none can start: something was taken out of the plan that others wait for."""
        return self.idle and not self.exhausted and self.giving and not self._engine.startable(self.ahead)

    @property
    def faults(self) -> Mapping[str, str]:
        """Reasons of arms that have faulted, by name."""
        return {name: state.fault for name, state in self.readings.items() if state.status is Status.FAULT}

    @property
    def next_place(self) -> int:
        """The first place that a further joint can have."""
        if first := self._takeover.first_place:
            return first
        schedule = self._takeover.choice.schedule
        cycle = schedule.cycle_time
        dial = self.state.progress.get("dial")
        turning = dial is not None and dial.given > dial.ended
        place = max([joint.place + 1 for joint in self._work.joints.values()], default=0)
        place = max(place, self.indices + turning)
        for number, arm in enumerate(self.cell.arms):
            node = self._given_last(arm.id)
            if node is None or not node.operation:
                continue
            latest = node.joint * cycle + schedule[node.operation].start
            for planned in schedule.operations:
                if planned.mode.arm == number:
                    place = max(place, (latest - planned.start) // cycle + 1)
        return place

    def waits_for(self, resource: str) -> str:
        """In words, what the next thing a resource does waits for; empty when it is busy or has nothing to do."""
        progress, chain = self.state.progress.get(resource), self._engine.course.chains.get(resource, ())
        if progress is None or progress.given > progress.ended or progress.given == len(chain):
            return ""
        for before in self.graph.predecessors[chain[progress.given]]:
            node = self.graph.nodes[before]
            if node.resource != resource and not self._engine.course.has_ended(self.state, before):
                return f"{node.resource} to {_in_words(node)}"
        return ""

    # --- planning -----------------------------------------------------------------------------------------

    def begin(self, joints: Sequence[JointToMake], indices: int) -> None:
        """Plan from where every arm stands, with what it holds, and adopt the plan.

        Everything must be at rest and enabled. What was interrupted by a halt is finished; joints that are not among
        ``joints`` any more are left out, and what their arms held counts as taken out of the hand. Arms that stand
        where they are not known to (after a restart, or moved by hand) first go home, with empty hands.

        Args:
            joints: All joints in work and to come, in the order of their places.
            indices: How often the dial has turned: the window in which it stands.

        Raises:
            PlanError: When there is no plan; nothing is adopted then.
        """
        self._engine.look()
        course, state, work = self._engine.course, self.state, self._work
        known = [_entering(joint) for joint in joints]
        gone = [work.joints[serial] for serial in sorted(leaving(course, state))]
        going_on = {joint.serial: joint for joint in (*known, *gone)}
        finishing = self._takeover.only_finishes(known)
        visits: dict[str, UnderWay] = {}
        abandoned: set[Visit] = set()
        for arm in self.cell.arms:
            if visit := work.visit_under_way(course, state, arm.id):
                dropped = arm.id in self._takeover.missing or (finishing and visit.could_be_left)
                if dropped or not _goes_on(visit.next, going_on):
                    abandoned.add(visit.next.key[:3])
                else:
                    visits[arm.id] = visit
        try:
            assigned = _in_order(self._takeover.assign(known, gone, indices, visits))
            where, graph = self._from_here(assigned, indices, visits, abandoned)
        except (*_PLANNING_ERRORS, NoArrangementError, ValueError) as error:
            raise PlanError(str(error)) from error
        self._engine.adopt(graph, {})
        self._adopted(where, graph.planned_starts())

    def extend(self, joints: Sequence[JointToMake]) -> None:
        """Plan more joints behind those of the running plan; nothing that was given changes.

        Raises:
            PlanError: When they cannot be added now; the running plan stays. Try again later.
        """
        for joint in joints:
            if joint.place < self.next_place:
                raise PlanError(
                    f"joint {joint.serial} at place {joint.place}: too late (allowed: from {self.next_place} on)"
                )
        work, course, state = self._work, self._engine.course, self.state
        under_way = list(given(course, state))
        begun = {node.key: node for node in [*work.to_resume(course, state), *under_way]}
        stands = dict(work.stands)
        for node in begun.values():
            if node.leg is not None:
                stands[node.resource] = Stand(q=node.leg.trajectory.q[-1], held=node.leg.held_after)
        wanted = {node.serial for node in left(course, state)}
        known = [joint for serial, joint in work.joints.items() if serial in wanted]
        where = Whereabouts(
            joints=_in_order([*known, *(_entering(joint) for joint in joints)]),
            indices=self.indices,
            stands=stands,
            ended=frozenset(work.ended),
            begun={key: node.leg for key, node in begun.items()},
        )
        try:
            plan = self._renewed(where)
            numbers = {node.key: node.id for node in plan.graph.nodes}
            same = {node.id: numbers[node.key] for node in under_way if node.key in numbers}
            self._engine.adopt(plan.graph, same)
        except (*_PLANNING_ERRORS, ValueError) as error:
            raise PlanError(str(error)) from error
        self._adopted(where, plan.starts_s)

    # --- running ------------------------------------------------------------------------------------------

    def tick(self) -> bool:
        """One round: give what may start, let a control period pass, take in what has ended; whether anything happened."""
        return self._engine.tick(give=self.giving, ahead=self.ahead)

    def step(self) -> None:
        """Give every arm and station that waits one node more, while `giving` is off."""
        self._engine.tick(give=True, ahead=0)

    def feed(self, share: float, arm: str = "") -> None:
        """Speed of one arm, or of all, along their paths: 0 holds, 1 is as planned."""
        for name, driver in self._arms.items():
            if arm in ("", name):
                driver.feed(share)

    def halt(self, category: StopCategory, reason: str = "") -> None:
        """Bring every driver to rest on its path and void what is queued; returns at once, see `at_rest`."""
        self._engine.halt(category, reason)

    def drop(self, arm: str) -> None:
        """Leave an arm out, where it stands; takes effect with `begin`.

        Raises:
            PlanError: When the others cannot do without it.
        """
        self._rearrange(self._takeover.missing | {arm})

    def readmit(self, arm: str) -> None:
        """Count on an arm again that was left out; takes effect with `begin`."""
        self._rearrange(self._takeover.missing - {arm})

    # --- inside -------------------------------------------------------------------------------------------

    def _rearrange(self, missing: frozenset[str]) -> None:
        try:
            self._takeover.change(missing)
        except NoArrangementError as error:
            raise PlanError(str(error)) from error
        self._engine.leave_out(missing)

    def _renewed(self, where: Whereabouts) -> MotionPlan:
        choice = self._takeover.choice
        retreats = choice.retreats | self._takeover.retreats(where.joints)
        return self._planner.renew(
            choice.schedule, where, retreats=retreats, passing=choice.passing, rules=choice.rules
        )

    def _adopted(self, where: Whereabouts, starts_s: FloatArray) -> None:
        self._work.planned(where)
        self._takeover.planned()
        self.starts_s, self.origin_ns = starts_s, self.clock.now_ns

    def _from_here(
        self,
        joints: tuple[Entering, ...],
        indices: int,
        visits: Mapping[str, UnderWay],
        abandoned: Collection[Visit],
    ) -> tuple[Whereabouts, EventGraph]:
        """The plan from where all arms stand; an arm that is in the way there, or would run into something, goes home."""
        home: set[str] = set()
        while True:
            resumed = {arm.id: self._resumed(arm, visits, home) for arm in self.cell.arms}
            where = Whereabouts(
                joints=joints,
                indices=indices,
                stands={arm: item.after for arm, item in resumed.items()},
                ended=frozenset(key for key in self._work.ended if key[:3] not in abandoned),
                begun={item.key: item.leg for item in resumed.values() if item.key and item.leg},
            )
            try:
                graph = self._renewed(where).graph
                break
            except (CollisionError, DeadlockError) as error:
                arms = {error.arm} if isinstance(error, CollisionError) else set(error.standing)
                arms -= home | visits.keys() | self._takeover.missing | {""}
                if not arms:
                    raise
                home |= arms
        ways = {arm: (item.label, item.goal) for arm, item in resumed.items() if item.off_path}
        if ways:
            graph = self._planner.after_ways(graph, {arm: item.now for arm, item in resumed.items()}, ways)
        return where, graph

    def _resumed(self, arm: CellArm, visits: Mapping[str, UnderWay], home: Collection[str]) -> Resumed:
        """How an arm goes on from where it stands."""
        q = self.readings[arm.id].q
        node = self._work.halted_in(self._engine.course, self.state, arm.id)
        if arm.id in self._takeover.missing:
            held = node.leg.held if node is not None and node.leg is not None else None
            stand = Stand(q=q, held=held)
            if nests := self._planner.nests_reached_into(arm.id, stand):
                raise PlanError(
                    f"{arm.id} stands in {', '.join(nests)}: move it out by hand, the dial cannot turn"
                )
            return Resumed(now=stand, after=stand, goal=q)
        if arm.id in visits and node is not None:
            return interrupted(node, q, arm.arm.limits)
        known = self._work.stands.get(arm.id)
        if known is not None and node is None and arm.id not in home:
            return Resumed(now=Stand(q=q, held=known.held), after=known, goal=known.q)
        parked = Stand(q=self._planner.park(arm.id))
        return Resumed(now=Stand(q=q), after=parked, goal=parked.q, label=HOME)

    def _listen(self, event: Event) -> None:
        if isinstance(event, Ended):
            self._work.note(event, self.graph.nodes[event.node])
        self._listener(event)

    def _given_last(self, arm: str) -> Node | None:
        """The node that an arm was given last in this plan."""
        progress = self.state.progress.get(arm)
        if progress is None or not progress.given:
            return None
        return self.graph.nodes[self._engine.course.chains[arm][progress.given - 1]]


def _entering(joint: JointToMake) -> Entering:
    return Entering(
        serial=joint.serial, model=load_joint_model(joint.model), place=joint.place, done=joint.done
    )


def _in_order(joints: Iterable[Entering]) -> tuple[Entering, ...]:
    return tuple(sorted(joints, key=lambda joint: joint.place))


def _goes_on(node: Node, wanted: Mapping[str, Entering]) -> bool:
    return node.serial in wanted and node.operation not in wanted[node.serial].done


def _in_words(node: Node) -> str:
    """What ends with a node, after "R2 to ..."."""
    if node.leg is None:
        return f"end {node.label}"
    place = node.leg.station or node.operation
    return f"leave {place}" if node.label in ("leave", RETREAT, "carry") else f"end {node.label} at {place}"
