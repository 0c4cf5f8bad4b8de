"""What goes wrong: named, stopped on the path, latched, and reset by name only."""

import numpy as np
import pytest

from cells import load_arm
from firmware_bridge.armlink.codes import Drive, Fault, HoldCause, Motion, Report, Result
from firmware_bridge.armlink.messages import (
    Control,
    FaultReset,
    Heartbeat,
    Override,
    Qstop,
    ReportRead,
    Resume,
)
from firmware_bridge.armlink.reports import Ack
from firmware_bridge.emulator import VirtualFirmware
from firmware_bridge.trials.wire_client import CONFIG, HOME, UID, Host, knots
from kinematics import rest_to_rest
from tests.firmware_bridge.test_firmware_motion import NEAR, on_path, running

LIMITS = load_arm("gp7").limits
START = np.array(HOME) * 1e-7
AWAY = rest_to_rest(START, START + 0.5, LIMITS).stretched(2.0)


def moving() -> Host:
    host = Host().enable()
    host.queue(1, knots(AWAY))
    host.start(1)
    host.run(0.4)
    assert host.status.motion is Motion.RUN
    return host


def test_a_silent_host_holds_the_arm_then_counts_as_lost() -> None:
    host = moving()
    host.run(0.19, alive=False)
    host.send(ReportRead(report=Report.STATUS), session=0)
    assert host.status.motion is Motion.RUN  # the lease of 250 ms has not ended
    rows = host.run(0.5, alive=False)
    assert on_path(running(rows, 1), AWAY) < NEAR
    host.send(ReportRead(report=Report.STATUS), session=0)
    assert (host.status.motion, host.status.hold_cause) == (Motion.HELD, HoldCause.LEASE)
    assert host.status.drive is Drive.OPERATION_ENABLED
    host.run(0.2, alive=False)
    host.send(ReportRead(report=Report.STATUS), session=0)
    assert (host.status.drive, host.status.fault) == (Drive.FAULT, Fault.HOST_LOST)
    assert host.firmware.plant.power == 0


def test_a_host_that_is_heard_again_goes_on() -> None:
    host = moving()
    host.run(0.6, alive=False)
    host.run(0.05)
    assert host.status.hold_cause is HoldCause.LEASE
    assert host.ask(Resume(hold_id=host.status.hold_id)) is Result.OK
    rows = host.run(3.0)
    assert on_path(running(rows, 1), AWAY) < NEAR
    assert host.status.motion is Motion.IDLE


@pytest.mark.parametrize("lease_10ms", [5, 25, 100])
def test_the_lease_is_the_host_s_to_choose(lease_10ms: int) -> None:
    host = moving()
    host.send(Heartbeat(host_ms=0, lease_10ms=lease_10ms, status_ms=20))
    rows = host.run(1.3, alive=False)
    slow = np.flatnonzero(rows["motion"] == Motion.HOLDING)
    if AWAY.duration > 0.4 + 0.01 * lease_10ms:
        assert slow[0] == pytest.approx(10 * lease_10ms, abs=2)
    else:
        assert not slow.size


def test_a_jammed_joint_is_a_following_error() -> None:
    host = moving()
    host.firmware.plant.jammed = 0b100
    rows = host.run(1.0)
    status = host.status
    assert (status.drive, status.fault, status.fault_joint) == (Drive.FAULT, Fault.FOLLOWING, 2)
    assert on_path(running(rows, 1), AWAY) < NEAR
    assert status.statusword & 0x2008 == 0x2008


@pytest.mark.parametrize(
    ("disturb", "value", "fault", "at_once"),
    [
        ("extra_current", 25_000, Fault.OVERCURRENT, False),
        ("fault", Fault.OVERTEMPERATURE, Fault.OVERTEMPERATURE, False),
        ("fault", Fault.UNDERVOLTAGE, Fault.UNDERVOLTAGE, False),
        ("fault", Fault.DRIVE, Fault.DRIVE, True),
        ("fault", Fault.STO, Fault.STO, True),
    ],
)
def test_faults_of_the_drives(disturb: str, value: int, fault: Fault, at_once: bool) -> None:
    host = moving()
    setattr(host.firmware.plant, disturb, value)
    rows = host.run(1.0)
    powered = int((rows["power"] == 1).sum())
    assert (powered == 0) if at_once else (0 < powered < 900)
    assert on_path(running(rows, 1), AWAY) < NEAR
    assert (host.status.drive, host.status.fault) == (Drive.FAULT, fault)
    count = host.status.latch_count
    if disturb == "fault":
        assert host.ask(FaultReset(fault=fault, latch_count=count)) is Result.STILL_FAULTY
    setattr(host.firmware.plant, disturb, 0)
    host.run(0.05)
    assert host.status.fault is fault  # latched
    for word in (6, 7, 15, 0, 2):
        assert host.ask(Control(controlword=word)) is Result.WRONG_STATE
    assert host.ask(Control(controlword=0x80)) is Result.WRONG_FAULT
    assert host.ask(FaultReset(fault=Fault.FOLLOWING, latch_count=count)) is Result.WRONG_FAULT
    assert host.ask(FaultReset(fault=fault, latch_count=count + 1)) is Result.WRONG_FAULT
    assert host.ask(FaultReset(fault=fault, latch_count=count)) is Result.OK
    for word in (6, 7, 15):
        assert host.ask(Control(controlword=word)) is Result.OK


