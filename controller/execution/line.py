"""Arms and stations of one cell at work on a plan that is renewed from wherever they are.

The plan covers the joints in work and a few more; `Line.extend` adds joints behind them while everything goes on, and
`Line.begin` plans again after a stop, from the measured poses: what was interrupted is finished along the rest of its path,
arms that stand elsewhere first go home one after the other. Nothing here knows orders, states of the cell or files.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.driver import ArmDriver, ArmState, Clock, StationDriver, Status, StopCategory
from cells.joint_model import load_joint_model
from controller.choice import Choice
from controller.execution.engine import Engine
from controller.execution.state import CellState, Ended, Event
from controller.motion.coordinate import DeadlockError
from controller.motion.event_graph import EventGraph, Key, Node
from controller.motion.plan import MotionPlan, MotionPlanner
from controller.motion.poses import UnreachableError
from controller.motion.renewal import Stand, TooLateError, Whereabouts
from controller.motion.rest_of_leg import rest_of_leg
from controller.motion.unroll import Entering
from controller.motion.visit import START, Leg
from controller.motion.volumes import CollisionError
from controller.motion.way_home import HOME, RETURN, NoWayError
from kinematics import KinematicsError

FloatArray = NDArray[np.float64]
Listener = Callable[[Event], None]

_ON_PATH_RAD = 1e-3  # an arm this near to where it should be goes on from there, as drivers allow
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
        choice: What is decided for the cell, whatever the order of the joints.
        arms: Drivers by the arms' names, connected.
        stations: Driver of all stations.
        clock: Time of the cell.
        listener: Called with every event; `graph` is that of the event then.
    """

    def __init__(
        self,
        cell: Cell,
        planner: MotionPlanner,
        choice: Choice,
        arms: Mapping[str, ArmDriver],
        stations: StationDriver,
        clock: Clock,
        listener: Listener,
    ) -> None:
        self.cell = cell
        self.clock = clock
        self.origin_ns = clock.now_ns
        self.starts_s: FloatArray = np.zeros(0)
        self.indices = 0
        self.giving = True
        self.ahead = 1
        self._planner = planner
        self._choice = choice
        self._arms = arms
        self._listener = listener
        self._joints: dict[str, Entering] = {}
        self._ended: set[Key] = set()
        self._stands: dict[str, Stand] = {}  # where arms are known to rest
        self._begun: set[Key] = set()  # legs whose rest the plan begins with
        self._engine = Engine(_EMPTY, arms, stations, clock, self._listen)

    # --- looking ------------------------------------------------------------------------------------------

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
        cycle, schedule = self._choice.schedule.cycle_time, self._choice.schedule
        dial = self.state.progress.get("dial")
        turning = dial is not None and dial.given > dial.ended
        place = max([joint.place + 1 for joint in self._joints.values()], default=0)
        place = max(place, self.indices + turning)
        latest: dict[int, int] = {}  # planned start of what each arm was given last
        for name, node in self._given_last().items():
            if node.operation in {planned.operation for planned in schedule.operations}:
                arm = next(k for k, arm in enumerate(self.cell.arms) if arm.id == name)
                latest[arm] = node.joint * cycle + schedule[node.operation].start
        for planned in schedule.operations:
            if planned.mode.arm in latest:
                place = max(place, (latest[planned.mode.arm] - planned.start) // cycle + 1)
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
        wanted = {joint.serial: _entering(joint) for joint in joints}
        wanted |= {serial: joint for serial, joint in self._joints.items() if self._leaving(serial)}
        begun: dict[Key, Leg | None] = {}
        stands: dict[str, Stand] = {}
        ways: dict[str, tuple[str, FloatArray]] = {}
        now: dict[str, Stand] = {}
        for arm in self.cell.arms:
            q = self.readings[arm.id].q
            node = self._interrupted(arm.id)
            if node is not None and node.leg is not None and self._goes_on(node, wanted):
                rest = rest_of_leg(node.leg, q, arm.arm.limits)
                begun[node.key] = rest.leg
                goal, label, held = rest.leg.trajectory.q[0], RETURN, node.leg.held
                stands[arm.id] = Stand(q=rest.leg.trajectory.q[-1], held=node.leg.held_after)
            elif node is None and arm.id in self._stands:
                stands[arm.id] = self._stands[arm.id]
                goal, label, held = self._stands[arm.id].q, RETURN, self._stands[arm.id].held
            else:
                goal, label, held = self._planner.park(arm.id), HOME, None
                stands[arm.id] = Stand(q=goal)
            now[arm.id] = Stand(q=q, held=held)
            if np.abs(goal - q).max() > _ON_PATH_RAD:
                ways[arm.id] = label, goal
        where = Whereabouts(
            joints=tuple(sorted(wanted.values(), key=lambda joint: joint.place)),
            indices=indices,
            stands=stands,
            ended=frozenset(self._ended),
            begun=begun,
        )
        try:
            plan = self._renewed(where)
            graph = self._planner.after_ways(plan.graph, now, ways) if ways else plan.graph
        except _PLANNING_ERRORS as error:
            raise PlanError(str(error)) from error
        self._engine.adopt(graph, {})
        self._keep(where)
        self.starts_s, self.origin_ns = graph.planned_starts(), self.clock.now_ns

    def extend(self, joints: Sequence[JointToMake]) -> None:
        """Plan more joints behind those of the running plan; nothing that was given changes.

        Raises:
            PlanError: When they cannot be added now; the running plan stays. Try again later.
        """
        begun: dict[Key, Leg | None] = {}
        stands = dict(self._stands)
        given = [node for name in self.state.progress for node in self._under_way(name)]
        for node in given:
            begun[node.key] = node.leg
            if node.leg is not None:
                stands[node.resource] = Stand(q=node.leg.trajectory.q[-1], held=node.leg.held_after)
        left = {node.serial for node in self._left()}
        known = [joint for serial, joint in self._joints.items() if serial in left]
        where = Whereabouts(
            joints=(*known, *(_entering(joint) for joint in joints)),
            indices=self.indices,
            stands=stands,
            ended=frozenset(self._ended),
            begun=begun,
        )
        try:
            plan = self._renewed(where)
            numbers = {node.key: node.id for node in plan.graph.nodes}
            self._engine.adopt(
                plan.graph, {node.id: numbers[node.key] for node in given if node.key in numbers}
            )
        except (*_PLANNING_ERRORS, ValueError) as error:
            raise PlanError(str(error)) from error
        self._keep(where)
        self.starts_s, self.origin_ns = plan.starts_s, self.clock.now_ns

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

    # --- inside -------------------------------------------------------------------------------------------

    def _renewed(self, where: Whereabouts) -> MotionPlan:
        choice = self._choice
        return self._planner.renew(choice.schedule, where, retreats=choice.retreats, rules=choice.rules)

    def _keep(self, where: Whereabouts) -> None:
        """Remember the joints of the plan, and of what has ended only what belongs to them."""
        self._joints = {joint.serial: joint for joint in where.joints}
        self._ended = {key for key in self._ended if key[2] in self._joints}
        self._begun = set(where.begun)
        moving = {key[0] for key in where.begun}
        self._stands = {arm: stand for arm, stand in where.stands.items() if arm not in moving}
        self.indices = where.indices

    def _listen(self, event: Event) -> None:
        if isinstance(event, Ended):
            node = self.graph.nodes[event.node]
            if node.serial:
                self._ended.add(node.key)
            if node.leg is not None:
                self._stands[node.resource] = Stand(q=node.leg.trajectory.q[-1], held=node.leg.held_after)
            if node.resource == "dial":
                self.indices += 1
        self._listener(event)

    def _under_way(self, resource: str) -> Iterable[Node]:
        """Nodes of a resource that were given and have not ended."""
        progress = self.state.progress[resource]
        chain = self._engine.course.chains[resource]
        return (self.graph.nodes[node] for node in chain[progress.ended : progress.given])

    def _interrupted(self, arm: str) -> Node | None:
        """The leg in which an arm was halted, or which it was about to go on with."""
        progress = self.state.progress.get(arm)
        if progress is None:
            return None
        for place, number in enumerate(self._engine.course.chains[arm][progress.ended :], progress.ended):
            node = self.graph.nodes[number]
            if node.label in (HOME, RETURN):
                continue  # on its way to it
            return (
                node if node.label != START and (place < progress.given or node.key in self._begun) else None
            )
        return None

    def _given_last(self) -> Mapping[str, Node]:
        """By resource the node that it was given last."""
        found = {}
        for name, progress in self.state.progress.items():
            if progress.given:
                found[name] = self.graph.nodes[self._engine.course.chains[name][progress.given - 1]]
        return found

    def _left(self) -> Iterable[Node]:
        """Nodes that have not ended."""
        course, state = self._engine.course, self.state
        return (node for node in self.graph.nodes if not course.has_ended(state, node.id))

    def _leaving(self, serial: str) -> bool:
        """Whether a joint has left the cell and something is still to be tidied up after it."""
        own = [node for node in self._left() if node.serial == serial]
        return bool(own) and not any(node.finishes for node in own)

    def _goes_on(self, node: Node, wanted: Mapping[str, Entering]) -> bool:
        return node.serial in wanted and node.operation not in wanted[node.serial].done


def _entering(joint: JointToMake) -> Entering:
    return Entering(
        serial=joint.serial, model=load_joint_model(joint.model), place=joint.place, done=joint.done
    )


def _in_words(node: Node) -> str:
    """What ends with a node, after "R2 to ..."."""
    if node.leg is None:
        return f"end {node.label}"
    place = node.leg.station or node.operation
    return f"leave {place}" if node.label in ("leave", "retreat", "carry") else f"end {node.label} at {place}"
