"""Messages of a line in words, for people who read captures."""

from collections.abc import Iterator

from firmware_bridge.armlink.frame import Frame, FrameParser
from firmware_bridge.armlink.messages import MESSAGES
from firmware_bridge.armlink.reports import REPORTS

_SHOWN = 160


class Decoder:
    """Frames of both directions of one line."""

    def __init__(self) -> None:
        self._parsers = {">": FrameParser(), "<": FrameParser()}

    @property
    def good(self) -> int:
        """Good frames so far."""
        return sum(parser.frames for parser in self._parsers.values())

    @property
    def bad(self) -> int:
        """Damaged ones."""
        return sum(parser.crc_errors + parser.framing_errors for parser in self._parsers.values())

    def feed(self, direction: str, data: bytes) -> Iterator[str]:
        """A line of text for each frame that these bytes complete."""
        for frame in self._parsers[direction].feed(data):
            yield f"{frame.session:5d} {frame.seq:5d} {_worded(frame)}"


def _worded(frame: Frame) -> str:
    kind = (MESSAGES | REPORTS).get(frame.type)
    if kind is None:
        return f"message {frame.type:02X} is unknown: {frame.payload.hex()}"
    try:
        text = repr(kind.decode(frame.payload))
    except ValueError as error:
        text = str(error)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
