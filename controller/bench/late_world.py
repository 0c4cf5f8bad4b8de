"""The same lateness in simulation: arms under torque limits, parts that are gripped, carried and inserted.

Every segment is handed on to its arm 0 to 5 s late, every cycle of a station takes so much longer, and feeds of arms
change between 10 and 100 % at random moments.
"""

import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.driver import ArmDriver, ArmState, QueueStatus, Segment, StationCycle, Status, StopCategory
from controller.bench.delayed_run import BETWEEN_CHANGES_S, LATEST_S, SLOWEST
from controller.bench.row import Figure, Options, Row
from controller.execution.engine import Engine
from controller.motion.event_graph import EventGraph
from sim.sim_arm import SimArm
from sim.stations import SimStations
from sim.world import SimClock, World

KEPT = 0.9  # of the promised clearance


class LateArm:
    """A simulated arm that gets to know of its segments late."""

    def __init__(self, arm: SimArm, rng: np.random.Generator) -> None:
        self.name, self.limits, self.enable, self.feed = arm.name, arm.limits, arm.enable, arm.feed
        self._arm, self._rng = arm, rng
        self._kept: deque[tuple[Segment, int]] = deque()

    def read(self) -> ArmState:
        """Its state; a segment that is kept back counts as running."""
        due = bool(self._kept) and self._arm.world.time_ns >= self._kept[0][1]
        if due and self._arm.status is Status.IDLE:
            assert self._arm.queue(self._kept.popleft()[0]) is QueueStatus.ACCEPTED
        state = self._arm.read()
        waits = state.status is Status.IDLE and bool(self._kept)
        return replace(state, status=Status.RUNNING) if waits else state

    def queue(self, segment: Segment) -> QueueStatus:
        """Keep it back for a while."""
        late_ns = round(1e9 * self._rng.uniform(0.0, LATEST_S))
        self._kept.append((segment, self._arm.world.time_ns + late_ns))
        return QueueStatus.ACCEPTED

    def stop(self, category: StopCategory) -> None:
        """Stop the arm."""
        self._kept.clear()
        self._arm.stop(category)

    def __enter__(self) -> "LateArm":
        """Nothing to connect to."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close: come to rest."""
        self.stop(StopCategory.STOP_AND_HOLD)


class LateStations:
    """Simulated stations that take longer."""

    def __init__(self, stations: SimStations, rng: np.random.Generator) -> None:
        self.read, self.stop = stations.read, stations.stop
        self._stations, self._rng = stations, rng

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle that ends late."""
        late_s = float(self._rng.uniform(0.0, LATEST_S))
        if cycle.station != "dial":  # its motion has its own time
            cycle = replace(cycle, duration_s=cycle.duration_s + late_s)
        self._stations.start(cycle)


class FeedClock(SimClock):
    """Time of the world in which feeds change at random."""

    def __init__(self, world: World, arms: Mapping[str, ArmDriver], rng: np.random.Generator) -> None:
        super().__init__(world)
        self._arms, self._rng = arms, rng
        self._changes_ns = dict.fromkeys(arms, 0)

    def advance(self) -> None:
        """Let the world go on, and change the feeds whose moment has come."""
        super().advance()
        for name, moment in self._changes_ns.items():
            if self.now_ns >= moment:
                self._arms[name].feed(float(self._rng.uniform(SLOWEST, 1.0)))
                self._changes_ns[name] = self.now_ns + round(1e9 * self._rng.exponential(BETWEEN_CHANGES_S))


@dataclass
class LateWorld:
    """What came of late runs in simulation.

    Attributes:
        cycles: Joints that left the cell.
        simulated_s: Time of the world [s].
        stuck: Why runs did not come to their end.
        collisions: Forbidden contacts.
        smallest_m: Smallest distance between two arms [m].
        dropped: Parts lost.
        badly_seated: Parts seated outside their window.
    """

    cycles: int = 0
    simulated_s: float = 0.0
    stuck: list[str] = field(default_factory=list)
    collisions: int = 0
    smallest_m: float = np.inf
    dropped: int = 0
    badly_seated: int = 0


def run_late_world(cell: Cell, graph: EventGraph, cycles: int, seed: int) -> LateWorld:
    """Run a graph in simulation until enough joints have left, again and again if need be."""
    late, sequence = LateWorld(), np.random.SeedSequence(seed)
    start: dict[str, NDArray[np.float64]] = {}
    for node in graph.nodes:
        if node.leg is not None:
            start.setdefault(node.resource, node.leg.trajectory.q[0])
    while late.cycles < cycles and not late.stuck:
        rng = np.random.default_rng(sequence.spawn(1)[0])
        with ExitStack() as stack:
            world = World(cell, int(rng.integers(2**31)), start=start)
            stack.callback(world.close)
            arms = {name: LateArm(arm, rng) for name, arm in world.arms.items()}
            clock = FeedClock(world, arms, rng)
            engine = Engine(graph, arms, LateStations(world.stations, rng), clock, lambda event: None)
            for arm in arms.values():
                arm.enable()
            state = engine.run(lambda state: late.cycles + len(state.finished) >= cycles)
            late.cycles += len(state.finished)
            late.simulated_s += 1e-9 * world.time_ns
            late.stuck += [state.fault] if state.fault else []
            late.collisions += len(world.collisions)
            late.smallest_m = min(late.smallest_m, world.min_clearance_m)
            late.dropped += len(world.dropped)
            late.badly_seated += sum(not seating.ok for seating in world.seating)
    return late


def rows_of(cell: Cell, graph: EventGraph, options: Options) -> Iterator[Row]:
    """A plan made already, in simulation."""
    began = time.thread_time()
    late = run_late_world(cell, graph, 1 if options.quick else 100, options.seed)
    seconds = time.thread_time() - began
    note = f"{late.cycles} cycles in {late.simulated_s:.0f} simulated s; {seconds:.0f} s"
    for name, value, why in (
        ("forbidden contacts", late.collisions, note),
        ("runs that stood still", len(late.stuck), "; ".join(late.stuck[:1])),
        ("parts lost or badly seated", late.dropped + late.badly_seated, note),
    ):
        yield Figure(
            name=f"random delays and feeds in simulation: {name}",
            value=value,
            goal=0,
            must_hold=True,
            note=why,
        )
    yield Figure(
        name="random delays and feeds in simulation: smallest distance of arms",
        value=1000 * late.smallest_m,
        unit="mm",
        goal=1000 * KEPT * cell.clearance.arms_m,
        at_least=True,
        must_hold=True,
        note="from measured joints every 25 ms",
    )
