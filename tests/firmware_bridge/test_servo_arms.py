"""Arms of servos when things go wrong: errors, watchdogs, bad and broken lines, servos that are set up otherwise."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from cells.arm import load_arm
from cells.driver import Dwell, GripPart, QueueStatus, Segment, SegmentResult, Status, StopCategory
from firmware_bridge.dynamixel import registers as reg
from firmware_bridge.dynamixel.arm import DynamixelArm, DynamixelServos, cycle_s
from firmware_bridge.dynamixel.emulator import EmulatedBus
from firmware_bridge.emulated_line import Damaged, MemoryLine, PseudoTerminal
from firmware_bridge.feetech import registers as sts
from firmware_bridge.feetech.arm import FeetechArm, FeetechServos
from firmware_bridge.port import LinkError, SerialPort
from firmware_bridge.servos.arm import MISSES, PERIOD_S, RealTime
from firmware_bridge.servos.chain import ServoError
from kinematics import rest_to_rest
from tests.firmware_bridge.emulated_arms import ServoClock, dynamixel_bus, feetech_arm, feetech_bus

START = np.array([0.1, 0.2, -0.1, 0.2, -0.8, 0.3])
THERE = START + np.array([0.3, 0.2, -0.2, 0.4, 0.3, -0.5])
STEP = 2 * np.pi / 4096
VX = load_arm("vx300s")


@dataclass
class Bench:
    """A Dynamixel arm on emulated servos, in virtual time."""

    bus: EmulatedBus
    line: MemoryLine
    clock: ServoClock
    arm: DynamixelArm

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / PERIOD_S)):
            self.clock.advance()

    def move(self) -> Segment:
        segment = Segment(id=1, trajectory=rest_to_rest(self.arm.read().q, THERE, self.arm.limits))
        assert self.arm.queue(segment) is QueueStatus.ACCEPTED
        return segment


def make_bench(damage: Callable[[bytes], bytes] | None = None) -> Bench:
    clock, bus = ServoClock(), dynamixel_bus(START)
    line = MemoryLine(bus, clock.now_s, damage) if damage else MemoryLine(bus, clock.now_s)
    arm = DynamixelArm("R1", VX, line, clock, streaming=False)
    clock.arm = arm
    return Bench(bus=bus, line=line, clock=clock, arm=arm)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = make_bench()
    with bench.arm:
        yield bench


def true_q(bus: EmulatedBus, now_s: float) -> np.ndarray:
    return (np.array([bus.servos[id_].motion.at(now_s)[0] for id_ in VX.servos.ids]) - 2048) * STEP


def test_shadow_servos_do_the_same_as_their_leaders(bench: Bench) -> None:
    bench.arm.enable()
    bench.move()
    bench.wait(3.0)
    assert bench.arm.read().q == pytest.approx(THERE, abs=STEP)
    for shadow, leader in ((3, 2), (5, 4)):
        there = bench.bus.servos[shadow].motion.at(bench.clock.now_s())[0]
        assert there == bench.bus.servos[leader].motion.at(bench.clock.now_s())[0]
        assert bench.bus.servos[shadow][reg.TORQUE_ENABLE] == 1


def test_it_reports_currents_voltages_and_temperatures(bench: Bench) -> None:
    bench.bus.servos[4][reg.PRESENT_CURRENT] = -100
    bench.wait(0.02)
    reading = bench.arm.reading
    assert reading is not None
    assert reading.current_a == pytest.approx([0, 0, -0.269, 0, 0, 0])
    assert reading.voltage_v == pytest.approx(np.full(6, 12.0))
    assert reading.temperature_c == pytest.approx(np.full(6, 30.0))


def test_a_hardware_error_is_a_fault_in_words_and_the_others_hold(bench: Bench) -> None:
    bench.arm.enable()
    bench.move()
    bench.wait(0.3)
    bench.bus.servos[4].fail(0x24, bench.clock.now_s())
    bench.wait(0.5)
    state = bench.arm.read()
    assert (state.status, state.fault) == (Status.FAULT, "servo 4: overheating, overload")
    assert np.abs(state.qd).max() == 0.0
    assert bench.bus.servos[1][reg.TORQUE_ENABLE] == 1
    bench.arm.stop(StopCategory.POWER_OFF)
    assert not any(bench.bus.servos[id_][reg.TORQUE_ENABLE] for id_ in VX.servos.ids)
    assert bench.arm.read().status is Status.FAULT


def test_an_error_of_a_shadow_is_found_within_half_a_second(bench: Bench) -> None:
    bench.arm.enable()
    bench.bus.servos[5].fail(0x20, bench.clock.now_s())
    bench.wait(0.51)
    assert bench.arm.read().fault == "servo 5: overload"


def test_a_shadow_that_does_not_follow_is_a_fault(bench: Bench) -> None:
    bench.bus.servos[3][reg.SECONDARY_ID] = 255
    bench.arm.enable()
    assert bench.arm.read().fault == "servo 3: does not follow the servo it shadows"


def test_a_servo_with_an_error_must_be_rebooted_before_connecting() -> None:
    bench = make_bench()
    bench.bus.servos[6].fail(0x01, 0.0)
    with pytest.raises(ServoError, match=r"servo 6: input voltage; support the arm, then reboot"):
        bench.arm.__enter__()
    bench.arm.servos.bus.reboot(6)
    with bench.arm:
        assert bench.arm.read().status is Status.DISABLED


def test_the_watchdog_stops_the_servos_when_the_host_is_silent(bench: Bench) -> None:
    bench.arm.enable()
    bench.move()
    bench.wait(0.5)
    before = true_q(bench.bus, bench.clock.now_s())
    bench.clock.now_ns += 1_000_000_000  # the host stands still
    assert np.abs(true_q(bench.bus, bench.clock.now_s()) - before).max() < 0.05
    bench.wait(0.1)
    state = bench.arm.read()
    assert state.status is Status.FAULT
    assert "the servos' watchdog (0.2 s) has stopped them" in state.fault
    assert bench.bus.servos[1][reg.BUS_WATCHDOG] == reg.WATCHDOG_TRIPPED
    bench.wait(2.0)
    assert true_q(bench.bus, bench.clock.now_s()) == pytest.approx(before, abs=0.05)


def test_a_watchdog_that_tripped_unseen_is_found(bench: Bench) -> None:
    bench.arm.enable()
    bench.bus.servos[7][reg.BUS_WATCHDOG] = reg.WATCHDOG_TRIPPED
    bench.wait(0.6)
    assert bench.arm.read().fault == "servo 7: bus watchdog"


def test_enabling_clears_a_tripped_watchdog_and_sets_profiles_again() -> None:
    bench = make_bench()
    for servo in bench.bus.servos.values():
        servo[reg.BUS_WATCHDOG] = reg.WATCHDOG_TRIPPED
    with bench.arm as arm:
        arm.enable()
        assert arm.read().status is Status.IDLE
        assert bench.bus.servos[1][reg.BUS_WATCHDOG] == 10
        assert bench.bus.servos[1][reg.PROFILE_VELOCITY] == 20
        assert bench.bus.servos[1][reg.DRIVE_MODE] == reg.TIME_BASED
        assert bench.bus.servos[2][reg.DRIVE_MODE] == reg.TIME_BASED | reg.REVERSED


def test_a_bad_line_delays_but_does_not_mislead() -> None:
    damage = Damaged(np.random.default_rng(5), 0.02)
    bench = make_bench(damage)
    with bench.arm as arm:
        arm.enable()
        segment = bench.move()
        began = bench.clock.now_s()
        trajectory = segment.trajectory
        while bench.clock.now_s() < began + segment.duration_s:
            bench.clock.advance()
            state = arm.read()
            low, high = np.sort(
                trajectory.sample([state.time_ns * 1e-9 - began - 0.04, state.time_ns * 1e-9 - began])[0],
                axis=0,
            )
            assert (state.q > low - 4e-3).all()
            assert (state.q < high + 4e-3).all()
        assert state.fault == ""
        bench.wait(0.2)
        assert arm.read().q == pytest.approx(THERE, abs=STEP)
        assert damage.count > 10
        assert arm.servos.bus.counts.missing >= damage.count


def test_a_broken_line_is_a_fault_after_a_tenth_of_a_second(bench: Bench) -> None:
    bench.arm.enable()
    bench.move()
    bench.wait(0.3)
    bench.line.cut = True
    bench.wait((MISSES - 1) * PERIOD_S)
    assert bench.arm.read().status is Status.RUNNING
    bench.wait(PERIOD_S)
    assert (bench.arm.read().status, bench.arm.read().fault) == (Status.FAULT, "lost: line: is cut")
    bench.wait(0.5)
    stood = true_q(bench.bus, bench.clock.now_s())
    bench.arm.stop(StopCategory.POWER_OFF)
    bench.line.cut = False
    bench.wait(0.5)
    assert bench.arm.read().status is Status.FAULT
    assert true_q(bench.bus, bench.clock.now_s()) == pytest.approx(stood, abs=1e-9)


def test_a_servo_that_is_silent_does_not_keep_the_others_from_being_switched_off(bench: Bench) -> None:
    bench.arm.enable()
    bench.move()
    bench.wait(0.3)
    lost = bench.bus.servos.pop(7)
    bench.arm.stop(StopCategory.POWER_OFF)
    assert not any(servo[reg.TORQUE_ENABLE] for servo in bench.bus.servos.values())
    assert lost[reg.TORQUE_ENABLE] == 1
    state = bench.arm.read()
    assert state.status is Status.FAULT
    assert state.fault.startswith("torque may still be on: servo 7: no answer")


def test_a_joint_that_does_not_follow_is_a_fault(bench: Bench) -> None:
    bench.arm.enable()
    bench.bus.servos[8][reg.TORQUE_ENABLE] = 0
    bench.move()
    bench.wait(2.0)
    assert bench.arm.read().fault.startswith("joint 6 is 0.2")


@pytest.mark.parametrize(
    "segment",
    [
        Segment(
            id=1, process=GripPart(station="P0", radius_m=0.02, internal=False, force_n=5.0, duration_s=1.0)
        ),
        Segment(id=1, process=Dwell(duration_s=1.0), finger_m=0.02),
    ],
)
def test_there_is_no_tool(bench: Bench, segment: Segment) -> None:
    bench.arm.enable()
    assert bench.arm.queue(segment) is QueueStatus.REFUSED


@pytest.mark.parametrize(
    ("id_", "register", "value", "message"),
    [
        (2, reg.DRIVE_MODE, 0, "servo 2: drive mode 0, the arm needs a servo that is reversed"),
        (3, reg.DRIVE_MODE, 1, "servo 3: drive mode 1, the arm needs a servo that is not reversed"),
        (3, reg.SECONDARY_ID, 255, r"servo 3: secondary id 255 \(allowed: 2\)"),
        (1, reg.OPERATING_MODE, 1, r"servo 1: operating mode 1 \(allowed: 3, position\)"),
        (1, reg.MODEL_NUMBER, 12, r"servo 1: model 12 \(allowed: 1020, 1030, 1120, 1130\)"),
        (1, reg.FIRMWARE_VERSION, 41, "servo 1: firmware 41"),
        (4, reg.MAX_POSITION_LIMIT, 3000, "servo 4: position limits 0 to 3000, the arm needs 899 to 3094"),
        (6, reg.TORQUE_ENABLE, 1, "servo 6: drive mode 0 must change, which it only can with torque off"),
    ],
)
def test_servos_that_are_set_up_otherwise_are_refused(
    id_: int, register: reg.Register, value: int, message: str
) -> None:
    bench = make_bench()
    bench.bus.servos[id_][register] = value
    with pytest.raises(ServoError, match=message):
        bench.arm.__enter__()


def test_feetech_servos_that_are_set_up_otherwise_are_refused() -> None:
    for register, value, message in (
        (sts.MODEL_NUMBER, 12, r"model 12 \(allowed: 777, 2825\)"),
        (sts.OPERATING_MODE, 1, "operating mode 1"),
        (sts.MIN_POSITION_LIMIT, 100, "position limits 100 to 4095, the arm needs 1 to 4095"),
    ):
        bus = feetech_bus(START)
        bus.servos[1][register] = value
        with pytest.raises(ServoError, match=f"servo 1: {message}"):
            FeetechServos(feetech_arm(), MemoryLine(bus, lambda: 0.0)).open()


def test_feetech_errors_are_faults_and_there_is_no_watchdog() -> None:
    clock, bus = ServoClock(), feetech_bus(START)
    with FeetechArm("R1", feetech_arm(), MemoryLine(bus, clock.now_s), clock, streaming=False) as arm:
        clock.arm = arm
        arm.enable()
        clock.now_ns += 60_000_000_000
        clock.advance()
        assert arm.read().status is Status.IDLE  # nothing has noticed the minute
        bus.servos[2].fail(0x20, clock.now_s())
        clock.advance()
        assert arm.read().fault == "servo 2: overload"


def test_arms_without_such_servos_are_refused() -> None:
    line = MemoryLine(dynamixel_bus(START), lambda: 0.0)
    with pytest.raises(ValueError, match="arm gp7: has no Dynamixel servos"):
        DynamixelServos(load_arm("gp7"), line)
    with pytest.raises(ValueError, match="arm vx300s: has no Feetech servos"):
        FeetechServos(VX, line)


def test_a_line_too_slow_for_a_cycle_each_period_is_refused() -> None:
    assert cycle_s(1_000_000) == pytest.approx(
        2.56e-3
    )  # 44 bytes of goals, 20 of question, 6 times 32 of answers
    with pytest.raises(ValueError, match=r"57600 baud: a cycle takes 44.4 ms \(allowed: 8 ms"):
        DynamixelServos(VX, SerialPort("/dev/null", 57600))


def test_a_servo_that_is_missing_is_named() -> None:
    bench = make_bench()
    del bench.bus.servos[7]
    with pytest.raises(LinkError, match="servo 7: no answer"):
        bench.arm.__enter__()


def stream_once() -> tuple[str, list[SegmentResult], Segment]:
    """One motion in real time over a pseudo terminal: the fault, the results, and what was asked."""
    bus, clock, results = dynamixel_bus(START), RealTime(), list[SegmentResult]()
    with PseudoTerminal(bus) as terminal:
        with DynamixelArm("R1", VX, SerialPort(terminal.path, 1_000_000), clock) as arm:
            arm.enable()
            segment = Segment(id=7, trajectory=rest_to_rest(arm.read().q, THERE, arm.limits))
            arm.queue(segment)
            end = clock.now_ns + round((segment.duration_s + 0.3) * 1e9)
            while (state := arm.read()).fault == "" and clock.now_ns < end:
                results += state.results
                clock.advance()
            if state.fault == "":
                assert state.q == pytest.approx(THERE, abs=STEP)
        if state.fault == "":
            assert not any(servo[reg.TORQUE_ENABLE] for servo in bus.servos.values())
    return state.fault, results, segment


def test_it_streams_in_real_time_over_a_serial_port() -> None:
    for _ in range(10):
        fault, results, segment = stream_once()
        if fault == "":
            break
        # A busy machine may starve the stream, or the emulator's thread; that is a fault, as it should be.
        assert fault.startswith(("no goals for", "lost: servo", "joint")), fault
    (result,) = results
    assert (result.end_ns - result.start_ns) * 1e-9 == pytest.approx(segment.duration_s, abs=1e-8)


def test_pulling_the_plug_is_a_fault() -> None:
    clock = RealTime()
    with (
        PseudoTerminal(dynamixel_bus(START)) as terminal,
        DynamixelArm("R1", VX, SerialPort(terminal.path, 1_000_000), clock) as arm,
    ):
        terminal.unplug()
        for _ in range(100):
            clock.advance()
        assert arm.read().fault.startswith(f"lost: port {terminal.path}: ")
