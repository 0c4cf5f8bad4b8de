"""Master of the flexible joints' own bus: find joints, command them, read them back, hear their alarms.

Currents on the wire are shares of the full scale of the joint's model, speeds shares of 6000 rpm of the motor,
positions turns of the output (`firmware_bridge.sca`). Setpoints are not answered, everything else is; a refusal
is answered with 0. Joints raise alarms unasked. Source as there.
"""

import math
import time

from cells.joint_bus import JointBusError, JointMode
from firmware_bridge.port import LinkError, Port
from firmware_bridge.sca import BROADCAST, Command, Frame, Mode, Parser, from_iq24, to_iq24

FULL_SPEED_RAD_S = 6000.0 * 2.0 * math.pi / 60.0
VOLTS = 1 << 10
"""Voltages have ten fractional bits in two bytes."""
MODES = {JointMode.CURRENT: Mode.CURRENT, JointMode.SPEED: Mode.SPEED}

_LATENCY_S = 0.020
_FIND_S = 0.6  # documented: about half a second
_ATTEMPTS = 3
_DONE = 1


class ScaBus:
    """The bus on a port.

    Args:
        port: The line.

    Attributes:
        alarms: Last alarm of each address that raised one unasked, and was not cleared.
    """

    def __init__(self, port: Port) -> None:
        self.alarms: dict[int, int] = {}
        self._port = port

    def handshake(self) -> None:
        """Greet the bridge to the bus, which must come first.

        Raises:
            JointBusError: When there is none.
        """
        self.order(BROADCAST, Command.HANDSHAKE)

    def find(self) -> dict[int, int]:
        """Serial numbers of all joints by their address.

        Raises:
            JointBusError: When the port has gone.
        """
        return {
            frame.address: int.from_bytes(frame.data[:4], "big")
            for frame in self._exchange(Frame(address=BROADCAST, command=Command.FIND), _FIND_S, every=True)
            if len(frame.data) >= 4
        }

    def ask(self, address: int, command: Command, size: int, data: bytes = b"") -> bytes:
        """An answer of so many bytes; asked again when it is damaged or does not come.

        Raises:
            JointBusError: When none comes.
        """
        request = Frame(address=address, command=command, data=data)
        for _ in range(_ATTEMPTS):
            for frame in self._exchange(request, _LATENCY_S):
                if len(frame.data) == size:
                    return frame.data
        raise JointBusError(f"joint {address}: no answer to {command.name}")

    def order(self, address: int, command: Command, data: bytes = b"") -> None:
        """A command that is confirmed.

        Raises:
            JointBusError: When it is refused or nothing answers.
        """
        if (answer := self.ask(address, command, 1, data)[0]) != _DONE:
            raise JointBusError(f"joint {address}: refuses {command.name}, answers {answer}")

    def tell(self, address: int, command: Command, data: bytes) -> None:
        """A setpoint, which nothing answers.

        Raises:
            JointBusError: When the port has gone.
        """
        try:
            self._port.write(Frame(address=address, command=command, data=data).encode())
        except LinkError as error:
            raise JointBusError(str(error)) from error

    def _exchange(self, request: Frame, timeout_s: float, *, every: bool = False) -> list[Frame]:
        """Answers to a request: the first, or every one until the line is silent."""
        answers: list[Frame] = []
        parser = Parser()
        try:
            self._port.discard()
            self._port.write(request.encode())
            end, over = time.monotonic() + timeout_s, False
            while not over:
                received = self._port.read(max(0.0, end - time.monotonic()))
                frames = parser.feed(received)
                if over := not received or time.monotonic() >= end:
                    frames += parser.flush()
                answers += [frame for frame in frames if self._answers(frame, request)]
                over = over or (bool(answers) and not every)
        except LinkError as error:
            raise JointBusError(str(error)) from error
        return answers

    def _answers(self, frame: Frame, request: Frame) -> bool:
        if frame.command == Command.ALARM and len(frame.data) == 2:
            self.alarms[frame.address] = int.from_bytes(frame.data, "big")
        from_whom = request.address in (BROADCAST, frame.address)
        return from_whom and frame.command == request.command


class ScaJoint:
    """One joint on the bus, as `cells.joint_bus.JointBus`.

    Args:
        bus: Its bus.
        address: Its address.
        full_scale_a: Full scale of its phase current [A].
    """

    def __init__(self, bus: ScaBus, address: int, full_scale_a: float) -> None:
        self.bus = bus
        self._address = address
        self._full_scale_a = full_scale_a

    def find(self) -> tuple[int, ...]:
        """Serial numbers of all joints that answer, after a handshake with the bridge.

        Raises:
            JointBusError: When there is no bridge.
        """
        self.bus.handshake()
        return tuple(self.bus.find().values())

    def enable(self, on: bool) -> None:
        """Switch the drive on or off.

        Raises:
            JointBusError: When it is refused or nothing answers.
        """
        self.bus.order(self._address, Command.ENABLE, bytes((on,)))

    def set_mode(self, mode: JointMode) -> None:
        """Choose what the drive controls.

        Raises:
            JointBusError: When it is refused or nothing answers.
        """
        self.bus.order(self._address, Command.SET_MODE, bytes((MODES[mode],)))

    def set_current(self, current_a: float) -> None:
        """Phase current [A].

        Raises:
            JointBusError: When the port has gone.
            ValueError: When it is beyond what the wire carries.
        """
        self.bus.tell(self._address, Command.SET_CURRENT, to_iq24(current_a / self._full_scale_a))

    def set_speed(self, speed_rad_s: float) -> None:
        """Motor speed [rad/s].

        Raises:
            JointBusError: When the port has gone.
            ValueError: When it is beyond what the wire carries.
        """
        self.bus.tell(self._address, Command.SET_SPEED, to_iq24(speed_rad_s / FULL_SPEED_RAD_S))

    def current_a(self) -> float:
        """Phase current [A].

        Raises:
            JointBusError: When nothing answers.
        """
        return self._number(Command.READ_CURRENT) * self._full_scale_a

    def speed_rad_s(self) -> float:
        """Motor speed [rad/s].

        Raises:
            JointBusError: When nothing answers.
        """
        return self._number(Command.READ_SPEED) * FULL_SPEED_RAD_S

    def position_rad(self) -> float:
        """Position of the output [rad].

        Raises:
            JointBusError: When nothing answers.
        """
        return self._number(Command.READ_POSITION) * 2.0 * math.pi

    def voltage_v(self) -> float:
        """Supply [V].

        Raises:
            JointBusError: When nothing answers.
        """
        return int.from_bytes(self.bus.ask(self._address, Command.READ_VOLTAGE, 2), "big") / VOLTS

    def alarm(self) -> int:
        """Bits of `cells.joint_bus.JointFault`.

        Raises:
            JointBusError: When nothing answers.
        """
        return int.from_bytes(self.bus.ask(self._address, Command.ALARM, 2), "big")

    def clear_alarm(self) -> None:
        """Let the joint work again after an alarm.

        Raises:
            JointBusError: When it is refused or nothing answers.
        """
        self.bus.order(self._address, Command.CLEAR_ALARM)
        self.bus.alarms.pop(self._address, None)

    def save(self) -> None:
        """Keep settings and zero for the next start.

        Raises:
            JointBusError: When it is refused or nothing answers.
        """
        self.bus.order(self._address, Command.SAVE)

    def _number(self, command: Command) -> float:
        return from_iq24(self.bus.ask(self._address, command, 4))
