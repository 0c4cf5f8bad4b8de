"""Drivers under contract, each with a way to let time pass."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pytest

from cells.cell import Cell, load_cell
from cells.driver import ArmDriver, Clock, StationDriver
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from firmware_bridge.emulator.build import MissingToolError, shared_library
from kinematics import Chain
from sim.world import SimClock, World
from tests.firmware_bridge.virtual_arm import virtual_arm

START = np.array([0.1, 0.2, -0.1, 0.2, -0.8, 0.3])


class FailingArm(ArmDriver, Protocol):
    """An arm that can be made to fault."""

    def fail(self, fault: str) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Bench:
    """An arm and the stations of a cell on a clock.

    ``step_s`` is the most by which time may jump, or a motion begin later; ``measured_ago_s`` how old a reading may be.
    """

    driver: str
    arm: FailingArm
    chain: Chain
    stations: StationDriver
    clock: Clock
    step_s: float
    measured_ago_s: float = 0.0

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


def fake_bench(cell: Cell) -> Bench:
    clock = TickingClock()
    arm = cell.arms[0]
    return Bench(
        driver="fake",
        arm=FakeArm(arm.id, arm.arm.limits, clock, chain=arm.arm.chain, start=START),
        chain=arm.arm.chain,
        stations=FakeStations(clock),
        clock=clock,
        step_s=0.004,
    )


def sim_bench(cell: Cell, world: World) -> Bench:
    name = cell.arms[0].id
    return Bench(
        driver="sim",
        arm=world.arms[name],
        chain=cell.arms[0].arm.chain,
        stations=world.stations,
        clock=SimClock(world),
        step_s=2 / 240,
    )


def serial_bench(cell: Cell) -> Bench:
    """The firmware behind a line in virtual time; no stations hang on it."""
    arm, clock, _ = virtual_arm(cell.arms[0], START)
    return Bench(
        driver="serial",
        arm=arm,
        chain=cell.arms[0].arm.chain,
        stations=FakeStations(FakeClock()),
        clock=clock,
        step_s=0.05,
        measured_ago_s=0.025,  # a status every 20 ms, and its way
    )


@pytest.fixture(scope="session")
def cell() -> Cell:
    return load_cell("six_arm")


def compiler_or_skip() -> None:
    """The firmware is compiled on demand."""
    try:
        shared_library()
    except MissingToolError as missing:
        pytest.skip(str(missing))


@pytest.fixture(params=["fake", "serial", pytest.param("sim", marks=pytest.mark.pybullet)])
def bench(request: pytest.FixtureRequest, cell: Cell) -> Iterator[Bench]:
    """Every driver in turn: a disabled arm at START, and idle stations."""
    if request.param == "serial":
        if "station" in request.module.__name__:
            pytest.skip("stations have no serial driver")
        compiler_or_skip()
        yield serial_bench(cell)
        return
    if request.param == "fake":
        yield fake_bench(cell)
        return
    with World(cell, start={cell.arms[0].id: START}, ideal=True) as world:
        yield sim_bench(cell, world)
