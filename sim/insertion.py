"""Inserting a part: contact first, then the law of its fit.

Two phases. In *contact* the part meets its counterpart in the engine, over the first millimetres of the
entry, and the arm yields sideways (admittance). When the part has entered, is upright and central enough,
it is *engaged*: the pair no longer collides and the part's `Fit` acts as an axial force on the tool and,
sideways, as the guidance of the true fit, which is far tighter than contact simulation can show. Past the
end of the planned line the arm presses on until the seating force is reached. All gains and limits are
estimates (E).
"""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cells.driver import InsertPart
from cells.part import Fit
from sim.arm_urdf import FLANGE_LINK
from sim.body import Workpiece
from sim.engine import GRAVITY, inverse
from sim.gripper import Gripper
from sim.workpiece import guide_of

if TYPE_CHECKING:
    from sim.world import World

FloatArray = NDArray[np.float64]

CONTACT_M = 0.003  # entry depth after which the fit takes over, once the part is central
_LONGEST_CONTACT_M = 0.010  # after which it takes over anyhow, and the insertion is not OK
ABORT_N = 100.0
_GATE_M = 1e-4  # beyond the clearance
_GATE_TILT_RAD = math.radians(0.5)
_YIELD_M_PER_NS = 2e-3  # (m/s)/N
# [s] that giving way takes to build up, the virtual mass of an admittance control. A part's inertia is felt as a force, and
# one step answers the other ever harder from a mass of (2 - a) / (2 a) dt / yield on, a = dt / (dt + lag): 8.5 kg at 240
# steps a second. Without a lag that is dt / (2 yield), 1.04 kg, less than a large joint.
_YIELD_LAG_S = 0.015
_NEAR_M = 0.002  # admittance begins this far above the entry
_GUIDE_N_PER_M = 5e4
_GUIDE_PLAY_M = 10e-6  # of the modelled h6/H7 fit
_SEATING_N = 10.0  # beyond the friction
_PRESS_M_PER_NS = 0.5e-3
_PRESS_EARLY_S = 0.03  # before the end of the line
_PRESS_M_PER_S = 6e-3
_SEATED_N = 2.0
_PATIENCE_S = 1.0
# A station without a joint in it centres a part by a locating ring; its play is wide, its seat is stiff.
_PLAIN_SEAT = Fit(
    entry_m=0.003,
    clearance_m=0.001,
    friction_n=0.0,
    stiffness_n_per_m=2e5,
    force_low_n=0.0,
    force_high_n=60.0,
)


class JamError(Exception):
    """The part met something it should not have: the arm has to stop."""


