"""A simulated arm whose motors are somewhere else: it stands where they say, and does what its tool does.

For cells whose arms run on real or emulated controllers: the world is then the plant, gripping, inserting and
colliding with what they do, and whoever drives the arms tells it which segment has begun and when it arrived.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.driver import Dwell, InsertPart, Segment, SegmentResult
from sim.follower import Follower, Running
from sim.servo import ServoError
from sim.sim_arm import SimArm
from sim.world import World

FloatArray = NDArray[np.float64]
Shafts = Callable[[int], FloatArray]
"""Joints (6,) [rad] at a time of the world [ns]."""


@dataclass(slots=True)
class _Told:
    """A segment that the world hears of before its time: who drives the arms may be ahead of it."""

    segment: Segment
    start_ns: int
    moving_s: float


class Shadow(Follower):
    """The point on the path as someone else's motors have it."""

    shafts: Shafts | None = None

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._told: deque[_Told] = deque()

    @property
    def busy(self) -> bool:
        """Whether a segment is under way or was told."""
        return self.running is not None or bool(self._told)

    def look(self, time_ns: int) -> bool:
        """Take over where the motors are then; whether they have moved."""
        if self.shafts is None:
            return False
        before, self.q = self.q, self.shafts(time_ns)
        return bool((self.q != before).any())

    def advance(self, time_ns: int, dt: float) -> bool:
        """Go on with the process; the segment ends with that or, without one, where it was driven."""
        while self._told and self._told[0].start_ns <= time_ns:
            told = self._told.popleft()
            self._begin(told.segment, told.start_ns).moving_s = told.moving_s
        running = self.running
        if running is None:
            return False
        elapsed_s = (time_ns - running.start_ns) * 1e-9
        self._sample(running, elapsed_s)
        process = running.segment.process
        if process is None or isinstance(process, Dwell):
            if elapsed_s >= running.moving_s:
                self.running = None
            return False
        if running.work is not None:
            return False
        if isinstance(process, InsertPart) or elapsed_s >= running.moving_s:
            self._begin_process(running)
        return False

    def begin(self, segment: Segment, start_ns: int) -> None:
        """A segment begins then; but for an insertion, nobody knows yet when its motion will end."""
        along = isinstance(segment.process, InsertPart) and segment.trajectory is not None
        moving_s = segment.trajectory.duration if along and segment.trajectory is not None else math.inf
        self._told.append(_Told(segment=segment, start_ns=start_ns, moving_s=moving_s))

    def arrive(self, end_ns: int) -> None:
        """The motion of the segment told last ended then."""
        if self._told:
            self._told[-1].moving_s = (end_ns - self._told[-1].start_ns) * 1e-9
        elif self.running is not None:
            self.running.moving_s = (end_ns - self.running.start_ns) * 1e-9

    def drop(self) -> None:
        """It will not be finished."""
        self._told.clear()
        self.running = None

    def _sample(self, running: Running, path_s: float) -> None:
        trajectory = running.segment.trajectory
        running.line_done = trajectory is None or path_s >= running.moving_s
        if trajectory is None or trajectory.duration == 0.0:
            return
        giving_way = running.work is not None and running.work.inserting
        if not giving_way:
            part = min(1.0, max(0.0, path_s / trajectory.duration))
            self.shift = self._shift_from + part * (self._shift_to - self._shift_from)


class DrivenArm(SimArm):
    """An arm of a `World` that follows `Shafts`; constructed as a `SimArm`."""

    follower: Shadow

    def __init__(
        self,
        world: World,
        cell_arm: CellArm,
        error: ServoError,
        start: FloatArray,
        color: tuple[float, float, float],
        rng: np.random.Generator,
    ) -> None:
        super().__init__(world, cell_arm, error, start, color, rng)
        self._moved = False
        self.follower = Shadow(
            start, self.limits, error, rng, self._on_begin, self._begin_process, world.notice
        )

    @property
    def fault(self) -> str:
        """What went wrong with its tool or its part; empty when nothing did."""
        return self._fault

    @property
    def awake(self) -> bool:
        """Always: its motors may move at any time."""
        return True

    @property
    def at_rest(self) -> bool:
        """Whether its motors stand and its tool gives way to nothing."""
        running = self.follower.running
        giving_way = running is not None and running.work is not None and running.work.inserting
        return not self._moved and self.motors.still and not giving_way

    def command(self, time_ns: int, dt: float) -> None:
        """Give the motors the places where those that drive it are at the end of the step."""
        self._moved = self.follower.look(time_ns)
        if self._moved and not self.follower.busy and self.motors.still:
            self.motors.command(self.follower.q + self.follower.shift, dt)
        else:
            super().command(time_ns, dt)

    def begin(self, segment: Segment, start_ns: int) -> None:
        """A segment has begun."""
        self.follower.begin(segment, start_ns)

    def arrive(self, end_ns: int) -> None:
        """The motion of the segment has ended."""
        self.follower.arrive(end_ns)

    def result(self) -> SegmentResult | None:
        """How the process of the segment ended; None while it lasts."""
        results, self.follower.results = self.follower.results, []
        return results[-1] if results else None

    def interrupt(self) -> None:
        """The segment will not be finished."""
        running = self.follower.running
        if running is not None:
            self.stopped_in(running)
        self.follower.drop()
