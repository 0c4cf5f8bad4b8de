"""Hold-to-run: one joint of one arm turns slowly for as long as somebody keeps asking for it.

The motion is queued in pieces of a second, so that an arm whose controller is gone stands after the piece at the latest;
it stops at once when nothing was heard for a quarter of a second. Nobody looks out for obstacles but the person who jogs.
"""

from collections.abc import Callable, Mapping

import numpy as np

from cells.cell import CellArm
from cells.driver import ArmDriver, ArmState, Clock, QueueStatus, Segment, Status, StopCategory
from kinematics import Limits, through

MOST = 0.1  # share of a joint's greatest speed
_HEARTBEAT_NS = 250_000_000
_PIECE_S = 1.0
_MARGIN_RAD = 0.01  # short of a joint's limit
_ID = -1  # no node of any plan


class Jogging:
    """At most one arm is jogged at a time.

    Args:
        arms: Arms of the cell by name.
        drivers: Their drivers.
        readings: What every arm reported last; read anew by somebody else in every round.
        clock: Time of the cell.

    Attributes:
        arm: The arm that is being jogged; empty when none is.
    """

    def __init__(
        self,
        arms: Mapping[str, CellArm],
        drivers: Mapping[str, ArmDriver],
        readings: Callable[[], Mapping[str, ArmState]],
        clock: Clock,
    ) -> None:
        self.arm = ""
        self._readings = readings
        self._arms = arms
        self._drivers = drivers
        self._clock = clock
        self._wish = (0, 0.0)  # joint and share
        self._heard_ns = 0
        self._stops = False
        self._powered = False  # since this button was pressed

    def refusal(self, arm: str, joint: int, share: float) -> str:
        """Why this cannot be asked for; empty when it can."""
        if arm not in self._arms:
            return f"arm {arm!r} (allowed: {', '.join(self._arms)})"
        if not 0 <= joint < 6:
            return f"joint {joint} (allowed: 0 to 5)"
        if not abs(share) <= MOST:
            return f"share {share:g} (allowed: -{MOST:g} to {MOST:g})"
        if self.arm not in ("", arm):
            return f"{self.arm} is being jogged (allowed: one arm at a time)"
        return ""

    def ask(self, arm: str, joint: int, share: float) -> None:
        """Somebody holds the button, or lets go of it (share 0)."""
        self._heard_ns = self._clock.now_ns
        if self.arm and (share == 0.0 or self._wish != (joint, share)):
            self._stop()
        elif not self.arm and share != 0.0:
            self.arm, self._stops, self._powered = arm, False, False
        self._wish = joint, share

    def round(self) -> None:
        """Go on with it, or come to its end."""
        if not self.arm:
            return
        driver, reading = self._drivers[self.arm], self._readings()[self.arm]
        if not self._stops and self._clock.now_ns - self._heard_ns > _HEARTBEAT_NS:
            self._stop()
        elif reading.status is Status.FAULT or (self._stops and reading.status is not Status.RUNNING):
            self.arm = ""
        elif self._stops:
            return
        elif reading.status is not Status.IDLE:
            if not self._powered:
                driver.enable()  # without effect until it has come to rest from the button before
            return
        else:
            self._powered = True
            piece = self._piece(reading)
            if piece is not None and driver.queue(piece) is QueueStatus.REFUSED:
                self._stop()

    def stop(self) -> None:
        """Whatever is asked for: stop."""
        if self.arm:
            self._stop()

    def _stop(self) -> None:
        self._drivers[self.arm].stop(StopCategory.STOP_THEN_POWER_OFF)
        self._stops = True

    def _piece(self, reading: ArmState) -> Segment | None:
        """The next second of motion; None at the end of the joint's range, where the arm holds what it was given."""
        joint, share = self._wish
        chain, limits = self._arms[self.arm].arm.chain, self._arms[self.arm].arm.limits
        low, high = chain.q_min[joint] + _MARGIN_RAD, chain.q_max[joint] - _MARGIN_RAD
        goal = reading.q.copy()
        goal[joint] = np.clip(goal[joint] + share * limits.velocity[joint] * _PIECE_S, low, high)
        if (goal[joint] - reading.q[joint]) * share <= 0.0:
            return None
        slow = Limits(
            velocity=limits.velocity * abs(share),
            acceleration=limits.acceleration * MOST,
            jerk=limits.jerk * MOST,
        )
        return Segment(id=_ID, trajectory=through(np.vstack([reading.q, goal]), slow))
