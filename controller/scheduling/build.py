"""From cell and recipe to a scheduling problem: every (operation, arm, position) that is possible, with its times.

Times come from planned motions. One problem holds one kind of joint; a mix has one for each kind (`build_mix`).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.recipe import NEST, Operation, Pick, Place, Recipe, recipe_for
from controller.motion.cell_visits import CellVisits
from controller.motion.poses import UnreachableError
from controller.motion.shape import moving_capsules
from controller.motion.visit import Visit, Zone
from controller.motion.visit_planner import VisitPlanner
from controller.motion.volumes import CollisionError
from controller.scheduling.mix import Mix
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Buffer, Mode, SchedulingProblem
from controller.scheduling.problem import Operation as ScheduledWork
from kinematics import Body, KinematicsError, Scene, collides

FloatArray = NDArray[np.float64]

# Between two arms in one nest the first has to swing away and the second to come: about two short moves.
_MARGIN_TICKS = 1200


class InfeasibleCellError(Exception):
    """A cell in which an operation cannot be done; the message names it, and for each arm what is in the way."""


@dataclass
class _Poses:
    """Where visits of one arm end, and how they begin, each numbered."""

    ends: list[FloatArray] = field(default_factory=list)
    starts: list[Visit] = field(default_factory=list)

    def end(self, visit: Visit) -> int:
        """Number of the pose in which a visit ends."""
        for index, other in enumerate(self.ends):
            if _same(visit.end, other):
                return index
        self.ends.append(visit.end)
        return len(self.ends) - 1

    def start(self, visit: Visit) -> int:
        """Number of a visit's way in; visits with the same way share it."""
        for index, other in enumerate(self.starts):
            if _same(visit.approach, other.approach) and (visit.final is None) == (other.final is None):
                return index
        self.starts.append(visit)
        return len(self.starts) - 1


def _same(q: FloatArray, other: FloatArray) -> bool:
    return q.shape == other.shape and bool(np.abs(q - other).max() < 1e-6)


def ticks(seconds: float) -> int:
    """Scheduling time: whole milliseconds, rounded up."""
    return int(np.ceil(seconds * 1000 - 1e-6))


def slowest(models: Sequence[JointModel]) -> JointModel:
    """The model with the most core time, the widest one among equals."""

    def work(model: JointModel) -> tuple[float, float]:
        return sum(operation.core_s for operation in recipe_for(model).operations), model.diameter_m

    return max(models, key=work)


def build_problem(
    cell: Cell, models: Sequence[JointModel], progress: Callable[[int, int], None] | None = None
) -> SchedulingProblem:
    """The scheduling problem of a mix of models in a cell.

    Args:
        cell: The cell.
        models: All models of the mix; times are those of the slowest.
        progress: Called with the operations done and their number.

    Raises:
        InfeasibleCellError: When no arm can do an operation anywhere.
    """
    return _build(CellVisits(cell), [recipe_for(slowest(models))], progress)[0]


def build_mix(
    cell: Cell,
    models: Sequence[JointModel],
    progress: Callable[[int, int], None] | None = None,
    visits: CellVisits | None = None,
) -> Mix:
    """The scheduling problems of all kinds of joints of a mix, and how many joints of each a round holds.

    Models of one size and gear take the same times and are one kind.

    Args:
        cell: The cell.
        models: One for each joint of a round, in any order.
        progress: Called with the operations done and their number.
        visits: Of the cell, where what is planned is kept.

    Raises:
        InfeasibleCellError: When no arm can do an operation anywhere, or kinds differ in who can do one.
    """
    kinds: dict[object, JointModel] = {}
    for model in models:
        kinds.setdefault(kind(model), model)
    counts = Counter(kind(model) for model in models)
    recipes = [recipe_for(model) for model in kinds.values()]
    problems = _build(visits or CellVisits(cell), recipes, progress)
    return Mix(problems=tuple(problems), counts=tuple(counts[key] for key in kinds))


def kind(model: JointModel) -> object:
    """What decides a model's times: its size and its gear. Kinds are numbered in the order of their first model."""
    return model.diameter_m, model.length_m, model.gear_size


def _build(
    visits: CellVisits, recipes: Sequence[Recipe], progress: Callable[[int, int], None] | None
) -> list[SchedulingProblem]:
    """One problem for each recipe, all with one table of travel."""
    cell = visits.cell
    poses = [_Poses() for _ in cell.arms]
    done, total = 0, sum(len(recipe.operations) for recipe in recipes)
    kinds = []
    for recipe in recipes:
        operations = []
        taken: dict[str, float] = {}
        for operation in recipe.operations:
            if progress is not None:
                progress(done, total)
            done += 1
            operations.append(_operation(visits, recipe, operation, poses, taken))
        kinds.append((recipe, operations, taken))
    travel, crossings = _travel(poses), _crossings(cell, visits.planners, kinds[0][1])
    return [
        SchedulingProblem(
            positions=cell.dial.positions,
            index_ticks=ticks(cell.dial.index_s),
            operations=tuple(operations),
            travel=travel,
            precedence=tuple(
                (need, operation.number) for operation in recipe.operations for need in operation.needs
            ),
            buffers=tuple(
                Buffer(
                    name=process.station,
                    loads=process.loads,
                    process=ticks(process.core_s + 2 * cell.motion.shuttle_s),
                    unload=process.unload,
                    unload_offset=ticks(taken[process.unload]),
                )
                for process in recipe.processes
            ),
            exclusions=crossings,
            margin=min(ticks(cell.dial.index_s), _MARGIN_TICKS),
        )
        for recipe, operations, taken in kinds
    ]


