"""Instructions to servos on a Dynamixel bus, and what they answer.

Answers are taken only when whole, from a servo that was asked, and of the size that was asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firmware_bridge.dynamixel.packet import BROADCAST, Instruction, Packet, Parser
from firmware_bridge.dynamixel.registers import ALERT, STATUS_ERRORS, Register
from firmware_bridge.port import Port
from firmware_bridge.servos.chain import ServoError
from firmware_bridge.servos.exchange import Counts, Exchange, patiently

_STATUS_BYTES = 11  # a status packet without parameters


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A servo that answered a ping."""

    id: int
    model: int
    firmware: int


class Bus:
    """The bus on a port.

    Args:
        port: The line.
        latency_s: What the adapter and the operating system may add to an answer; FTDI adapters wait 16 ms
            unless their latency timer is set to 1 ms.

    Attributes:
        alerts: Ids of servos whose last answer carried the alert bit: they have a hardware error.
    """

    def __init__(self, port: Port, latency_s: float = 0.020) -> None:
        self.port = port
        self.alerts: set[int] = set()
        self._exchange = Exchange(port, Parser, _STATUS_BYTES, latency_s)

    @property
    def counts(self) -> Counts:
        """What became of instructions so far."""
        return self._exchange.counts

    def ping(self, id_: int) -> Found:
        """Ask one servo for its model.

        Raises:
            LinkError: When it does not answer.
            ServoError: When it refuses.
        """
        return _found(id_, self._ask(id_, Instruction.PING, b"", 3))

    def broadcast_ping(self, window_s: float = 0.2) -> list[Found]:
        """All servos on the bus in order of their ids; done when the line is silent for ``window_s``.

        Raises:
            LinkError: When the port has gone.
        """
        self._send(BROADCAST, Instruction.PING, b"")
        found = {
            p.id: _found(p.id, p.parameters[1:])
            for p in self._exchange.all(window_s)
            if p.instruction == Instruction.STATUS and len(p.parameters) == 4
        }
        return [found[id_] for id_ in sorted(found)]

    def read(self, id_: int, register: Register) -> int:
        """The value of a register.

        Raises:
            LinkError: When the servo does not answer.
            ServoError: When it refuses.
        """
        data = self._ask(id_, Instruction.READ, _span(register.address, register.size), register.size)
        return register.decode(data)

    def write(self, id_: int, register: Register, value: int) -> None:
        """Set a register; repeated until the servo confirms it, which is harmless.

        Raises:
            LinkError: When the servo does not answer.
            ServoError: When it refuses.
        """
        data = register.address.to_bytes(2, "little") + register.encode(value)
        self._ask(id_, Instruction.WRITE, data, 0)

    def reboot(self, id_: int) -> None:
        """Restart a servo, which clears its hardware error. Its torque goes off and it forgets its RAM.

        Raises:
            LinkError: When it does not confirm.
            ServoError: When it refuses.
        """
        self._ask_once(id_, Instruction.REBOOT, b"", 0)

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """Write the same span of several servos in one packet, which none answers.

        Raises:
            LinkError: When the port has gone.
        """
        size = len(next(iter(data.values())))
        body = b"".join(bytes((id_,)) + value for id_, value in data.items())
        self._send(BROADCAST, Instruction.SYNC_WRITE, _span(address, size) + body)

    def sync_read(self, ids: Iterable[int], address: int, size: int) -> dict[int, bytes]:
        """The same span of several servos.

        Raises:
            LinkError: When one does not answer.
            ServoError: When one refuses.
        """
        wanted = dict.fromkeys(ids, size)
        self._send(BROADCAST, Instruction.SYNC_READ, _span(address, size) + bytes(wanted))
        return self._all(wanted)

    def bulk_read(self, spans: Mapping[int, tuple[int, int]]) -> dict[int, bytes]:
        """Of each servo a span of its own, (address, size).

        Raises:
            LinkError: When one does not answer.
            ServoError: When one refuses.
        """
        body = b"".join(bytes((id_,)) + _span(*span) for id_, span in spans.items())
        self._send(BROADCAST, Instruction.BULK_READ, body)
        return self._all({id_: size for id_, (_, size) in spans.items()})

    # --- inside --------------------------------------------------------------------------------------------

    def _ask(self, id_: int, instruction: int, parameters: bytes, size: int) -> bytes:
        return patiently(lambda: self._ask_once(id_, instruction, parameters, size))

    def _ask_once(self, id_: int, instruction: int, parameters: bytes, size: int) -> bytes:
        self._send(id_, instruction, parameters)
        return self._all({id_: size})[id_]

    def _send(self, id_: int, instruction: int, parameters: bytes) -> None:
        self._exchange.send(Packet(id=id_, instruction=instruction, parameters=parameters).encode())

    def _all(self, wanted: Mapping[int, int]) -> dict[int, bytes]:
        """Answers of the servos asked, by id, each of the size wanted."""
        errors: dict[int, int] = {}

        def accept(packet: Packet) -> tuple[int, bytes] | None:
            if packet.instruction != Instruction.STATUS or packet.id not in wanted or not packet.parameters:
                return None  # an echo, or an answer to an earlier question
            error, data = packet.parameters[0], packet.parameters[1:]
            number = error & ~ALERT
            if number == 0 and len(data) != wanted[packet.id]:
                return None
            if number:
                errors[packet.id] = number
            if error & ALERT:
                self.alerts.add(packet.id)
            else:
                self.alerts.discard(packet.id)
            return packet.id, data

        answers = self._exchange.answers(wanted, accept)
        for id_, number in errors.items():
            raise ServoError(f"servo {id_}: {STATUS_ERRORS.get(number, f'error {number}')}")
        return answers


def _span(address: int, size: int) -> bytes:
    return address.to_bytes(2, "little") + size.to_bytes(2, "little")


def _found(id_: int, data: bytes) -> Found:
    return Found(id=id_, model=int.from_bytes(data[:2], "little"), firmware=data[2])
