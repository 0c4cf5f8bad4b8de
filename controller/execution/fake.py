"""Drivers without physics: everything takes its planned time and any delay it is given.

For dry runs, for tests of what lies above the drivers, and for finding out how a plan reacts to lateness.
They keep the contract of `cells.driver` as real ones do; only that a stop brings them to rest at once.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cells.driver import (
    ArmState,
    Clock,
    QueueStatus,
    Segment,
    SegmentResult,
    StationCycle,
    StationResult,
    Status,
    StopCategory,
)
from kinematics import Chain, Limits

Delay = Callable[[], float]

FloatArray = NDArray[np.float64]

_START_TOLERANCE = 1e-3  # rad
_LIMIT_SLACK = 1e-6  # rounding of a trajectory that is exactly at a limit
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    segment: Segment
    start_ns: int
    end_ns: int


class FakeArm:
    """An arm that follows every segment exactly; ``delay`` adds seconds to each (lateness).

    Args:
        name: Name of the arm in its cell.
        limits: Velocities and accelerations it accepts.
        clock: Its time.
        delay: Called for every segment: how much later it ends [s].
        chain: Position limits it accepts; none without.
        start: Joints (6,) where it stands [rad]; without, where its first segment starts.
    """

    def __init__(
        self,
        name: str,
        limits: Limits,
        clock: FakeClock,
        delay: Delay = lambda: 0.0,
        *,
        chain: Chain | None = None,
        start: FloatArray | None = None,
    ) -> None:
        self.name = name
        self.limits = limits
        self._clock = clock
        self._delay = delay
        self._chain = chain
        self._queue: deque[_Queued] = deque()
        self._results: list[SegmentResult] = []
        self._free_ns = 0
        self._q = np.zeros(6) if start is None else np.array(start, dtype=np.float64)
        self._placed = start is not None
        self._last_q = self._q  # where the last queued segment ends
        self._status = Status.DISABLED
        self._fault = ""

    def __enter__(self) -> Self:
        """Connect; there is nothing to connect to."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close: come to rest."""
        self.stop(StopCategory.STOP_THEN_POWER_OFF)

    def enable(self) -> None:
        """Ready for segments; a fault stays."""
        if self._status in (Status.DISABLED, Status.STOPPED):
            self._status = Status.IDLE

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; it starts when the one before has ended, or now."""
        self._follow()
        if self._status is not Status.IDLE or not self._acceptable(segment):
            return QueueStatus.REFUSED
        if len(self._queue) >= _DEPTH:
            return QueueStatus.FULL
        if segment.trajectory is not None:
            if not self._placed:
                self._q, self._placed = segment.trajectory.q[0], True
            self._last_q = segment.trajectory.q[-1]
        start = max(self._clock.now_ns, self._free_ns)
        self._free_ns = start + round((segment.duration_s + self._delay()) * 1e9)
        self._queue.append(_Queued(segment=segment, start_ns=start, end_ns=self._free_ns))
        return QueueStatus.ACCEPTED

    def due(self) -> int | None:
        """When the next result can be read [ns]."""
        if self._results:
            return self._clock.now_ns
        return self._queue[0].end_ns if self._queue else None

    def read(self) -> ArmState:
        """State, with the segments that have ended by now."""
        q, qd = self._follow()
        results, self._results = tuple(self._results), []
        running = self._status is Status.IDLE and bool(self._queue)
        return ArmState(
            time_ns=self._clock.now_ns,
            q=q,
            qd=qd,
            status=Status.RUNNING if running else self._status,
            fault=self._fault,
            results=results,
        )

    def stop(self, category: StopCategory) -> None:
        """Stand still where the path is now and flush the queue; nothing moves until enabled again."""
        self._halt()
        if self._status is not Status.FAULT:
            hold = category is StopCategory.STOP_AND_HOLD
            self._status = Status.STOPPED if hold else Status.DISABLED

    def fail(self, fault: str) -> None:
        """Pretend a fault: stand still, say so from now on, refuse everything."""
        self._halt()
        self._status, self._fault = Status.FAULT, self._fault or fault

    def _halt(self) -> None:
        self._q, _ = self._follow()
        self._last_q = self._q
        self._queue.clear()
        self._free_ns = self._clock.now_ns

    def _follow(self) -> tuple[FloatArray, FloatArray]:
        """Take in what has ended by now; joints and their velocities, (6,) each [rad, rad/s]."""
        now = self._clock.now_ns
        while self._queue and self._queue[0].end_ns <= now:
            done = self._queue.popleft()
            if done.segment.trajectory is not None:
                self._q = done.segment.trajectory.q[-1]
            self._results.append(
                SegmentResult(id=done.segment.id, start_ns=done.start_ns, end_ns=done.end_ns)
            )
        trajectory = self._queue[0].segment.trajectory if self._queue else None
        if trajectory is None:
            return self._q.copy(), np.zeros(6)
        q, qd, _ = trajectory.sample([(now - self._queue[0].start_ns) * 1e-9])
        return q[0], qd[0]

    def _acceptable(self, segment: Segment) -> bool:
        trajectory = segment.trajectory
        if trajectory is None:
            return True
        slack = 1.0 + _LIMIT_SLACK
        chain = self._chain
        return bool(
            (not self._placed or (np.abs(trajectory.q[0] - self._last_q) <= _START_TOLERANCE).all())
            and (np.abs(trajectory.qd) <= self.limits.velocity * slack).all()
            and (np.abs(trajectory.qdd) <= self.limits.acceleration * slack).all()
            and (chain is None or (trajectory.q >= chain.q_min - _LIMIT_SLACK).all())
            and (chain is None or (trajectory.q <= chain.q_max + _LIMIT_SLACK).all())
        )


class FakeStations:
    """Stations whose cycles take their planned time (and ``delay``) and always go well."""

    def __init__(self, clock: Clock, delay: Delay = lambda: 0.0) -> None:
        self._clock = clock
        self._delay = delay
        self._running: dict[str, tuple[StationCycle, int, int]] = {}
        self._results: list[StationResult] = []

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle.

        Raises:
            ValueError: When the station is busy.
        """
        self._follow()
        if cycle.station in self._running:
            raise ValueError(f"station {cycle.station}: cycle {cycle.id} while one is running, must be idle")
        now = self._clock.now_ns
        self._running[cycle.station] = (cycle, now, now + round((cycle.duration_s + self._delay()) * 1e9))

    def due(self) -> int | None:
        """When the next result can be read [ns]."""
        if self._results:
            return self._clock.now_ns
        return min((end for _, _, end in self._running.values()), default=None)

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that have ended since the last reading, in order of their ends."""
        self._follow()
        results, self._results = tuple(self._results), []
        return results

    def stop(self, category: StopCategory) -> None:
        """Forget what is running."""
        self._follow()
        self._running.clear()

    def _follow(self) -> None:
        done = [item for item in self._running.values() if item[2] <= self._clock.now_ns]
        for cycle, start, end in sorted(done, key=lambda item: item[2]):
            del self._running[cycle.station]
            self._results.append(StationResult(id=cycle.id, start_ns=start, end_ns=end))
