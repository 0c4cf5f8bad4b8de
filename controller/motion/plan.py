"""From a schedule to a motion plan: every leg with its trajectory, and the event graph that keeps arms apart."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.part import Part
from controller.motion.cell_visits import CellVisits
from controller.motion.coordinate import DeadlockError, Rule, coordinate
from controller.motion.event_graph import EventGraph, Node
from controller.motion.passing import Passing
from controller.motion.renewal import Stand, Whereabouts, overtaken, remaining, stand
from controller.motion.unroll import Unrolled, entering, unroll
from controller.motion.visit import START, Leg, Visit, Zone, standing
from controller.motion.way_home import nests_reached_into, ways
from controller.scheduling.schedule import Schedule

FloatArray = NDArray[np.float64]

_HORIZON_CYCLES = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionPlan:
    """What the engine runs, with the facts a report needs.

    Attributes:
        graph: The event graph of the whole order.
        starts_s: Planned start of every node [s].
        schedule: The repeating schedule it was made from.
        order: The joint models in the order they enter.
        conflicts: Pairs of legs whose volumes come nearer than the clearance.
        rules: Who passes first where, see `controller.motion.coordinate`.
        turned: Rules that were turned round to save time.
        retreats: (arm, operation) after which the arm draws back to its parking place.
    """

    graph: EventGraph
    starts_s: FloatArray
    schedule: Schedule
    order: tuple[JointModel, ...]
    conflicts: int
    rules: Mapping[Rule, bool]
    turned: int
    retreats: tuple[tuple[str, str], ...]

    def finished_s(self) -> FloatArray:
        """Planned times at which joints leave the cell [s]."""
        ends = [self.starts_s[node.id] + node.duration_s for node in self.graph.nodes if node.finishes]
        return np.array(ends)


class MotionPlanner:
    """Plans orders in one cell; visits and swept volumes are kept, so that a second plan is quick."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self.visits = CellVisits(cell)
        self.volumes = self.visits.volumes
        self._poses = self.visits.poses
        self._arms = {arm.id: arm for arm in cell.arms}
        self._legs: dict[tuple[str, bytes, int], tuple[Leg, ...]] = {}
        self._stands: dict[tuple[str, bytes, Part | None], Leg] = {}

    def plan(
        self,
        schedule: Schedule,
        order: Sequence[JointModel],
        *,
        retreats: Iterable[tuple[str, str]] = (),
        passing: Passing | None = None,
        rules: Mapping[Rule, bool] | None = None,
        improvements: int = 0,
        out_of_use: Iterable[str] = (),
        progress: Callable[[str], None] = lambda text: None,
    ) -> MotionPlan:
        """Plan an order of joints.

        Args:
            schedule: What every arm does in a cycle.
            order: The joints' models.
            retreats: (arm, operation) after which the arm draws back; more are added where arms would wait in a circle.
            passing: Times of the repeating cycle in whose order arms pass; by default those planned without coordination.
            rules: Rules of passing found earlier; others follow those times.
            improvements: How many changes of a rule may be tried.
            out_of_use: Arms that stand aside and do nothing; they may be in the way there.
            progress: Called with what is being done.

        Raises:
            UnreachableError, KinematicsError: When an arm cannot do a visit of one of the models.
            CollisionError: When a leg touches a fixture.
            DeadlockError: When two arms are in each other's way in both orders.
        """
        retreats = set(retreats)
        while True:
            progress("visits")
            unrolled = unroll(
                self.cell, schedule, entering(order), partial(self.visit, retreats), self._legs_from_park
            )
            for arm in out_of_use:
                stand(unrolled, arm, self._standing(arm, self.aside(arm), None))
            progress("swept volumes")
            numbers = self._numbers(unrolled)
            progress("coordination")
            try:
                found = coordinate(
                    unrolled,
                    numbers,
                    self.volumes,
                    _HORIZON_CYCLES * schedule.cycle_time / 1000,
                    passing=None if passing is None else passing.times(unrolled, schedule.cycle_time / 1000),
                    rules=rules,
                    improvements=improvements,
                )
                break
            except DeadlockError as error:
                # An arm that rests over a shared place after its visit has to draw back.
                pair = {
                    (unrolled.nodes[node].resource, unrolled.nodes[node].operation) for node in error.nodes
                }
                if pair <= retreats:
                    raise
                retreats |= pair
        return MotionPlan(
            graph=found.graph,
            starts_s=found.starts_s,
            schedule=schedule,
            order=tuple(order),
            conflicts=found.conflicts,
            rules=found.rules,
            turned=found.turned,
            retreats=tuple(sorted(retreats)),
        )

    def renew(
        self,
        schedule: Schedule,
        where: Whereabouts,
        *,
        retreats: Iterable[tuple[str, str]],
        passing: Passing | None = None,
        rules: Mapping[Rule, bool] | None = None,
    ) -> MotionPlan:
        """Plan a cell that is at work, from where everything is.

        Args:
            schedule: What every arm does in a cycle.
            where: Joints in work and to come, and what was done and begun of them.
            retreats: (arm, operation) after which the arm draws back, as in the plan the cell has worked through so far.
            passing: As in `plan`.
            rules: Rules of passing found earlier.

        Raises:
            UnreachableError, KinematicsError, CollisionError, DeadlockError: As `plan` does.
            TooLateError: When a joint would have to be begun before what has begun already.
        """
        retreats = frozenset(retreats)

        def legs_of(arm: str, last: Visit | None, visit: Visit) -> tuple[Leg, ...]:
            return self.legs_from(arm, where.stands[arm].q if last is None else last.end, visit)

        visit_of = partial(self.visit, retreats)

        def unrolled() -> Unrolled:
            return unroll(
                self.cell, schedule, where.joints, visit_of, legs_of, where.indices, where.ended, where.begun
            )

        whole = unrolled()
        if past := overtaken(whole, where):
            where = replace(where, ended=where.ended | past)
            whole = unrolled()
        left = remaining(whole, where, self._standing)
        numbers, horizon_s = self._numbers(left), _HORIZON_CYCLES * schedule.cycle_time / 1000
        times = None if passing is None else passing.times(left, schedule.cycle_time / 1000)
        found = coordinate(left, numbers, self.volumes, horizon_s, passing=times, rules=rules)
        return MotionPlan(
            graph=found.graph,
            starts_s=found.starts_s,
            schedule=schedule,
            order=tuple(joint.model for joint in where.joints),
            conflicts=found.conflicts,
            rules=found.rules,
            turned=0,
            retreats=tuple(sorted(retreats)),
        )

    def park(self, arm: str) -> FloatArray:
        """Joints (6,) of an arm's parking place [rad]."""
        return self._poses[arm].park

    def aside(self, arm: str) -> FloatArray:
        """Joints (6,) of an arm out of use [rad]."""
        return self._poses[arm].aside

    def nests_reached_into(self, arm: str, stand: Stand) -> list[str]:
        """Nests of the dial that an arm reaches into where it stands."""
        return nests_reached_into(self.cell, self._arms[arm], stand)

    def after_ways(
        self, graph: EventGraph, stands: Mapping[str, Stand], goals: Mapping[str, tuple[str, FloatArray]]
    ) -> EventGraph:
        """The graph with ways to go first: (label, goal (6,) [rad]) by arm, one arm after the other from where all stand.

        Raises:
            NoWayError: When an arm finds none.
        """
        found = ways(self.cell, self._poses, stands, {arm: goal for arm, (_, goal) in goals.items()})
        nodes, predecessors = list(graph.nodes), list(graph.predecessors)
        last = len(nodes) + len(found) - 1
        predecessors = [before or (last,) for before in predecessors]
        for way in found:
            held = stands[way.arm].held
            leg = Leg(
                name=goals[way.arm][0],
                zone=Zone.BEFORE,
                trajectory=way.trajectory,
                held=held,
                held_after=held,
            )
            predecessors.append((len(nodes) - 1,) if len(nodes) > len(graph.nodes) else ())
            nodes.append(
                Node(
                    id=len(nodes),
                    resource=way.arm,
                    label=leg.name,
                    duration_s=leg.duration_s,
                    zone=leg.zone.value,
                    leg=leg,
                )
            )
        return EventGraph(
            nodes=tuple(nodes), predecessors=tuple(predecessors), coordination=graph.coordination
        )

    def visit(
        self,
        retreats: Collection[tuple[str, str]],
        model: JointModel,
        number: str,
        arm: int,
        position: int | None,
    ) -> Visit:
        """The visit of a model, with a way to the parking place at its end where the arm draws back."""
        recipe = self.visits.recipe(model)
        back = (self.cell.arms[arm].id, number) in retreats
        return self.visits.of(recipe, recipe.operation(number), arm, position, back=back)

    def _numbers(self, unrolled: Unrolled) -> NDArray[np.int64]:
        """Number of each node's swept volume; 0 for nodes of stations.

        Raises:
            CollisionError: When a leg touches a fixture.
        """
        numbers = np.zeros(len(unrolled.nodes), dtype=np.int64)
        for node in unrolled.nodes:
            if node.leg is not None:
                arm = self._arms[node.resource]
                if node.label != START:  # an arm may stand where only a leg that serves that place may go
                    self.volumes.check(arm, node.leg, node.operation)
                numbers[node.id] = self.volumes.number(arm, node.leg)
        return numbers

    def _legs_from_park(self, arm: str, last: Visit | None, visit: Visit) -> tuple[Leg, ...]:
        """The legs of a visit, from where the arm's last one ended; at the very beginning it stands parked."""
        if last is not None:
            return self.legs_from(arm, last.end, visit)
        parked = self._poses[arm].park
        return self._standing(arm, parked, None), *self.legs_from(arm, parked, visit)

    def _standing(self, arm: str, q: FloatArray, held: Part | None) -> Leg:
        """Standing at ``q`` (6,) [rad] with a part in the hand."""
        return self._stands.setdefault((arm, q.tobytes(), held), standing(q, held))

    def legs_from(self, arm: str, q: FloatArray, visit: Visit) -> tuple[Leg, ...]:
        """The legs of a visit from rest at ``q`` (6,) [rad]; the same legs for the same place, so that volumes are kept."""
        key = (arm, q.tobytes(), id(visit))
        if key not in self._legs:
            self._legs[key] = visit.legs_from(q)
        return self._legs[key]
