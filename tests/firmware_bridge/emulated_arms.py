"""Emulated servos of an arm, standing at given joints."""

import numpy as np
from numpy.typing import NDArray

from cells.arm import load_arm
from firmware_bridge.dynamixel.emulator import EmulatedBus, EmulatedServo
from firmware_bridge.servos.scale import Scale


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
