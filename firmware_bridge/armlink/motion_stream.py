"""Which knots to send when: never more than the lead beyond what the arm needs to stop in.

Everything further ahead stays here, where a stop can forget it. A move is one trajectory of the device, from
its first knot to the one marked LAST; knots in between may have any speed.
"""

from collections import deque
from dataclasses import dataclass

from firmware_bridge.armlink.clock_sync import ClockSync
from firmware_bridge.armlink.codes import KNOTS, TRAJECTORIES, KnotFlag, StartMode
from firmware_bridge.armlink.messages import SegQuintic, Start
from firmware_bridge.armlink.orders import AfterLast, AtTime, Ended, Go, Move, Started
from firmware_bridge.armlink.reports import Status
from firmware_bridge.armlink.segment_time import SegmentTime

_SPARE_KNOTS = 4
_WATER_US = 80_000  # the device's low and high water: kept beyond the way to stop in
_FIRST_STOP_US = 150_000  # way to stop in that an arm may need soon after a start; the device may want more
_MORE_US = 80_000
_WRAP = 1 << 32

START_AHEAD_NS = 100_000_000
"""How long before the end of a wait the device is told to start: a change of feed after that comes too late for it."""


@dataclass(slots=True)
class _Motion:
    move: Move
    needed_us: int  # to be sent before the start
    traj: int = 0  # the device's number for it, once knots are sent
    sent: int = 0  # knots
    passed: int = 0  # knots the device has left behind
    start_sent: bool = False
    started_us: int | None = None  # device time
    lost_us: int = 0

    @property
    def complete(self) -> bool:
        return self.sent == len(self.move.knots)

    def played_us(self, now_us: int) -> int:
        if self.started_us is None:
            return 0
        passed = (now_us - self.started_us) % _WRAP
        return 0 if passed >= _WRAP // 2 else max(0, passed - self.lost_us)


