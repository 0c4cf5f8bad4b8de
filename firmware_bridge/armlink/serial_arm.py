"""An arm at the end of a serial line as an `ArmDriver`: what a plan runs on in simulation runs unchanged here.

Segments become moves of the arm's session (`orders`), which may live in another process. Everything whose time
is known is ordered ahead: the device itself goes from move to move, or waits for the end of a dwell. Only where
a tool decides how long something takes does the next move wait for this process.
"""

import itertools
import math
from collections import deque
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from cells.driver import (
    ArmState,
    Clock,
    Dwell,
    QueueStatus,
    Segment,
    SegmentResult,
    Status,
    StopCategory,
    share_of_speed,
)
from firmware_bridge.armlink.knots import POS_UNIT, VEL_UNIT, knots_of
from firmware_bridge.armlink.link_health import LinkHealth
from firmware_bridge.armlink.orders import (
    AfterLast,
    AtTime,
    Enable,
    Enabled,
    Ended,
    Failed,
    Feed,
    Go,
    Halted,
    Health,
    LinkUp,
    Move,
    OnCall,
    Order,
    Recover,
    Recovered,
    Report,
    Started,
    State,
    Stop,
)
from firmware_bridge.armlink.segment_time import SegmentTime
from firmware_bridge.armlink.tool import Done, Tool
from firmware_bridge.port import LinkError
from kinematics import Limits

FloatArray = NDArray[np.float64]

DEPTH = 8
_START_TOLERANCE_RAD = 1e-3
_LIMIT_SLACK = 1e-6  # rounding of a trajectory that is exactly at a limit
_SAME_NS = 100_000  # what rounding and the comparison of clocks can't tell apart
_CONNECT_S = 10.0
_CLOSE_S = 2.0


class Channel(Protocol):
    """The way to the session of one arm."""

    def send(self, order: Order) -> None:
        """Give an order; does not block."""
        ...

    def receive(self) -> list[Report]:
        """What was reported since the last call; does not block."""
        ...

    def wait(self, seconds: float) -> None:
        """Block until there may be a report, at most for a time."""
        ...


@dataclass(slots=True)
class _Entry:
    """A queued segment, and how far it has come."""

    segment: Segment
    queued_ns: int
    moves: bool
    on_call: bool = False
    start_ns: int | None = None
    moving_ns: int | None = None  # how long its motion took
    announced: bool = False  # to the tool
    arrived: bool = False

    @property
    def wait_ns(self) -> int | None:
        """Time after its motion; None when its tool decides."""
        process = self.segment.process
        if process is None:
            return 0
        return round(process.duration_s * 1e9) if isinstance(process, Dwell) else None


