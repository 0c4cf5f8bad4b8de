"""Six Feetech STS servos in position control, and the arm made of them.

Servos go to each goal as fast as they may; the host's stream of goals is the profile. They have no watchdog:
when the host or the line is lost they hold their last goal with full torque for ever. SO-100 and SO-101 arms
have five joints and a gripper on the sixth servo and are no six-axis arms; these drivers want six joints.
"""

import numpy as np

from cells.arm import Arm
from cells.driver import Clock
from firmware_bridge.feetech import registers as reg
from firmware_bridge.feetech.bus import Bus
from firmware_bridge.port import Port
from firmware_bridge.servos.arm import ServoArm
from firmware_bridge.servos.chain import FloatArray, Reading, ServoError
from firmware_bridge.servos.group import Group

_STATE = range(reg.PRESENT_POSITION.address, reg.PRESENT_CURRENT.address + reg.PRESENT_CURRENT.size)


class FeetechServos:
    """A `firmware_bridge.servos.chain.ServoChain` of Feetech servos.

    Args:
        arm: The arm; its file has a table ``servos``.
        port: The line they hang on.

    Raises:
        ValueError: When the arm has no such servos.
    """

    watchdog_s: float | None = None

    def __init__(self, arm: Arm, port: Port) -> None:
        if arm.servos is None or arm.servos.protocol != "feetech_sts":
            raise ValueError(f"arm {arm.id}: has no Feetech servos")
        self.bus = Bus(port)
        self._group = Group(self.bus, arm, arm.servos, _STATE)

    @property
    def resolution_rad(self) -> float:
        """One step of the position encoding [rad]."""
        return self._group.scale.step_rad

    def open(self) -> None:
        """Open the port and check every servo. Torque stays as it is.

        Raises:
            LinkError: When a servo does not answer.
            ServoError: When a servo is not what the arm's file says.
        """
        self.bus.port.open()
        for joint, id_ in enumerate(self._group.ids):
            if (model := self.bus.ping(id_)) not in reg.MODELS:
                known = ", ".join(map(str, reg.MODELS))
                raise ServoError(f"servo {id_}: model {model} (allowed: {known})")
            if (mode := self.bus.read(id_, reg.OPERATING_MODE)) != reg.POSITION_CONTROL:
                raise ServoError(
                    f"servo {id_}: operating mode {mode} (allowed: {reg.POSITION_CONTROL}, position)"
                )
            low, high = self.bus.read(id_, reg.MIN_POSITION_LIMIT), self.bus.read(id_, reg.MAX_POSITION_LIMIT)
            self._group.check_limits(joint, low, high)

    def close(self) -> None:
        """Close the port."""
        self.bus.port.close()

    def power_on(self) -> FloatArray:
        """Hold the joints where they are; returns these (6,) [rad].

        Raises:
            LinkError: When a servo does not take the settings.
        """
        group = self._group
        steps = group.read(reg.PRESENT_POSITION)
        group.set(reg.ACCELERATION, [0] * 6)
        group.set(reg.GOAL_VELOCITY, [0] * 6)
        group.set(reg.GOAL_POSITION, steps)
        group.set(reg.TORQUE_ENABLE, [1] * 6)
        return group.scale.angles(steps)

    def power_off(self) -> None:
        """Torque off: the arm falls unless something holds it.

        Raises:
            LinkError: When a servo does not confirm it.
        """
        self._group.set(reg.TORQUE_ENABLE, [0] * 6)

    def send(self, q: FloatArray) -> None:
        """Goals (6,) [rad] for all joints in one sync write.

        Raises:
            LinkError: When the port has gone.
        """
        self._group.write(reg.GOAL_POSITION, self._group.scale.steps(q))

    def read(self) -> Reading:
        """The state of all servos by one sync read.

        Raises:
            LinkError: When a servo does not answer, or anything was damaged.
        """
        states, scale = self._group.states(), self._group.scale
        return Reading(
            q=scale.angles(states[reg.PRESENT_POSITION]),
            qd=scale.velocities([float(v) for v in states[reg.PRESENT_VELOCITY]]),
            current_a=reg.CURRENT_UNIT_A * np.array(states[reg.PRESENT_CURRENT]),
            voltage_v=reg.VOLTAGE_UNIT_V * np.array(states[reg.PRESENT_VOLTAGE]),
            temperature_c=np.array(states[reg.PRESENT_TEMPERATURE], dtype=np.float64),
            faults=tuple(f"servo {id_}: {_words(bits)}" for id_, bits in sorted(self.bus.errors.items())),
        )


class FeetechArm(ServoArm):
    """An arm of Feetech servos; its limits are those of `firmware_bridge.servos.arm`.

    Args:
        name: Name of the arm in its cell.
        arm: The arm.
        port: The line its servos hang on, `firmware_bridge.port.SerialPort`.
        clock: Its time; the machine's without.
        streaming: Stream from a thread; without it, the caller calls `step` every period.

    Raises:
        ValueError: When the arm has no such servos.
    """

    def __init__(
        self, name: str, arm: Arm, port: Port, clock: Clock | None = None, *, streaming: bool = True
    ) -> None:
        self.servos = FeetechServos(arm, port)
        super().__init__(name, arm, self.servos, clock, streaming=streaming)


def _words(bits: int) -> str:
    known = [word for bit, word in reg.ERRORS.items() if bits & bit]
    return ", ".join(known) or f"error {bits:#04x}"
