"""Looking at whoever is at the other end of a port, without touching anything: no session is opened or ended."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from firmware_bridge.armlink.codes import MAJOR, TABLE_HASH, HelloFlag, Report
from firmware_bridge.armlink.frame import crc32c, frame_of
from firmware_bridge.armlink.mailboxes import Inbox
from firmware_bridge.armlink.messages import Config, DescRead, Hello, ReportRead
from firmware_bridge.armlink.nonblocking_port import NonblockingPort
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import Desc, HelloAck, Nak, Status, Telem

_T = TypeVar("_T", bound=Message)

_PATIENCE_S = 1.0
_REPEAT_S = 0.1
_NAP_S = 0.002
_NONCE = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Who is there."""

    hello: HelloAck
    config: Config | None

    @property
    def model(self) -> str:
        """Model and serial number it is configured to; empty when it did not say."""
        if self.config is None:
            return ""
        model, serial = self.config.model.rstrip(b"\0"), self.config.serial.rstrip(b"\0")
        return f"{model.decode(errors='replace')} {serial.decode(errors='replace')}"


class Look:
    """A look through an open port.

    Args:
        port: The port.

    Attributes:
        refusal: Why it would not say who it is, if it answered so.
        inbox: Counts of what has arrived.
    """

    def __init__(self, port: NonblockingPort) -> None:
        self.refusal: Nak | None = None
        self.inbox = Inbox(time.monotonic_ns())
        self._port = port

    def identify(self) -> Found | None:
        """Who is there; None when nobody answers."""
        hello = Hello(
            proto_min=MAJOR,
            proto_max=MAJOR,
            flags=HelloFlag.LOOK,
            host_nonce=_NONCE,
            table_hash=TABLE_HASH,
            host_tag=b"looking\0",
        )
        ack = self._ask(hello, HelloAck)
        return None if ack is None else Found(hello=ack, config=self._config(ack))

    def status(self) -> Status | None:
        """Its state now."""
        return self._ask(ReportRead(report=Report.STATUS), Status)

    def telemetry(self) -> Telem | None:
        """Its counters and temperatures now."""
        return self._ask(ReportRead(report=Report.TELEM), Telem)

    def _config(self, ack: HelloAck) -> Config | None:
        encoded = b""
        while len(encoded) < ack.config_size:
            piece = self._ask(DescRead(offset=len(encoded)), Desc)
            if piece is None or piece.offset != len(encoded) or not piece.chunk:
                return None
            encoded += piece.chunk
        try:
            return Config.decode(encoded) if crc32c(encoded) == ack.config_crc else None
        except ValueError:
            return None

    def _ask(self, question: Message, kind: type[_T]) -> _T | None:
        return next(self._answers(question, kind), None)

    def _answers(self, question: Message, kind: type[_T]) -> Iterator[_T]:
        asked_s, due_s = time.monotonic(), 0.0
        encoded = b"\0" + frame_of(question, session=0).encode()
        while (now_s := time.monotonic()) - asked_s < _PATIENCE_S:
            if now_s >= due_s:
                self._port.write(encoded)
                due_s = now_s + _REPEAT_S
            for message, _ in self.inbox.feed(self._port.read(), time.monotonic_ns()):
                if isinstance(message, kind):
                    yield message
                elif isinstance(message, Nak):
                    self.refusal = message
            if self.refusal is not None and isinstance(question, Hello):
                return
            time.sleep(_NAP_S)
