"""Emulated Feetech STS servos on a bus: registers, motion, error bits. They have no watchdog, as real ones."""

from collections.abc import Iterable
from typing import Self

from cells.servos import Servos
from firmware_bridge.feetech import registers as reg
from firmware_bridge.feetech.packet import BROADCAST, Instruction, Packet, Parser
from firmware_bridge.feetech.registers import Register
from firmware_bridge.servos.chain import FloatArray
from firmware_bridge.servos.motion import Motion
from firmware_bridge.servos.scale import Scale

_SIZE = 128
_FASTEST_STEPS_PER_S = 6000.0  # E: a little above what a STS3215 does at 12 V without load
_ACCELERATION_UNIT = 100.0  # steps/s²
_BY_ADDRESS = {register.address: register for register in reg.TABLE}


class EmulatedServo:
    """One servo.

    Args:
        id_: Its id.
        position: Where it stands [steps].
    """

    def __init__(self, id_: int, position: float = 2048.0) -> None:
        self.motion = Motion(position, _FASTEST_STEPS_PER_S)
        self._memory = bytearray(_SIZE)
        for register in reg.TABLE:
            self[register] = register.initial
        self[reg.ID] = id_

    def __getitem__(self, register: Register) -> int:
        end = register.address + register.size
        return register.decode(bytes(self._memory[register.address : end]))

    def __setitem__(self, register: Register, value: int) -> None:
        end = register.address + register.size
        self._memory[register.address : end] = register.encode(value)

    def fail(self, bits: int, now_s: float) -> None:
        """Report errors from now on, with the torque off; they end when the torque is enabled anew."""
        self[reg.STATUS] = bits
        self._take(reg.TORQUE_ENABLE, 0, now_s)

    def read(self, address: int, size: int, now_s: float) -> bytes:
        """Bytes of the control table."""
        position, velocity = self.motion.at(now_s)
        self[reg.PRESENT_POSITION] = round(position) - self[reg.HOMING_OFFSET]
        self[reg.PRESENT_VELOCITY] = round(velocity)
        return bytes(self._memory[address : address + size])

    def write(self, address: int, data: bytes, now_s: float) -> None:
        """Write whole registers; what is none is written and means nothing."""
        while data:
            register = _BY_ADDRESS.get(address)
            size = register.size if register is not None else 1
            if register is not None and register.writable and len(data) >= size:
                self._take(register, register.decode(data[:size]), now_s)
            address, data = address + size, data[size:]

    def _take(self, register: Register, value: int, now_s: float) -> None:
        self[register] = value
        if register is reg.TORQUE_ENABLE:
            self.motion.stop(now_s)
            if value:
                self[reg.STATUS] = 0
        elif register is reg.GOAL_POSITION and self[reg.TORQUE_ENABLE]:
            low, high = self[reg.MIN_POSITION_LIMIT], self[reg.MAX_POSITION_LIMIT]
            goal = min(max(value, low), high) + self[reg.HOMING_OFFSET]
            acceleration = self[reg.ACCELERATION] * _ACCELERATION_UNIT
            self.motion.limited(now_s, goal, self[reg.GOAL_VELOCITY], acceleration)


class EmulatedBus:
    """Servos on one line.

    Args:
        servos: The servos; ids must differ.
    """

    def __init__(self, servos: Iterable[EmulatedServo]) -> None:
        self.servos = {servo[reg.ID]: servo for servo in servos}
        self._parser = Parser()

    @classmethod
    def of_arm(cls, servos: Servos, q: FloatArray) -> Self:
        """The servos of an arm, standing at joints (6,) [rad]."""
        return cls(map(EmulatedServo, servos.ids, Scale(servos).steps(q)))

    def receive(self, data: bytes, now_s: float) -> list[bytes]:
        """Take in bytes; answers in order."""
        return [
            reply.encode()
            for packet in self._parser.feed(data)
            for reply in self._carry_out(packet, packet.parameters, now_s)
        ]

    def _carry_out(self, packet: Packet, p: bytes, now_s: float) -> list[Packet]:
        match packet.code:
            case Instruction.SYNC_READ if len(p) > 2 and packet.id == BROADCAST:
                return [self._data(id_, p[:2], now_s) for id_ in p[2:] if id_ in self.servos]
            case Instruction.SYNC_WRITE if len(p) > 2 and packet.id == BROADCAST:
                for at in range(2, len(p) - p[1], p[1] + 1):
                    if p[at] in self.servos:
                        self.servos[p[at]].write(p[0], p[at + 1 : at + 1 + p[1]], now_s)
            case Instruction.PING if packet.id in self.servos:
                return [self._answer(packet.id)]
            case Instruction.READ if len(p) == 2 and packet.id in self.servos:
                return [self._data(packet.id, p, now_s)]
            case Instruction.WRITE if len(p) > 1 and packet.id in self.servos:
                self.servos[packet.id].write(p[0], p[1:], now_s)
                return [self._answer(packet.id)]
        return []

    def _data(self, id_: int, span: bytes, now_s: float) -> Packet:
        return self._answer(id_, self.servos[id_].read(span[0], span[1], now_s))

    def _answer(self, id_: int, data: bytes = b"") -> Packet:
        return Packet(id=id_, code=self.servos[id_][reg.STATUS], parameters=data)
