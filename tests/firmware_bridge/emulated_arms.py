"""Emulated servos of an arm, standing at given joints."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cells.arm import Arm, load_arm
from firmware_bridge.dynamixel import emulator as dynamixel
from firmware_bridge.feetech import emulator as feetech
from firmware_bridge.servos.arm import PERIOD_S, ServoArm


class ServoClock:
    """Lets a period pass for servos and host alike."""

    def __init__(self) -> None:
        self.now_ns = 0
        self.arm: ServoArm | None = None

    def now_s(self) -> float:
        return self.now_ns * 1e-9

    def advance(self) -> None:
        self.now_ns += round(PERIOD_S * 1e9)
        if self.arm is not None:
            self.arm.step()


def dynamixel_bus(q: NDArray[np.float64]) -> dynamixel.EmulatedBus:
    """The eight servos of a ViperX-300 6DOF at joints (6,) [rad]."""
    servos = load_arm("vx300s").servos
    assert servos is not None
    return dynamixel.EmulatedBus.of_arm(servos, q)


def feetech_arm() -> Arm:
    """The same lengths and limits with Feetech servos: no such six-axis arm is for sale."""
    arm = load_arm("vx300s")
    assert arm.servos is not None
    servos = replace(
        arm.servos, protocol="feetech_sts", ids=(1, 2, 3, 4, 5, 6), shadows=(), signs=(1, -1, 1, 1, -1, 1)
    )
    return replace(arm, servos=servos)


def feetech_bus(q: NDArray[np.float64]) -> feetech.EmulatedBus:
    """Its servos at joints (6,) [rad]."""
    servos = feetech_arm().servos
    assert servos is not None
    return feetech.EmulatedBus.of_arm(servos, q)
