"""One order run on drivers that are late at random, at feeds that change at random, and where every arm is meanwhile.

Engine and event graph are those of a real run; only the drivers, which follow exactly, and the clock are not.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.part import Part
from controller.execution.engine import Engine
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from controller.motion.event_graph import EventGraph
from controller.motion.visit import Leg
from kinematics import Trajectory

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

LATEST_S = 5.0
SLOWEST = 0.1
BETWEEN_CHANGES_S = 10.0  # of an arm's feed, on average


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of time in which an arm follows one trajectory at one rate, or rests.

    Attributes:
        start_ns: Its beginning; it lasts until the arm's next one begins.
        trajectory: What it follows.
        own_s: The trajectory's time at the beginning [s].
        rate: At which that passes; 0 when it rests.
        held: What is, or may be, in the hand.
    """

    start_ns: int
    trajectory: Trajectory
    own_s: float
    rate: float
    held: Part | None

    def joints(self, times_ns: Ints) -> FloatArray:
        """Joints (n, 6) at times within it [rad]."""
        if self.rate == 0.0:
            return np.broadcast_to(self.trajectory.q[-1], (len(times_ns), 6))
        return self.trajectory.sample(self.own_s + 1e-9 * self.rate * (times_ns - self.start_ns))[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayedRun:
    """What came of a run.

    Attributes:
        pieces: Of every arm, in order.
        end_ns: End of the run.
        finished: Joints that left the cell.
        fault: Why it did not come to its end; empty when it did.
    """

    pieces: Mapping[str, list[Piece]]
    end_ns: int
    finished: int
    fault: str


class _Clock(FakeClock):
    """Jumps from event to event, changes feeds in between and notes what the arms do."""

    def __init__(self, graph: EventGraph, rng: np.random.Generator) -> None:
        super().__init__()
        self._legs = [node.leg for node in graph.nodes]
        self._rng = rng
        self._arms: dict[str, FakeArm] = {}
        self._last: dict[str, Leg] = {}  # that each arm was or will be in
        self._shares: dict[str, float] = {}
        self._changes_ns: dict[str, int] = {}
        self.pieces: dict[str, list[Piece]] = {}

    def look_after(self, arms: Mapping[str, FakeArm], first: Mapping[str, Leg]) -> None:
        """Change the feeds of these arms, of which the first legs are given, and note where they are."""
        self._arms, self._last = dict(arms), dict(first)
        for name, arm in arms.items():
            self.pieces[name] = []
            self._change(name, arm)

    def advance(self) -> None:
        """To the next end or change of feed."""
        before = self.now_ns
        under_way = {name: arm.under_way for name, arm in self._arms.items()}
        super().advance()
        self.now_ns = min(self.now_ns, *self._changes_ns.values())
        for name, doing in under_way.items():
            if doing is None:
                last = self._last[name]
                self._note(name, before, last.trajectory, last.trajectory.duration, 0.0, last.held_after)
                continue
            leg = self._legs[doing[0].id]
            assert leg is not None
            self._last[name] = leg
            move, own_s, rate = leg.trajectory, doing[1], self._shares[name]
            left_s = move.duration - own_s
            if left_s > 0.0:
                self._note(name, before, move, own_s, rate, leg.held)
            rests_ns = before + round(1e9 * max(0.0, left_s) / rate)
            if rests_ns < self.now_ns:
                # Which of the two is in the hand is only known once the process has ended.
                self._note(name, rests_ns, move, move.duration, 0.0, leg.held or leg.held_after)
        for name, moment in self._changes_ns.items():
            if moment <= self.now_ns:
                self._change(name, self._arms[name])

    def _note(
        self, name: str, start_ns: int, move: Trajectory, own_s: float, rate: float, held: Part | None
    ) -> None:
        past = self.pieces[name]
        if past and (past[-1].trajectory, past[-1].rate, past[-1].held) == (move, rate, held):
            return  # the same goes on
        past.append(Piece(start_ns=start_ns, trajectory=move, own_s=own_s, rate=rate, held=held))

    def _change(self, name: str, arm: FakeArm) -> None:
        self._shares[name] = share = float(self._rng.uniform(SLOWEST, 1.0))
        arm.feed(share)
        self._changes_ns[name] = self.now_ns + round(1e9 * self._rng.exponential(BETWEEN_CHANGES_S))


def delayed_run(cell: Cell, graph: EventGraph, rng: np.random.Generator) -> DelayedRun:
    """Run a graph to its end: every leg and every cycle of a station 0 to 5 s late, feeds 10 to 100 % of arms."""

    def late() -> float:
        return float(rng.uniform(0.0, LATEST_S))

    first: dict[str, Leg] = {}
    for node in graph.nodes:
        if node.leg is not None:
            first.setdefault(node.resource, node.leg)
    clock = _Clock(graph, rng)
    arms = {
        arm.id: FakeArm(arm.id, arm.arm.limits, clock, late, start=first[arm.id].trajectory.q[0])
        for arm in cell.arms
        if arm.id in first
    }
    stations = FakeStations(clock, late)
    clock.watch(*arms.values(), stations)
    for arm in arms.values():
        arm.enable()
    clock.look_after(arms, first)
    state = Engine(graph, arms, stations, clock, lambda event: None).run(lambda state: False)
    return DelayedRun(
        pieces=clock.pieces, end_ns=clock.now_ns, finished=len(state.finished), fault=state.fault
    )
