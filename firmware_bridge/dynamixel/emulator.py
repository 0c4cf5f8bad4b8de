"""Emulated Dynamixel X-series servos on a bus: registers, profiles, bus watchdog, hardware errors, reboot."""

from collections.abc import Iterable
from typing import Self

from cells.servos import Servos
from firmware_bridge.dynamixel import registers as reg
from firmware_bridge.dynamixel.packet import BROADCAST, Instruction, Packet, Parser
from firmware_bridge.dynamixel.registers import Register
from firmware_bridge.servos.chain import FloatArray
from firmware_bridge.servos.motion import Motion
from firmware_bridge.servos.scale import Scale

_ANSWER = Instruction.STATUS
_DATA_RANGE, _DATA_LENGTH, _DATA_LIMIT, _ACCESS, _INSTRUCTION = 4, 5, 6, 7, 2
_SIZE = 256
_FASTEST_RPM = 100.0  # E: above every servo of the series that is meant for arms
_STEPS_PER_S = reg.STEPS_PER_TURN / 60.0  # for each turn a minute
_ACCELERATION_UNIT = 214.577 * reg.STEPS_PER_TURN / 3600.0  # steps/s² (e-Manual: 214.577 rev/min²)
_BY_ADDRESS = {register.address: register for register in reg.TABLE}
_RANGES = {reg.TORQUE_ENABLE: (0, 1), reg.LED: (0, 1), reg.BUS_WATCHDOG: (0, 127), reg.DRIVE_MODE: (0, 5)}


class EmulatedServo:
    """One servo.

    Args:
        id_: Its id.
        model: Its model number.
        position: Where it stands [steps].
        reversed_: Whether its drive mode says so.
        secondary: Its secondary id.
    """

    def __init__(
        self,
        id_: int,
        model: int = 1120,
        position: float = 2048.0,
        *,
        reversed_: bool = False,
        secondary: int = 255,
    ) -> None:
        self._memory = bytearray(_SIZE)
        self.motion = Motion(position, _FASTEST_RPM * _STEPS_PER_S)
        self._last_s = 0.0
        self._reset(range(_SIZE))
        for register, value in (
            (reg.ID, id_),
            (reg.MODEL_NUMBER, model),
            (reg.DRIVE_MODE, reg.REVERSED if reversed_ else 0),
            (reg.SECONDARY_ID, secondary),
        ):
            self[register] = value

    def __getitem__(self, register: Register) -> int:
        end = register.address + register.size
        return register.decode(bytes(self._memory[register.address : end]))

    def __setitem__(self, register: Register, value: int) -> None:
        end = register.address + register.size
        self._memory[register.address : end] = register.encode(value)

    def fail(self, bits: int, now_s: float) -> None:
        """Have a hardware error, which switches the torque off."""
        self[reg.HARDWARE_ERROR_STATUS] = bits
        self._torque(0, now_s)

    def reboot(self, now_s: float) -> None:
        """Forget the RAM, and with it torque and errors."""
        self.motion.stop(now_s)
        self._reset(range(reg.EEPROM_END, _SIZE))

    def advance(self, now_s: float) -> None:
        """Let time pass without instructions."""
        limit_s = self[reg.BUS_WATCHDOG] * reg.WATCHDOG_UNIT_S
        watched = self[reg.TORQUE_ENABLE] and self[reg.BUS_WATCHDOG] not in (0, reg.WATCHDOG_TRIPPED)
        if watched and now_s - self._last_s > limit_s:
            self.motion.stop(self._last_s + limit_s)
            self[reg.BUS_WATCHDOG] = reg.WATCHDOG_TRIPPED
            self[reg.PROFILE_ACCELERATION] = self[reg.PROFILE_VELOCITY] = 0
        self._last_s = now_s

    def read(self, address: int, size: int, now_s: float) -> bytes:
        """Bytes of the control table."""
        position, velocity = self.motion.at(now_s)
        self[reg.PRESENT_POSITION] = round(position)
        self[reg.PRESENT_VELOCITY] = round(velocity / (reg.VELOCITY_UNIT_RPM * _STEPS_PER_S))
        return bytes(self._memory[address : address + size])

    def write(self, address: int, data: bytes, now_s: float) -> int:
        """Write whole registers; the number of the error, 0 for none."""
        values: dict[Register, int] = {}
        while data:
            register = _BY_ADDRESS.get(address)
            if register is None or not register.writable:
                return _ACCESS
            if len(data) < register.size:
                return _DATA_LENGTH
            values[register] = register.decode(data[: register.size])
            address, data = address + register.size, data[register.size :]
        for register, value in values.items():
            if error := self._refusal(register, value):
                return error
        for register, value in values.items():
            self._take(register, value, now_s)
        return 0

    def _refusal(self, register: Register, value: int) -> int:
        low, high = _RANGES.get(register, (value, value))
        if not low <= value <= high:
            return _DATA_RANGE
        if register.address < reg.EEPROM_END and self[reg.TORQUE_ENABLE]:
            return _ACCESS
        if register is reg.GOAL_POSITION:
            if self[reg.BUS_WATCHDOG] == reg.WATCHDOG_TRIPPED:
                return _DATA_RANGE
            if not self[reg.MIN_POSITION_LIMIT] <= value <= self[reg.MAX_POSITION_LIMIT]:
                return _DATA_LIMIT
        if register is reg.TORQUE_ENABLE and value and self[reg.HARDWARE_ERROR_STATUS]:
            return _ACCESS
        return 0

    def _take(self, register: Register, value: int, now_s: float) -> None:
        if register is reg.TORQUE_ENABLE:
            self._torque(value, now_s)
            return
        self[register] = value
        if register is reg.GOAL_POSITION and self[reg.TORQUE_ENABLE]:
            velocity, acceleration = self[reg.PROFILE_VELOCITY], self[reg.PROFILE_ACCELERATION]
            if self[reg.DRIVE_MODE] & reg.TIME_BASED:
                self.motion.go(now_s, value, velocity * 1e-3, acceleration * 1e-3)
            else:
                steps_per_s = velocity * reg.VELOCITY_UNIT_RPM * _STEPS_PER_S
                self.motion.limited(now_s, value, steps_per_s, acceleration * _ACCELERATION_UNIT)

    def _torque(self, value: int, now_s: float) -> None:
        self.motion.stop(now_s)
        self[reg.TORQUE_ENABLE] = value

    def _reset(self, span: range) -> None:
        for register in reg.TABLE:
            if register.address in span:
                self[register] = register.initial


