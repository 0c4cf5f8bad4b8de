"""The buffer that servos do not have: queued segments, followed in continuous time on the host.

A segment that follows another starts at the very end of it. Stopping lets the path's time run slower until it
stands, so that the motion stays on its path; a category-0 stop stands at once.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.driver import Segment, SegmentResult
from kinematics import Limits, Trajectory

FloatArray = NDArray[np.float64]

DEPTH = 64
_SHORTEST_STOP_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class _Queued:
    segment: Segment
    start_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stop:
    """Slowing down along a trajectory, from its time ``from_s`` on, within ``seconds``."""

    trajectory: Trajectory
    since_ns: int
    from_s: float
    seconds: float


class PathBuffer:
    """The queue of one arm and its point on the path.

    Attributes:
        end_q: (6,) where the last queued segment ends [rad].
        results: Segments that have ended and were not collected yet.
    """

    def __init__(self, limits: Limits) -> None:
        self.end_q = np.zeros(6)
        self.results: list[SegmentResult] = []
        self._acceleration = limits.acceleration
        self._q = self.end_q
        self._queue: deque[_Queued] = deque()
        self._free_ns = 0
        self._stop: _Stop | None = None

    @property
    def busy(self) -> bool:
        """Whether a segment is under way or waits, or the path is being stopped."""
        return bool(self._queue) or self._stop is not None

    @property
    def full(self) -> bool:
        """Whether the queue takes no more."""
        return len(self._queue) >= DEPTH

    def restart(self, q: FloatArray, now_ns: int) -> None:
        """Be at rest at q (6,) [rad], ready for segments that start there."""
        self._queue.clear()
        self._stop = None
        self._q = self.end_q = q
        self._free_ns = now_ns

    def append(self, segment: Segment, now_ns: int) -> None:
        """Queue a segment; it starts when the one before has ended, or now."""
        start = max(now_ns, self._free_ns)
        self._free_ns = start + round(segment.duration_s * 1e9)
        self._queue.append(_Queued(segment=segment, start_ns=start, end_ns=self._free_ns))
        if segment.trajectory is not None:
            self.end_q = segment.trajectory.q[-1]

    def halt(self, now_ns: int, *, at_once: bool) -> None:
        """Flush the queue and slow down on the path of the running segment, or stand at once."""
        self._q = self.end_q = self.follow(now_ns)
        running = self._queue[0] if self._queue else None
        self._queue.clear()
        if at_once:
            self._stop = None
        elif running is not None and running.segment.trajectory is not None:
            trajectory = running.segment.trajectory
            fastest = np.abs(trajectory.qd).max(axis=0)
            self._stop = _Stop(
                trajectory=trajectory,
                since_ns=now_ns,
                from_s=(now_ns - running.start_ns) * 1e-9,
                seconds=max(_SHORTEST_STOP_S, float((fastest / self._acceleration).max())),
            )

    def follow(self, now_ns: int) -> FloatArray:
        """Take in what has ended by now; the point (6,) on the path [rad]."""
        if self._stop is not None:
            return self._slow_down(self._stop, now_ns)
        while self._queue and self._queue[0].end_ns <= now_ns:
            done = self._queue.popleft()
            if done.segment.trajectory is not None:
                self._q = done.segment.trajectory.q[-1]
            self.results.append(SegmentResult(id=done.segment.id, start_ns=done.start_ns, end_ns=done.end_ns))
        trajectory = self._queue[0].segment.trajectory if self._queue else None
        if trajectory is None:
            return self._q
        return _point(trajectory, (now_ns - self._queue[0].start_ns) * 1e-9)

    def _slow_down(self, stop: _Stop, now_ns: int) -> FloatArray:
        """The path's time runs at a rate that falls evenly from one to zero."""
        elapsed = min((now_ns - stop.since_ns) * 1e-9, stop.seconds)
        path_s = stop.from_s + elapsed - elapsed**2 / (2.0 * stop.seconds)
        self._q = self.end_q = _point(stop.trajectory, path_s)
        if elapsed == stop.seconds:
            self._stop = None
        return self._q


def _point(trajectory: Trajectory, path_s: float) -> FloatArray:
    q: FloatArray = trajectory.sample([path_s])[0][0]
    return q
