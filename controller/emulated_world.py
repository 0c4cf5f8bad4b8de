"""The cell's arms on emulated controllers, the world as their plant: whose clock counts, and who tells whom.

The firmware's motors are the truth. Time is wall time, because bytes on terminals know no other; the world is
stepped up to it, and never past what the firmware has already lived through (docs/decisions/0005-cell-clock.md).
"""

import time

import numpy as np
from numpy.typing import NDArray

from cells.driver import Segment
from firmware_bridge.armlink.tool import Done
from firmware_bridge.armlink.transport_process import TransportProcess
from firmware_bridge.emulator import Plant
from sim.driven_arm import DrivenArm
from sim.sim_arm import SimArm
from sim.world import World

FloatArray = NDArray[np.float64]

_MOST_LATE_NS = 60_000_000_000  # the motors are remembered for a little longer
_FROZEN_NS = 250_000_000  # a firmware that is so late is not waited for
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

    def late_ns(self) -> int:
        """How long ago their latest tick was."""
        now_us = time.monotonic_ns() // 1000
        return (now_us - self._plant.latest_us()) % (1 << 32) * 1000

    def __call__(self, time_ns: int) -> FloatArray:
        """Joints (6,) at a time of the cell within the last seconds [rad]."""
        return self._plant.joints_at((time_ns + self._origin_ns) // 1000)


class EmulatedClock:
    """Paces the world to wall time, which the emulated arms live in; the world's time is the cell's.

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

    def follow(self, name: str, plant: Plant) -> None:
        """Let an arm of the world stand where these motors are, from now on."""
        arm = self._world.arms[name]
        assert isinstance(arm, DrivenArm)
        self._shafts[name] = arm.follower.shafts = Shafts(plant, self.origin_ns)

    @property
    def now_ns(self) -> int:
        """The world's time [ns]: what the arms did later has not happened yet for the cell."""
        return self._world.time_ns

    def advance(self) -> None:
        """Step the world towards the present, or wait for it; returns early when something has happened."""
        world = self._world
        world.news = False
        end_ns = world.time_ns + _PERIOD_NS
        while not world.news and world.time_ns < end_ns:
            late_ns = [shafts.late_ns() for shafts in self._shafts.values()]
            waited_for_ns = max((late for late in late_ns if late < _FROZEN_NS), default=0)
            reach_ns = time.monotonic_ns() - self.origin_ns - waited_for_ns
            if reach_ns - world.time_ns > _MOST_LATE_NS:
                self._give_up()
            if world.time_ns + _STEP_NS > reach_ns:
                self._transport.wait(_WAIT_S)
                break
            world.step()

    def _give_up(self) -> None:
        """Say what is wrong: the motors that the world has to follow are no longer remembered."""
        late_s = _MOST_LATE_NS / 1e9
        for name in self._shafts:
            self._world.arms[name].fail(
                f"this machine is too busy: the world is {late_s:.0f} s behind the arms"
            )


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