class MotionStream:
    """Moves on their way to the device, oldest first.

    Args:
        clock: The device's clock.
        lead_us: Motion to keep buffered beyond what the arm may need to stop in.
        stop_us: Longest time the arm takes for any stop, from its configuration.
        batch: Knots in a frame, 1 or 2.
    """

    def __init__(self, clock: ClockSync, *, lead_us: int, stop_us: int, batch: int) -> None:
        self._clock = clock
        # A stop slows down evenly along the path: it takes half of its time's worth of motion.
        self._target_us = lead_us + stop_us // 2 + _WATER_US
        self._first_us = min(self._target_us, lead_us + _FIRST_STOP_US)
        self._batch = batch
        self._motions: deque[_Motion] = deque()
        self._last_traj = 0
        self._last_end_us: int | None = None
        self._time = SegmentTime()
        self._calls: dict[int, int] = {}

    @property
    def empty(self) -> bool:
        """Whether every move has ended."""
        return not self._motions

    @property
    def unfinished(self) -> bool:
        """Whether the running move has knots that were not sent yet."""
        return bool(self._motions) and self._motions[0].start_sent and not self._motions[0].complete

    def add(self, move: Move) -> None:
        """Queue a move."""
        self._motions.append(_Motion(move=move, needed_us=self._first_us))

    def call(self, go: Go) -> None:
        """Let a move start that waits for it."""
        self._calls[go.id] = go.host_ns

    def flush(self, last_traj: int) -> None:
        """Forget every move; ``last_traj`` is the device's number of the newest trajectory it took."""
        self._motions.clear()
        self._calls.clear()
        self._last_traj = last_traj
        self._last_end_us = None

    def buffered_us(self, now_ns: int) -> int:
        """Motion that was sent and is still to come."""
        now_us = self._clock.to_device_us(now_ns)
        total = 0
        for motion in self._motions:
            if motion.sent:
                total += max(0, motion.move.knots[motion.sent - 1].t_us - motion.played_us(now_us))
        return total

    def next_message(self, now_ns: int) -> SegQuintic | Start | None:
        """The next message for the device, already counted as sent; none while enough is buffered."""
        return self._next_start(now_ns) or self._next_knots(now_ns)

    def started(self, traj: int, t_us: int) -> Started | None:
        """The device has started a trajectory."""
        motion = self._by_number(traj)
        if motion is None or motion.started_us is not None:
            return None
        motion.started_us = t_us
        return Started(id=motion.move.id, host_ns=self._clock.to_host_ns(t_us))

    def ended(self, traj: int, t_us: int, lost_us: int) -> Ended | None:
        """The device has come to the end of a trajectory."""
        if not self._motions or self._by_number(traj) is not self._motions[0]:
            return None
        motion = self._motions.popleft()
        self._calls.pop(motion.move.id, None)
        self._last_end_us = t_us
        self._time.forget(self._clock.to_host_ns(t_us))
        return Ended(id=motion.move.id, host_ns=self._clock.to_host_ns(t_us), lost_ns=lost_us * 1000)

    def not_ready(self, traj: int) -> None:
        """The device wants more of a move before it starts it."""
        if (motion := self._by_number(traj)) is not None:
            motion.start_sent, motion.needed_us = False, motion.needed_us + _MORE_US

    def note(self, status: Status) -> None:
        """How far the device is."""
        motion = self._by_number(status.traj)
        if motion is not None and motion.started_us is not None:
            motion.passed = min(status.knot, motion.sent)
            motion.lost_us = status.lost_us
        if self._clock.synced:
            self._time.note(self._clock.to_host_ns(status.t_us), status.speed_pct)

    def _by_number(self, traj: int) -> _Motion | None:
        return next((motion for motion in self._motions if motion.sent and motion.traj == traj), None)

    def _next_start(self, now_ns: int) -> Start | None:
        before: _Motion | None = None
        for motion in self._motions:
            if not motion.start_sent:
                mode = self._mode(motion, before, now_ns) if self._may_start(motion) else None
                if mode is None:
                    return None
                motion.start_sent = True
                return Start(traj=motion.traj, mode=mode[0], t_start_us=mode[1])
            before = motion
        return None

    def _may_start(self, motion: _Motion) -> bool:
        """Whether the device has enough of a move."""
        return motion.complete or (
            motion.sent > 0 and motion.move.knots[motion.sent - 1].t_us >= motion.needed_us
        )

    def _mode(self, motion: _Motion, before: _Motion | None, now_ns: int) -> tuple[StartMode, int] | None:
        """How and when a move starts; None while that is not known."""
        start = motion.move.start
        if isinstance(start, AfterLast):
            if start.delay_ns == 0 or (before is None and self._last_end_us is None):
                return StartMode.AFTER_PREVIOUS, 0
            if before is not None or self._last_end_us is None:
                return None
            return self._after(
                self._last_end_us, self._clock.to_host_ns(self._last_end_us), start.delay_ns, now_ns
            )
        if isinstance(start, AtTime):
            return self._after(self._clock.to_device_us(start.host_ns), start.host_ns, start.delay_ns, now_ns)
        host_ns = self._calls.get(motion.move.id)
        return None if host_ns is None else (StartMode.AT_TIME, self._clock.to_device_us(host_ns))

    def _after(
        self, since_us: int, since_ns: int, delay_ns: int, now_ns: int
    ) -> tuple[StartMode, int] | None:
        """Start once a wait is over that began at a device time, which is this host time; None while it goes on."""
        end_ns = self._time.end(since_ns, delay_ns)
        if end_ns is None or end_ns > now_ns + START_AHEAD_NS:
            return None
        return StartMode.AT_TIME, (since_us + round((end_ns - since_ns) / 1000)) % _WRAP

    def _next_knots(self, now_ns: int) -> SegQuintic | None:
        filling = next((motion for motion in self._motions if not motion.complete), None)
        if filling is None or self.buffered_us(now_ns) >= self._target_us:
            return None
        there = [motion for motion in self._motions if motion.sent]
        held = sum(motion.sent - motion.passed for motion in there)
        if held + self._batch > KNOTS - _SPARE_KNOTS or (not filling.sent and len(there) >= TRAJECTORIES - 1):
            return None
        if not filling.sent:
            self._last_traj = filling.traj = (self._last_traj + 1) % 256
        first = filling.sent
        knots = filling.move.knots[first : first + self._batch]
        filling.sent += len(knots)
        flags = KnotFlag.LAST if filling.complete else KnotFlag(0)
        return SegQuintic(traj=filling.traj, flags=flags, first_knot=first, knots=knots)
