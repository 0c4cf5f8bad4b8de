"""Six Dynamixel X-series servos in position control with time-based profiles, and the arm made of them.

Goals go out in one sync write, states come back by one sync read. A profile lasts two streaming periods, so
that a servo glides from goal to goal and stands still when none follows. The bus watchdog is set to 200 ms.
"""

import numpy as np

from cells.arm import Arm
from cells.driver import Clock
from firmware_bridge.dynamixel import registers as reg
from firmware_bridge.dynamixel.bus import Bus
from firmware_bridge.port import Port
from firmware_bridge.servos.arm import PERIOD_S, ServoArm
from firmware_bridge.servos.chain import FloatArray, Reading, ServoError
from firmware_bridge.servos.group import Group

WATCHDOG_S = 0.200
_PROFILE_MS = round(2e3 * PERIOD_S)
_SHARE = 0.8  # of a period that one cycle on the line may take
_WATCHDOG_EVERY = 50  # readings between two looks at the watchdogs
_STATE = range(reg.PRESENT_CURRENT.address, reg.PRESENT_TEMPERATURE.address + 1)
_VELOCITY_UNIT = reg.VELOCITY_UNIT_RPM / 60.0 * reg.STEPS_PER_TURN  # steps per second


class DynamixelServos:
    """A `firmware_bridge.servos.chain.ServoChain` of Dynamixel servos.

    Args:
        arm: The arm; its file has a table ``servos``.
        port: The line they hang on.

    Raises:
        ValueError: When the arm has no such servos, or the line is too slow for a cycle each period.
    """

    watchdog_s: float | None = WATCHDOG_S

    def __init__(self, arm: Arm, port: Port) -> None:
        if arm.servos is None or arm.servos.protocol != "dynamixel2":
            raise ValueError(f"arm {arm.id}: has no Dynamixel servos")
        if (busy_s := cycle_s(port.baud)) > _SHARE * PERIOD_S:
            raise ValueError(
                f"{port.baud} baud: a cycle takes {busy_s * 1e3:.1f} ms "
                f"(allowed: {_SHARE * PERIOD_S * 1e3:g} ms; 1000000 baud takes {cycle_s(1_000_000) * 1e3:.1f} ms)"
            )
        self.bus = Bus(port)
        self._servos = arm.servos
        self._group = Group(self.bus, arm, arm.servos, _STATE)
        self._current_unit_a = np.zeros(6)
        self._readings = 0

    @property
    def resolution_rad(self) -> float:
        """One step of the position encoding [rad]."""
        return self._group.scale.step_rad

    def open(self) -> None:
        """Open the port and check every servo; sets time-based profiles. Torque stays as it is.

        Raises:
            LinkError: When a servo does not answer.
            ServoError: When a servo is not what the arm's file says, or has a hardware error.
        """
        self.bus.port.open()
        for joint, id_ in enumerate(self._servos.ids):
            self._current_unit_a[joint] = self._check(id_, self._servos.reversed[joint])
            low, high = self.bus.read(id_, reg.MIN_POSITION_LIMIT), self.bus.read(id_, reg.MAX_POSITION_LIMIT)
            self._group.check_limits(joint, low, high)
        for id_, leader in self._servos.shadows:
            if (secondary := self.bus.read(id_, reg.SECONDARY_ID)) != leader:
                raise ServoError(f"servo {id_}: secondary id {secondary} (allowed: {leader})")
            self._check(id_, not self._servos.reversed[self._servos.ids.index(leader)])

    def close(self) -> None:
        """Close the port."""
        self.bus.port.close()

    def power_on(self) -> FloatArray:
        """Hold the joints where they are; returns these (6,) [rad].

        Raises:
            LinkError: When a servo does not take the settings.
            ServoError: When a servo refuses.
        """
        group = self._group
        group.set(reg.BUS_WATCHDOG, [0] * 6)  # clears a watchdog that has tripped
        steps = group.read(reg.PRESENT_POSITION)
        group.set(reg.PROFILE_ACCELERATION, [0] * 6)
        group.set(reg.PROFILE_VELOCITY, [_PROFILE_MS] * 6)
        group.set(reg.GOAL_POSITION, steps)
        group.set(reg.TORQUE_ENABLE, [1] * 6)
        for id_, _ in self._servos.shadows:
            if not self.bus.read(id_, reg.TORQUE_ENABLE):
                raise ServoError(f"servo {id_}: does not follow the servo it shadows")
        group.set(reg.BUS_WATCHDOG, [round(WATCHDOG_S / reg.WATCHDOG_UNIT_S)] * 6)
        return group.scale.angles(steps)

    def power_off(self) -> None:
        """Torque off: the arm falls unless something holds it.

        Raises:
            LinkError: When a servo does not confirm it.
            ServoError: When a servo refuses.
        """
        self._group.set(reg.TORQUE_ENABLE, [0] * 6)  # which ends the watchdog's watch as well

    def send(self, q: FloatArray) -> None:
        """Goals (6,) [rad] for all joints in one sync write.

        Raises:
            LinkError: When the port has gone.
        """
        self._group.write(reg.GOAL_POSITION, self._group.scale.steps(q))

    def read(self) -> Reading:
        """The state of all servos by one sync read.

        Raises:
            LinkError: When a servo does not answer, or its answer is damaged.
            ServoError: When a servo refuses.
        """
        states, scale = self._group.states(), self._group.scale
        return Reading(
            q=scale.angles(states[reg.PRESENT_POSITION]),
            qd=scale.velocities([v * _VELOCITY_UNIT for v in states[reg.PRESENT_VELOCITY]]),
            current_a=self._current_unit_a * states[reg.PRESENT_CURRENT],
            voltage_v=reg.VOLTAGE_UNIT_V * np.array(states[reg.PRESENT_INPUT_VOLTAGE]),
            temperature_c=np.array(states[reg.PRESENT_TEMPERATURE], dtype=np.float64),
            faults=(*self._tripped(), *self._hardware_errors()),
        )

    # --- inside --------------------------------------------------------------------------------------------

    def _check(self, id_: int, reversed_: bool) -> float:
        """Check one servo and set its profile to time; its unit of current [A]."""
        found = self.bus.ping(id_)
        if found.model not in reg.CURRENT_UNIT_A:
            known = ", ".join(map(str, reg.CURRENT_UNIT_A))
            raise ServoError(f"servo {id_}: model {found.model} (allowed: {known})")
        if found.firmware < reg.TIME_BASED_SINCE:
            raise ServoError(
                f"servo {id_}: firmware {found.firmware} (allowed: {reg.TIME_BASED_SINCE} and above)"
            )
        if bits := self.bus.read(id_, reg.HARDWARE_ERROR_STATUS):
            raise ServoError(f"servo {id_}: {_words(bits)}; support the arm, then reboot the servo")
        if (mode := self.bus.read(id_, reg.OPERATING_MODE)) != reg.POSITION_CONTROL:
            raise ServoError(
                f"servo {id_}: operating mode {mode} (allowed: {reg.POSITION_CONTROL}, position)"
            )
        drive = self.bus.read(id_, reg.DRIVE_MODE)
        if bool(drive & reg.REVERSED) != reversed_:
            wanted = "reversed" if reversed_ else "not reversed"
            raise ServoError(f"servo {id_}: drive mode {drive}, the arm needs a servo that is {wanted}")
        if not drive & reg.TIME_BASED:
            if self.bus.read(id_, reg.TORQUE_ENABLE):
                raise ServoError(
                    f"servo {id_}: drive mode {drive} must change, which it only can with torque off; "
                    "support the arm, then switch the torque off"
                )
            self.bus.write(id_, reg.DRIVE_MODE, drive | reg.TIME_BASED)
        return reg.CURRENT_UNIT_A[found.model]

    def _hardware_errors(self) -> list[str]:
        """What servos whose last answer carried the alert bit have as their hardware error."""
        return [
            f"servo {id_}: {_words(self.bus.read(id_, reg.HARDWARE_ERROR_STATUS))}"
            for id_ in sorted(self.bus.alerts)
        ]

    def _tripped(self) -> list[str]:
        """Servos whose watchdog has tripped; looked up now and then, which shows errors of shadows as well."""
        self._readings += 1
        if self._readings % _WATCHDOG_EVERY:
            return []
        ids = (*self._servos.ids, *(shadow for shadow, _ in self._servos.shadows))
        states = self.bus.sync_read(ids, reg.BUS_WATCHDOG.address, reg.BUS_WATCHDOG.size)
        return [f"servo {id_}: bus watchdog" for id_ in ids if states[id_][0] == reg.WATCHDOG_TRIPPED]


class DynamixelArm(ServoArm):
    """An arm of Dynamixel servos; its limits are those of `firmware_bridge.servos.arm`.

    Args:
        name: Name of the arm in its cell.
        arm: The arm.
        port: The line its servos hang on, `firmware_bridge.port.SerialPort`.
        clock: Its time; the machine's without.
        streaming: Stream from a thread; without it, the caller calls `step` every period.

    Raises:
        ValueError: When the arm has no such servos, or the line is too slow for a cycle each period.
    """

    def __init__(
        self, name: str, arm: Arm, port: Port, clock: Clock | None = None, *, streaming: bool = True
    ) -> None:
        self.servos = DynamixelServos(arm, port)
        super().__init__(name, arm, self.servos, clock, streaming=streaming)


def cycle_s(baud: int) -> float:
    """Time on the line [s] of one sync write of goals and one sync read of states, return delay zero."""
    write = 14 + 6 * (1 + reg.GOAL_POSITION.size)
    read = 14 + 6 + 6 * (11 + len(_STATE))
    return 10.0 * (write + read) / baud


def _words(bits: int) -> str:
    known = [word for bit, word in reg.HARDWARE_ERRORS.items() if bits & bit]
    return ", ".join(known) or f"hardware error {bits:#04x}"