class EmulatedBus:
    """Servos on one line.

    Args:
        servos: The servos; ids must differ.
    """

    def __init__(self, servos: Iterable[EmulatedServo]) -> None:
        self.servos = {servo[reg.ID]: servo for servo in servos}
        self._parser = Parser()

    @classmethod
    def of_arm(cls, servos: Servos, q: FloatArray, model: int = 1120) -> Self:
        """The servos of an arm, shadows included, standing at joints (6,) [rad]."""
        places = dict(zip(servos.ids, Scale(servos).steps(q), strict=True))
        reversed_ = dict(zip(servos.ids, servos.reversed, strict=True))
        leading = [EmulatedServo(id_, model, places[id_], reversed_=reversed_[id_]) for id_ in servos.ids]
        following = [
            EmulatedServo(id_, model, places[leader], reversed_=not reversed_[leader], secondary=leader)
            for id_, leader in servos.shadows
        ]
        return cls([*leading, *following])

    def receive(self, data: bytes, now_s: float) -> list[bytes]:
        """Take in bytes; status packets in order."""
        replies = []
        for packet in self._parser.feed(data):
            if packet.instruction != _ANSWER:
                for servo in self.servos.values():
                    servo.advance(now_s)
                replies += [reply.encode() for reply in self._carry_out(packet, now_s)]
        return replies

    def _carry_out(self, packet: Packet, now_s: float) -> list[Packet]:
        p = packet.parameters
        match packet.instruction:
            case Instruction.PING:
                return [self._status(id_, 0, self._identity(id_)) for id_ in self._addressed(packet.id)]
            case Instruction.READ if len(p) == 4 and packet.id in self.servos:
                return [self._data(packet.id, p, now_s)]
            case Instruction.WRITE if len(p) > 2:
                return self._write(packet.id, p, now_s)
            case Instruction.SYNC_READ if len(p) > 4:
                return [self._data(id_, p[:4], now_s) for id_ in p[4:] if id_ in self.servos]
            case Instruction.SYNC_WRITE if len(p) > 4:
                _, size = _span(p)
                for at in range(4, len(p) - size, size + 1):
                    self._write(p[at], p[:2] + p[at + 1 : at + 1 + size], now_s)
                return []
            case Instruction.BULK_READ if len(p) % 5 == 0:
                spans = [p[at : at + 5] for at in range(0, len(p), 5)]
                return [self._data(span[0], span[1:], now_s) for span in spans if span[0] in self.servos]
            case Instruction.REBOOT:
                for id_ in self._addressed(packet.id):
                    self.servos[id_].reboot(now_s)
                return [self._status(id_) for id_ in self._addressed(packet.id) if packet.id != BROADCAST]
        return [self._status(packet.id, _INSTRUCTION)] if packet.id in self.servos else []

    def _addressed(self, id_: int) -> list[int]:
        return sorted(self.servos) if id_ == BROADCAST else [id_] if id_ in self.servos else []

    def _identity(self, id_: int) -> bytes:
        identity = (reg.MODEL_NUMBER, reg.FIRMWARE_VERSION)
        return b"".join(register.encode(self.servos[id_][register]) for register in identity)

    def _data(self, id_: int, span: bytes, now_s: float) -> Packet:
        address, size = _span(span)
        if address + size > _SIZE:
            return self._status(id_, _ACCESS)
        return self._status(id_, 0, self.servos[id_].read(address, size, now_s))

    def _write(self, id_: int, parameters: bytes, now_s: float) -> list[Packet]:
        address, data = int.from_bytes(parameters[:2], "little"), parameters[2:]
        for servo in self.servos.values():  # servos that follow as shadows: RAM only, and without an answer
            if servo[reg.SECONDARY_ID] == id_ != servo[reg.ID] and address >= reg.EEPROM_END:
                servo.write(address, data, now_s)
        if id_ not in self.servos:
            return []
        return [self._status(id_, self.servos[id_].write(address, data, now_s))]

    def _status(self, id_: int, error: int = 0, data: bytes = b"") -> Packet:
        alert = reg.ALERT if self.servos[id_][reg.HARDWARE_ERROR_STATUS] else 0
        return Packet(id=id_, instruction=_ANSWER, parameters=bytes((error | alert,)) + data)


def _span(parameters: bytes) -> tuple[int, int]:
    return int.from_bytes(parameters[:2], "little"), int.from_bytes(parameters[2:4], "little")
