"""Drivers without physics: everything takes its planned time and any delay it is given.

For dry runs, for tests of what lies above the drivers, and for finding out how a plan reacts to lateness.
They keep the contract of `cells.driver` as real ones do; only that a stop brings them to rest at once, and a change
of feed is reached at once.
"""

import math
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
    share_of_speed,
)
from kinematics import Chain, Limits, sample_one

Delay = Callable[[], float]

FloatArray = NDArray[np.float64]

_START_TOLERANCE = 1e-3  # rad
_LIMIT_SLACK = 1e-6  # rounding of a trajectory that is exactly at a limit
_DEPTH = 8
_NOTHING_DUE_NS = 1_000_000


class FakeClock:
    """Jumps from one end of something to the next, but never further than ``longest_ns`` (0: any distance)."""

    def __init__(self, longest_ns: int = 0) -> None:
        self.now_ns = 0
        self._longest_ns = longest_ns
        self._watched: tuple[FakeArm | FakeStations, ...] = ()

    def watch(self, *drivers: "FakeArm | FakeStations") -> None:
        """Name the drivers whose ends the clock jumps to."""
        self._watched = drivers

    def advance(self) -> None:
        """Jump to the next moment at which something ends."""
        ends = [end for driver in self._watched if (end := driver.due()) is not None]
        if self._longest_ns:
            ends.append(self.now_ns + self._longest_ns)
        self.now_ns = max(self.now_ns, min(ends, default=self.now_ns + _NOTHING_DUE_NS))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    segment: Segment
    queued_ns: int
    takes_ns: int  # of its own time


@dataclass(slots=True)
class _Running:
    """The segment under way: at ``since_ns``, ``done_ns`` of its own time had passed."""

    segment: Segment
    takes_ns: int
    start_ns: int
    since_ns: int
    done_ns: float = 0.0

    def end_ns(self, share: float) -> int | None:
        """When it ends at a feed; never while held."""
        left = self.takes_ns - self.done_ns
        return self.since_ns + math.ceil(left / share) if share > 0.0 else None

    def time_ns(self, now_ns: int, share: float) -> float:
        """Its own time now."""
        return min(self.done_ns + (now_ns - self.since_ns) * share, self.takes_ns)


class FakeArm:
    """An arm that follows every segment exactly; ``delay`` adds seconds to each (lateness), after its motion.

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
        self._running: _Running | None = None
        self._share = 1.0
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
        """Close: come to rest; a fault is forgotten."""
        self.stop(StopCategory.STOP_THEN_POWER_OFF)
        self._status, self._fault = Status.DISABLED, ""

    def enable(self) -> None:
        """Ready for segments; a fault stays."""
        if self._status in (Status.DISABLED, Status.STOPPED):
            self._status = Status.IDLE

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; it starts when the one before has ended, or now."""
        self._follow()
        if self._status is not Status.IDLE or not self._acceptable(segment):
            return QueueStatus.REFUSED
        if len(self._queue) + (self._running is not None) >= _DEPTH:
            return QueueStatus.FULL
        if segment.trajectory is not None:
            if not self._placed:
                self._q, self._placed = segment.trajectory.q[0], True
            self._last_q = segment.trajectory.q[-1]
        takes = round((segment.duration_s + self._delay()) * 1e9)
        self._queue.append(_Queued(segment=segment, queued_ns=self._clock.now_ns, takes_ns=takes))
        self._begin()
        return QueueStatus.ACCEPTED

    def due(self) -> int | None:
        """When the next result can be read [ns]; None when there is nothing to come at the present feed."""
        if self._results:
            return self._clock.now_ns
        return self._running.end_ns(self._share) if self._running is not None else None

    def read(self) -> ArmState:
        """State, with the segments that have ended by now."""
        self._follow()
        q, qd = self._state()
        results, self._results = tuple(self._results), []
        running = self._status is Status.IDLE and self._running is not None
        return ArmState(
            time_ns=self._clock.now_ns,
            q=q,
            qd=qd,
            status=Status.RUNNING if running else self._status,
            fault=self._fault,
            results=results,
            feed=self._share,
        )

    @property
    def under_way(self) -> tuple[Segment, float] | None:
        """The segment it is in now, and that segment's own time [s]."""
        self._follow()
        running = self._running
        if running is None:
            return None
        return running.segment, 1e-9 * running.time_ns(self._clock.now_ns, self._share)

    def feed(self, share: float) -> None:
        """Follow the path at this share of its planned speed, at once.

        Raises:
            ValueError: Outside 0 to 1.
        """
        share = share_of_speed(share)
        self._follow()
        if self._running is not None:
            now = self._clock.now_ns
            self._running.done_ns = self._running.time_ns(now, self._share)
            self._running.since_ns = now
        if self._status is Status.IDLE:
            self._share = share

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

    def move_by_hand(self, q: FloatArray) -> None:
        """Pretend that somebody moves it, its brakes released, to joints (6,) [rad]."""
        self._halt()
        self._q = self._last_q = np.array(q, dtype=np.float64)

    def _halt(self) -> None:
        self._follow()
        self._q, _ = self._state()
        self._last_q = self._q
        self._queue.clear()
        self._running = None
        self._share = 1.0
        self._free_ns = self._clock.now_ns

    def _begin(self) -> None:
        """Let the next segment be under way if nothing is."""
        if self._running is None and self._queue:
            item = self._queue.popleft()
            start = max(item.queued_ns, self._free_ns)
            self._running = _Running(
                segment=item.segment, takes_ns=item.takes_ns, start_ns=start, since_ns=start
            )

    def _follow(self) -> None:
        """Take in what has ended by now."""
        while (running := self._running) is not None:
            end = running.end_ns(self._share)
            if end is None or end > self._clock.now_ns:
                return
            if running.segment.trajectory is not None:
                self._q = running.segment.trajectory.q[-1]
            self._results.append(SegmentResult(id=running.segment.id, start_ns=running.start_ns, end_ns=end))
            self._running, self._free_ns = None, end
            self._begin()

    def _state(self) -> tuple[FloatArray, FloatArray]:
        """Joints and their velocities now, (6,) each [rad, rad/s]."""
        running = self._running
        if running is None or running.segment.trajectory is None:
            return self._q.copy(), np.zeros(6)
        move, own_s = running.segment.trajectory, 1e-9 * running.time_ns(self._clock.now_ns, self._share)
        q, qd = np.empty(6), np.empty(6)
        sample_one(move.t, move.q, move.qd, move.qdd, own_s, q, qd)
        return q, qd * self._share

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
