"""A flexible joint's end of its bus: frames to whatever electronics are behind it, and answers back.

`connect` puts such a bus before simulated electronics: what is asked of them goes through real frames then.
"""

import math
from collections.abc import Callable

from cells.joint_bus import JointBus, JointBusError
from firmware_bridge.emulated_line import MemoryLine
from firmware_bridge.sca import BROADCAST, HEAD, TAIL, Command, Frame, Parser, from_iq24, to_iq24
from firmware_bridge.sca_bus import FULL_SPEED_RAD_S, MODES, VOLTS, ScaBus, ScaJoint

_TURN = 2.0 * math.pi
_MODE_OF = {int(wire): mode for mode, wire in MODES.items()}
_ADDRESS = 1


class BusEnd:
    """A joint's bus controller and the bridge before it, on one line.

    Args:
        joint: The electronics behind it.
        address: Its address.
        full_scale_a: Full scale of its phase current [A].
        bare_status: Send one-byte answers without their CRC, as documented joints do.
    """

    def __init__(
        self, joint: JointBus, address: int, full_scale_a: float, *, bare_status: bool = True
    ) -> None:
        self._joint = joint
        self._address = address
        self._full_scale_a = full_scale_a
        self._bare_status = bare_status
        self._alarmed = 0
        self._parser = Parser()
        self._answers: dict[int, Callable[[], bytes]] = {
            Command.READ_CURRENT: lambda: to_iq24(joint.current_a() / full_scale_a),
            Command.READ_SPEED: lambda: to_iq24(joint.speed_rad_s() / FULL_SPEED_RAD_S),
            Command.READ_POSITION: lambda: to_iq24(joint.position_rad() / _TURN),
            Command.READ_VOLTAGE: lambda: round(joint.voltage_v() * VOLTS).to_bytes(2, "big"),
            Command.ALARM: lambda: joint.alarm().to_bytes(2, "big"),
        }

    def receive(self, data: bytes, now_s: float) -> list[bytes]:
        """Take in bytes; answers in order, and an alarm before them when there is a new one."""
        replies: list[bytes] = []
        for frame in self._parser.feed(data):
            if frame.address not in (BROADCAST, self._address):
                continue
            try:
                answer = self._carry_out(frame)
            except (JointBusError, ValueError):
                answer = b"\0"
            if answer is not None:
                source = BROADCAST if frame.command == Command.HANDSHAKE else self._address
                replies.append(self._encode(Frame(address=source, command=frame.command, data=answer)))
        return [*self._new_alarm(), *replies] if replies else []

    def _carry_out(self, frame: Frame) -> bytes | None:
        """The data of the answer; None for no answer."""
        joint, data = self._joint, frame.data
        if frame.command in self._answers and not data:
            return self._answers[frame.command]()
        match frame.command:
            case Command.HEARTBEAT | Command.HANDSHAKE | Command.CLEAR_ALARM:
                pass
            case Command.FIND:
                return b"".join(serial.to_bytes(4, "big") for serial in joint.find())
            case Command.ENABLE if len(data) == 1:
                joint.enable(data != b"\0")
            case Command.SET_MODE if len(data) == 1 and data[0] in _MODE_OF:
                joint.set_mode(_MODE_OF[data[0]])
            case Command.SET_CURRENT if len(data) == 4:
                joint.set_current(from_iq24(data) * self._full_scale_a)
                return None
            case Command.SET_SPEED if len(data) == 4:
                joint.set_speed(from_iq24(data) * FULL_SPEED_RAD_S)
                return None
            case Command.SAVE:
                joint.save()
            case _:
                return b"\0"
        return b"\1"

    def _new_alarm(self) -> list[bytes]:
        alarm = self._joint.alarm()
        if alarm == self._alarmed:
            return []
        self._alarmed = alarm
        return [Frame(address=self._address, command=Command.ALARM, data=alarm.to_bytes(2, "big")).encode()]

    def _encode(self, frame: Frame) -> bytes:
        if self._bare_status and len(frame.data) == 1:
            return bytes((HEAD, frame.address, frame.command, 0, 1)) + frame.data + bytes((TAIL,))
        return frame.encode()


def connect(joint: JointBus, full_scale_a: float) -> ScaJoint:
    """A joint behind its bus, in memory: a `cells.joint_bus.ConnectJoint`."""
    end = BusEnd(joint, _ADDRESS, full_scale_a)
    return ScaJoint(ScaBus(MemoryLine(end, lambda: 0.0)), _ADDRESS, full_scale_a)
