"""The bus of the flexible joints themselves: frames of the documented SCA protocol.

A frame is ``EE | address | command | length, 2 bytes | data | CRC-16 of the data, 2 bytes | ED``. Numbers
are big-endian but for the CRC, which comes low byte first. That it is CRC-16/MODBUS is not documented; it
is computed from four documented frames (tests/firmware_bridge/test_sca.py). Frames without data have
none. The documented one-byte status replies (handshake, mode) do without it: both forms of a one-byte
frame are read. They cannot be confused, since the CRC of no single byte begins with the tail.

Source: github.com/innfos/wiki, en/pages (protocol of the SCA line).
"""

from dataclasses import dataclass
from enum import IntEnum

from firmware_bridge.stream import StreamParser

HEAD, TAIL = 0xEE, 0xED
BROADCAST = 0
MAX_DATA = 16
"""Longest data of a frame (E): the commands below need less, and noise must not stall the parser."""

_HEADER = 5
_CRC = 2
_IQ24 = 1 << 24


class Command(IntEnum):
    """Commands that the end-of-line test needs."""

    HEARTBEAT = 0x00
    FIND = 0x02
    READ_CURRENT = 0x04
    READ_SPEED = 0x05
    READ_POSITION = 0x06
    SET_MODE = 0x07
    SET_CURRENT = 0x08
    SET_SPEED = 0x09
    SET_POSITION = 0x0A
    SAVE = 0x0D
    ENABLE = 0x2A
    SET_ADDRESS = 0x3D
    HANDSHAKE = 0x44
    READ_VOLTAGE = 0x45
    CLEAR_ALARM = 0xFE
    ALARM = 0xFF


class Mode(IntEnum):
    """What a joint's driver controls."""

    CURRENT = 1
    SPEED = 2
    POSITION = 3
    TRAPEZOID_POSITION = 6
    TRAPEZOID_SPEED = 7
    HOMING = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One message: ``address`` 0 to 255 (0 is everyone), ``command`` 0 to 255, at most `MAX_DATA` bytes."""

    address: int
    command: int
    data: bytes = b""

    def __post_init__(self) -> None:
        for name, value in (("address", self.address), ("command", self.command)):
            if not 0 <= value <= 0xFF:
                raise ValueError(f"SCA frame: {name} = {value} (allowed: 0 to 255)")
        if len(self.data) > MAX_DATA:
            raise ValueError(f"SCA frame: {len(self.data)} bytes of data (allowed: at most {MAX_DATA})")

    def encode(self) -> bytes:
        """The bytes on the wire."""
        check = crc16(self.data).to_bytes(_CRC, "little") if self.data else b""
        header = bytes((HEAD, self.address, self.command)) + len(self.data).to_bytes(2, "big")
        return header + self.data + check + bytes((TAIL,))


class Parser(StreamParser[Frame]):
    """Finds frames in a stream of bytes."""

    def __init__(self) -> None:
        super().__init__(_match)


def _match(pending: bytearray) -> tuple[Frame | None, int] | None:
    """The frame at the beginning and its size, or None and how much to skip; None when more must come."""
    start = pending.find(HEAD)
    if start != 0:
        return None, start if start > 0 else len(pending)
    if len(pending) < _HEADER:
        return None
    length = int.from_bytes(pending[3:_HEADER], "big")
    if length > MAX_DATA:
        return None, 1
    data = bytes(pending[_HEADER : _HEADER + length])
    frame = Frame(address=pending[1], command=pending[2], data=data)
    bare = _HEADER + length + 1
    if length <= 1 and len(pending) >= bare and pending[bare - 1] == TAIL:
        return frame, bare
    size = bare if length == 0 else bare + _CRC
    if len(pending) < size:
        return None
    check = int.from_bytes(pending[bare - 1 : size - 1], "little")
    if length > 0 and check == crc16(data) and pending[size - 1] == TAIL:
        return frame, size
    return None, 1


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _crc_table()


def crc16(data: bytes) -> int:
    """CRC-16/MODBUS: polynomial 0xA001 (reflected 0x8005), start 0xFFFF."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc


def to_iq24(value: float) -> bytes:
    """A number as four bytes with 24 fractional bits: output turns, or a share of full scale.

    Raises:
        ValueError: When it is outside -128 to 128 (excluded), or no number.
    """
    if not -128.0 <= value < 128.0:
        raise ValueError(f"IQ24: {value} (allowed: -128 to below 128)")
    return min(round(value * _IQ24), 2**31 - 1).to_bytes(4, "big", signed=True)


def from_iq24(data: bytes) -> float:
    """The number in four bytes of `to_iq24`.

    Raises:
        ValueError: When there are not four bytes.
    """
    if len(data) != 4:
        raise ValueError(f"IQ24: {len(data)} bytes (allowed: 4)")
    return int.from_bytes(data, "big", signed=True) / _IQ24