class SerialArm:
    """One arm over a serial line.

    Args:
        cell_arm: The arm in its cell.
        channel: The way to its session.
        clock: Time of the cell.
        origin_ns: Host time (monotonic) at which that was zero [ns].
        tool: What it carries.
    """

    def __init__(self, cell_arm: CellArm, channel: Channel, clock: Clock, origin_ns: int, tool: Tool) -> None:
        self.cell_arm = cell_arm
        self.health = LinkHealth()
        self._channel = channel
        self._clock = clock
        self._origin_ns = origin_ns
        self._tool = tool
        self._queue: deque[_Entry] = deque()
        self._results: list[SegmentResult] = []
        self._status = Status.DISABLED
        self._fault = ""
        self._connected = self._halting = self._following = False
        self._feed = 1.0
        self._time = SegmentTime()
        self._q, self._qd = np.zeros(6), np.zeros(6)
        self._measured_ns = 0
        self._end_q = self._q
        self._free_ns = 0

    # --- the driver's contract -----------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """Name of the arm in its cell."""
        return self.cell_arm.id

    @property
    def limits(self) -> Limits:
        """Joint limits the driver will accept."""
        return self.cell_arm.arm.limits

    def __enter__(self) -> Self:
        """Wait until the right arm has answered; after a fault this is what ends it.

        Raises:
            LinkError: When it does not answer, or another one does.
        """
        self._collect()
        if self._fault:
            self._fault, self._status, self._connected = "", Status.DISABLED, False
            self._channel.send(Recover())
        waited_s = 0.0
        while not self._connected and not self._fault and waited_s < _CONNECT_S:
            self._channel.wait(0.05)
            waited_s += 0.05
            self._collect()
        if not self._connected:
            raise LinkError(f"arm {self.name}: {self._fault or 'does not answer'}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close: come to rest, brakes on, power off."""
        self.stop(StopCategory.STOP_THEN_POWER_OFF)
        waited_s = 0.0
        while self._halting and waited_s < _CLOSE_S:
            self._channel.wait(0.02)
            waited_s += 0.02
            self._collect()

    def read(self) -> ArmState:
        """Latest measured state; ends of segments are reported exactly once."""
        self._follow()
        results, self._results = tuple(self._results), []
        running = self._status is Status.IDLE and bool(self._queue)
        return ArmState(
            time_ns=self._measured_ns,
            q=self._q.copy(),
            qd=self._qd.copy(),
            status=Status.RUNNING if running else self._status,
            fault=self._fault,
            feed=self._feed,
            results=results,
        )

    def enable(self) -> None:
        """Power the arm where it stands; a fault stays, and so does a stop until the arm is at rest."""
        self._follow()
        if self._status in (Status.DISABLED, Status.STOPPED) and not self._halting:
            self._status = Status.IDLE
            self._planned_speed()
            self._end_q = self._q
            self._free_ns = self._clock.now_ns
            self._channel.send(Enable())

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; refused when it does not start where the last one ends or breaks a limit."""
        self._follow()
        if self._status is not Status.IDLE or not self._acceptable(segment):
            return QueueStatus.REFUSED
        if len(self._queue) >= DEPTH:
            return QueueStatus.FULL
        trajectory = segment.trajectory
        entry = _Entry(
            segment=segment,
            queued_ns=self._clock.now_ns,
            moves=trajectory is not None and trajectory.duration > 0.0,
        )
        if trajectory is not None:
            self._end_q = trajectory.q[-1]
            if entry.moves:
                start = self._start()
                entry.on_call = isinstance(start, OnCall)
                self._channel.send(Move(id=segment.id, knots=knots_of(trajectory), start=start))
        self._queue.append(entry)
        return QueueStatus.ACCEPTED

    def stop(self, category: StopCategory) -> None:
        """Decelerate on the path and flush the queue.

        Category 0, power off at once, is the wired stop's: over a line it is a stop as fast as limits allow.
        """
        hold = category is StopCategory.STOP_AND_HOLD
        self._halt(power_off=not hold)
        if self._status is not Status.FAULT:
            self._status = Status.STOPPED if hold else Status.DISABLED

    def feed(self, share: float) -> None:
        """Follow the path at this share of its planned speed from now on; the device does it, in steps of 1 %.

        Dwells are timed here by the speeds that the device reports, 20 ms apart; what is left of one when the next move
        is on its way (`motion_stream.START_AHEAD_NS`) keeps its time. A tool is its own device: it keeps its time.
        """
        share = share_of_speed(share)
        if self._status is Status.IDLE:
            self._channel.send(Feed(percent=max(round(100 * share), math.ceil(share))))

    def fail(self, fault: str) -> None:
        """Latch a fault found on this side: stop on the path, refuse everything further."""
        if self._status is not Status.FAULT:
            self._halt(power_off=False)
            self._status, self._fault = Status.FAULT, fault

    # --- inside --------------------------------------------------------------------------------------------

    def _planned_speed(self) -> None:
        """A stop and enabling end what `feed` has asked for; until the device follows again it has nothing to say."""
        self._following, self._feed = False, 1.0

    def _halt(self, *, power_off: bool) -> None:
        self._planned_speed()
        if self._queue:
            self._queue.clear()
            self._tool.stop()
        self._halting = True
        self._channel.send(Stop(power_off=power_off))

    def _start(self) -> AfterLast | AtTime | OnCall:
        """When a move that is queued now starts."""
        delay_ns = 0
        for entry in reversed(self._queue):
            if entry.wait_ns is None:
                return OnCall()
            delay_ns += entry.wait_ns
            if entry.moves:
                return AfterLast(delay_ns=delay_ns)
        if not self._queue:
            return AfterLast()
        begun_ns = self._queue[0].start_ns
        assert begun_ns is not None  # it does not move, so it began when it was queued
        return AtTime(host_ns=begun_ns + self._origin_ns, delay_ns=delay_ns)

    def _collect(self) -> None:
        """Take in what the session has reported."""
        for report in self._channel.receive():
            match report:
                case State():
                    self._q = np.array(report.pos) * POS_UNIT
                    self._qd = np.array(report.vel) * VEL_UNIT
                    self._measured_ns = min(report.time_ns - self._origin_ns, self._clock.now_ns)
                    if self._following:
                        self._feed = report.speed_pct / 100
                    self._time.note(self._measured_ns, report.speed_pct if self._following else 100)
                case Enabled():
                    self._following = self._status is Status.IDLE
                case Started():
                    self._began(report)
                case Ended():
                    self._moved(report)
                case Failed():
                    self._failed(report.reason)
                case Halted():
                    self._halting = False
                case LinkUp() | Recovered():
                    self._connected, self._halting = True, False
                case Health():
                    self.health = report.health

    def _failed(self, reason: str) -> None:
        self._connected = False
        self._planned_speed()
        if self._status is not Status.FAULT:
            if self._queue:
                self._queue.clear()
                self._tool.stop()
            self._status, self._fault = Status.FAULT, reason

    def _entry(self, segment_id: int) -> _Entry | None:
        return next((entry for entry in self._queue if entry.segment.id == segment_id), None)

    def _began(self, report: Started) -> None:
        if (entry := self._entry(report.id)) is not None:
            entry.start_ns = report.host_ns - self._origin_ns

    def _moved(self, report: Ended) -> None:
        entry = self._entry(report.id)
        if entry is not None:
            assert entry.segment.trajectory is not None
            planned_ns = round(entry.segment.trajectory.duration * 1e9)
            if entry.start_ns is None:  # the report of its start was lost
                entry.start_ns = report.host_ns - self._origin_ns - planned_ns - report.lost_ns
            entry.moving_ns = planned_ns + report.lost_ns

    def _follow(self) -> None:
        """Go through the queue as far as things have come by now."""
        self._collect()
        if self._tool.fault:
            self.fail(self._tool.fault)
        while self._queue:
            end = self._end_of_first(self._queue[0])
            if end is None:
                break
            first = self._queue.popleft()
            assert first.start_ns is not None
            self._results.append(
                SegmentResult(
                    id=first.segment.id, start_ns=first.start_ns, end_ns=end.end_ns, measured=end.measured
                )
            )
            self._free_ns = end.end_ns
            if self._queue and self._queue[0].on_call:
                host_ns = self._free_ns + self._origin_ns
                self._channel.send(Go(id=self._queue[0].segment.id, host_ns=host_ns))
        self._time.forget(self._free_ns)

    def _end_of_first(self, entry: _Entry) -> Done | None:
        """The end of the first segment; None while it lasts."""
        now_ns = self._clock.now_ns
        if entry.start_ns is None and not entry.moves:
            entry.start_ns = max(self._free_ns, entry.queued_ns)
        if entry.start_ns is None or entry.start_ns > now_ns:
            return None
        if not entry.announced:
            entry.announced = True
            if abs(entry.start_ns - self._free_ns) < _SAME_NS:
                entry.start_ns = self._free_ns  # without a pause
            self._tool.begin(entry.segment, entry.start_ns)
        if not entry.moves:
            entry.moving_ns = 0
        if entry.moving_ns is None or entry.start_ns + entry.moving_ns > now_ns:
            return None
        moved_ns = entry.start_ns + entry.moving_ns
        if entry.wait_ns is not None:
            end_ns = self._end_of_wait(moved_ns, entry.wait_ns)
            return Done(end_ns=end_ns) if end_ns is not None and end_ns <= now_ns else None
        if not entry.arrived:
            entry.arrived = True
            self._tool.arrived(moved_ns)
        return self._tool.done(now_ns)

    def _end_of_wait(self, moved_ns: int, wait_ns: int) -> int | None:
        """When a wait ends that began when a motion had; at the latest once the device has begun the next motion."""
        end_ns = self._time.end(moved_ns, wait_ns)
        begun = (entry.start_ns for entry in itertools.islice(self._queue, 1, None) if entry.moves)
        next_ns = next((start_ns for start_ns in begun if start_ns is not None), None)
        if next_ns is not None and (end_ns is None or end_ns > next_ns + _SAME_NS):
            return max(moved_ns, next_ns)
        return end_ns

    def _acceptable(self, segment: Segment) -> bool:
        trajectory = segment.trajectory
        if trajectory is None:
            return True
        chain, limits = self.cell_arm.arm.chain, self.limits
        slack = 1.0 + _LIMIT_SLACK
        return bool(
            (np.abs(trajectory.q[0] - self._end_q) <= _START_TOLERANCE_RAD).all()
            and (trajectory.q >= chain.q_min - _LIMIT_SLACK).all()
            and (trajectory.q <= chain.q_max + _LIMIT_SLACK).all()
            and (np.abs(trajectory.qd) <= limits.velocity * slack).all()
            and (np.abs(trajectory.qdd) <= limits.acceleration * slack).all()
        )