def _operation(
    visits: CellVisits,
    recipe: Recipe,
    operation: Operation,
    poses: Sequence[_Poses],
    taken: dict[str, float],
) -> ScheduledWork:
    """An operation with all its modes."""
    cell = visits.cell
    modes: list[Mode] = []
    reasons: dict[str, object] = {}
    if not operation.arm:
        modes = [
            Mode(arm=NO_ARM, position=position, inside=ticks(operation.core_s))
            for position in _positions(cell, operation)
            if position is not None
        ]
    else:
        for number in range(len(cell.arms)):
            modes += _modes(visits, recipe, operation, number, poses[number], reasons, taken)
    if not modes:
        why = "\n".join(f"  {arm}: {reason}" for arm, reason in reasons.items())
        raise InfeasibleCellError(
            f"{cell.file}: operation {operation.number} ({operation.name}) of {recipe.model.name} can be done by no "
            f"arm:\n{why}"
        )
    return ScheduledWork(name=operation.number, modes=tuple(modes))


def _crossings(
    cell: Cell, planners: Sequence[VisitPlanner], operations: Sequence[ScheduledWork]
) -> tuple[tuple[tuple[int, int], tuple[int, int]], ...]:
    """Pairs of (arm, position) at which two arms at work would come nearer than the clearance."""
    places = sorted(
        {(m.arm, m.position) for o in operations for m in o.modes if m.arm >= 0 and m.position >= 0}
    )
    bodies = [Body(chain=p.arm.arm.chain, X_WB=p.arm.X_WB, capsules=moving_capsules(p.arm)) for p in planners]
    at_work = {}
    for arm, position in places:
        poses, X_WN = planners[arm].poses, cell.nest(position)
        q6 = poses.nest_q6(position)
        at_work[arm, position] = [
            poses.at(X_WN, height, q6, f"P{position}") for height in (poses.above_m, 0.02)
        ]
    scenes = {
        pair: Scene(bodies=tuple(bodies[arm] for arm in pair)) for pair in combinations(range(len(bodies)), 2)
    }
    return tuple(
        (one, two)
        for one, two in combinations(places, 2)
        if one[0] != two[0]
        and one[1] != two[1]
        and collides(
            scenes[one[0], two[0]], list(product(at_work[one], at_work[two])), cell.clearance.arms_m
        ).any()
    )


def _positions(cell: Cell, operation: Operation) -> list[int | None]:
    """Dial positions at which the right side of the joint is up; a joint is loaded at the first position."""
    if not operation.at_nest:
        return [None]
    if not operation.needs:
        return [0]
    rear = {"rear": True, "front": False, None: None}[operation.side]
    return [p for p in range(cell.dial.positions) if rear is None or cell.dial.rear_up(p) == rear]


def _modes(
    visits: CellVisits,
    recipe: Recipe,
    operation: Operation,
    number: int,
    poses: _Poses,
    reasons: dict[str, object],
    taken: dict[str, float],
) -> list[Mode]:
    """All ways in which one arm can do an operation; why not goes into ``reasons``."""
    planner, arm = visits.planners[number], visits.cell.arms[number]
    if operation.spindle and not arm.tool.spindles:
        reasons[arm.id] = f"its tool {arm.tool.id} has no spindles"
        return []
    modes = []
    for position in _positions(planner.cell, operation):
        if far := _too_far(planner, operation, position):
            reasons.setdefault(arm.id, far)
            continue
        try:
            visit = visits.of(recipe, operation, number, position)
            for leg in (visit.first, *visit.rest):
                visits.volumes.check(arm, leg, operation.number)
        except (UnreachableError, KinematicsError, CollisionError) as error:
            reasons[arm.id] = error  # put into words only when nobody else can do it either
            continue
        if isinstance(operation.steps[0], Pick):
            taken[operation.number] = min(taken.get(operation.number, np.inf), visit.taken_s())
        modes.append(
            Mode(
                arm=number,
                position=OFF_DIAL if position is None else position,
                before=ticks(visit.duration_s(Zone.BEFORE)),
                inside=ticks(visit.duration_s(Zone.INSIDE)),
                after=ticks(visit.duration_s(Zone.AFTER)),
                start=poses.start(visit),
                end=poses.end(visit),
            )
        )
    return modes


def _too_far(planner: VisitPlanner, operation: Operation, position: int | None) -> str:
    """The first place of a visit that is beyond the arm's length, before anything is computed; empty if none is."""
    chain = planner.arm.arm.chain
    reach = chain.a1 + chain.c2 + float(np.hypot(chain.a2, chain.c3))
    base = planner.arm.X_WB[:2, 3]
    for step in operation.steps:
        if isinstance(step, Pick | Place) and step.station != NEST:
            name, place = step.station, planner.cell.stations[step.station].X_WS
        elif position is not None:
            name, place = f"P{position}", planner.cell.nest(position)
        else:
            continue
        short = float(np.hypot(*(place[:2, 3] - base))) - reach
        if short > 0:
            return f"{name} is {1000 * short:.0f} mm beyond its reach of {1000 * reach:.0f} mm"
    return ""


def _travel(poses: Sequence[_Poses]) -> NDArray[np.int64]:
    """Ticks from every end to every start, by arm: what the first leg takes longer than from rest at its beginning."""
    size = max(1, *(len(numbered) for item in poses for numbered in (item.ends, item.starts)))
    travel = np.zeros((len(poses), size, size), dtype=np.int64)
    for number, item in enumerate(poses):
        for start, visit in enumerate(item.starts):
            for end, q in enumerate(item.ends):
                way = visit.legs_from(q)[0].duration_s - visit.first.duration_s
                travel[number, end, start] = max(0, ticks(way))
    return travel
