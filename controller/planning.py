"""From a cell and an order to a motion plan: schedule, coordinate, feed back, choose.

The scheduler does not know where arms get in each other's way on the move, so several of its schedules are coordinated
for a short order of the slowest model and the best is kept. Arms first draw back after every visit, which leaves the most
freedom; drawing back is then given up wherever that saves time. The decisions found serve any order of the mix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cells.cell import Cell
from cells.joint_model import JointModel
from cells.order import mixed_order
from controller.choice import Choice, KeptChoice
from controller.coordination.solve import Coordination, coordinations, weighted
from controller.coordination.stretches import Stretches
from controller.motion.coordinate import DeadlockError
from controller.motion.plan import MotionPlan, MotionPlanner
from controller.motion.volumes import CollisionError
from controller.scheduling.build import build_mix, kind, slowest
from controller.scheduling.exact import prove
from controller.scheduling.mix import Mix, easiest_problem

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


_TRIED = 2  # schedules that are tried with all models
_TRIED_JOINTS = 24  # that leave a full dial
_SEED = 0  # of the search: a cell and a mix have one plan, whatever the seed of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class CellPlan:
    """A motion plan with what is known about how good it is.

    Attributes:
        motion: The plan.
        lower_bound_s: No plan that does every joint of the mix alike (the same arms in the same order) can have a shorter
            mean cycle time in this cell.
    """

    motion: MotionPlan
    lower_bound_s: float


def plan_cell(
    cell: Cell,
    models: Sequence[JointModel],
    order: Sequence[JointModel],
    progress: Progress,
    cache: Path | None = None,
) -> CellPlan:
    """Plan an order of joints.

    Args:
        cell: The cell.
        models: All models of the mix.
        order: The joints in the order in which they enter.
        progress: See `Progress`.
        cache: Directory in which decisions are kept from one run to the next; they are found anew when cell, models or
            the code that plans have changed.

    Raises:
        InfeasibleCellError, InfeasibleProblemError: When an operation cannot be done.
        CollisionError, DeadlockError: When no schedule could be coordinated; the first reason found.
    """
    planner = MotionPlanner(cell)
    choice = decide(planner, models, progress, cache)
    progress("motion of the whole order", 0, 1)
    motion = planner.plan(
        choice.schedule, order, retreats=choice.retreats, passing=choice.passing, rules=choice.rules
    )
    return CellPlan(motion=motion, lower_bound_s=choice.lower_bound_s)


def decide(
    planner: MotionPlanner, models: Sequence[JointModel], progress: Progress, cache: Path | None = None
) -> Choice:
    """What is decided for a cell and a mix, whatever the order of the joints: found, or kept from an earlier run.

    Arguments and errors are those of `plan_cell`.
    """
    cell = planner.cell
    kept = None if cache is None else KeptChoice(cache, cell, models)
    choice = None if kept is None else kept.read()
    if choice is None:
        mix = build_mix(cell, models, lambda done, of: progress("reach and times", done, of), planner.visits)
        progress("proven bound", 0, 1)
        bound = prove(easiest_problem(mix.problems)).lower_bound
        kinds = list(dict.fromkeys(kind(model) for model in models))
        first = [next(model for model in models if kind(model) == one) for one in kinds]
        chosen = _choose(mix, first, models, planner, bound / 1000, progress)
        choice = replace(chosen, lower_bound_s=bound / 1000)
        if kept is not None:
            kept.write(choice)
    return choice


def _choose(
    mix: Mix,
    kinds: Sequence[JointModel],
    models: Sequence[JointModel],
    planner: MotionPlanner,
    bound_s: float,
    progress: Progress,
) -> Choice:
    """The best of the last coordinated schedules found, once all models take their own times."""
    weights = weighted(mix)
    stretches = Stretches(planner, kinds, weights.counts, slowest(models))
    found = coordinations(weights, stretches, bound_s, lambda done, of: progress("schedules", done, of))
    if not found:
        raise DeadlockError("no schedule was found whose arms can keep clear of each other", (0, 0))
    # Of several with the same visits the last one is the fastest.
    last = {(c.schedule.arm_sequences, c.schedule.nest_orders, c.retreats): c for c in found}
    trial = mixed_order(models, planner.cell.dial.positions + _TRIED_JOINTS, np.random.default_rng(_SEED))
    choices: list[Choice] = []
    failure: Exception | None = None
    candidates = list(last.values())[-_TRIED:]
    for index, candidate in enumerate(candidates):
        progress("coordination", index, len(candidates))
        try:
            choices.append(_tried(planner, candidate, trial))
        except (CollisionError, DeadlockError) as error:
            failure = failure or error
    if not choices:
        assert failure is not None
        raise failure
    return min(choices, key=lambda choice: choice.cycle_s)


def _tried(planner: MotionPlanner, candidate: Coordination, trial: Sequence[JointModel]) -> Choice:
    """A candidate in an order of joints."""
    plan = planner.plan(candidate.schedule, trial, retreats=candidate.retreats, passing=candidate.passing)
    cycles = np.diff(plan.finished_s())
    steady = cycles[1 : len(trial) - planner.cell.dial.positions]  # the dial is full
    return Choice(
        cycle_s=float(steady.mean()),
        schedule=candidate.schedule,
        retreats=frozenset(plan.retreats),
        passing=candidate.passing,
    )
