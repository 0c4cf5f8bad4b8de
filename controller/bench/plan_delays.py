"""Random delays: whoever is late and at whatever feed, arms keep their distance and nobody waits for ever.

Every leg and every station's cycle ends 0 to 5 s late, every arm's feed changes between 10 and 100 % at random moments;
engine and event graph are those of a real run. Where arms may be near each other they are sampled every 2 ms of the
run's time and compared in batches, and in some of the runs with pinocchio and coal as well.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from controller.bench.coal_moments import CoalArms
from controller.bench.delayed_run import DelayedRun, delayed_run
from controller.bench.near_moments import STEP_NS, Moments, NearMoments
from controller.bench.row import Figure, Options, Row
from controller.motion.event_graph import EventGraph
from kinematics import Body, Scene, clearance

FloatArray = NDArray[np.float64]

KEPT = 0.9  # of the promised clearance
_BATCH = 10_000
_WITHIN = 2.5  # of the promised clearance: what is farther apart need not be known exactly


@dataclass
class Delays:
    """What came of all runs so far.

    Attributes:
        cycles: Joints that left the cell.
        stuck: Why runs did not come to their end.
        moments: On the grid of 2 ms.
        compared: Pairs of arms at such a moment that were compared, the others being farther apart than matters.
        collisions: Of those, in how many the arms met.
        too_near: In how many they kept less than 90 % of the promised clearance.
        smallest_m: The smallest distance [m].
        coal_m: The same by coal, over the cycles it looked at.
        coal_cycles: How many those were.
    """

    cycles: int = 0
    stuck: list[str] = field(default_factory=list)
    moments: int = 0
    compared: int = 0
    collisions: int = 0
    too_near: int = 0
    smallest_m: float = np.inf
    coal_m: float = np.inf
    coal_cycles: int = 0


class Comparison:
    """Compares arms in batches: moments are put by until there are enough of two arms with the same hands."""

    def __init__(self, cell: Cell, delays: Delays) -> None:
        self._promised_m = cell.clearance.arms_m
        self._near = NearMoments(cell, _WITHIN * self._promised_m)
        self._delays = delays
        self._put_by: dict[tuple[Body, Body], list[Moments]] = {}
        self._scenes: dict[tuple[Body, Body], Scene] = {}

    def take(self, run: DelayedRun) -> None:
        """Put a run's moments by, and compare where that makes enough."""
        self._delays.moments += run.end_ns // STEP_NS
        for moments in self._near.of(run):
            waiting = self._put_by.setdefault(moments.bodies, [])
            waiting.append(moments)
            if sum(len(some.q) for some in waiting) >= _BATCH:
                self._compare(moments.bodies)

    def finish(self) -> None:
        """Compare what is left."""
        for bodies in self._put_by:
            self._compare(bodies)

    def _compare(self, bodies: tuple[Body, Body]) -> None:
        waiting = self._put_by[bodies]
        if not waiting:
            return
        if bodies not in self._scenes:
            self._scenes[bodies] = Scene(bodies=bodies)
        q = np.concatenate([some.q for some in waiting])
        waiting.clear()
        distance = clearance(self._scenes[bodies], q, _WITHIN * self._promised_m)
        self._delays.compared += len(q)
        self._delays.collisions += int((distance < 0.0).sum())
        self._delays.too_near += int((distance < KEPT * self._promised_m).sum())
        self._delays.smallest_m = min(self._delays.smallest_m, float(distance.min()))


def run_late(
    cell: Cell, source: str, graph: EventGraph, cycles: int, seed: int, coal_cycles: int = 0
) -> Delays:
    """Run a graph again and again, each time late in another way.

    Args:
        cell: The cell.
        source: Name or path it was loaded from.
        graph: The event graph of an order.
        cycles: Joints to be finished in all, at least.
        seed: Of all lateness.
        coal_cycles: In so many of them, coal measures too.
    """
    delays = Delays()
    comparison = Comparison(cell, delays)
    arms = CoalArms(cell, source) if coal_cycles else None
    for rng in _generators(seed):
        run = delayed_run(cell, graph, rng)
        delays.cycles += run.finished
        if run.fault:
            delays.stuck.append(run.fault)
        comparison.take(run)
        if arms is not None and delays.coal_cycles < coal_cycles:
            delays.coal_m = min(delays.coal_m, arms.smallest(run, KEPT * cell.clearance.arms_m))
            delays.coal_cycles += run.finished
        if delays.cycles >= cycles or delays.stuck:
            break
    comparison.finish()
    return delays


def rows_of(cell: Cell, source: str, graph: EventGraph, options: Options) -> Iterator[Row]:
    """A plan made already."""
    cycles, coal_cycles = (24, 1) if options.quick else (10_000, 500)
    began = time.thread_time()
    delays = run_late(cell, source, graph, cycles, options.seed, coal_cycles)
    seconds = time.thread_time() - began
    note = f"{delays.cycles} cycles, {delays.moments} moments 2 ms apart, {delays.compared} pairs compared; {seconds:.0f} s"
    promised = cell.clearance.arms_m
    yield Figure(
        name="random delays and feeds: moments at which arms met",
        value=delays.collisions,
        goal=0,
        must_hold=True,
        note=note,
    )
    yield Figure(
        name="random delays and feeds: runs that stood still",
        value=len(delays.stuck),
        goal=0,
        must_hold=True,
        note="; ".join(delays.stuck[:1]),
    )
    for name, value, of in (
        ("", delays.smallest_m, delays.cycles),
        (", by coal", delays.coal_m, delays.coal_cycles),
    ):
        yield Figure(
            name=f"random delays and feeds: smallest distance of arms{name}",
            value=1000 * value,
            unit="mm",
            goal=1000 * KEPT * promised,
            at_least=True,
            must_hold=True,
            note=f"{of} cycles; promised {1000 * promised:.0f} mm",
        )


def _generators(seed: int) -> Iterator[np.random.Generator]:
    sequence = np.random.SeedSequence(seed)
    while True:
        yield np.random.default_rng(sequence.spawn(1)[0])
