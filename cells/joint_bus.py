"""What can be asked of a flexible joint over its own bus, by whoever tests it.

The joint's electronics keep this contract, and so does a bus in front of them: with none in between the test
talks to the electronics themselves (`direct`).
"""

from collections.abc import Callable
from enum import Enum, IntFlag
from typing import Protocol


class JointBusError(Exception):
    """A joint did not answer, or refused."""


class JointMode(Enum):
    """What a joint's drive controls."""

    CURRENT = "current"
    SPEED = "speed"


class JointFault(IntFlag):
    """Bits of a joint's alarm, as the SCA line has them; the sensors are those of temperature."""

    OVER_VOLTAGE = 0x001
    UNDER_VOLTAGE = 0x002
    LOCKED_ROTOR = 0x004
    OVER_TEMPERATURE = 0x008
    PARAMETERS = 0x010
    MULTI_TURN = 0x020
    INVERTER_SENSOR = 0x040
    CAN = 0x080
    MOTOR_SENSOR = 0x100
    POSITION_STEP = 0x200
    DRIVER_PROTECTION = 0x400


class JointBus(Protocol):
    """One joint on its bus. Every call raises `JointBusError` when it does not answer or refuses."""

    def find(self) -> tuple[int, ...]:
        """Serial numbers, 32 bits, of all joints that answer."""
        ...

    def enable(self, on: bool) -> None:
        """Switch the drive on or off."""
        ...

    def set_mode(self, mode: JointMode) -> None:
        """Choose what the drive controls."""
        ...

    def set_current(self, current_a: float) -> None:
        """Phase current [A], in current mode; nothing answers."""
        ...

    def set_speed(self, speed_rad_s: float) -> None:
        """Motor speed [rad/s], in speed mode; nothing answers."""
        ...

    def current_a(self) -> float:
        """Phase current [A]."""
        ...

    def speed_rad_s(self) -> float:
        """Motor speed [rad/s]."""
        ...

    def position_rad(self) -> float:
        """Position of the output [rad] as the motor's encoder has it, over several turns."""
        ...

    def voltage_v(self) -> float:
        """Supply [V]."""
        ...

    def alarm(self) -> int:
        """Bits of `JointFault`; 0 when all is well."""
        ...

    def save(self) -> None:
        """Keep settings and zero for the next start."""
        ...


ConnectJoint = Callable[[JointBus, float], JointBus]
"""Puts a bus before a joint's electronics, given the full scale of their phase current [A]."""


def direct(joint: JointBus, full_scale_a: float) -> JointBus:
    """No bus in between."""
    return joint
