"""The bundled cell and mix, planned once from cold for all rows of the suite."""

import time
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, load_cell
from cells.joint_model import JointModel, joint_model_names, load_joint_model
from cells.order import mixed_order
from controller.motion.plan import MotionPlan
from controller.planning import CellPlan, plan_cell
from kinematics import use_cache, warm_up

CELL = "six_arm"
WARM_UP = 2  # joints that leave before the cycles that count
JOINTS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class MixPlan:
    """The plan of the mix, and the processor time of this thread that it took."""

    cell: Cell
    models: tuple[JointModel, ...]
    plan: CellPlan
    seconds: float


def order_of(cell: Cell, models: tuple[JointModel, ...], joints: int, seed: int) -> tuple[JointModel, ...]:
    """As `jointcell plan` orders them: the dial stays full until the last joint that counts has left."""
    count = WARM_UP + joints + cell.dial.positions - 1
    return tuple(mixed_order(models, count, np.random.default_rng(seed)))


@cache
def mix_plan(seed: int) -> MixPlan:
    """Plan the bundled mix without anything kept from former runs."""
    cell = load_cell(CELL)
    models = tuple(load_joint_model(name) for name in joint_model_names())
    order = order_of(cell, models, JOINTS, seed)
    use_cache()
    warm_up()
    plan_cell(cell, models[:1], models[:1], _silent)  # so that the planner's own kernels are compiled
    began = time.thread_time()
    plan = plan_cell(cell, models, order, _silent)
    return MixPlan(cell=cell, models=models, plan=plan, seconds=time.thread_time() - began)


def cycle_s(motion: MotionPlan, starts_s: NDArray[np.float64]) -> float:
    """Mean cycle time of the joints that count [s], with the nodes starting at given times."""
    nodes = motion.graph.nodes
    ends = [starts_s[node.id] + node.duration_s for node in nodes if node.finishes]
    return float(np.diff(ends)[WARM_UP - 1 :][:JOINTS].mean())


def _silent(what: str, done: int, of: int) -> None:
    """Shows no progress."""
