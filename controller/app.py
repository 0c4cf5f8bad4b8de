"""The composition root: puts cell, planner, drivers and engine together, and runs them.

This is the only place that names concrete drivers.
"""

import hashlib
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, load_cell
from cells.driver import ArmDriver, Clock, StationDriver
from cells.joint_model import JointModel, joint_model_names, load_joint_model
from cells.order import mixed_order
from controller.emulated_world import EmulatedClock, PlantTool
from controller.execution.engine import Engine
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from controller.execution.record import RecordWriter, read_record
from controller.execution.state import CellState, Ended, Event
from controller.motion.plan_files import cell_record, read_plan, write_plan
from controller.motion.verify import Verdict, verify_plan
from controller.planning import CellPlan, Progress, plan_cell
from controller.report import Origin, Picture, RunSummary, Scope, summarise, write_report
from controller.report.history import history
from controller.serial_lines import WallClock, line_entries
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.serial_arm import SerialArm
from firmware_bridge.armlink.tool import TimedTool
from firmware_bridge.armlink.transport_process import TransportProcess
from firmware_bridge.emulator.emulated_cell import EmulatedCell
from firmware_bridge.sca_joint import connect
from kinematics import use_cache, warm_up
from sim.driven_arm import DrivenArm
from sim.film import Film
from sim.render import animation, picture
from sim.snapshot import Snapshot
from sim.world import SimClock, World

Driver = Literal["sim", "fake", "serial"]

WARM_UP_JOINTS = (
    2  # joints that leave before the measured cycles; the first one begins when the last of them leaves
)
_PICTURE_SIZE = (1280, 720)
_CONNECT_S = 10.0

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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A finished run."""

    summary: RunSummary
    state: CellState
    report: Path


@dataclass
class Drivers:
    """What executes a plan; the world when there is one."""

    arms: Mapping[str, ArmDriver]
    stations: StationDriver
    clock: Clock
    world: World | None


def load_models(names: Sequence[str]) -> tuple[JointModel, ...]:
    """The joint models of a mix; all bundled ones when no name is given."""
    return tuple(load_joint_model(name) for name in (names or joint_model_names()))


def prepare_kernels(progress: Progress) -> Path:
    """Compile every kernel, or load it from the cache of an earlier run; returns the directory of the cache."""
    cache = use_cache()
    warm_up(lambda name, done, of: progress("compiling (once)", done, of))
    return cache


def make_plan(
    source: str, names: Sequence[str], joints: int, seed: int, progress: Progress, cache: Path
) -> tuple[Cell, CellPlan]:
    """Load and plan; the dial stays full until the last counted joint has left."""
    cell, models = load_cell(source), load_models(names)
    count = WARM_UP_JOINTS + joints + cell.dial.positions - 1
    order = mixed_order(models, count, np.random.default_rng(seed))
    return cell, plan_cell(cell, models, order, progress, cache)


def store_plan(
    source: str, names: Sequence[str], joints: int, seed: int, directory: Path, progress: Progress
) -> str:
    """Plan and write the plan's files; returns what it promises in one line."""
    cell, plan = make_plan(source, names, joints, seed, progress, prepare_kernels(progress))
    write_plan(directory, plan.motion, cell, source)
    cycles = np.diff(plan.motion.finished_s())[WARM_UP_JOINTS - 1 :][:joints]
    return (
        f"{len(plan.motion.graph.nodes)} nodes, {len(plan.motion.graph.coordination)} arcs of coordination; "
        f"cycle {cycles.mean():.2f} s, proven bound {plan.lower_bound_s:.2f} s"
    )


def verify_plan_files(directory: Path, progress: Progress) -> Verdict:
    """Check the files of a plan against its cell and the bundled joint models."""
    stored = read_plan(directory)
    source = stored.document.cell.source
    cell = load_cell(source)
    return verify_plan(
        stored,
        cell,
        cell_record(cell, source),
        load_models(()),
        lambda done, of: progress("comparing arms", done, of),
    )


def run(options: RunOptions, progress: Progress, finished: Callable[[int, int], None]) -> RunOutcome:
    """Plan, execute and report.

    Args:
        options: What to run.
        progress: Called while planning, see `controller.planning.Progress`.
        finished: Called whenever a joint has left, with joints so far and the number wanted.

    Raises:
        KeyboardInterrupt: After everything has come to rest and the record is complete.
    """
    cache = prepare_kernels(progress)
    planning_began = time.perf_counter()
    cell, plan = make_plan(options.cell, options.models, options.joints, options.seed, progress, cache)
    planning_s = time.perf_counter() - planning_began
    wanted = WARM_UP_JOINTS + options.joints
    course = hashlib.sha256()
    with ExitStack() as stack:
        record = stack.enter_context(RecordWriter(options.out))
        drivers = make_drivers(options, cell, plan, stack)
        record.start(plan.motion, _facts(options, cell, plan))

        def listen(event: Event) -> None:
            record.event(event)
            if isinstance(event, Ended):
                course.update(f"{event.node} {event.start_ns} {event.end_ns}\n".encode())
                if plan.motion.graph.nodes[event.node].finishes:
                    finished(len(engine.state.finished), wanted)

        film = Film(drivers.clock, drivers.world) if options.render and drivers.world else None
        engine = Engine(plan.motion.graph, drivers.arms, drivers.stations, film or drivers.clock, listen)
        for arm in drivers.arms.values():
            stack.enter_context(arm)
            arm.enable()
        running_began = time.perf_counter()
        state = engine.run(lambda state: len(state.finished) >= wanted)
        running_s = time.perf_counter() - running_began
        world = drivers.world
        shot = None if world is None else picture(Snapshot.of(world), *_PICTURE_SIZE)
        seen = _seen(world, drivers.clock, course.hexdigest())
    summary = _summary(options, cell, plan, seen, planning_s, running_s)
    (options.out / "run.json").write_text(summary.to_json(), encoding="utf-8")
    if shot is not None:
        (options.out / "cell.png").write_bytes(shot)
    if film is not None:
        progress("drawing the animation", 0, 1)
        animation(film.last(summary.planned_cycle_time_s), options.out / "cell.gif")
    return RunOutcome(summary=summary, state=state, report=report(options.out))


