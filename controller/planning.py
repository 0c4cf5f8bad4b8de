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
from controller.choice import Choice, KeptChoice, Retreat
from controller.motion.coordinate import DeadlockError
from controller.motion.plan import MotionPlan, MotionPlanner
from controller.motion.volumes import CollisionError
from controller.scheduling.bound import lower_bound
from controller.scheduling.build import build_mix, kind, slowest
from controller.scheduling.exact import prove
from controller.scheduling.mix import easiest_problem, mean_problem
from controller.scheduling.problem import NO_ARM, SchedulingProblem
from controller.scheduling.schedule import Schedule
from controller.scheduling.solve import schedule_of, search

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


# Schedules are looked for quickly rather than thoroughly: the best one is rarely the best to coordinate.
_CANDIDATES = 80
_ITERATIONS = 20_000
_COORDINATED = 24
_IMPROVED = 3
_SEED = 0  # of the search: a cell and a mix have one plan, whatever the seed of a run
_TURNS = 120  # changes of a rule of passing that are tried in the end


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
    motion = planner.plan(choice.schedule, order, retreats=choice.retreats, rules=choice.rules)
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
        mix = build_mix(cell, models, lambda done, of: progress("reach and times", done, of))
        trial = [slowest(models)] * (cell.dial.positions + 6)
        progress("proven bound", 0, 1)
        bound = prove(easiest_problem(mix.problems)).lower_bound
        kinds = list(dict.fromkeys(kind(model) for model in models))
        problem = mix.problems[kinds.index(kind(slowest(models)))]
        chosen = _choose((problem, mean_problem(mix)), planner, trial, progress)
        choice = replace(chosen, lower_bound_s=bound / 1000)
        if kept is not None:
            kept.write(choice)
    return choice


def _choose(
    problems: Sequence[SchedulingProblem],
    planner: MotionPlanner,
    trial: Sequence[JointModel],
    progress: Progress,
) -> Choice:
    """The schedule that is fastest once coordinated, and after which visits its arms draw back.

    Patterns are found for each of the problems in turn; times and rank are those of the first.
    """
    schedules: dict[object, Schedule] = {}
    bound = lower_bound(problems[0])
    for index, rng in enumerate(np.random.default_rng(_SEED).spawn(_CANDIDATES)):
        progress("schedules", index, _CANDIDATES)
        pattern, _ = search(problems[index % len(problems)], rng=rng, iterations=_ITERATIONS)
        schedule = schedule_of(problems[0], pattern, bound)
        schedules.setdefault((schedule.arm_sequences, schedule.nest_orders), schedule)
    ranked = sorted(schedules.values(), key=lambda schedule: schedule.cycle_time)[:_COORDINATED]
    choices: list[Choice] = []
    failure: Exception | None = None
    for index, schedule in enumerate(ranked):
        progress("coordination", index, len(ranked))
        everywhere = frozenset(
            (planner.cell.arms[item.mode.arm].id, item.operation)
            for item in schedule.operations
            if item.mode.arm != NO_ARM
        )
        try:
            choices.append(_coordinated(planner, schedule, everywhere, trial))
        except (CollisionError, DeadlockError) as error:
            failure = failure or error
    if not choices:
        assert failure is not None
        raise failure
    choices.sort(key=lambda choice: choice.cycle_s)
    improved = []
    for index, choice in enumerate(choices[:_IMPROVED]):
        progress("improvement", index, _IMPROVED)
        improved.append(_without_idle_retreats(planner, choice, trial))
    best = min(improved, key=lambda choice: choice.cycle_s)
    turned = _coordinated(planner, best.schedule, best.retreats, trial, _TURNS)
    return turned if turned.cycle_s < best.cycle_s else best


def _without_idle_retreats(planner: MotionPlanner, choice: Choice, trial: Sequence[JointModel]) -> Choice:
    """Give up drawing back wherever it is on the critical path and not needed."""
    tried: set[Retreat] = set()
    while retreat := next((one for one in choice.critical if one not in tried), None):
        tried.add(retreat)
        try:
            other = _coordinated(planner, choice.schedule, choice.retreats - {retreat}, trial)
        except (CollisionError, DeadlockError):
            continue
        if retreat not in other.retreats and other.cycle_s <= choice.cycle_s + 1e-6:
            choice = other
    return choice


def _coordinated(
    planner: MotionPlanner,
    schedule: Schedule,
    retreats: frozenset[Retreat],
    trial: Sequence[JointModel],
    improvements: int = 0,
) -> Choice:
    plan = planner.plan(schedule, trial, retreats=retreats, improvements=improvements)
    cycles = np.diff(plan.finished_s())
    steady = cycles[1 : len(trial) - planner.cell.dial.positions]  # the dial is full
    path = [plan.graph.nodes[node] for node in plan.graph.critical(plan.starts_s)]
    return Choice(
        cycle_s=float(steady.mean()),
        schedule=schedule,
        retreats=frozenset(plan.retreats),
        critical=tuple(
            dict.fromkeys((node.resource, node.operation) for node in path if node.label == "retreat")
        ),
        rules=plan.rules if improvements else {},
    )
