"""Plans made from a moment of a line, in whatever thread.

`Drafting` is what a line knew at that moment, so that nothing is shared with the line while it goes on; only the planner
and what is decided for the cell are, and those belong to whoever drafts, one draft after the other.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.driver import ArmState
from cells.joint_model import load_joint_model
from controller.execution.resuming import Resumed, interrupted
from controller.execution.state import CellState, Course
from controller.execution.takeover import Takeover
from controller.execution.work import UnderWay, Visit, Work, given, leaving, left
from controller.motion.coordinate import DeadlockError
from controller.motion.event_graph import EventGraph, Node
from controller.motion.plan import MotionPlan, MotionPlanner
from controller.motion.poses import UnreachableError
from controller.motion.renewal import Stand, TooLateError, Whereabouts
from controller.motion.unroll import Entering
from controller.motion.volumes import CollisionError
from controller.motion.way_home import HOME, RETURN, NoWayError
from controller.rearranging import NoArrangementError
from kinematics import KinematicsError

FloatArray = NDArray[np.float64]

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A plan that nobody follows yet.

    Attributes:
        where: What it was made from.
        course: The plan.
        starts_s: (n,) planned start of every node [s].
        moment: Progress in the plan before, at the moment it was made from; None when that one is void.
        time_ns: That moment.
        sha256: Of what is planned: who does what, in which order, for how long.
    """

    where: Whereabouts
    course: Course
    starts_s: FloatArray
    moment: CellState | None
    time_ns: int
    sha256: str


class Drafting:
    """A moment of a line.

    Args:
        planner: Plans motion.
        takeover: Who makes which joint, at this moment.
        work: What has been done.
        course: The plan that is followed.
        state: Progress in it.
        readings: What every arm reported last.
        earliest: The first place that a further joint can have.
        time_ns: The moment.
    """

    def __init__(
        self,
        planner: MotionPlanner,
        takeover: Takeover,
        work: Work,
        course: Course,
        state: CellState,
        readings: Mapping[str, ArmState],
        earliest: int,
        time_ns: int,
    ) -> None:
        self._planner = planner
        self._work = work.copy()
        self._takeover = takeover.at(self._work)
        self._course = course
        self._state = state
        self._readings = dict(readings)
        self._earliest = earliest
        self._time_ns = time_ns

    def begin(self, joints: Sequence[JointToMake], indices: int) -> Draft:
        """A plan from where every arm stands, with what it holds.

        Everything must be at rest and enabled. What was interrupted by a halt is finished; joints that are not among
        ``joints`` any more are left out, and what their arms held counts as taken out of the hand. Arms that stand
        where they are not known to (after a restart, or moved by hand) first go home, with empty hands.

        Args:
            joints: All joints in work and to come, in the order of their places.
            indices: How often the dial has turned: the window in which it stands.

        Raises:
            PlanError: When there is no plan.
        """
        course, state, work = self._course, self._state, self._work
        known = [_entering(joint) for joint in joints]
        gone = [work.joints[serial] for serial in sorted(leaving(course, state))]
        going_on = {joint.serial: joint for joint in (*known, *gone)}
        finishing = self._takeover.only_finishes(known)
        visits: dict[str, UnderWay] = {}
        abandoned: set[Visit] = set()
        for arm in self._planner.cell.arms:
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
        return self._draft(where, graph, graph.planned_starts(), None)

    def extend(self, joints: Sequence[JointToMake]) -> Draft:
        """A plan with more joints behind those of the running plan; nothing that was given changes.

        Raises:
            PlanError: When they cannot be added now. Try again later.
        """
        for joint in joints:
            if joint.place < self._earliest:
                raise PlanError(
                    f"joint {joint.serial} at place {joint.place}: too late (allowed: from {self._earliest} on)"
                )
        work, course, state = self._work, self._course, self._state
        for node in left(course, state):
            if node.label in (HOME, RETURN):  # and everybody else waits for it
                raise PlanError(f"{node.resource} is on its way first")
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
            indices=work.indices,
            stands=stands,
            ended=frozenset(work.ended),
            begun={key: node.leg for key, node in begun.items()},
        )
        try:
            plan = self._renewed(where)
        except (*_PLANNING_ERRORS, ValueError) as error:
            raise PlanError(str(error)) from error
        return self._draft(where, plan.graph, plan.starts_s, state)

    # --- inside -------------------------------------------------------------------------------------------

    def _draft(
        self, where: Whereabouts, graph: EventGraph, starts_s: FloatArray, moment: CellState | None
    ) -> Draft:
        plan = hashlib.sha256()
        for node, before in zip(graph.nodes, graph.predecessors, strict=True):
            plan.update(f"{node.key} {node.duration_s:.6f} {before}\n".encode())
        return Draft(
            where=where,
            course=Course(graph),
            starts_s=starts_s,
            moment=moment,
            time_ns=self._time_ns,
            sha256=plan.hexdigest(),
        )

    def _renewed(self, where: Whereabouts) -> MotionPlan:
        choice = self._takeover.choice
        retreats = choice.retreats | self._takeover.retreats(where.joints)
        return self._planner.renew(
            choice.schedule, where, retreats=retreats, passing=choice.passing, rules=choice.rules
        )

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
            resumed = {arm.id: self._resumed(arm, visits, home) for arm in self._planner.cell.arms}
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
        q = self._readings[arm.id].q
        node = self._work.halted_in(self._course, self._state, arm.id)
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


def _entering(joint: JointToMake) -> Entering:
    return Entering(
        serial=joint.serial, model=load_joint_model(joint.model), place=joint.place, done=joint.done
    )


def _in_order(joints: Iterable[Entering]) -> tuple[Entering, ...]:
    return tuple(sorted(joints, key=lambda joint: joint.place))


def _goes_on(node: Node, wanted: Mapping[str, Entering]) -> bool:
    return node.serial in wanted and node.operation not in wanted[node.serial].done
