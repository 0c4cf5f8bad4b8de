"""What goes out on a line and what comes in, in whole frames."""

from collections.abc import Iterator

from firmware_bridge.armlink.frame import FrameParser
from firmware_bridge.armlink.line_budget import LineBudget
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import REPORTS

_IDLE_NS = 20_000_000


class Outbox:
    """Bytes on their way to the line, and how many of them it can have carried."""

    def __init__(self, settings: LinkSettings) -> None:
        self.budget = LineBudget(settings.baud, settings.window_s)
        self._bytes = bytearray()
        self._last_ns = -_IDLE_NS

    def put(self, encoded: bytes, now_ns: int) -> None:
        """Send a frame."""
        if now_ns - self._last_ns >= _IDLE_NS:
            self._bytes += b"\0"  # ends whatever an idle line has picked up
        self._bytes += encoded
        self._last_ns = now_ns
        self.budget.spend(len(encoded), now_ns)

    def take(self) -> bytes:
        """Everything put since the last call."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken


class Inbox:
    """Reports that have arrived, and how many frames were none any more.

    Attributes:
        last_ns: When the last good frame came.
    """

    def __init__(self, now_ns: int) -> None:
        self.last_ns = now_ns
        self._parser = FrameParser()
        self._nonsense = 0
        self._looks = ((0, 0), (0, 0))  # good and damaged frames one and two looks ago

    def feed(self, data: bytes, now_ns: int) -> Iterator[tuple[Message, int]]:
        """The messages that these bytes complete, with their sessions. Exhaust it before the next call."""
        for frame in self._parser.feed(data):
            kind = REPORTS.get(frame.type)
            if kind is None:
                continue
            try:
                message = kind.decode(frame.payload)
            except ValueError:
                self._nonsense += 1  # a good CRC round nonsense: damaged after all
                continue
            self.last_ns = now_ns
            yield message, frame.session

    @property
    def good(self) -> int:
        """Good frames so far."""
        return self._parser.frames - self._nonsense

    @property
    def bad(self) -> int:
        """Damaged frames so far."""
        return self._parser.crc_errors + self._parser.framing_errors + self._nonsense

    def look(self) -> None:
        """Begin a new period of `recent_bad_share`."""
        self._looks = (self._looks[1], (self.good, self.bad))

    @property
    def recent_bad_share(self) -> float:
        """Share of damaged frames since the look before the last."""
        good, bad = self._looks[0]
        return (self.bad - bad) / max(1, self.bad - bad + self.good - good)
