"""The buffer that servos do not have: queued segments, followed in continuous time on the host.

A segment that follows another starts at the very end of it. Stopping lets the path's time run slower until it
stands, so that the motion stays on its path, and so does a feed below 1; a category-0 stop stands at once.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.driver import Segment, SegmentResult
from firmware_bridge.servos.rate import Rate
from kinematics import Limits, Trajectory

FloatArray = NDArray[np.float64]

DEPTH = 64
_SHORTEST_STOP_S = 0.05
_SHORTEST_CHANGE_S = 0.2
_PEAK = 1.5  # of the slope of a change of rate, against an even one
_FEED_SHARE = 0.5  # of the limits of acceleration, that a change of the feed may add to the planned one


@dataclass(slots=True, kw_only=True)
class _Queued:
    segment: Segment
    queued_ns: int
    start_ns: int | None = None
    base_s: float = 0.0  # path time of the present rate at its start


class PathBuffer:
    """The queue of one arm and its point on the path.

    Attributes:
        end_q: (6,) where the last queued segment ends [rad].
        results: Segments that have ended and were not collected yet.
    """

    def __init__(self, limits: Limits) -> None:
        self.end_q = np.zeros(6)
        self.results: list[SegmentResult] = []
        self._limits = limits
        self._q = self.end_q
        self._queue: deque[_Queued] = deque()
        self._free_ns = 0
        self._rate = Rate(since_ns=0)
        self._stopping: Trajectory | None = None
        self._base_s = 0.0  # of the trajectory being stopped

    @property
    def busy(self) -> bool:
        """Whether a segment is under way or waits, or the path is being stopped."""
        return bool(self._queue) or self._stopping is not None

    @property
    def full(self) -> bool:
        """Whether the queue takes no more."""
        return len(self._queue) >= DEPTH

    def rate(self, now_ns: int) -> float:
        """Share of the planned speed."""
        return self._rate.at(now_ns)

    def restart(self, q: FloatArray, now_ns: int) -> None:
        """Be at rest at q (6,) [rad], ready for segments that start there, at the planned speed."""
        self._queue.clear()
        self._stopping = None
        self._q = self.end_q = q
        self._free_ns = now_ns
        self._rate = Rate(since_ns=now_ns)

    def append(self, segment: Segment, now_ns: int) -> None:
        """Queue a segment; it starts when the one before has ended, or now."""
        self._queue.append(_Queued(segment=segment, queued_ns=now_ns))
        if segment.trajectory is not None:
            self.end_q = segment.trajectory.q[-1]
        self.follow(now_ns)

    def feed(self, share: float, now_ns: int) -> None:
        """Go over to a share of the planned speed; at once when nothing moves."""
        self.follow(now_ns)
        limits, before = self._limits, self._rate.at(now_ns)
        added = _PEAK * abs(share - before) * limits.velocity / (_FEED_SHARE * limits.acceleration)
        seconds = max(_SHORTEST_CHANGE_S, float(added.max())) if self._moving(now_ns) else 0.0
        if self._queue:
            self._queue[0].base_s -= self._rate.path_s(now_ns)
        self._rate = Rate(since_ns=now_ns, before=before, after=share, seconds=seconds)

    def halt(self, now_ns: int, *, at_once: bool) -> None:
        """Flush the queue and slow down on the path of the running segment, or stand at once."""
        self._q = self.end_q = self.follow(now_ns)
        first = self._queue[0] if self._moving(now_ns) else None
        self._queue.clear()
        if at_once:
            self._stopping = None
        elif first is not None and first.segment.trajectory is not None:
            before = self._rate.at(now_ns)
            self._stopping = first.segment.trajectory
            self._base_s = first.base_s - self._rate.path_s(now_ns)
            fastest = before * np.abs(self._stopping.qd).max(axis=0)
            seconds = max(_SHORTEST_STOP_S, float((fastest / self._limits.acceleration).max()) * _PEAK)
            self._rate = Rate(since_ns=now_ns, before=before, after=0.0, seconds=seconds)

    def follow(self, now_ns: int) -> FloatArray:
        """Take in what has ended by now; the point (6,) on the path [rad]."""
        if self._stopping is not None:
            return self._slow_down(self._stopping, now_ns)
        while self._queue:
            first = self._queue[0]
            trajectory = first.segment.trajectory
            if first.start_ns is None:
                first.start_ns = max(first.queued_ns, self._free_ns)
                first.base_s = self._rate.path_s(first.start_ns)
            passed_s = self._rate.path_s(now_ns) - first.base_s
            if trajectory is not None:
                if passed_s < trajectory.duration:
                    return _point(trajectory, passed_s)
                self._q = trajectory.q[-1]
            end_s = first.base_s + first.segment.duration_s
            if self._rate.path_s(now_ns) < end_s:
                break
            end_ns = max(first.start_ns, self._rate.when(end_s, now_ns))
            self.results.append(SegmentResult(id=first.segment.id, start_ns=first.start_ns, end_ns=end_ns))
            self._free_ns = end_ns
            self._queue.popleft()
        return self._q

    def _moving(self, now_ns: int) -> bool:
        """Whether a trajectory is under way, as `follow` has just found."""
        first = self._queue[0] if self._queue else None
        if first is None or first.segment.trajectory is None:
            return False
        return self._rate.path_s(now_ns) - first.base_s < first.segment.trajectory.duration

    def _slow_down(self, trajectory: Trajectory, now_ns: int) -> FloatArray:
        self._q = self.end_q = _point(trajectory, self._rate.path_s(now_ns) - self._base_s)
        if self._rate.ended(now_ns):
            self._stopping = None
        return self._q


def _point(trajectory: Trajectory, path_s: float) -> FloatArray:
    q: FloatArray = trajectory.sample([path_s])[0][0]
    return q
