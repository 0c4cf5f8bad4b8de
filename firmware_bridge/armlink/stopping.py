"""Bringing an arm to rest over a line that may lose anything.

HOLD and QSTOP are repeated until a status shows that they arrived. Frames that were under way before the stop
may still be executed, a START among them, so it only counts as done when every one of them was answered, a
later status shows rest, and the buffer was dropped.
"""

from firmware_bridge.armlink.codes import Drive, Motion
from firmware_bridge.armlink.messages import Hold, Qstop
from firmware_bridge.armlink.reports import Status

_REPEAT_NS = 5_000_000
_KEEP_NS = 25_000_000  # once it was seen to work
_MOVING = (Drive.OPERATION_ENABLED, Drive.QUICK_STOP_ACTIVE, Drive.FAULT_REACTION_ACTIVE, Drive.SWITCHED_ON)


class Stopping:
    """One stop under way.

    Args:
        power_off: Stop as fast as limits allow, then brakes on and power off.
        now_ns: When it was ordered.

    Attributes:
        quiet: The device is being told to drop its buffer: another HOLD would only hold it again.
    """

    def __init__(self, power_off: bool, now_ns: int) -> None:
        self.due_ns = now_ns
        self.quiet = False
        self._power_off = power_off
        self._seen = False

    def due(self, now_ns: int) -> Hold | Qstop | None:
        """What to send now, if anything."""
        if self.quiet or now_ns < self.due_ns:
            return None
        self.due_ns = now_ns + (_KEEP_NS if self._seen else _REPEAT_NS)
        return Qstop(reason=0) if self._power_off else Hold(ramp_ms=0)

    def harder(self, now_ns: int) -> None:
        """Take the power off as well."""
        if not self._power_off:
            self._power_off, self._seen, self.quiet, self.due_ns = True, False, False, now_ns

    def at_rest(self, status: Status) -> bool:
        """Whether a status shows what was asked for; for a hold, the buffer is then to be dropped."""
        if self._power_off:
            self._seen = status.drive is not Drive.OPERATION_ENABLED
            return status.drive not in _MOVING
        self._seen = status.drive is not Drive.OPERATION_ENABLED or status.motion in (
            Motion.HOLDING,
            Motion.HELD,
        )
        held = status.motion is Motion.HELD or (self.quiet and status.motion is Motion.IDLE)
        return held or status.drive not in _MOVING
