"""From a schedule to a motion plan: every leg with its trajectory, and the event graph that keeps arms apart."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.fixtures import Fixture, fixtures_of
from cells.joint_model import JointModel
from cells.part import Part
from cells.recipe import Recipe, recipe_for
from cells.tool_shape import hand_capsule
from controller.motion.coordinate import DeadlockError, Rule, coordinate
from controller.motion.event_graph import EventGraph
from controller.motion.poses import ArmPoses
from controller.motion.shape import moving_capsules
from controller.motion.unroll import Unrolled, unroll
from controller.motion.visit import Leg, Visit, VisitPlanner, Zone, still
from controller.scheduling.schedule import Schedule
from kinematics import Boxes, Capsules, Sweep, sweep, sweep_box_distance, sweep_hits

FloatArray = NDArray[np.float64]

# Volumes are swept in steps of this size; what lies between two samples is covered by thicker capsules.
_RESOLUTION_M = 0.02
_HORIZON_CYCLES = 2.0
_COLUMN_M = 0.09  # half width of a base column, as in cells.arm


class CollisionError(Exception):
    """A leg that cannot be moved without touching a fixture; the message names both."""


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
        ends = [
            self.starts_s[node.id] + node.duration_s for node in self.graph.nodes if node.finishes
        ]
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
        self._rests: dict[int, Leg] = {}
        self._volumes = _Volumes(cell)

    def plan(
        self,
        schedule: Schedule,
        order: Sequence[JointModel],
        *,
        retreats: Iterable[tuple[str, str]] = (),
        rules: Mapping[Rule, bool] | None = None,
        improvements: int = 0,
        progress: Callable[[str], None] = lambda text: None,
    ) -> MotionPlan:
        """Plan an order of joints.

        Args:
            schedule: What every arm does in a cycle.
            order: The joints' models.
            retreats: (arm, operation) after which the arm draws back; more are added where arms would wait in a circle.
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
            unrolled = unroll(self.cell, schedule, order, partial(self._visit, retreats), self._legs_between)
            progress("swept volumes")
            for node in unrolled.nodes:
                if node.leg is not None:
                    self._volumes.check(self._arms[node.resource], node.leg, node.operation)
            progress("coordination")
            try:
                found = coordinate(
                    unrolled,
                    partial(self._conflict, unrolled),
                    partial(self._rests_in, unrolled),
                    _HORIZON_CYCLES * schedule.cycle_time / 1000,
                    rules=rules,
                    improvements=improvements,
                )
                break
            except DeadlockError as error:
                # An arm that rests over a shared place after its visit has to draw back.
                pair = {(unrolled.nodes[node].resource, unrolled.nodes[node].operation) for node in error.nodes}
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

    def _conflict(self, unrolled: Unrolled, i: int, j: int) -> bool:
        one, two = unrolled.nodes[i], unrolled.nodes[j]
        assert one.leg is not None
        assert two.leg is not None
        return self._volumes.conflict(self._arms[one.resource], one.leg, self._arms[two.resource], two.leg)

    def _rests_in(self, unrolled: Unrolled, i: int, j: int) -> bool:
        """Whether the end of leg ``i``, held until the arm's next leg begins, is too near to leg ``j``."""
        one, two = unrolled.nodes[i], unrolled.nodes[j]
        assert one.leg is not None
        assert two.leg is not None
        return self._volumes.conflict(
            self._arms[one.resource], self._rest(one.leg), self._arms[two.resource], two.leg
        )

    def _rest(self, leg: Leg) -> Leg:
        """Standing still at the end of a leg; a part gripped there counts as held, one let go no longer."""
        if id(leg) not in self._rests:
            stay = still(leg.trajectory.q[-1])
            self._rests[id(leg)] = replace(leg, name="rest", trajectory=stay, held=leg.held_after)
        return self._rests[id(leg)]

    def _visit(self, retreats: set[tuple[str, str]], model: JointModel, number: str, arm: int, position: int | None) -> Visit:
        """The visit of a model; models of one geometry and one set of screws share it."""
        recipe = self._recipes.setdefault(model.name, recipe_for(model))
        operation = recipe.operation(number)
        back = (self.cell.arms[arm].id, number) in retreats
        key = (operation, model.diameter_m, model.length_m, arm, position, back)
        if key not in self._visits:
            visit = self._planners[arm].plan(recipe, operation, position)
            self._visits[key] = visit.retreat() if back else visit
        return self._visits[key]

    def _legs_between(self, arm: str, last: Visit | None, visit: Visit) -> tuple[Leg, ...]:
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


