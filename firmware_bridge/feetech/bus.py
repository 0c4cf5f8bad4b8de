"""Instructions to servos on a Feetech bus, and what they answer.

The sum of a packet is weak, and a byte lost inside one can be made up for by the next packet's header. So an
answer counts only when nothing but whole packets was on the line, and a group's answers count all or none.
"""

from collections.abc import Iterable, Mapping

from firmware_bridge.feetech.packet import BROADCAST, Instruction, Packet, Parser
from firmware_bridge.feetech.registers import MODEL_NUMBER, Register
from firmware_bridge.port import Port
from firmware_bridge.servos.exchange import Counts, Exchange, patiently

_ANSWER_BYTES = 6  # an answer without data


class Bus:
    """The bus on a port.

    Args:
        port: The line.
        latency_s: What the adapter and the operating system may add to an answer.

    Attributes:
        errors: Error bits of the last answer of each servo that reported any.
    """

    def __init__(self, port: Port, latency_s: float = 0.020) -> None:
        self.port = port
        self.errors: dict[int, int] = {}
        self._exchange = Exchange(port, Parser, _ANSWER_BYTES, latency_s)

    @property
    def counts(self) -> Counts:
        """What became of instructions so far."""
        return self._exchange.counts

    def ping(self, id_: int) -> int:
        """Ask one servo whether it is there; its model number.

        Raises:
            LinkError: When it does not answer.
        """
        self._ask(id_, Instruction.PING, b"", 0)
        return self.read(id_, MODEL_NUMBER)

    def read(self, id_: int, register: Register) -> int:
        """The value of a register.

        Raises:
            LinkError: When the servo does not answer.
        """
        span = bytes((register.address, register.size))
        return register.decode(self._ask(id_, Instruction.READ, span, register.size))

    def write(self, id_: int, register: Register, value: int) -> None:
        """Set a register; repeated until the servo confirms it, which is harmless.

        Raises:
            LinkError: When the servo does not answer.
        """
        self._ask(id_, Instruction.WRITE, bytes((register.address,)) + register.encode(value), 0)

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """Write the same span of several servos in one packet, which none answers.

        Raises:
            LinkError: When the port has gone.
        """
        size = len(next(iter(data.values())))
        body = b"".join(bytes((id_,)) + value for id_, value in data.items())
        self._send(BROADCAST, Instruction.SYNC_WRITE, bytes((address, size)) + body)

    def sync_read(self, ids: Iterable[int], address: int, size: int) -> dict[int, bytes]:
        """The same span of several servos.

        Raises:
            LinkError: When one does not answer, or anything was damaged.
        """
        wanted = dict.fromkeys(ids, size)
        self._send(BROADCAST, Instruction.SYNC_READ, bytes((address, size, *wanted)))
        return self._answers(wanted)

    # --- inside --------------------------------------------------------------------------------------------

    def _ask(self, id_: int, instruction: int, parameters: bytes, size: int) -> bytes:
        def ask() -> bytes:
            self._send(id_, instruction, parameters)
            return self._answers({id_: size})[id_]

        return patiently(ask)

    def _send(self, id_: int, instruction: int, parameters: bytes) -> None:
        self._exchange.send(Packet(id=id_, code=instruction, parameters=parameters).encode())

    def _answers(self, wanted: Mapping[int, int]) -> dict[int, bytes]:
        errors: dict[int, int] = {}

        def accept(packet: Packet) -> tuple[int, bytes] | None:
            if len(packet.parameters) != wanted.get(packet.id):
                return None
            errors[packet.id] = packet.code
            return packet.id, packet.parameters

        answers = self._exchange.answers(wanted, accept, clean=True)
        for id_, bits in errors.items():
            if bits:
                self.errors[id_] = bits
            else:
                self.errors.pop(id_, None)
        return answers
