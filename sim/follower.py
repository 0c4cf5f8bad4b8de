"""Following queued segments in continuous time, at any feed, and stopping on the path.

Segments live in the *path's time*, which passes at the feed's rate and stands while the arm is held; results are told
in device time. A segment that follows another starts at the very end of it, not at the next step. Setpoints are in
the maker's angles; the servo's error, and how far the arm gives way, are a shift on top of them.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.driver import Dwell, InsertPart, Segment, SegmentResult
from kinematics import Limits, course_of, pace, sample_one
from sim.process import Work
from sim.servo import ServoError

FloatArray = NDArray[np.float64]

QUEUE_LENGTH = 64


@dataclass(slots=True)
class Running:
    """The segment under way, and its process once that has begun.

    ``start_ns`` is the path's time, ``device_ns`` the device's when it began.
    """

    segment: Segment
    start_ns: int
    device_ns: int
    moving_s: float
    work: Work | None = None
    line_done: bool = False  # the trajectory has been followed to its end


class Follower:
    """The queue of one arm and the point on the path.

    Attributes:
        q: (6,) the last setpoint on the path [rad].
        shift: (6,) what the servo adds to it [rad].
        rate: Share of the planned speed that has been reached.
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
        self._free = 0, 0  # when the last segment ended: the path's time, the device's [ns]
        self._to = self.rate = 1.0
        self._slope = 0.0  # change of the rate [1/s]
        self._halting = self._abort = False
        self._behind_ns = 0  # of the path's time, behind the device's
        self._step_ns = self._gone_ns = 1  # the last step in the device's time and in the path's
        self._time_ns = 0  # at the end of that step
        self._scratch_qd = np.empty(6)
        self._restarted = False  # since then no trajectory has begun

    @property
    def busy(self) -> bool:
        """Whether a segment is under way or waits, or the path comes to a stop."""
        return self.running is not None or bool(self._queue) or self._halting

    @property
    def full(self) -> bool:
        """Whether the queue takes no more."""
        return len(self._queue) >= QUEUE_LENGTH

    def append(self, segment: Segment, now_ns: int) -> None:
        """Queue a segment."""
        if segment.trajectory is not None:
            self.end_q = segment.trajectory.q[-1]
        if not self.busy:
            self.rate = self._to
        self._queue.append((segment, self.path_ns(now_ns)))

    def path_ns(self, time_ns: int) -> int:
        """The path's time at the device's [ns]."""
        return time_ns - self._behind_ns

    def restart(self, q: FloatArray, now_ns: int) -> None:
        """Be ready for segments that start where the arm stands now, by its encoders at q (6,) [rad]."""
        self.end_q = q
        self._restarted = True
        self._free, self._behind_ns = (now_ns, now_ns), 0
        self._settle(1.0)

    def stand(self, q: FloatArray) -> None:
        """Begin anew at q (6,) [rad], wherever the arm was on its way to."""
        self.q, self.shift = q, np.zeros(6)
        self.keep_shift()

    def feed(self, share: float) -> None:
        """Let the path's time pass at this rate as soon as the limits allow it."""
        self._to = share
        if not self.busy:
            self._settle(share)

    def flush(self) -> None:
        """Forget what is queued."""
        self._queue.clear()

    def halt(self, *, abort: bool) -> None:
        """Slow down on the path of the running segment: smoothly, or as hard as the limits allow."""
        assert self.running is not None
        self._halting = True
        self._abort |= abort

    def finish(self, end_ns: int, measured: dict[str, float]) -> None:
        """The running segment has ended, in the path's time."""
        assert self.running is not None
        device_ns = self._device_ns(end_ns)
        self.results.append(
            SegmentResult(
                id=self.running.segment.id,
                start_ns=self.running.device_ns,
                end_ns=device_ns,
                measured=measured,
            )
        )
        self.running = None
        self._free = end_ns, device_ns
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
        self._pass(time_ns, dt)
        now_ns = self.path_ns(time_ns)
        while True:
            running = self.running
            if running is None:
                if self._halting:  # it has ended on the way to its stop
                    self._settle(1.0)
                    return True
                if not self._queue:
                    return False
                segment, queued_ns = self._queue[0]
                start = max(self._free[0], queued_ns)
                if start >= now_ns:
                    return False
                self._queue.popleft()
                running = self._begin(segment, start)
            elapsed_s = (now_ns - running.start_ns) * 1e-9
            self._sample(running, elapsed_s - self._error.lag_s)
            if self._halting:
                return self._halted(running)
            process = running.segment.process
            if process is None or isinstance(process, Dwell):
                wait = process.duration_s if process is not None else 0.0
                end_ns = running.start_ns + round((running.moving_s + wait) * 1e9)
                if now_ns < end_ns:
                    return False
                self.finish(end_ns, {})
                continue
            if running.work is None and (isinstance(process, InsertPart) or elapsed_s >= running.moving_s):
                self._begin_process(running)
            return False

    def _pass(self, time_ns: int, dt: float) -> None:
        """Let the path's time pass for a step that ends at a time of the device."""
        self._time_ns, self._step_ns = time_ns, round(dt * 1e9)
        to = 0.0 if self._halting else self._to
        running = self.running
        if (
            self.rate != to
            and running is not None
            and running.segment.trajectory is not None
            and not running.line_done
        ):
            now_s = (self.path_ns(time_ns) - self._step_ns - running.start_ns) * 1e-9 - self._error.lag_s
            clock = np.array([now_s, self.rate, self._slope])
            pace(course_of(running.segment.trajectory, self._limits), clock, to, dt, not self._abort)
            gone_s, self.rate, self._slope = clock[0] - now_s, float(clock[1]), float(clock[2])
            self._gone_ns = round(gone_s * 1e9)
        else:
            self.rate, self._slope = to, 0.0
            self._gone_ns = round(self._step_ns * to)
        self._behind_ns += self._step_ns - self._gone_ns

    def _device_ns(self, path_ns: int) -> int:
        """The device's time at a time of the path's in the last step."""
        if path_ns == self._free[0]:
            return self._free[1]
        before = self.path_ns(self._time_ns) - path_ns
        if self._gone_ns == self._step_ns:
            return self._time_ns - before
        share = min(max(before / self._gone_ns, 0.0), 1.0) if self._gone_ns else 0.0
        return self._time_ns - round(share * self._step_ns)

    def _settle(self, rate: float) -> None:
        """Nothing moves: be at a rate."""
        self._to = self.rate = rate
        self._slope = 0.0
        self._halting = self._abort = False

    def _halted(self, running: Running) -> bool:
        """Whether the path has come to its stop."""
        if self.rate > 0.0 and not running.line_done:
            return False
        self.running = None
        self._settle(1.0)
        return True

    def _begin(self, segment: Segment, start_ns: int) -> Running:
        moving = segment.trajectory.duration if segment.trajectory is not None else 0.0
        device_ns = self._device_ns(start_ns)
        self.running = running = Running(
            segment=segment, start_ns=start_ns, device_ns=device_ns, moving_s=moving
        )
        if self._restarted and segment.trajectory is not None:
            # It may begin a little beside where the arm stands: no jump, the difference goes on the way.
            self._restarted = False
            self.shift = self.shift + (self.q - segment.trajectory.q[0])
            self.q = segment.trajectory.q[0]
            self.keep_shift()
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
        running.line_done = path_s >= running.moving_s
        self.q = np.empty(6)
        sample_one(
            trajectory.t, trajectory.q, trajectory.qd, trajectory.qdd, path_s, self.q, self._scratch_qd
        )
        giving_way = running.work is not None and running.work.inserting
        if running.moving_s > 0.0 and not giving_way:
            part = min(1.0, max(0.0, path_s / running.moving_s))
            self.shift = self._shift_from + part * (self._shift_to - self._shift_from)