class _Volumes:
    """Swept volumes of legs, their distances to fixtures, and which of them conflict."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._fixtures = (*fixtures_of(cell), *(_column(arm) for arm in cell.arms))
        self._sweeps: dict[tuple[int, str], Sweep] = {}
        self._capsules: dict[tuple[str, str], Capsules] = {}
        self._conflicts: dict[tuple[int, int], bool] = {}
        self._checked: set[int] = set()
        self._kept: list[Leg] = []  # keys are identities: the legs must live

    def conflict(self, one_arm: CellArm, one: Leg, two_arm: CellArm, two: Leg) -> bool:
        """Whether two legs come nearer than the clearance."""
        key = (id(one), id(two))
        known = self._conflicts.get(key)
        if known is None:
            known = sweep_hits(self._sweep(one_arm, one), self._sweep(two_arm, two), self.cell.clearance.arms_m)
            self._conflicts[key] = known
        return known

    def check(self, arm: CellArm, leg: Leg, operation: str) -> None:
        """Raise CollisionError when a leg touches a fixture that is not the place it works in."""
        if id(leg) in self._checked:
            return
        self._checked.add(id(leg))
        volume = self._sweep(arm, leg)
        others = [
            fixture
            for fixture in self._fixtures
            if not fixture.name.startswith(f"{arm.id}.") and fixture.name.split(".")[0] != _owner(leg.station)
        ]
        boxes = Boxes(
            X_WO=np.array([fixture.X_WO for fixture in others]),
            half=np.array([fixture.half_m for fixture in others]),
        )
        if sweep_box_distance(volume, boxes) < self.cell.clearance.fixtures_m:
            blockers = [
                fixture.name
                for fixture in others
                if sweep_box_distance(
                    volume, Boxes(X_WO=fixture.X_WO[None], half=np.array([fixture.half_m]))
                )
                < self.cell.clearance.fixtures_m
            ]
            raise CollisionError(
                f"{self.cell.file}: {arm.id} {leg.name} of operation {operation} comes nearer than "
                f"{self.cell.clearance.fixtures_m * 1000:.0f} mm to {', '.join(blockers)}"
            )

    def _sweep(self, arm: CellArm, leg: Leg) -> Sweep:
        key = (id(leg), arm.id)
        if key not in self._sweeps:
            self._kept.append(leg)
            self._sweeps[key] = sweep(
                arm.arm.chain, arm.X_WB, self._shape(arm, leg.held), leg.trajectory, _RESOLUTION_M
            )
        return self._sweeps[key]

    def _shape(self, arm: CellArm, held: Part | None) -> Capsules:
        key = (arm.id, repr(hand_capsule(arm.tool, held)))
        if key not in self._capsules:
            self._capsules[key] = moving_capsules(arm, held)
        return self._capsules[key]


def _column(arm: CellArm) -> Fixture:
    """The base column of an arm, in the way of the others."""
    height = arm.arm.chain.c1
    X_WO = arm.X_WB.copy()
    X_WO[2, 3] += height / 2
    return Fixture(name=f"{arm.id}.column", X_WO=X_WO, half_m=(_COLUMN_M, _COLUMN_M, height / 2))


def _owner(station: str) -> str:
    """Name by which fixtures of a leg's own station begin."""
    return f"nest{station[1:]}" if station.startswith("P") else station
