"""An arm of six bus servos as an `ArmDriver`: the host keeps the buffer and streams goals.

What this can and cannot do, since the buffer is here and not in the servos:

* Goals go out every 10 ms from a thread of this process. A host that stalls leaves the servos with their last
  goal: they stop there, off the plan's time but on its path. Dynamixel servos then stop for good after the
  time of their watchdog; Feetech servos have none and hold their last goal for ever.
* The arm follows its goals by one to two periods late (10 to 20 ms), and by what its gains and load add.
* A segment's end is the time at which its last goal was due, not the time at which the arm was seen there; a
  joint further from its goal than ``following_limit_rad`` is a fault.
* Servos have no brakes. Stop category 2 (``STOP_AND_HOLD``) slows down on the path and holds. Category 1 does
  the same, then switches the torque off. Category 0 switches it off at once. After both the arm falls.
* There is no tool: a segment with a process other than a dwell, or with a finger position, is refused.
* A lost line is a fault after `MISSES` readings without an answer; a stop cannot reach the servos then.
"""

import threading
import time
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cells.arm import Arm
from cells.driver import ArmState, Clock, Dwell, QueueStatus, Segment, Status, StopCategory, share_of_speed
from firmware_bridge.port import LinkError
from firmware_bridge.servos.chain import Reading, ServoChain, ServoError
from firmware_bridge.servos.exchange import patiently
from firmware_bridge.servos.path import PathBuffer
from kinematics import Limits

FloatArray = NDArray[np.float64]

PERIOD_S = 0.010
MISSES = 10
_STANDING_STEPS = 2.5  # steps of the encoding by which a segment may start beside the last one's end
_LIMIT_SLACK = 1e-6  # rounding of a trajectory that is exactly at a limit
_LONGEST_STOP_S = 3.0
_SETTLING_NS = 100_000_000  # E: by then servos have reached the last goal


class RealTime:
    """The machine's clock; a control period that passes is slept through."""

    @property
    def now_ns(self) -> int:
        """Monotonic time [ns]."""
        return time.monotonic_ns()

    def advance(self) -> None:
        """Wait for one period."""
        time.sleep(PERIOD_S)


