"""Pressing bearings onto a hub: an implicit load line, because the engine cannot press.

A ram driven with kilonewtons sinks into whatever it presses. So the press law F(d) is ours: it brakes the
ram's motor exactly where the press would be, and the reading is F(d). The result is judged by its force-
travel window.
"""

import math
from dataclasses import dataclass

import numpy as np

# All E: two small bearings with a light interference fit on a hub.
_FRICTION_N = 1500.0
_TRAVEL_M = 0.008
_SEAT_N_PER_M = 5e6
_TRIP_N = 3000.0
_WINDOW_M = 1e-4
_FORCE_WINDOW_N = (2700.0, 3300.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PressResult:
    """Where the press tripped: force [N], travel [m], and whether both lie in the window."""

    force_n: float
    travel_m: float
    ok: bool


class Press:
    """One pressing. ``chip_m`` is the height of dirt between the faces: the seat comes early."""

    def __init__(self, duration_s: float, rng: np.random.Generator, chip_m: float = 0.0) -> None:
        self._friction = _FRICTION_N * math.exp(0.05 * float(rng.standard_normal()))
        self._seat = _TRAVEL_M - chip_m
        # The end of the line F(d) = trip, solved exactly: friction is linear up to the seat.
        self._end = self._seat + (_TRIP_N - self._friction * self._seat / _TRAVEL_M) / _SEAT_N_PER_M
        self._speed = self._end / duration_s
        self.depth_m = 0.0
        self.result: PressResult | None = None

    def force_n(self, depth_m: float) -> float:
        """Press force at a depth below first touch."""
        slide = self._friction * min(max(depth_m, 0.0), self._seat) / _TRAVEL_M
        return slide + _SEAT_N_PER_M * max(0.0, depth_m - self._seat)

    def advance(self, dt: float) -> float:
        """Depth of the ram after the next ``dt``; it stops in the trip point instead of overshooting."""
        self.depth_m = min(self.depth_m + self._speed * dt, self._end)
        if self.depth_m >= self._end and self.result is None:
            force = self.force_n(self.depth_m)
            nominal = _TRAVEL_M + (_TRIP_N - _FRICTION_N) / _SEAT_N_PER_M
            low, high = _FORCE_WINDOW_N
            ok = abs(self.depth_m - nominal) <= _WINDOW_M and low <= force <= high
            self.result = PressResult(force_n=force, travel_m=self.depth_m, ok=ok)
        return self.depth_m
