"""Screwdriving without the engine: one degree of freedom, torque over angle, judged as real spindles do.

A screw runs in at its prevailing torque until its head is seated, then torque grows with angle until the
spindle cuts off. The step is OK within 120 % of the torque and within 10 degrees of the nominal tightening
angle (the windows of a maker's process monitoring); everything else here is an estimate (E).
"""

import math
from dataclasses import dataclass

import numpy as np

_RUN_IN_RAD = 5 * 2 * math.pi  # E: five turns
_TIGHTENING_RAD = math.radians(30.0)  # E: from seated to cut-off
_PREVAILING = 0.08  # E: share of the final torque
_SLOW = 0.2  # speed near the seat
_SLOW_FROM_RAD = math.radians(90.0)
_TORQUE_LIMIT = 1.2
_ANGLE_WINDOW_RAD = math.radians(10.0)
_RUN_SHARE = 0.85  # of the time for the stroke, the rest is for coming and going


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrewResult:
    """One driven screw: final torque [N m], tightening angle [rad] and whether both are in their windows."""

    torque_nm: float
    angle_rad: float
    ok: bool


class Screw:
    """One screw under one spindle."""

    def __init__(self, torque_nm: float, duration_s: float, rng: np.random.Generator) -> None:
        self._target = torque_nm
        # E: seat found within 5 degrees, joint stiffness scatters by 5 %, the spindle's cut-off by 1.5 %.
        self._seat = _RUN_IN_RAD + math.radians(5.0) * float(rng.standard_normal())
        self._stiffness = torque_nm / _TIGHTENING_RAD * math.exp(0.05 * float(rng.standard_normal()))
        self._cut_off = torque_nm * (1.0 + 0.015 * float(rng.standard_normal()))
        slow = (_SLOW_FROM_RAD + _TIGHTENING_RAD) / _SLOW
        self._speed = (_RUN_IN_RAD - _SLOW_FROM_RAD + slow) / (_RUN_SHARE * duration_s)
        self._angle = 0.0
        self.torque_nm = 0.0
        self.result: ScrewResult | None = None

    @property
    def seated(self) -> bool:
        """Whether the head is seated: tightening must not pause."""
        return self._angle > self._seat

    def turn(self, dt: float) -> None:
        """Let the spindle turn for ``dt``; it stops at the very angle of the cut-off torque."""
        if self.result is not None:
            self.torque_nm = 0.0
            return
        near = self._angle > self._seat - _SLOW_FROM_RAD
        end = self._seat + (self._cut_off - _PREVAILING * self._target) / self._stiffness
        self._angle = min(self._angle + dt * self._speed * (_SLOW if near else 1.0), end)
        wound = max(0.0, self._angle - self._seat)
        self.torque_nm = _PREVAILING * self._target + self._stiffness * wound
        if self._angle >= end:
            ok = (
                self.torque_nm <= _TORQUE_LIMIT * self._target
                and abs(wound - (1.0 - _PREVAILING) * _TIGHTENING_RAD) <= _ANGLE_WINDOW_RAD
            )
            self.result = ScrewResult(torque_nm=self.torque_nm, angle_rad=wound, ok=ok)