def report(directory: Path) -> Path:
    """Write the HTML report of a run from its files; returns its path."""
    summary = RunSummary.from_json((directory / "run.json").read_text(encoding="utf-8"))
    record = read_record(directory)
    facts = record.facts
    past = history(record, facts["arms"], facts["warm_up_joints"])
    shot = directory / "cell.png"
    pictures = (
        [
            Picture(
                png=shot.read_bytes(),
                caption="The cell when the last joint had left, drawn from the simulation",
            )
        ]
        if shot.is_file()
        else []
    )
    path = directory / "report.html"
    write_report(
        path,
        summary,
        past.timeline,
        scope=SCOPE,
        origin=Origin(command=facts["command"], versions=facts["versions"]),
        pictures=pictures,
    )
    return path


def make_drivers(options: RunOptions, cell: Cell, plan: CellPlan, stack: ExitStack) -> Drivers:
    """The drivers that a run asks for; the stack ends what they need."""
    start: dict[str, NDArray[np.float64]] = {}
    for node in plan.motion.graph.nodes:
        if node.leg is not None:
            start.setdefault(node.resource, node.leg.trajectory.q[0])
    if options.driver == "fake":
        clock = FakeClock()
        arms = {
            arm.id: FakeArm(arm.id, arm.arm.limits, clock, chain=arm.arm.chain, start=start[arm.id])
            for arm in cell.arms
        }
        stations = FakeStations(clock)
        clock.watch(*arms.values(), stations)
        return Drivers(arms=arms, stations=stations, clock=clock, world=None)
    if options.driver == "serial":
        return _emulated(options, cell, start, stack) if options.emulate else _connected(cell, stack)
    world = World(cell, options.seed, start=start, gui=options.gui, connect_joint=connect)
    stack.callback(world.close)
    return Drivers(arms=world.arms, stations=world.stations, clock=SimClock(world), world=world)


def _emulated(
    options: RunOptions, cell: Cell, start: Mapping[str, NDArray[np.float64]], stack: ExitStack
) -> Drivers:
    """Emulated controllers behind emulated lines, and the world as what they move."""
    world = World(cell, options.seed, start=start, gui=options.gui, connect_joint=connect, make_arm=DrivenArm)
    stack.callback(world.close)
    arms = stack.enter_context(EmulatedCell(cell, start, LinkSettings()))
    lines = stack.enter_context(TransportProcess(arms.entries))
    lines.connect(_CONNECT_S)  # before the cell's time begins
    clock = EmulatedClock(world, lines)
    for name, firmware in arms.firmware.items():
        clock.follow(name, firmware.plant)
    drivers = {
        arm.id: SerialArm(arm, lines.channels[arm.id], clock, clock.origin_ns, PlantTool(world.arms[arm.id]))
        for arm in cell.arms
    }
    return Drivers(arms=drivers, stations=world.stations, clock=clock, world=world)


def _connected(cell: Cell, stack: ExitStack) -> Drivers:
    """Real arms; what they carry and what stands round them takes its planned time."""
    lines = stack.enter_context(TransportProcess(line_entries(cell)))
    clock = WallClock(lines)
    arms = {
        arm.id: SerialArm(arm, lines.channels[arm.id], clock, clock.origin_ns, TimedTool())
        for arm in cell.arms
    }
    return Drivers(arms=arms, stations=FakeStations(clock), clock=clock, world=None)


def _facts(options: RunOptions, cell: Cell, plan: CellPlan) -> dict[str, Any]:
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
class _Seen:
    """What only the driven world knows; nothing to collide or to drop without one."""

    simulated_s: float
    trace_sha256: str
    collisions: int = 0
    min_clearance_m: float | None = None
    part_pose_error_max_m: float | None = None
    dropped_parts: int = 0


def _seen(world: World | None, clock: Clock, course_sha256: str) -> _Seen:
    if world is None:
        return _Seen(simulated_s=clock.now_ns * 1e-9, trace_sha256=course_sha256)
    return _Seen(
        simulated_s=clock.now_ns * 1e-9,
        trace_sha256=world.trace_sha256(),
        collisions=len(world.collisions),
        min_clearance_m=world.min_clearance_m,
        part_pose_error_max_m=max((seating.position_error_m for seating in world.seating), default=None),
        dropped_parts=len(world.dropped),
    )


def _summary(
    options: RunOptions, cell: Cell, plan: CellPlan, seen: _Seen, planning_s: float, running_s: float
) -> RunSummary:
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
