"""Finding out who is at the other end of a line, and opening a session only with the arm that is meant.

First a look that changes nothing on the device: unit, configuration, message table. Only when all of it is as
the cell file says is a session opened, so a wrong arm is never touched.
"""

from dataclasses import dataclass

from firmware_bridge.armlink.codes import MAJOR, TABLE_HASH, HelloFlag, Refusal
from firmware_bridge.armlink.messages import Hello
from firmware_bridge.armlink.reports import HelloAck, Nak

_REPEAT_NS = 50_000_000
_TAG = b"jointcel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """The arm that is meant.

    Attributes:
        name: Its name in the cell.
        uid: (12,) bytes of its unit.
        config_crc: CRC-32C of its configuration.
        stop_max_ms: Longest time it takes for any stop.
        known: Names of all arms of the cell by unit, to say whose arm a wrong one is.
    """

    name: str
    uid: bytes
    config_crc: int
    stop_max_ms: int
    known: tuple[tuple[bytes, str], ...] = ()


class Opening:
    """The first words on a line.

    Args:
        expected: The arm that is meant.
        nonce: Random number of this session.

    Attributes:
        accepted: The device's answer, once a session is open.
        refusal: Why there will be none; empty while there may.
    """

    def __init__(self, expected: Expected, nonce: int) -> None:
        self.accepted: HelloAck | None = None
        self.refusal = ""
        self._expected = expected
        self._nonce = nonce
        self._looked = False
        self._due_ns = 0

    def due(self, now_ns: int) -> Hello | None:
        """What to ask now, if anything."""
        if self.accepted is not None or self.refusal or now_ns < self._due_ns:
            return None
        self._due_ns = now_ns + _REPEAT_NS
        return Hello(
            proto_min=MAJOR,
            proto_max=MAJOR,
            flags=HelloFlag(0) if self._looked else HelloFlag.LOOK,
            host_nonce=self._nonce,
            table_hash=TABLE_HASH,
            host_tag=_TAG,
        )

    @property
    def due_ns(self) -> int:
        """When to ask again."""
        return self._due_ns

    def answered(self, ack: HelloAck, now_ns: int) -> None:
        """The device has said who it is."""
        if ack.host_nonce != self._nonce or self.refusal:
            return  # meant for somebody else, or late
        self.refusal = self._mismatch(ack)
        if self.refusal:
            return
        if ack.session:
            self.accepted = ack
        elif not self._looked:
            self._looked = True
            self._due_ns = now_ns

    def refused(self, nak: Nak) -> None:
        """The device does not want to; while it moves or another host's lease runs, asking again helps."""
        if nak.type != Hello.ID:
            return
        if nak.code is Refusal.TABLE:
            self.refusal = (
                f"firmware was built from message table {nak.data:08X}, this program from {TABLE_HASH:08X}: "
                "flash the firmware of this version"
            )
        elif nak.code is Refusal.VERSION:
            self.refusal = f"firmware speaks version {nak.data} of the protocol, this program version {MAJOR}"

    def _mismatch(self, ack: HelloAck) -> str:
        expected = self._expected
        if ack.table_hash != TABLE_HASH:
            return (
                f"firmware was built from message table {ack.table_hash:08X}, this program from {TABLE_HASH:08X}: "
                "flash the firmware of this version"
            )
        if ack.uid != expected.uid:
            owner = dict(expected.known).get(ack.uid)
            whose = f"which is {owner}" if owner else "which no arm of this cell has"
            return (
                f"wrong arm: unit {ack.uid.hex()} answers, {whose}; {expected.name} is unit {expected.uid.hex()}. "
                "Put the cables where they belong"
            )
        if ack.config_crc != expected.config_crc:
            return (
                f"configuration {ack.config_crc:08X} of the arm is not that of the cell file, "
                f"{expected.config_crc:08X}: flash the configuration or correct the cell file"
            )
        return ""
