"""Following queued segments in continuous device time, and stopping on the path.

A segment that follows another starts at the very end of it, not at the next step. Setpoints are in the
maker's angles; the servo's error, and how far the arm gives way, are a shift on top of them.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.driver import Dwell, InsertPart, Segment, SegmentResult
from kinematics import Limits, sample_one
from sim.process import Work
from sim.servo import ServoError

FloatArray = NDArray[np.float64]

QUEUE_LENGTH = 64
_SHORTEST_STOP_S = 0.05


@dataclass(slots=True)
class Running:
    """The segment under way, and its process once that has begun."""

    segment: Segment
    start_ns: int
    moving_s: float
    work: Work | None = None
    line_done: bool = False  # the trajectory has been followed to its end


class Follower:
    """The queue of one arm and the point on the path.

    Attributes:
        q: (6,) the last setpoint on the path [rad].
        shift: (6,) what the servo adds to it [rad].
        end_q: (6,) where the last queued segment ends [rad].
        running: The segment under way.
        results: Segments that have ended and were not collected yet.
    """

    def __init__(
        self,
        start: FloatArray,
        limits: Limits,
        error: ServoError,
        rng: np.random.Generator,
        on_begin: Callable[[Segment], None],
        begin_process: Callable[[Running], None],
        on_end: Callable[[], None],
    ) -> None:
        self.q = self.end_q = np.array(start, dtype=np.float64)
        self.shift = np.zeros(6)
        self.running: Running | None = None
        self.results: list[SegmentResult] = []
        self._queue: deque[tuple[Segment, int]] = deque()
        self._limits = limits
        self._error = error
        self._rng = rng
        self._on_begin = on_begin
        self._begin_process = begin_process
        self._on_end = on_end
        self._shift_from, self._shift_to = np.zeros(6), np.zeros(6)
        self._free_ns = 0
        self._rate = 1.0  # of the path's time; below one while stopping
        self._rate_fall = 0.0
        self._path_s = 0.0
        self._scratch_qd = np.empty(6)

    @property
    def busy(self) -> bool:
        """Whether a segment is under way or waits."""
        return self.running is not None or bool(self._queue)

    @property
    def full(self) -> bool:
        """Whether the queue takes no more."""
        return len(self._queue) >= QUEUE_LENGTH

    def append(self, segment: Segment, now_ns: int) -> None:
        """Queue a segment."""
        if segment.trajectory is not None:
            self.end_q = segment.trajectory.q[-1]
        self._queue.append((segment, now_ns))

    def restart(self, now_ns: int) -> None:
        """Be ready for segments that start where the arm stands, now."""
        self.end_q = self.q
        self._free_ns = now_ns
        self._rate, self._rate_fall = 1.0, 0.0

    def flush(self) -> None:
        """Forget what is queued."""
        self._queue.clear()

    def halt(self, *, at_once: bool) -> None:
        """Slow down on the path of the running segment, or stand at once."""
        assert self.running is not None
        trajectory = self.running.segment.trajectory
        fastest = np.zeros(6) if trajectory is None else np.abs(trajectory.qd).max(axis=0)
        needed = float((fastest / self._limits.acceleration).max())
        self._rate_fall = math.inf if at_once else 1.0 / max(_SHORTEST_STOP_S, needed)

    def finish(self, end_ns: int, measured: dict[str, float]) -> None:
        """The running segment has ended."""
        assert self.running is not None
        self.results.append(
            SegmentResult(
                id=self.running.segment.id,
                start_ns=self.running.start_ns,
                end_ns=end_ns,
                measured=measured,
            )
        )
        self.running = None
        self._free_ns = end_ns
        self._on_end()

    def give_way(self, offset: FloatArray) -> None:
        """Shift the setpoints (6,) [rad] from where the process began."""
        self.shift = self._shift_from + offset

    def keep_shift(self) -> None:
        """From here on the present shift is where the servo's error starts from."""
        self._shift_to = self._shift_from = self.shift

    def advance(self, time_ns: int, dt: float) -> bool:
        """Advance through segments up to a time and set the point on the path.

        Returns:
            Whether the path has come to a stop that was asked for by `halt`.
        """
        while True:
            running = self.running
            if running is None:
                if not self._queue:
                    return False
                segment, queued_ns = self._queue[0]
                start = max(self._free_ns, queued_ns)
                if start >= time_ns:
                    return False
                self._queue.popleft()
                running = self._begin(segment, start)
            if self._rate_fall > 0.0:
                return self._slow_down(running, dt)
            elapsed_s = (time_ns - running.start_ns) * 1e-9
            self._sample(running, elapsed_s - self._error.lag_s)
            process = running.segment.process
            if process is None or isinstance(process, Dwell):
                wait = process.duration_s if process is not None else 0.0
                end_ns = running.start_ns + round((running.moving_s + wait) * 1e9)
                if time_ns < end_ns:
                    return False
                self.finish(end_ns, {})
                continue
            if running.work is None and (isinstance(process, InsertPart) or elapsed_s >= running.moving_s):
                self._begin_process(running)
            return False

    def _begin(self, segment: Segment, start_ns: int) -> Running:
        moving = segment.trajectory.duration if segment.trajectory is not None else 0.0
        self.running = running = Running(segment=segment, start_ns=start_ns, moving_s=moving)
        self._path_s = 0.0
        if moving > 0.0:
            self._shift_from = self.shift
            self._shift_to = self._error.repeatability_rad * self._rng.standard_normal(6)
        self._on_begin(segment)
        return running

    def _sample(self, running: Running, path_s: float) -> None:
        """Set the point on the path, and blend in the servo's error of this segment."""
        trajectory = running.segment.trajectory
        if running.line_done or trajectory is None:
            running.line_done = True
            return
        self._path_s = path_s
        running.line_done = path_s >= running.moving_s
        self.q = np.empty(6)
        sample_one(
            trajectory.t, trajectory.q, trajectory.qd, trajectory.qdd, path_s, self.q, self._scratch_qd
        )
        giving_way = running.work is not None and running.work.inserting
        if running.moving_s > 0.0 and not giving_way:
            part = min(1.0, max(0.0, path_s / running.moving_s))
            self.shift = self._shift_from + part * (self._shift_to - self._shift_from)

    def _slow_down(self, running: Running, dt: float) -> bool:
        """Let the path's time run slower until it stands; the motion stays on its path."""
        self._rate = max(0.0, self._rate - self._rate_fall * dt)
        self._sample(running, self._path_s + self._rate * dt)
        if self._rate == 0.0:
            self.running = None
            return True
        return False
