"""From a schedule to a motion plan: every leg with its trajectory, and the event graph that keeps arms apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.recipe import Recipe, recipe_for
from controller.motion.coordinate import DeadlockError, Rule, coordinate
from controller.motion.event_graph import EventGraph
from controller.motion.passing import Passing
from controller.motion.poses import ArmPoses
from controller.motion.unroll import unroll
from controller.motion.visit import Leg, Visit, Zone, still
from controller.motion.visit_planner import VisitPlanner
from controller.motion.volumes import Volumes
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
        self._poses = {arm.id: ArmPoses(cell, arm) for arm in cell.arms}
        self._planners = [VisitPlanner(cell, self._poses[arm.id]) for arm in cell.arms]
        self._arms = {arm.id: arm for arm in cell.arms}
        self._recipes: dict[str, Recipe] = {}
        self._visits: dict[tuple[object, ...], Visit] = {}
        self._legs: dict[tuple[str, int, int], tuple[Leg, ...]] = {}
        self.volumes = Volumes(cell)

    def plan(
        self,
        schedule: Schedule,
        order: Sequence[JointModel],
        *,
        retreats: Iterable[tuple[str, str]] = (),
        passing: Passing | None = None,
        rules: Mapping[Rule, bool] | None = None,
        improvements: int = 0,
        progress: Callable[[str], None] = lambda text: None,
    ) -> MotionPlan:
        """Plan an order of joints.

        Args:
            schedule: What every arm does in a cycle.
            order: The joints' models.
            retreats: (arm, operation) after which the arm draws back; more are added where arms would wait in a circle.
            passing: When stretches begin in the repeating cycle; by default in the schedule.
            rules: Rules of passing found earlier.
            improvements: How many changes of a rule may be tried.
            progress: Called with what is being done.

        Raises:
            UnreachableError, KinematicsError: When an arm cannot do a visit of one of the models.
            CollisionError: When a leg touches a fixture.
            DeadlockError: When two arms are in each other's way in both orders.
        """
        retreats = set(retreats)
        while True:
            progress("visits")
            unrolled = unroll(self.cell, schedule, order, partial(self.visit, retreats), self.legs_between)
            progress("swept volumes")
            numbers = np.zeros(len(unrolled.nodes), dtype=np.int64)
            for node in unrolled.nodes:
                if node.leg is not None:
                    arm = self._arms[node.resource]
                    self.volumes.check(arm, node.leg, node.operation)
                    numbers[node.id] = self.volumes.number(arm, node.leg)
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
                print('XXX',error)
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

    def visit(
        self, retreats: set[tuple[str, str]], model: JointModel, number: str, arm: int, position: int | None
    ) -> Visit:
        """The visit of a model; models of one geometry and one set of screws share it."""
        recipe = self._recipes.setdefault(model.name, recipe_for(model))
        operation = recipe.operation(number)
        back = (self.cell.arms[arm].id, number) in retreats
        key = (operation, model.diameter_m, model.length_m, arm, position, back)
        if key not in self._visits:
            visit = self._planners[arm].plan(recipe, operation, position)
            self._visits[key] = visit.drawn_back if back else visit
        return self._visits[key]

    def legs_between(self, arm: str, last: Visit | None, visit: Visit) -> tuple[Leg, ...]:
        """The legs of a visit, from where the arm's last one ended; at the very beginning it stands parked."""
        key = (arm, id(last), id(visit))
        if key not in self._legs:
            if last is None:
                parked = still(self._poses[arm].park)
                start = Leg(name="start", zone=Zone.BEFORE, trajectory=parked)
                self._legs[key] = (start, *visit.legs_from(parked.q[-1]))
            else:
                self._legs[key] = visit.legs_from(last.end)
        return self._legs[key]
