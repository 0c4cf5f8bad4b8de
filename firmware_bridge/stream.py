"""Frames in a stream of bytes, however it is cut up; whatever is no frame is stepped over."""

from collections.abc import Callable
from typing import Generic, TypeVar

F = TypeVar("F")

Match = Callable[[bytearray], tuple[F | None, int] | None]
"""The frame at the beginning and its size, or None and how much to skip; None when more must come."""


class StreamParser(Generic[F]):
    """Finds frames of one protocol.

    Args:
        match: What makes a frame; it is called with at least one byte.

    Attributes:
        skipped: Bytes so far that belonged to no frame: noise, and frames that were cut off or corrupted.
    """

    def __init__(self, match: Match[F]) -> None:
        self.skipped = 0
        self._match = match
        self._pending = bytearray()

    def feed(self, received: bytes) -> list[F]:
        """Take in bytes; the frames that they complete, in order."""
        self._pending += received
        frames = []
        while self._pending and (match := self._match(self._pending)) is not None:
            frame, size = match
            del self._pending[:size]
            if frame is None:
                self.skipped += size
            else:
                frames.append(frame)
        return frames

    def flush(self) -> list[F]:
        """The line has been silent: what is pending stays incomplete, but may have hidden frames."""
        frames = []
        while self._pending:
            del self._pending[0]
            self.skipped += 1
            frames += self.feed(b"")
        return frames
