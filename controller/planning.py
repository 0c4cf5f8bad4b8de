"""From a cell and an order to a motion plan: schedule, coordinate, feed back, choose.

The scheduler does not know where arms get in each other's way on the move, so several of its schedules are coordinated
for a short order of the slowest model and the best is kept. Arms first draw back after every visit, which is always
possible; drawing back is then given up wherever that saves time. The decisions found hold for any order of the mix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cells.cell import Cell
from cells.joint_model import JointModel
from controller.motion.coordinate import DeadlockError
from controller.motion.plan import MotionPlan, MotionPlanner
from controller.motion.volumes import CollisionError
from controller.scheduling.build import build_problem, slowest
from controller.scheduling.problem import NO_ARM, SchedulingProblem
from controller.scheduling.schedule import Schedule
from controller.scheduling.solve import solve

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_CANDIDATES = 24
_ITERATIONS = 60_000
_SPREAD = 1.12  # schedules this much slower than the best one are not worth coordinating


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """A motion plan with what is known about how good it is.

    Attributes:
        motion: The plan.
        lower_bound_s: No plan of this cell and mix can have a shorter mean cycle time.
        candidates: Schedules that were coordinated.
    """

    motion: MotionPlan
    lower_bound_s: float
    candidates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Choice:
    cycle_s: float
    schedule: Schedule
    retreats: frozenset[tuple[str, str]]


def plan_cell(
    cell: Cell, models: Sequence[JointModel], order: Sequence[JointModel], seed: int, progress: Progress
) -> CellPlan:
    """Plan an order of joints.

    Args:
        cell: The cell.
        models: All models of the mix.
        order: The joints in the order in which they enter.
        seed: Of the search; the same seed gives the same plan.
        progress: See `Progress`.

    Raises:
        InfeasibleCellError, InfeasibleProblemError: When an operation cannot be done.
        CollisionError, DeadlockError: When no schedule could be coordinated; the first reason found.
    """
    problem = build_problem(cell, models, lambda done, of: progress("reach and times", done, of))
    planner = MotionPlanner(cell)
    trial = [slowest(models)] * (cell.dial.positions + 6)
    choice = _choose(problem, planner, trial, seed, progress)
    progress("motion of the whole order", 0, 1)
    motion = planner.plan(choice.schedule, order, retreats=choice.retreats)
    return CellPlan(motion=motion, lower_bound_s=choice.schedule.lower_bound / 1000, candidates=_CANDIDATES)


def _choose(
    problem: SchedulingProblem,
    planner: MotionPlanner,
    trial: Sequence[JointModel],
    seed: int,
    progress: Progress,
) -> _Choice:
    """The schedule that is fastest once coordinated, and after which visits its arms draw back."""
    schedules: dict[object, Schedule] = {}
    for index, rng in enumerate(np.random.default_rng(seed).spawn(_CANDIDATES)):
        progress("schedules", index, _CANDIDATES)
        schedule = solve(problem, rng=rng, iterations=_ITERATIONS, restarts=1)
        schedules.setdefault((schedule.arm_sequences, schedule.nest_orders), schedule)
    ranked = sorted(schedules.values(), key=lambda schedule: schedule.cycle_time)
    ranked = [schedule for schedule in ranked if schedule.cycle_time <= _SPREAD * ranked[0].cycle_time]
    best: _Choice | None = None
    failure: Exception | None = None
    for index, schedule in enumerate(ranked):
        progress("coordination", index, len(ranked))
        everywhere = frozenset(
            (planner.cell.arms[item.mode.arm].id, item.operation)
            for item in schedule.operations
            if item.mode.arm != NO_ARM
        )
        try:
            choice = _coordinated(planner, schedule, everywhere, trial)
        except (CollisionError, DeadlockError) as error:
            failure = failure or error
            continue
        if best is None or choice.cycle_s < best.cycle_s:
            best = choice
    if best is None:
        assert failure is not None
        raise failure
    names = sorted(best.retreats)
    for index, visit in enumerate(names):
        progress("improvement", index, len(names))
        try:
            choice = _coordinated(planner, best.schedule, best.retreats - {visit}, trial)
        except (CollisionError, DeadlockError):
            continue
        if visit not in choice.retreats and choice.cycle_s <= best.cycle_s + 1e-6:
            best = choice
    return best


def _coordinated(
    planner: MotionPlanner,
    schedule: Schedule,
    retreats: frozenset[tuple[str, str]],
    trial: Sequence[JointModel],
) -> _Choice:
    plan = planner.plan(schedule, trial, retreats=retreats)
    cycles = np.diff(plan.finished_s())
    steady = cycles[1 : len(trial) - planner.cell.dial.positions]  # the dial is full
    return _Choice(cycle_s=float(steady.mean()), schedule=schedule, retreats=frozenset(plan.retreats))
