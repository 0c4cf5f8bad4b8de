"""Emulated servos of an arm, standing at given joints."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cells.arm import Arm, load_arm
from firmware_bridge.dynamixel.emulator import EmulatedBus, EmulatedServo
from firmware_bridge.feetech import emulator as feetech
from firmware_bridge.servos.arm import PERIOD_S, ServoArm
from firmware_bridge.servos.scale import Scale


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


def dynamixel_bus(q: NDArray[np.float64]) -> EmulatedBus:
    """The eight servos of a ViperX-300 6DOF at joints (6,) [rad]."""
    arm = load_arm("vx300s")
    servos = arm.servos
    assert servos is not None
    zero, step = np.array(servos.zero_steps), Scale(servos).step_rad
    places = zero + np.array(servos.signs) * q / step
    on_bus = [
        EmulatedServo(id_, 1120, place, reversed_=reversed_)
        for id_, place, reversed_ in zip(servos.ids, places, servos.reversed, strict=True)
    ]
    for id_, leader in zip(servos.shadow_ids, (2, 4), strict=True):
        place = places[servos.ids.index(leader)]
        on_bus.append(EmulatedServo(id_, 1120, place, secondary=leader))
    return EmulatedBus(on_bus)


def feetech_arm() -> Arm:
    """The same lengths and limits with Feetech servos: no such six-axis arm is for sale."""
    arm = load_arm("vx300s")
    assert arm.servos is not None
    servos = replace(
        arm.servos, protocol="feetech_sts", ids=(1, 2, 3, 4, 5, 6), shadow_ids=(), signs=(1, -1, 1, 1, -1, 1)
    )
    return replace(arm, servos=servos)


def feetech_bus(q: NDArray[np.float64]) -> feetech.EmulatedBus:
    """Its servos at joints (6,) [rad]."""
    servos = feetech_arm().servos
    assert servos is not None
    places = np.array(servos.zero_steps) + np.array(servos.signs) * q / Scale(servos).step_rad
    return feetech.EmulatedBus(
        feetech.EmulatedServo(id_, place) for id_, place in zip(servos.ids, places, strict=True)
    )
