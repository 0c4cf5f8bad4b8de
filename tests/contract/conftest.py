"""Drivers under contract, each with a way to let time pass."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pytest

from cells.arm import load_arm
from cells.cell import Cell, load_cell
from cells.driver import ArmDriver, Clock, StationDriver
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from firmware_bridge.dynamixel.arm import DynamixelArm
from firmware_bridge.emulated_line import MemoryLine
from firmware_bridge.emulator.build import MissingToolError, shared_library
from firmware_bridge.feetech.arm import FeetechArm
from firmware_bridge.servos.arm import PERIOD_S, ServoArm
from kinematics import Chain
from sim.world import SimClock, World
from tests.firmware_bridge.emulated_arms import ServoClock, dynamixel_bus, feetech_arm, feetech_bus
from tests.firmware_bridge.virtual_arm import virtual_arm

START = np.array([0.1, 0.2, -0.1, 0.2, -0.8, 0.3])


def dynamixel_arm(clock: ServoClock) -> ServoArm:
    line = MemoryLine(dynamixel_bus(START), clock.now_s)
    return DynamixelArm("R1", load_arm("vx300s"), line, clock, streaming=False)


def feetech_arm_on_bus(clock: ServoClock) -> ServoArm:
    line = MemoryLine(feetech_bus(START), clock.now_s)
    return FeetechArm("R1", feetech_arm(), line, clock, streaming=False)


SERVO_ARMS = {"dynamixel": dynamixel_arm, "feetech": feetech_arm_on_bus}


class FailingArm(ArmDriver, Protocol):
    """An arm that can be made to fault."""

    def fail(self, fault: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Bench:
    """An arm and the stations of a cell on a clock; ``step_s`` is the most by which time may jump.

    ``still_rad`` is how near to its setpoint an arm at rest reads, ``near_rad`` what it may be off while it moves,
    ``measured_ago_s`` how old a reading may be. ``step_rad`` is the step of its encoder, and
    ``span_s`` the time between two places from which its speed is told, where readings of the speed are none of the arm:
    those of servos are of the moment between two goals, and in coarse units.
    """

    driver: str
    arm: FailingArm
    chain: Chain
    clock: Clock
    step_s: float
    still_rad: float = 1e-4
    near_rad: float = 2e-3
    measured_ago_s: float = 0.0
    step_rad: float = 0.0
    span_s: float = 0.0

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        end = self.clock.now_ns + round(seconds * 1e9)
        while self.clock.now_ns < end:
            self.clock.advance()

    def until(self, done: Callable[[], bool], seconds: float = 30.0) -> None:
        """Let time pass until something holds."""
        end = self.clock.now_ns + round(seconds * 1e9)
        while not done():
            assert self.clock.now_ns < end, "it did not come to that"
            self.clock.advance()


class TickingClock(FakeClock):
    """A fake clock that goes in small steps, so that something can happen in the middle of a segment."""

    def advance(self) -> None:
        self.now_ns += 4_000_000


@dataclass(frozen=True, kw_only=True)
class CellBench(Bench):
    """A bench with the stations of the cell."""

    stations: StationDriver


def fake_bench(cell: Cell) -> CellBench:
    clock = TickingClock()
    arm = cell.arms[0]
    return CellBench(
        driver="fake",
        arm=FakeArm(arm.id, arm.arm.limits, clock, chain=arm.arm.chain, start=START),
        chain=arm.arm.chain,
        stations=FakeStations(clock),
        clock=clock,
        step_s=0.004,
    )


def sim_bench(cell: Cell, world: World) -> CellBench:
    name = cell.arms[0].id
    return CellBench(
        driver="sim",
        arm=world.arms[name],
        chain=cell.arms[0].arm.chain,
        stations=world.stations,
        clock=SimClock(world),
        step_s=2 / 240,
    )


@pytest.fixture(scope="session")
def cell() -> Cell:
    return load_cell("six_arm")


def servo_bench(driver: str) -> Bench:
    clock = ServoClock()
    arm = SERVO_ARMS[driver](clock)
    clock.arm = arm
    half_step = np.pi / 4096
    return Bench(
        driver=driver,
        arm=arm,
        chain=load_arm("vx300s").chain,
        clock=clock,
        step_s=4 * PERIOD_S,  # goals are reached two periods late
        still_rad=1.01 * half_step,
        near_rad=4e-3,
        step_rad=2 * half_step,
        span_s=0.15,  # an error of a step is then 4 % of the acceleration limit
    )


def serial_bench(cell: Cell) -> Bench:
    """The firmware behind a line in virtual time."""
    try:
        shared_library()  # compiled on demand
    except MissingToolError as missing:
        pytest.skip(str(missing))
    arm, clock, _ = virtual_arm(cell.arms[0], START)
    return Bench(
        driver="serial",
        arm=arm,
        chain=cell.arms[0].arm.chain,
        clock=clock,
        step_s=0.05,  # a motion begins once its first half second is there
        measured_ago_s=0.025,  # a status every 20 ms, and its way
    )


@contextmanager
def cell_bench(driver: str, cell: Cell) -> Iterator[CellBench]:
    if driver == "fake":
        yield fake_bench(cell)
        return
    with World(cell, start={cell.arms[0].id: START}, ideal=True) as world:
        yield sim_bench(cell, world)


CELL_DRIVERS = ("fake", pytest.param("sim", marks=pytest.mark.pybullet))


@pytest.fixture(params=CELL_DRIVERS)
def stations_bench(request: pytest.FixtureRequest, cell: Cell) -> Iterator[CellBench]:
    """Every driver with stations in turn."""
    with cell_bench(request.param, cell) as bench:
        yield bench


@pytest.fixture(params=(*CELL_DRIVERS, "serial", *SERVO_ARMS))
def bench(request: pytest.FixtureRequest, cell: Cell) -> Iterator[Bench]:
    """Every driver in turn: a disabled arm at START, and idle stations if it has any."""
    if request.param in SERVO_ARMS:
        servos = servo_bench(request.param)
        with servos.arm:
            yield servos
        return
    if request.param == "serial":
        yield serial_bench(cell)
        return
    with cell_bench(request.param, cell) as bench:
        yield bench
