"""Packets of the Dynamixel Protocol 2.0.

A packet is ``FF FF FD | 00 | id | length, 2 bytes | instruction | parameters | CRC-16``, little-endian. Length
counts from the instruction on, CRC included. Where ``FF FF FD`` occurs from the instruction to the last
parameter, an ``FD`` is put behind it. The CRC (polynomial 0x8005, start 0, not reflected) covers all before
it, as sent.

Source: ROBOTIS e-Manual, DYNAMIXEL Protocol 2.0 and CRC calculation (emanual.robotis.com/docs/en/dxl/protocol2).
"""

from dataclasses import dataclass
from enum import IntEnum

from firmware_bridge.stream import StreamParser

HEADER = b"\xff\xff\xfd"
BROADCAST = 0xFE
HIGHEST_ID = 0xFC
MAX_LENGTH = 512
"""Longest length field that is taken for one (E): noise must not stall the parser."""

_PREFIX = 7  # header, reserved byte, id, length
_STUFFED = HEADER + b"\xfd"


class Instruction(IntEnum):
    """What a packet asks for; `STATUS` is an answer."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REBOOT = 0x08
    STATUS = 0x55
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83
    BULK_READ = 0x92


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """One packet: ``id`` 0 to 252 or `BROADCAST`; parameters as meant, without stuffing."""

    id: int
    instruction: int
    parameters: bytes = b""

    def __post_init__(self) -> None:
        if not (0 <= self.id <= HIGHEST_ID or self.id == BROADCAST):
            raise ValueError(f"Dynamixel packet: id = {self.id} (allowed: 0 to {HIGHEST_ID}, {BROADCAST})")
        if not 0 <= self.instruction <= 0xFF:
            raise ValueError(f"Dynamixel packet: instruction = {self.instruction} (allowed: 0 to 255)")

    def encode(self) -> bytes:
        """The bytes on the wire.

        Raises:
            ValueError: When it is longer than `MAX_LENGTH`.
        """
        body = (bytes((self.instruction,)) + self.parameters).replace(HEADER, _STUFFED)
        length = len(body) + 2
        if length > MAX_LENGTH:
            raise ValueError(f"Dynamixel packet: length {length} (allowed: at most {MAX_LENGTH})")
        packet = HEADER + bytes((0, self.id)) + length.to_bytes(2, "little") + body
        return packet + crc16(packet).to_bytes(2, "little")


class Parser(StreamParser[Packet]):
    """Finds packets in a stream of bytes."""

    def __init__(self) -> None:
        super().__init__(_match)


def _match(pending: bytearray) -> tuple[Packet | None, int] | None:
    """The packet at the beginning and its size, or None and how much to skip; None when more must come."""
    start = pending.find(HEADER)
    if start != 0:
        kept = next((size for size in (2, 1) if pending.endswith(HEADER[:size])), 0) if start < 0 else 0
        skip = start if start > 0 else len(pending) - kept
        return (None, skip) if skip else None
    if len(pending) < _PREFIX:
        return None
    id_, length = pending[4], int.from_bytes(pending[5:_PREFIX], "little")
    possible = id_ <= HIGHEST_ID or id_ == BROADCAST
    if pending[3] != 0 or not possible or not 3 <= length <= MAX_LENGTH:
        return None, 1
    size = _PREFIX + length
    if len(pending) < size:
        return None
    if crc16(pending[: size - 2]) != int.from_bytes(pending[size - 2 : size], "little"):
        return None, 1
    body = bytes(pending[_PREFIX : size - 2]).replace(_STUFFED, HEADER)
    return Packet(id=id_, instruction=body[0], parameters=body[1:]), size


def _crc_table() -> tuple[int, ...]:
    table = []
    for index in range(256):
        value = index << 8
        for _ in range(8):
            value = (value << 1 ^ (0x8005 if value & 0x8000 else 0)) & 0xFFFF
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes | bytearray) -> int:
    """CRC-16 of the protocol: polynomial 0x8005, start 0, most significant bit first."""
    crc = 0
    for byte in data:
        crc = (crc << 8 & 0xFF00) ^ _TABLE[crc >> 8 ^ byte]
    return crc
