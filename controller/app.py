"""The composition root: puts cell, planner, drivers and engine together, and runs them.

This is the only place that names concrete drivers.
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

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
from controller.motion.edge_words import longest_waits, planned_waits, waits_in_words
from controller.motion.plan_files import read_plan, write_plan
from controller.motion.plan_records import cell_record
from controller.motion.reduction import reduced
from controller.motion.verify import Verdict, verify_plan
from controller.planning import CellPlan, Progress, plan_cell
from controller.report import Origin, Picture, PlanView, RunSummary, write_report
from controller.report.history import history
from controller.report.swept_pair import longest_wait, swept_pair
from controller.run_facts import SCOPE, WARM_UP_JOINTS, Driver, RunOptions, facts, seen
from controller.run_facts import summary as summary_of
from controller.serial_lines import WallClock, line_entries, link_figures
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

WAITS_FILE = "waits.txt"  # beside a plan, for people: every arc of coordination in words
SWEPT_FILE = "swept.svg"  # in the directory of a run
_PICTURE_SIZE = (1280, 720)
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """A finished run."""

    summary: RunSummary
    state: CellState
    report: Path


@dataclass
class Drivers:
    """What executes a plan; the world when there is one, and figures of every arm's line where arms have lines."""

    arms: Mapping[str, ArmDriver]
    stations: StationDriver
    clock: Clock
    world: World | None
    links: Callable[[], Mapping[str, Mapping[str, float]]] = dict


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
    plan = plan_cell(cell, models, order, progress, cache)
    motion = replace(plan.motion, graph=reduced(plan.motion.graph))
    return cell, replace(plan, motion=motion)


def store_plan(
    source: str, names: Sequence[str], joints: int, seed: int, directory: Path, progress: Progress
) -> str:
    """Plan and write the plan's files; returns what it promises, and the longest waits of one arm for another."""
    cell, plan = make_plan(source, names, joints, seed, progress, prepare_kernels(progress))
    graph, starts_s = plan.motion.graph, plan.motion.starts_s
    write_plan(directory, plan.motion, cell, source)
    words = "".join(f"{line}\n" for line in waits_in_words(graph, starts_s))
    (directory / WAITS_FILE).write_text(words, encoding="utf-8", newline="\n")
    cycles = np.diff(plan.motion.finished_s())[WARM_UP_JOINTS - 1 :][:joints]
    waiting = sum(wait > 0 for wait in planned_waits(graph, starts_s).values())
    return "\n".join(
        [
            f"{len(graph.nodes)} nodes, {len(graph.coordination)} arcs of coordination, of which {waiting} keep an arm "
            f"waiting when nobody is late; cycle {cycles.mean():.2f} s, proven bound {plan.lower_bound_s:.2f} s",
            f"Longest waits (all of them: {WAITS_FILE}):",
            *(f"  {line}" for line in longest_waits(graph, starts_s)),
        ]
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
        record.start(plan.motion, facts(options, cell, plan))

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
        sight = seen(world, drivers.clock, course.hexdigest())
    summary = summary_of(options, cell, plan, sight, planning_s, running_s)
    (options.out / "run.json").write_text(summary.to_json(), encoding="utf-8")
    steady_s = float(plan.motion.finished_s()[WARM_UP_JOINTS - 1])
    pair = longest_wait(plan.motion.graph, plan.motion.starts_s, cell, steady_s)
    if pair is not None:
        (options.out / SWEPT_FILE).write_text(swept_pair(pair, cell), encoding="utf-8", newline="\n")
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
    past = history(record, record.facts["arms"], record.facts["warm_up_joints"])
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
        origin=Origin(command=record.facts["command"], versions=record.facts["versions"]),
        pictures=pictures,
        plan=PlanView(
            graph=record.graph,
            starts_s=np.array(record.starts_s),
            swept_svg=swept.read_bytes() if (swept := directory / SWEPT_FILE).is_file() else b"",
        ),
    )
    return path


def make_drivers(options: RunOptions, cell: Cell, plan: CellPlan, stack: ExitStack) -> Drivers:
    """The drivers that a run asks for; the stack ends what they need."""
    start: dict[str, NDArray[np.float64]] = {}
    for node in plan.motion.graph.nodes:
        if node.leg is not None:
            start.setdefault(node.resource, node.leg.trajectory.q[0])
    return cell_drivers(
        options.driver,
        cell,
        start,
        stack,
        seed=options.seed,
        emulate=options.emulate,
        gui=options.gui,
    )


def cell_drivers(
    driver: Driver,
    cell: Cell,
    start: Mapping[str, NDArray[np.float64]],
    stack: ExitStack,
    *,
    seed: int,
    round_ns: int = 0,
    emulate: bool = False,
    gui: bool = False,
) -> Drivers:
    """Drivers of all arms and stations.

    Args:
        driver: Which.
        cell: The cell.
        start: Joints (6,) where each arm stands [rad]; real arms stand where they stand.
        stack: Ends what they need.
        seed: Of everything random in simulation.
        round_ns: Without physics, the longest that time jumps at once [ns]; 0 for any distance.
        emulate: With serial drivers: emulated arms on emulated lines.
        gui: Show the simulation.

    Raises:
        CellError: When an arm has no serial line and one is asked for.
        MissingToolError: When the emulated firmware cannot be compiled here.
    """
    if driver == "fake":
        return fake_drivers(cell, start, FakeClock(round_ns))
    if driver == "serial":
        return _emulated(cell, seed, start, stack, gui=gui) if emulate else _connected(cell, stack)
    return _simulated(cell, seed, start, stack, gui=gui)


def fake_drivers(
    cell: Cell,
    start: Mapping[str, NDArray[np.float64]],
    clock: FakeClock,
    delay: Callable[[], float] = lambda: 0.0,
) -> Drivers:
    """Drivers without physics: arms standing at ``start`` (6,) [rad], every leg later by ``delay`` [s]."""
    arms = {
        arm.id: FakeArm(arm.id, arm.arm.limits, clock, delay, chain=arm.arm.chain, start=start[arm.id])
        for arm in cell.arms
    }
    stations = FakeStations(clock)
    clock.watch(*arms.values(), stations)
    return Drivers(arms=arms, stations=stations, clock=clock, world=None)


def _simulated(
    cell: Cell, seed: int, start: Mapping[str, NDArray[np.float64]], stack: ExitStack, *, gui: bool
) -> Drivers:
    world = World(cell, seed, start=start, gui=gui, connect_joint=connect)
    stack.callback(world.close)
    return Drivers(arms=world.arms, stations=world.stations, clock=SimClock(world), world=world)


def _emulated(
    cell: Cell, seed: int, start: Mapping[str, NDArray[np.float64]], stack: ExitStack, *, gui: bool
) -> Drivers:
    """Emulated controllers behind emulated lines, and the world as what they move."""
    world = World(cell, seed, start=start, gui=gui, connect_joint=connect, make_arm=DrivenArm)
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
    return Drivers(
        arms=drivers,
        stations=world.stations,
        clock=clock,
        world=world,
        links=partial(link_figures, drivers.values()),
    )


def _connected(cell: Cell, stack: ExitStack) -> Drivers:
    """Real arms; what they carry and what stands round them takes its planned time."""
    lines = stack.enter_context(TransportProcess(line_entries(cell)))
    clock = WallClock(lines)
    arms = {
        arm.id: SerialArm(arm, lines.channels[arm.id], clock, clock.origin_ns, TimedTool())
        for arm in cell.arms
    }
    return Drivers(
        arms=arms,
        stations=FakeStations(clock),
        clock=clock,
        world=None,
        links=partial(link_figures, arms.values()),
    )
