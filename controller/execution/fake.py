"""Drivers without physics: everything takes exactly its planned time, at once or at any pace.

For dry runs, for tests of what lies above the drivers, and for finding out how a plan reacts to lateness.
"""

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

import numpy as np

from cells.driver import (
    ArmState,
    QueueStatus,
    Segment,
    SegmentResult,
    StationCycle,
    StationResult,
    Status,
    StopCategory,
)
from kinematics import Limits

Delay = Callable[[], float]

_START_TOLERANCE = 1e-3  # rad
_DEPTH = 8


class FakeClock:
    """Jumps from one end of something to the next."""

    def __init__(self) -> None:
        self.now_ns = 0
        self._watched: tuple[FakeArm | FakeStations, ...] = ()

    def watch(self, *drivers: "FakeArm | FakeStations") -> None:
        """Name the drivers whose ends the clock jumps to."""
        self._watched = drivers

    def advance(self) -> None:
        """Jump to the next moment at which something ends."""
        ends = [end for driver in self._watched if (end := driver.due()) is not None]
        self.now_ns = max(self.now_ns, min(ends, default=self.now_ns + 1_000_000))


class FakeArm:
    """An arm that follows every segment exactly; ``delay`` adds seconds to each (lateness)."""

    def __init__(self, name: str, limits: Limits, clock: FakeClock, delay: Delay = lambda: 0.0) -> None:
        self.name = name
        self.limits = limits
        self._clock = clock
        self._delay = delay
        self._queue: deque[tuple[Segment, int, int]] = deque()
        self._free_ns = 0
        self._end_q: np.ndarray | None = None
        self._status = Status.DISABLED

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._status = Status.DISABLED

    def enable(self) -> None:
        """Ready for segments."""
        self._status = Status.IDLE

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; it starts when the one before has ended, or now."""
        if self._status not in (Status.IDLE, Status.RUNNING):
            return QueueStatus.REFUSED
        if len(self._queue) >= _DEPTH:
            return QueueStatus.FULL
        trajectory = segment.trajectory
        if trajectory is not None:
            if self._end_q is not None and np.abs(trajectory.q[0] - self._end_q).max() > _START_TOLERANCE:
                return QueueStatus.REFUSED
            self._end_q = trajectory.q[-1]
        start = max(self._clock.now_ns, self._free_ns)
        self._free_ns = start + round((segment.duration_s + self._delay()) * 1e9)
        self._queue.append((segment, start, self._free_ns))
        self._status = Status.RUNNING
        return QueueStatus.ACCEPTED

    def due(self) -> int | None:
        """When the next segment ends [ns]."""
        return self._queue[0][2] if self._queue else None

    def read(self) -> ArmState:
        """State, with the segments that have ended by now."""
        results = []
        while self._queue and self._queue[0][2] <= self._clock.now_ns:
            segment, start, end = self._queue.popleft()
            results.append(SegmentResult(id=segment.id, start_ns=start, end_ns=end))
        if not self._queue and self._status is Status.RUNNING:
            self._status = Status.IDLE
        q = np.zeros(6) if self._end_q is None else self._end_q
        return ArmState(
            time_ns=self._clock.now_ns, q=q, qd=np.zeros(6), status=self._status, results=tuple(results)
        )

    def stop(self, category: StopCategory) -> None:
        """Flush the queue; nothing moves until enabled again."""
        self._queue.clear()
        self._free_ns = self._clock.now_ns
        self._status = Status.STOPPED


class FakeStations:
    """Stations whose cycles take their planned time and always go well."""

    def __init__(self, clock: FakeClock, delay: Delay = lambda: 0.0) -> None:
        self._clock = clock
        self._delay = delay
        self._running: list[tuple[StationCycle, int, int]] = []

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle."""
        now = self._clock.now_ns
        self._running.append((cycle, now, now + round((cycle.duration_s + self._delay()) * 1e9)))

    def due(self) -> int | None:
        """When the next cycle ends [ns]."""
        return min((end for _, _, end in self._running), default=None)

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that have ended by now."""
        done = [item for item in self._running if item[2] <= self._clock.now_ns]
        self._running = [item for item in self._running if item[2] > self._clock.now_ns]
        return tuple(StationResult(id=cycle.id, start_ns=start, end_ns=end) for cycle, start, end in done)

    def stop(self, category: StopCategory) -> None:
        """Forget what is running."""
        self._running.clear()