class ServoArm:
    """An arm of servos.

    Calls come from one thread; the streaming thread is inside. `enable` blocks for some 15 exchanges on the line
    (E: 30 ms at 1 Mbit/s), `stop` of category 0 for 4, closing until the arm is at rest, other calls for one.

    Args:
        name: Name of the arm in its cell.
        arm: Its limits and encoding.
        servos: Its servos.
        clock: Its time.
        following_limit_rad: How far a joint may be from its goal (E: a servo at full speed lags by some 0.1 rad).
        streaming: Stream from a thread; without it, the caller calls `step` every period.

    Attributes:
        reading: The last state of the servos, with currents, voltages and temperatures.
        late_max_s: By how much the streaming thread was late at most.
    """

    def __init__(
        self,
        name: str,
        arm: Arm,
        servos: ServoChain,
        clock: Clock | None = None,
        *,
        following_limit_rad: float = 0.25,
        streaming: bool = True,
    ) -> None:
        self.name = name
        self.reading: Reading | None = None
        self.late_max_s = 0.0
        self._arm = arm
        self._servos = servos
        self._clock = clock or RealTime()
        self._following_limit_rad = following_limit_rad
        self._path = PathBuffer(arm.limits)
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._stream, name=f"servos of {name}") if streaming else None
        self._closing = threading.Event()
        self._open = False
        self._powered = False
        self._release = False  # switch the torque off once at rest
        self._status = Status.DISABLED
        self._fault = ""
        self._misses = 0
        self._read_ns = self._sent_ns = self._moved_ns = 0

    @property
    def limits(self) -> Limits:
        """Joint limits the driver will accept."""
        return self._arm.limits

    def __enter__(self) -> Self:
        """Connect: find the servos, check them, read them. Torque stays as it is.

        Raises:
            LinkError: When the port or a servo is not there.
            ServoError: When a servo is not what the arm's file says.
        """
        if not self._open:
            self._servos.open()
            self._take(patiently(self._servos.read))
            self._path.restart(self._measured(), self._clock.now_ns)
            self._open = True
            if self._thread is not None:
                self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Come to rest, switch the torque off, close the port. A closed arm stays closed."""
        if not self._open:
            return
        self.stop(StopCategory.STOP_THEN_POWER_OFF)
        end = self._clock.now_ns + round(_LONGEST_STOP_S * 1e9)
        while self._powered and self._misses < MISSES and self._clock.now_ns < end:
            self._clock.advance()
        self._closing.set()
        if self._thread is not None:
            self._thread.join()
        self._open = False
        self._servos.close()

    def read(self) -> ArmState:
        """State as last read from the servos, at most a period ago, and segments that ended since."""
        with self._lock:
            self._path.follow(self._clock.now_ns)
            results = tuple(self._path.results)
            self._path.results.clear()
            running = self._status is Status.IDLE and self._path.busy
            reading = self._last()
            return ArmState(
                time_ns=self._read_ns,
                q=reading.q.copy(),
                qd=reading.qd.copy(),
                status=Status.RUNNING if running else self._status,
                fault=self._fault,
                feed=self._path.rate(self._clock.now_ns) if self._status is Status.IDLE else 1.0,
                results=results,
            )

    def enable(self) -> None:
        """Hold the arm where it stands; a fault stays, and so does a stop until the arm is at rest."""
        with self._lock:
            idle = self._status in (Status.DISABLED, Status.STOPPED) and not self._path.busy
            if not (self._open and idle):
                return
            try:
                q = self._servos.power_on()
            except (LinkError, ServoError) as error:
                self.fail(str(error))
                return
            self._path.restart(q, self._clock.now_ns)
            self._powered, self._release = True, False
            self._sent_ns = self._clock.now_ns
            self._status = Status.IDLE

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; refused when it does not start where the last one ends or breaks a limit."""
        with self._lock:
            self._path.follow(self._clock.now_ns)
            if self._status is not Status.IDLE or not self._acceptable(segment):
                return QueueStatus.REFUSED
            if self._path.full:
                return QueueStatus.FULL
            self._path.append(segment, self._clock.now_ns)
            return QueueStatus.ACCEPTED

    def stop(self, category: StopCategory) -> None:
        """Decelerate on the path and flush the queue; category 0 switches the torque off at once."""
        with self._lock:
            at_once = category is StopCategory.POWER_OFF
            self._path.halt(self._clock.now_ns, at_once=at_once)
            if not self._powered:
                return
            self._release = self._release or category is not StopCategory.STOP_AND_HOLD
            if self._status is not Status.FAULT:
                self._status = Status.STOPPED
            if at_once:
                self._power_off()

    def feed(self, share: float) -> None:
        """Follow the path at this share of its planned speed from now on; the host slows the goals down.

        A change takes 1.5 s from full speed to rest for an arm that needs 0.5 s to reach its full speed. It adds at
        most half of the limits to the planned acceleration.
        """
        share = share_of_speed(share)
        with self._lock:
            if self._status is Status.IDLE:
                self._path.feed(share, self._clock.now_ns)

    def fail(self, fault: str) -> None:
        """Latch a fault: stop on the path and hold, refuse everything further."""
        with self._lock:
            if self._status is not Status.FAULT:
                self._status, self._fault = Status.FAULT, fault
                self._path.halt(self._clock.now_ns, at_once=False)

    def step(self) -> None:
        """One period: send the goals that are due, read the servos, look after both."""
        with self._lock:
            if not self._open:
                return
            try:
                if self._powered:
                    self._send()
                self._take(self._servos.read())
            except (LinkError, ServoError) as error:
                self._misses += 1
                if self._misses >= MISSES:
                    self.fail(f"lost: {error}")
                return
            self._watch()

    # --- inside --------------------------------------------------------------------------------------------

    def _send(self) -> None:
        now = self._clock.now_ns
        gap_s = (now - self._sent_ns) * 1e-9
        watchdog_s = self._servos.watchdog_s
        if watchdog_s is not None and gap_s > watchdog_s:
            self.fail(f"no goals for {gap_s:.2f} s: the servos' watchdog ({watchdog_s:g} s) has stopped them")
        self._servos.send(self._path.follow(now))
        self._sent_ns = now

    def _take(self, reading: Reading) -> None:
        self.reading = reading
        self._read_ns = self._clock.now_ns
        self._misses = 0

    def _watch(self) -> None:
        reading = self._last()
        if reading.faults:
            self.fail("; ".join(reading.faults))
        if not self._powered:
            return
        error = np.abs(reading.q - self._path.follow(self._read_ns))
        if error.max() > self._following_limit_rad:
            joint = int(error.argmax())
            self.fail(
                f"joint {joint + 1} is {error[joint]:.3f} rad from its goal, "
                f"limit {self._following_limit_rad:g} rad"
            )
        if self._path.busy:
            self._moved_ns = self._read_ns
        elif self._release and self._read_ns - self._moved_ns > _SETTLING_NS:
            self._power_off()

    def _power_off(self) -> None:
        try:
            self._servos.power_off()
        except (LinkError, ServoError) as error:
            self.fail(f"torque may still be on: {error}")
            return
        self._powered = self._release = False
        if self._status is not Status.FAULT:
            self._status = Status.DISABLED

    def _last(self) -> Reading:
        if self.reading is None:
            raise LinkError(f"arm {self.name}: not connected")
        return self.reading

    def _measured(self) -> FloatArray:
        return self._last().q

    def _acceptable(self, segment: Segment) -> bool:
        dwelling = segment.process is None or isinstance(segment.process, Dwell)
        if not dwelling or segment.finger_m is not None:
            return False
        trajectory = segment.trajectory
        if trajectory is None:
            return True
        chain, slack = self._arm.chain, 1.0 + _LIMIT_SLACK
        beside = _STANDING_STEPS * self._servos.resolution_rad
        return bool(
            (np.abs(trajectory.q[0] - self._path.end_q) <= beside).all()
            and (trajectory.q >= chain.q_min - _LIMIT_SLACK).all()
            and (trajectory.q <= chain.q_max + _LIMIT_SLACK).all()
            and (np.abs(trajectory.qd) <= self.limits.velocity * slack).all()
            and (np.abs(trajectory.qdd) <= self.limits.acceleration * slack).all()
        )

    def _stream(self) -> None:
        due = time.monotonic()
        while not self._closing.wait(max(0.0, due - time.monotonic())):
            self.late_max_s = max(self.late_max_s, time.monotonic() - due)
            try:
                self.step()
            except Exception as error:
                self.fail(f"streaming ended: {error!r}")
                raise
            due = max(due + PERIOD_S, time.monotonic())  # after a stall, go on from now