def test_faults_of_a_drive_without_power_only_keep_it_from_being_switched_on() -> None:
    host = Host()
    host.firmware.plant.fault = Fault.STO
    with pytest.raises(AssertionError):
        host.enable()
    host.run(0.05)
    assert (host.status.drive, host.status.fault) == (Drive.READY_TO_SWITCH_ON, Fault.NONE)
    assert host.ask(Control(controlword=7)) is Result.STILL_FAULTY


def test_an_arm_that_does_not_come_to_rest_loses_its_power() -> None:
    host = moving()
    host.firmware.plant.vel_error = 20_000
    host.send(Qstop(reason=1))
    rows = host.run(1.3)
    assert (rows["power"] == 1).sum() == CONFIG.stop_max_ms + 100
    assert (host.status.drive, host.status.fault) == (Drive.FAULT, Fault.STOP_OVERRUN)


def test_a_processor_that_stood_still_stops_the_arm() -> None:
    host = moving()
    before = host.firmware.run(1000)
    host.firmware.freeze(60_000)
    after = host.run(1.0)
    step = np.abs(after["setpoint"][0] - before["setpoint"][-1]).max()
    assert step < 5.5e-3 * np.max(CONFIG.vel_max) * 10  # no more than a tick of 5 ms
    assert host.status.fault is Fault.TICK_OVERRUN
    assert on_path(running(after, 1), AWAY) < NEAR


@pytest.mark.parametrize(("bad", "good", "faulty"), [(90, 60, True), (30, 60, False), (7, 1, False)])
def test_a_bad_line_holds_the_arm_and_is_named(bad: int, good: int, faulty: bool) -> None:
    host = Host().enable()
    host.run(2.1)
    frames = [b"\x05\x01\0"] * bad
    for k in range(200):
        if k * bad // 200 < (k + 1) * bad // 200:
            host.feed(frames.pop())
        if k % 20 == 0:
            for _ in range(good // 10):
                host.send(Heartbeat(host_ms=0, lease_10ms=100, status_ms=20))
        host.firmware.run(10_000)
        host.collect()
    host.run(2.1)
    assert (host.status.fault is Fault.LINE_QUALITY) == faulty


def test_a_new_session_does_not_clear_a_fault() -> None:
    host = moving()
    host.firmware.plant.fault = Fault.DRIVE
    host.run(0.05)
    host.firmware.plant.fault = 0
    host.run(0.3, alive=False)
    host.open(nonce=9000)
    host.run(0.05)
    assert (host.status.drive, host.status.fault) == (Drive.FAULT, Fault.DRIVE)


def test_a_reset_of_the_firmware_rests_without_power() -> None:
    host = moving()
    host.firmware.reset()
    rows = host.run(0.5, alive=False)
    assert (rows["power"] == 0).all()
    assert np.abs(np.diff(rows["pos"], axis=0)).max() == 0
    assert host.open(nonce=4).boot_id == 2


@pytest.mark.parametrize("name", ["stop_acc", "stop_jerk", "vel_max", "pos_max"])
def test_a_configuration_that_contradicts_itself_is_refused(name: str) -> None:
    fields = {field: getattr(CONFIG, field) for field in type(CONFIG).__dataclass_fields__}
    low = {
        "stop_acc": CONFIG.acc_max,
        "stop_jerk": CONFIG.jerk_max,
        "vel_max": (0,) * 6,
        "pos_max": CONFIG.pos_min,
    }
    firmware = VirtualFirmware(type(CONFIG)(**fields | {name: low[name]}), uid=UID, position=HOME)
    assert not firmware.sound
    host = Host(firmware)
    host.open()
    assert host.ask(Control(controlword=6)) is Result.WRONG_STATE
    assert host.latest(Ack).drive is Drive.NOT_READY


def test_an_arm_at_its_limit_can_be_switched_on() -> None:
    just_beyond = tuple(limit + 300 for limit in CONFIG.pos_max)
    host = Host(VirtualFirmware(CONFIG, uid=UID, position=just_beyond)).enable()
    back = rest_to_rest(np.array(CONFIG.pos_max) * 1e-7, START, LIMITS)
    assert host.queue(1, knots(back)) is Result.OK
    assert host.start(1) is Result.OK
    assert host.ask(Override(percent=100)) is Result.OK
    host.run(back.duration + 0.1)
    assert host.setpoint == HOME
