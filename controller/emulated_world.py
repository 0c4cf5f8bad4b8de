"""The cell's arms on emulated controllers, the world as their plant: whose clock counts, and who tells whom.

The firmware's motors are the truth. Time is wall time, because bytes on terminals know no other; the world is
stepped up to it, and never past what the firmware has already lived through (docs/decisions/0004-cell-clock.md).
"""

import time

import numpy as np
from numpy.typing import NDArray

from cells.driver import Segment
from firmware_bridge.emulator import Plant
from firmware_bridge.tool import Done
from firmware_bridge.transport_process import TransportProcess
from sim.driven_arm import DrivenArm
from sim.sim_arm import SimArm
from sim.world import World

FloatArray = NDArray[np.float64]

_TICK_NS = 1_000_000
_AHEAD_NS = 4_000_000  # of the latest tick: bridged by the motors' speed and acceleration
_FROZEN_NS = 100_000_000  # a firmware that is so late is not waited for
_LOST_NS = 300_000_000  # ticks that were skipped, not late
_STEP_NS = 8_333_334  # the longest of the world
_PERIOD_NS = 25_000_000
_WAIT_S = 0.002


class Shafts:
    """The motors of one emulated arm on the cell's time.

    Args:
        plant: The motors as the firmware's process shares them.
        origin_ns: Host time (monotonic) at which the cell's was zero.
    """

    def __init__(self, plant: Plant, origin_ns: int) -> None:
        self._plant = plant
        self._origin_ns = origin_ns
        self._base_ns: int | None = None  # cell time of tick 0
        self._ticks = -1
        self.time_ns = 0
        self._q, self._qd, self._qdd = np.zeros(6), np.zeros(6), np.zeros(6)
        self.look()

    def look(self) -> None:
        """Take in the latest tick."""
        ticks = self._plant.layout.ticks // 2
        if ticks == self._ticks:
            return
        self._q, self._qd = self._plant.joints()
        self._qdd = np.array(self._plant.layout.acc_setpoint, dtype=np.float64) * self._plant.powered
        base_ns = time.monotonic_ns() - self._origin_ns - ticks * _TICK_NS
        # The least late tick seen so far shows when the count began.
        known = self._base_ns is not None and ticks > self._ticks and base_ns - self._base_ns < _LOST_NS
        self._base_ns = min(self._base_ns, base_ns) if known and self._base_ns is not None else base_ns
        self._ticks = ticks
        self.time_ns = self._base_ns + ticks * _TICK_NS

    def __call__(self, time_ns: int) -> FloatArray:
        """Joints (6,) at a time of the cell near the latest tick [rad]."""
        ahead_s = min(max(time_ns - self.time_ns, -2 * _AHEAD_NS), 2 * _AHEAD_NS) * 1e-9
        return self._q + ahead_s * (self._qd + 0.5 * ahead_s * self._qdd)


class EmulatedClock:
    """Wall time for a world that follows emulated arms.

    Args:
        world: The world, with `DrivenArm`s; each follows its `Shafts` from the moment they are named.
        transport: What wakes this clock when an arm has something to report.

    Attributes:
        origin_ns: Host time (monotonic) at which the cell's was zero.
    """

    def __init__(self, world: World, transport: TransportProcess) -> None:
        self.origin_ns = time.monotonic_ns()
        self._world = world
        self._shafts: dict[str, Shafts] = {}
        self._transport = transport
        self._now_ns = 0

    def follow(self, name: str, plant: Plant) -> None:
        """Let an arm of the world stand where these motors are, from now on."""
        arm = self._world.arms[name]
        assert isinstance(arm, DrivenArm)
        self._shafts[name] = arm.follower.shafts = Shafts(plant, self.origin_ns)

    @property
    def now_ns(self) -> int:
        """Time at the end of the last advance [ns]."""
        return self._now_ns

    def advance(self) -> None:
        """Step the world towards the present, or wait for it; returns early when something has happened."""
        world = self._world
        world.news = False
        end_ns = world.time_ns + _PERIOD_NS
        while not world.news and world.time_ns < end_ns:
            for shafts in self._shafts.values():
                shafts.look()
            now_ns = time.monotonic_ns() - self.origin_ns
            seen = [shafts.time_ns for shafts in self._shafts.values()]
            reach_ns = min([now_ns, *(at + _AHEAD_NS for at in seen if now_ns - at < _FROZEN_NS)])
            if world.time_ns + _STEP_NS > reach_ns:
                self._transport.wait(_WAIT_S)
                break
            world.step()
        self._now_ns = max(world.time_ns, time.monotonic_ns() - self.origin_ns)


class PlantTool:
    """The tool of an arm in the world, for the driver of that arm."""

    def __init__(self, arm: SimArm) -> None:
        assert isinstance(arm, DrivenArm)
        self._arm = arm

    @property
    def fault(self) -> str:
        """What went wrong with it."""
        return self._arm.fault

    def begin(self, segment: Segment, start_ns: int) -> None:
        """A segment has begun."""
        self._arm.begin(segment, start_ns)

    def arrived(self, end_ns: int) -> None:
        """Its motion has ended."""
        self._arm.arrive(end_ns)

    def done(self, now_ns: int) -> Done | None:
        """How its process ended."""
        result = self._arm.result()
        return None if result is None else Done(end_ns=result.end_ns, measured=result.measured)

    def stop(self) -> None:
        """It will not be finished."""
        self._arm.interrupt()