class Insertion:
    """One insertion under way. `yielded` is how far the arm gave way, in the world [m]."""

    def __init__(self, world: "World", gripper: Gripper, process: InsertPart) -> None:
        assert gripper.held is not None
        self.process = process
        self.part = gripper.held
        self.counterpart: Workpiece | None = world.at.get(process.station)
        self.yielded = np.zeros(3)
        self._yielding = np.zeros(2)  # [m/s], sideways
        self.engaged = False
        self.force_n = 0.0
        self.peak_n = 0.0
        self._gripper = gripper
        self._world = world
        self._engine = world.engine
        guided = self.counterpart is not None or world.is_nest(process.station)
        fit = self.part.last.fit if self.counterpart is not None else _PLAIN_SEAT
        if guided and self.counterpart is None:
            fit = replace(_PLAIN_SEAT, force_high_n=process.force_high_n)
        self._fit = replace(fit, entry_m=max(process.entry_m, 1e-4))
        self._window = (process.force_low_n, process.force_high_n)
        self._enter(self._fit.entry_m)
        self._X_WG = self._guide(world.seat(process.station))
        self._X_GW = inverse(self._X_WG)
        self._gate = False
        self._waited_s = 0.0
        self._tilt = 0.0
        gripper.leave()  # what an abandoned insertion silenced meets again
        self._weight_n = self.part.mass.mass_kg * GRAVITY

    def _enter(self, overlap_m: float) -> None:
        """Heights over the seat at which the fit may take over, and at which it must."""
        self._entered_m = overlap_m - min(CONTACT_M, overlap_m / 2)
        self._latest_m = overlap_m - min(_LONGEST_CONTACT_M, 0.75 * overlap_m)

    def _guide(self, X_WS: FloatArray) -> FloatArray:
        """Frame of the axis the part has to find: through the guiding part, upright, at the seat's height."""
        if self.counterpart is None:
            return X_WS
        other, X_SW = self.counterpart, inverse(X_WS)
        guide = guide_of(self.part.last, other.parts, X_SW @ other.pose)
        if guide is not None:
            self._enter(guide.overlap_m)
        X_WG = X_WS.copy()
        axis = X_SW @ other.pose @ other.parts[guide.index if guide is not None else 0].X_0P
        X_WG[:3, 3] += X_WS[:3, :3] @ np.array([axis[0, 3], axis[1, 3], 0.0])
        return X_WG

    def press(self) -> None:
        """Apply the fit's force to the tool; before every step of the engine."""
        if self.force_n:
            at, _ = self._engine.base(self.part.body)
            self._engine.push(self._gripper.body, FLANGE_LINK, self.force_n, at)

    def watch(self, dt: float, left_s: float, feed: float) -> bool:
        """Look at the part after a step, give way, and tell whether it is seated.

        Args:
            dt: Length of the step [s].
            left_s: What is left of the planned line, negative past its end [s].
            feed: Share of its speed at which the arm presses on; held, it is not seated yet.

        Raises:
            JamError: When the contact force passes the abort limit.
        """
        X_GP = self._X_GW @ self.part.pose_of_last
        height, x, y = float(X_GP[2, 3]), float(X_GP[0, 3]), float(X_GP[1, 3])
        offset = math.hypot(x, y)
        self._tilt = math.acos(min(1.0, float(X_GP[2, 2])))
        if not self.engaged:
            self._touch(dt, height, offset)
            if not self.engaged and left_s <= 0.0:
                self._engage()
            return False
        self._settle(dt, height, (x, y), offset)
        if left_s > _PRESS_EARLY_S:
            return False
        missing = self._fit.friction_n + _SEATING_N - self.force_n
        self.yielded[2] -= max(-_PRESS_M_PER_S, min(_PRESS_M_PER_S, _PRESS_M_PER_NS * missing)) * dt * feed
        self._waited_s = -left_s
        return feed > 0.0 >= left_s and (abs(missing) < _SEATED_N or self._waited_s > _PATIENCE_S)

    def _touch(self, dt: float, height: float, offset: float) -> None:
        """Contact: yield to sideways forces until the part is far enough in and central enough."""
        if height > self._fit.entry_m + _NEAR_M:
            return  # what acts so far up is the inertia of the part
        fx, fy, fz = self._gripper.load()
        force = math.sqrt(fx * fx + fy * fy + (fz + self._weight_n) ** 2)
        self.peak_n = max(self.peak_n, force)
        if force > ABORT_N:
            raise JamError(
                f"insertion into {self.process.station} jammed: {force:.0f} N, limit {ABORT_N:.0f} N"
            )
        share = dt / (dt + _YIELD_LAG_S)
        self._yielding += share * (_YIELD_M_PER_NS * np.array([fx, fy]) - self._yielding)
        self.yielded[:2] += self._yielding * dt
        if height <= self._entered_m:
            self._gate = offset <= self._fit.clearance_m + _GATE_M and self._tilt <= _GATE_TILT_RAD
            if self._gate or height <= self._latest_m:
                self._engage()

    def _engage(self) -> None:
        self.engaged = True
        if self.counterpart is not None:
            self._gripper.enter(self.counterpart)

    def _settle(self, dt: float, height: float, lateral: tuple[float, float], offset: float) -> None:
        self.force_n = self._fit.force_n(self._fit.entry_m - height)
        self.peak_n = max(self.peak_n, abs(self.force_n))
        play = offset - _GUIDE_PLAY_M
        if self._gate and play > 0.0:
            # The fit pushes the part to its axis and the arm gives way.
            rate = _YIELD_M_PER_NS * _GUIDE_N_PER_M * play * dt / offset
            back = self._X_WG[:3, :3] @ np.array([-lateral[0], -lateral[1], 0.0])
            self.yielded += rate * back

    def measured(self) -> dict[str, float]:
        """What a force-guided arm would report at the end."""
        X_GP = self._X_GW @ self.part.pose_of_last
        offset = math.hypot(X_GP[0, 3], X_GP[1, 3])
        low, high = self._window
        ok = self._gate and low <= self.force_n <= high and self._waited_s <= _PATIENCE_S
        return {
            "ok": float(ok),
            "force_n": self.force_n,
            "peak_force_n": self.peak_n,
            "offset_m": float(offset),
            "height_m": float(X_GP[2, 3]),
            "tilt_rad": self._tilt,
        }
