"""What a run is asked for, and what it says about itself: facts, figures, and the scope of its model."""

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cells.cell import Cell
from cells.driver import Clock
from controller.execution.record import read_record
from controller.planning import CellPlan
from controller.report import RunSummary, Scope, summarise
from controller.report.history import history
from sim.world import World

Driver = Literal["sim", "fake", "serial"]

WARM_UP_JOINTS = (
    2  # joints that leave before the measured cycles; the first one begins when the last of them leaves
)

SCOPE = Scope(
    simulated=(
        "Arms as rigid multibodies under joint torque limits, gravity and the reaction of what they carry, with "
        "calibration offset, repeatability and lag injected (estimates)",
        "Contact of fingers, parts and fixtures; the first millimetres of every insertion down to 0.2 mm clearance",
        "The dial, its trunnions, and the shuttles of press and bench as motor-driven bodies",
        "Contact between arms, fixtures and parts, watched in every step by an engine the planner does not use",
    ),
    modelled=(
        "The friction cone of a grip, the fit below the first contact, press and screws by their force and torque laws",
        "The joint under test: two inertias, elasticity, friction and backlash with scatter per serial number; it is "
        "measured through noisy, quantised signals",
    ),
    left_out=(
        "Adhesive, grease, cables and connectors take their time and nothing else",
        "Wedging and clearances below 0.2 mm, elasticity of parts, temperature, reflected rotor inertia",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What to run.

    Attributes:
        cell: Bundled name or path of a cell file.
        models: Names of joint models; all bundled ones for the mix.
        joints: Joints to finish in steady state.
        driver: What executes the plan.
        emulate: With the serial driver: emulated arms, and the world as their plant.
        seed: Of everything random.
        target_s: Cycle time to reach.
        out: Directory for the record and the report; must exist and be empty.
        command: How the user called it, for the report.
        gui: Show the simulation.
        render: Draw the last cycle as an animation.
    """

    cell: str
    models: tuple[str, ...]
    joints: int
    driver: Driver
    seed: int
    target_s: float
    out: Path
    command: str
    emulate: bool = False
    gui: bool = False
    render: bool = False


def facts(options: RunOptions, cell: Cell, plan: CellPlan) -> dict[str, Any]:
    """What a record and a report have to say about where a run came from."""
    packages = ("jointcell", "numpy", "numba", "pybullet")
    return {
        "command": options.command,
        "cell": cell.file,
        "seed": options.seed,
        "driver": options.driver,
        "warm_up_joints": WARM_UP_JOINTS,
        "arms": {arm.id: arm.arm.name for arm in cell.arms},
        "retreats": [list(pair) for pair in plan.motion.retreats],
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in packages}},
        "platform": f"{platform.system()} {platform.machine()}, {sys.implementation.name}",
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What only the driven world knows; nothing to collide or to drop without one."""

    simulated_s: float
    trace_sha256: str
    collisions: int = 0
    min_clearance_m: float | None = None
    part_pose_error_max_m: float | None = None
    dropped_parts: int = 0


def seen(world: World | None, clock: Clock, course_sha256: str) -> Seen:
    """What a run has seen of its world, or without one the hash of its course."""
    if world is None:
        return Seen(simulated_s=clock.now_ns * 1e-9, trace_sha256=course_sha256)
    return Seen(
        simulated_s=clock.now_ns * 1e-9,
        trace_sha256=world.trace_sha256(),
        collisions=len(world.collisions),
        min_clearance_m=world.min_clearance_m,
        part_pose_error_max_m=max((seating.position_error_m for seating in world.seating), default=None),
        dropped_parts=len(world.dropped),
    )


def summary(
    options: RunOptions, cell: Cell, plan: CellPlan, seen: Seen, planning_s: float, running_s: float
) -> RunSummary:
    """Its figures, from its record and what else was seen."""
    past = history(read_record(options.out), {arm.id: arm.arm.name for arm in cell.arms}, WARM_UP_JOINTS)
    planned = np.diff(plan.motion.finished_s())[WARM_UP_JOINTS - 1 :][: options.joints]
    return summarise(
        seed=options.seed,
        driver=options.driver,
        cell=cell.name,
        models=sorted({model.name for model in plan.motion.order}),
        target_s=options.target_s,
        joints=past.joints,
        warm_up=WARM_UP_JOINTS,
        planned_cycle_time_s=float(planned.mean()),
        lower_bound_s=plan.lower_bound_s,
        collisions=seen.collisions,
        min_clearance_m=seen.min_clearance_m,
        part_pose_error_max_m=seen.part_pose_error_max_m,
        dropped_parts=seen.dropped_parts,
        arms=past.arms,
        binding=past.binding,
        simulated_s=seen.simulated_s,
        wall_s=running_s,
        planning_s=planning_s,
        trace_sha256=seen.trace_sha256,
    )
