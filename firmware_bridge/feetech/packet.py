"""Packets of the Feetech SCS protocol, as STS servos speak it.

A packet is ``FF FF | id | length | instruction or error | parameters | sum``: length counts from the
instruction on, and the sum is the complement of the low byte of the sum from the id on. Requests and answers
look alike. Eight bits of sum miss one in 256 of random damages, and some of two flipped bits.

Source: feetech-servo-sdk 1.0.0 (scservo_sdk), the maker's own.
"""

from dataclasses import dataclass
from enum import IntEnum

from firmware_bridge.stream import StreamParser

HEADER = b"\xff\xff"
BROADCAST = 0xFE
HIGHEST_ID = 0xFD
MAX_LENGTH = 250

_PREFIX = 4


class Instruction(IntEnum):
    """What a packet asks for."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet: ``id`` 0 to 253 or `BROADCAST`; ``code`` is an instruction or, in answers, error bits."""

    id: int
    code: int
    parameters: bytes = b""

    def __post_init__(self) -> None:
        if not 0 <= self.id <= BROADCAST:
            raise ValueError(f"Feetech packet: id = {self.id} (allowed: 0 to {BROADCAST})")
        if not 0 <= self.code <= 0xFF:
            raise ValueError(f"Feetech packet: code = {self.code} (allowed: 0 to 255)")
        if len(self.parameters) + 2 > MAX_LENGTH:
            raise ValueError(
                f"Feetech packet: {len(self.parameters)} parameters (allowed: at most {MAX_LENGTH - 2})"
            )

    def encode(self) -> bytes:
        """The bytes on the wire."""
        body = bytes((self.id, len(self.parameters) + 2, self.code)) + self.parameters
        return HEADER + body + bytes((_check(body),))


class Parser(StreamParser[Packet]):
    """Finds packets in a stream of bytes."""

    def __init__(self) -> None:
        super().__init__(_match)


def _match(pending: bytearray) -> tuple[Packet | None, int] | None:
    """The packet at the beginning and its size, or None and how much to skip; None when more must come."""
    if pending[0] != HEADER[0]:
        start = pending.find(HEADER[:1])
        return None, start if start > 0 else len(pending)
    if len(pending) < _PREFIX:
        return (None, 1) if len(pending) > 1 and pending[1] != HEADER[1] else None
    id_, length = pending[2], pending[3]
    if pending[1] != HEADER[1] or id_ > BROADCAST or not 2 <= length <= MAX_LENGTH:
        return None, 1
    size = _PREFIX + length
    if len(pending) < size:
        return None
    if _check(pending[2 : size - 1]) != pending[size - 1]:
        return None, 1
    return Packet(id=id_, code=pending[4], parameters=bytes(pending[5 : size - 1])), size


def _check(body: bytes | bytearray) -> int:
    return ~sum(body) & 0xFF
