"""Emulated servos keep to their control tables: profiles, limits, torque, homing offset."""

import pytest

from firmware_bridge.dynamixel import emulator as dynamixel
from firmware_bridge.dynamixel import registers as dxl
from firmware_bridge.dynamixel.registers import Register
from firmware_bridge.feetech import emulator as feetech
from firmware_bridge.feetech import registers as sts


def put(servo: dynamixel.EmulatedServo, register: Register, value: int, now_s: float = 0.0) -> int:
    return servo.write(register.address, register.encode(value), now_s)


@pytest.fixture
def servo() -> dynamixel.EmulatedServo:
    return dynamixel.EmulatedServo(1, position=1000.0)


def test_a_profile_by_velocity_and_acceleration(servo: dynamixel.EmulatedServo) -> None:
    # 100 units are 22.9 rpm or 1563.3 steps/s; 64 units of 214.577 rev/min² are 15625 steps/s²: 0.1 s to full speed
    assert put(servo, dxl.PROFILE_VELOCITY, 100) == put(servo, dxl.PROFILE_ACCELERATION, 64) == 0
    assert put(servo, dxl.TORQUE_ENABLE, 1) == 0
    assert put(servo, dxl.GOAL_POSITION, 2000) == 0
    position, velocity = servo.motion.at(0.4)
    assert velocity == pytest.approx(1563.3, abs=0.1)
    assert position == pytest.approx(1000 + 1563.3 * (0.4 - 0.05), abs=0.2)
    assert servo.motion.at(1000 / 1563.3 + 0.1 + 1e-3) == (2000.0, 0.0)


def test_without_torque_it_stays(servo: dynamixel.EmulatedServo) -> None:
    assert put(servo, dxl.GOAL_POSITION, 2000) == 0
    assert servo.motion.at(9.0) == (1000.0, 0.0)


def test_torque_that_goes_off_stops_it(servo: dynamixel.EmulatedServo) -> None:
    put(servo, dxl.TORQUE_ENABLE, 1)
    put(servo, dxl.GOAL_POSITION, 2000)
    there = servo.motion.at(0.05)[0]
    put(servo, dxl.TORQUE_ENABLE, 0, 0.05)
    assert servo.motion.at(5.0) == (there, 0.0)


@pytest.mark.parametrize(
    ("register", "data", "error"),
    [
        (dxl.DRIVE_MODE, b"\4", 7),  # EEPROM, while torque is on
        (dxl.GOAL_POSITION, b"\0\x10\0\0", 6),  # beyond the limits
        (dxl.GOAL_POSITION, b"\0\0", 5),  # half of it
        (dxl.PRESENT_POSITION, b"\0\0\0\0", 7),  # read only
        (dxl.BUS_WATCHDOG, b"\x80", 4),
        (Register(address=200, size=1), b"\0", 7),  # none there
    ],
)
def test_what_it_refuses(servo: dynamixel.EmulatedServo, register: Register, data: bytes, error: int) -> None:
    put(servo, dxl.TORQUE_ENABLE, 1)
    before = servo.read(0, 147, 0.0)
    assert servo.write(register.address, data, 0.0) == error
    assert servo.read(0, 147, 0.0) == before


def test_several_registers_in_one_write_count_all_or_none(servo: dynamixel.EmulatedServo) -> None:
    span = (
        dxl.PROFILE_ACCELERATION.encode(5) + dxl.PROFILE_VELOCITY.encode(20) + dxl.GOAL_POSITION.encode(9999)
    )
    assert servo.write(dxl.PROFILE_ACCELERATION.address, span, 0.0) == 6
    assert servo[dxl.PROFILE_VELOCITY] == 0


def test_a_reboot_forgets_the_ram_and_keeps_the_place(servo: dynamixel.EmulatedServo) -> None:
    put(servo, dxl.DRIVE_MODE, 4)
    put(servo, dxl.TORQUE_ENABLE, 1)
    put(servo, dxl.GOAL_POSITION, 1500)
    servo.reboot(9.0)
    assert (servo[dxl.TORQUE_ENABLE], servo[dxl.GOAL_POSITION], servo[dxl.DRIVE_MODE]) == (0, 0, 4)
    assert servo.motion.at(9.0) == (1500.0, 0.0)


def test_a_feetech_servo_clips_its_goal_and_shifts_by_its_offset() -> None:
    servo = feetech.EmulatedServo(1, 2000.0)
    for register, value in (
        (sts.MAX_POSITION_LIMIT, 3000),
        (sts.HOMING_OFFSET, -100),
        (sts.TORQUE_ENABLE, 1),
    ):
        servo.write(register.address, register.encode(value), 0.0)
    servo.write(sts.GOAL_POSITION.address, sts.GOAL_POSITION.encode(4000), 0.0)
    servo.read(0, 1, 10.0)
    assert servo.motion.at(10.0)[0] == 2900.0
    assert servo[sts.PRESENT_POSITION] == 3000


def test_a_feetech_servo_keeps_to_speed_and_acceleration() -> None:
    servo = feetech.EmulatedServo(1, 0.0)
    for register, value in ((sts.TORQUE_ENABLE, 1), (sts.ACCELERATION, 50), (sts.GOAL_VELOCITY, 1000)):
        servo.write(register.address, register.encode(value), 0.0)
    servo.write(sts.GOAL_POSITION.address, sts.GOAL_POSITION.encode(2000), 0.0)
    assert servo.motion.at(0.1) == pytest.approx((25.0, 500.0))  # 5000 steps/s²
    assert servo.motion.at(1.0) == pytest.approx((900.0, 1000.0))
