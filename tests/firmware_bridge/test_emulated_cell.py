"""Processes, terminals and cables as in a real cell: what virtual time can't show."""

import itertools
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from cells.cell import load_cell
from cells.driver import Segment, Status, StopCategory
from firmware_bridge.armlink.knots import knots_of
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.looking import Look
from firmware_bridge.armlink.nonblocking_port import NonblockingPort
from firmware_bridge.armlink.serial_arm import SerialArm
from firmware_bridge.armlink.tool import TimedTool
from firmware_bridge.armlink.transport_process import TransportProcess
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.emulator.build import host_program
from firmware_bridge.emulator.emulated_cell import EmulatedCell
from firmware_bridge.emulator.line_process import Plug, Unplug
from firmware_bridge.port import LinkError
from kinematics import rest_to_rest

CELL = load_cell("six_arm")
HERE, THERE = np.zeros(6), np.array([0.8, 0.3, -0.4, 0.5, 0.6, 1.0])
_ids = itertools.count(1)
WAITS_S = 15.0  # for a machine that is busy


class WallClock:
    def __init__(self) -> None:
        self.origin_ns = time.monotonic_ns()
        self.now_ns = 0

    def advance(self) -> None:
        time.sleep(0.005)
        self.now_ns = time.monotonic_ns() - self.origin_ns


class Bench:
    """Two arms of the cell on real terminals."""

    def __init__(self, emulated: EmulatedCell, transport: TransportProcess) -> None:
        self.emulated, self.transport, self.clock = emulated, transport, WallClock()
        self.arms = [
            SerialArm(arm, transport.channels[arm.id], self.clock, self.clock.origin_ns, TimedTool())
            for arm in CELL.arms[:2]
        ]

    def wait(self, seconds: float) -> None:
        end_ns = self.clock.now_ns + round(seconds * 1e9)
        while self.clock.now_ns < end_ns:
            self.clock.advance()
            for arm in self.arms:
                arm.read()

    def until_fault(self, arm: SerialArm) -> str:
        end_s = time.monotonic() + WAITS_S
        while not (fault := arm.read().fault):
            assert time.monotonic() < end_s
            self.clock.advance()
        return fault

    def set_moving(self) -> None:
        for arm in self.arms:
            arm.enable()
            for start, end in ((HERE, THERE), (THERE, HERE)):
                segment = Segment(
                    id=next(_ids), trajectory=rest_to_rest(start, end, arm.limits).stretched(4.0)
                )
                arm.queue(segment)
        self.wait(1.0)
        assert all(arm.read().status is Status.RUNNING for arm in self.arms)

    def speed(self, name: str) -> float:
        return float(np.abs(self.emulated.firmware[name].plant.joints()[1]).max())


@pytest.fixture
def bench() -> Iterator[Bench]:
    try:
        host_program()
    except MissingToolError as missing:
        pytest.skip(str(missing))
    knots_of(rest_to_rest(HERE, THERE, CELL.arms[0].arm.limits))  # compiled before anything waits for it
    start = {arm.id: HERE for arm in CELL.arms}
    with ExitStack() as stack:
        emulated = stack.enter_context(EmulatedCell(CELL, start, LinkSettings()))
        entries = {name: emulated.entries[name] for name in ("R1", "R2")}
        bench = Bench(emulated, stack.enter_context(TransportProcess(entries)))
        for arm in bench.arms:
            arm.__enter__()
        bench.clock.advance()
        yield bench


def test_a_frozen_transport_leaves_the_arms_at_rest_and_its_old_bytes_do_nothing(bench: Bench) -> None:
    bench.set_moving()
    os.kill(bench.transport.pid, signal.SIGSTOP)
    try:
        time.sleep(LinkSettings().lease_s + 1.0)
        assert bench.speed("R1") == bench.speed("R2") == 0.0
        rested = bench.emulated.firmware["R1"].plant.joints()[0]
    finally:
        os.kill(bench.transport.pid, signal.SIGCONT)
    assert bench.until_fault(bench.arms[0])
    bench.wait(1.0)
    assert bench.emulated.firmware["R1"].plant.joints()[0] == pytest.approx(rested, abs=1e-5)


def test_a_killed_transport_is_a_fault_and_the_arms_stop_by_themselves(bench: Bench) -> None:
    bench.set_moving()
    os.kill(bench.transport.pid, signal.SIGKILL)
    assert "process of the serial lines has ended" in bench.until_fault(bench.arms[0])
    time.sleep(LinkSettings().lease_s + 1.0)
    assert bench.speed("R1") == bench.speed("R2") == 0.0


def test_a_cable_pulled_and_put_back_is_recovered_by_opening_the_driver_again(bench: Bench) -> None:
    arm, lines = bench.arms[0], bench.emulated.lines
    bench.set_moving()
    lines.command("R1", Unplug())
    assert "is gone" in bench.until_fault(arm)
    bench.wait(1.0)
    assert bench.speed("R1") == 0.0
    lines.command("R1", Plug(host=bench.emulated.port("R1")))
    with arm:
        assert arm.read().status is Status.DISABLED
        arm.enable()
        bench.wait(0.3)
        here = arm.read().q
        segment = Segment(id=next(_ids), trajectory=rest_to_rest(here, here + 0.05, arm.limits))
        arm.queue(segment)
        bench.wait(2.0)
        assert arm.read().q == pytest.approx(here + 0.05, abs=1e-4)


def test_exchanged_cables_are_refused_by_name(bench: Bench) -> None:
    emulated = bench.emulated
    bench.set_moving()
    for name in ("R1", "R2"):
        emulated.lines.command(name, Unplug())
    for arm in bench.arms:
        bench.until_fault(arm)
    emulated.lines.command("R1", Plug(host=emulated.port("R2")))
    emulated.lines.command("R2", Plug(host=emulated.port("R1")))
    with pytest.raises(LinkError, match=r"^arm R1: wrong arm: unit \w+ answers, which is R2; R1 is unit"):
        bench.arms[0].__enter__()
    bench.wait(1.5)  # the lease, and a ramp
    assert bench.speed("R1") == bench.speed("R2") == 0.0


def test_a_look_says_who_is_there_and_leaves_the_session_alone(bench: Bench) -> None:
    port = NonblockingPort(str(bench.emulated.port("R3")), 921_600)
    try:
        found = Look(port).identify()
    finally:
        port.close()
    assert found is not None
    assert (found.hello.session, found.model) == (0, "gp7 R3")
    with pytest.raises(LinkError, match="cannot be opened"):
        NonblockingPort(str(bench.emulated.port("R1")), 921_600)  # the transport has it


def test_a_stop_reaches_the_motors_within_its_ramp(bench: Bench) -> None:
    bench.set_moving()
    for arm in bench.arms:
        arm.stop(StopCategory.STOP_AND_HOLD)
    bench.wait(1.0)
    assert bench.speed("R1") == bench.speed("R2") == 0.0
    assert all(arm.read().status is Status.STOPPED for arm in bench.arms)
