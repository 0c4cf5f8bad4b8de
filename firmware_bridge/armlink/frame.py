r"""Frames of ARMLINK: ``COBS(type, flags, session, seq, payload, CRC-32C) 00``.

A zero byte ends a frame and occurs nowhere inside, so a receiver is back in step at the next one, whatever
it has missed; no length field, no timeouts, no guessing.

COBS: Cheshire and Baker (1999), "Consistent overhead byte stuffing". CRC-32C: Castagnoli, Bräuer and
Herrmann (1993), reflected polynomial 0x82F63B78, initial value and final exclusive-or all ones.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import google_crc32c
from cobs import cobs

from firmware_bridge.armlink.codes import MAJOR, MAX_PAYLOAD
from firmware_bridge.armlink.record_codec import Message

DELIMITER = b"\0"
_HEADER = struct.Struct("<BBHH")
_CRC_SIZE = 4
_SHORTEST = _HEADER.size + _CRC_SIZE
_LONGEST = _SHORTEST + MAX_PAYLOAD
OVERHEAD = _SHORTEST + 2
"""Bytes on the wire besides the payload: header, CRC, one of COBS (a frame is shorter than 255) and the delimiter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame.

    Attributes:
        type: Id of the message.
        flags: `Flag` bits, 0 to 15.
        session: Session, 0 for none.
        seq: Number of a reliable frame; of reports, a count.
        payload: At most `MAX_PAYLOAD` bytes.
        major: Major version of the protocol.
    """

    type: int
    flags: int = 0
    session: int = 0
    seq: int = 0
    payload: bytes = b""
    major: int = MAJOR

    def encode(self) -> bytes:
        """The bytes on the wire, with the delimiter at their end.

        Raises:
            ValueError: When a number does not fit or the payload is too long.
        """
        if len(self.payload) > MAX_PAYLOAD:
            raise ValueError(f"Frame.payload: {len(self.payload)} bytes (allowed: at most {MAX_PAYLOAD})")
        for name, bits in (("type", 8), ("flags", 4), ("major", 4), ("session", 16), ("seq", 16)):
            if not 0 <= (value := getattr(self, name)) < 1 << bits:
                raise ValueError(f"Frame.{name} = {value} (allowed: 0 to {(1 << bits) - 1})")
        body = _HEADER.pack(self.type, self.major << 4 | self.flags, self.session, self.seq) + self.payload
        return bytes(cobs.encode(body + crc32c(body).to_bytes(_CRC_SIZE, "little"))) + DELIMITER


def frame_of(message: Message, *, session: int, seq: int = 0, flags: int = 0) -> Frame:
    """The frame that carries a message."""
    return Frame(type=message.ID, flags=flags, session=session, seq=seq, payload=message.encode())


class FrameParser:
    """Finds frames in a stream of bytes, however it is cut up.

    Attributes:
        frames: Good frames so far.
        crc_errors: Pieces between delimiters whose CRC is wrong.
        framing_errors: Pieces that are no COBS, too short or too long for a frame.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.crc_errors = 0
        self.framing_errors = 0
        self._pending = bytearray()
        self._skipping = False

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Take in bytes; the frames that they complete, in order. Exhaust it before the next call."""
        *pieces, rest = received.split(DELIMITER)
        for piece in pieces:
            yield from self._finish(piece)
        self._append(rest)

    def _append(self, piece: bytes) -> None:
        if len(self._pending) + len(piece) > _LONGEST + 1:
            self._skipping = True
            self._pending.clear()
        if not self._skipping:
            self._pending += piece

    def _finish(self, piece: bytes) -> Iterator[Frame]:
        self._append(piece)
        stuffed, skipping = bytes(self._pending), self._skipping
        self._pending.clear()
        self._skipping = False
        if not stuffed and not skipping:
            return  # a delimiter after an idle line
        body = b"" if skipping else _unstuffed(stuffed)
        if not _SHORTEST <= len(body) <= _LONGEST:
            self.framing_errors += 1
        elif crc32c(body[:-_CRC_SIZE]) != int.from_bytes(body[-_CRC_SIZE:], "little"):
            self.crc_errors += 1
        else:
            self.frames += 1
            kind, flags, session, seq = _HEADER.unpack_from(body)
            yield Frame(
                type=kind,
                flags=flags & 0xF,
                major=flags >> 4,
                session=session,
                seq=seq,
                payload=body[_HEADER.size : -_CRC_SIZE],
            )


def crc32c(data: bytes) -> int:
    """CRC-32C of the data; of ``123456789`` it is 0xE3069283."""
    return int(google_crc32c.value(data))


def _unstuffed(stuffed: bytes) -> bytes:
    """Undo COBS; nothing when a group runs over the end."""
    try:
        return bytes(cobs.decode(stuffed))
    except cobs.DecodeError:
        return b""
