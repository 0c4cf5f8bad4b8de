"""One question on a servo bus and its answers, before a deadline.

One instruction is on the line at a time. What arrives late is thrown away before the next one; since answers
carry no number, one that comes later than a time-out and looks like the answer to the next question could be
taken for it, and so the line must be silent for a moment after a time-out.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

from firmware_bridge.port import LinkError, Port
from firmware_bridge.stream import StreamParser

A = TypeVar("A")
P = TypeVar("P")

ATTEMPTS = 3
_RETURN_DELAY_S = 0.0005  # factory setting of a servo's return delay time
_SILENCE_S = 0.005


@dataclass(slots=True)
class Counts:
    """What became of instructions so far: answers that were good, that never came, and bytes that were none."""

    answers: int = 0
    missing: int = 0
    noise_bytes: int = 0


class Exchange(Generic[P]):
    """Questions and answers on a port.

    Args:
        port: The line.
        parser: Makes a parser of the protocol's packets.
        overhead: Bytes of an answer without data.
        latency_s: What the adapter and the operating system may add to an answer; FTDI adapters wait 16 ms
            unless their latency timer is set to 1 ms.

    Attributes:
        counts: What became of instructions so far.
    """

    def __init__(
        self, port: Port, parser: Callable[[], StreamParser[P]], overhead: int, latency_s: float
    ) -> None:
        self.counts = Counts()
        self._port = port
        self._parser = parser
        self._overhead = overhead
        self._latency_s = latency_s
        self._unsettled = False

    def send(self, data: bytes) -> None:
        """Send an instruction, and forget answers to earlier ones.

        Raises:
            LinkError: When the port has gone.
        """
        if self._unsettled:
            self._port.read(_SILENCE_S)
            self._unsettled = False
        self._port.discard()
        self._port.write(data)

    def all(self, window_s: float) -> list[P]:
        """Every packet until the line is silent for a while.

        Raises:
            LinkError: When the port has gone.
        """
        parser, packets = self._parser(), list[P]()
        while received := self._port.read(window_s):
            packets += parser.feed(received)
        packets += parser.flush()
        self.counts.noise_bytes += parser.skipped
        return packets

    def answers(
        self,
        wanted: Mapping[int, int],
        accept: Callable[[P], tuple[int, bytes] | None],
        *,
        clean: bool = False,
    ) -> dict[int, bytes]:
        """Answers of servos, by id.

        Args:
            wanted: How many bytes are expected of whom.
            accept: Id and data of a packet that is such an answer.
            clean: Take nothing when there was anything but packets on the line.

        Raises:
            LinkError: When one is missing.
        """
        found: dict[int, bytes] = {}
        parser = self._parser()
        wire_s = 10.0 / self._port.baud * sum(2 * (self._overhead + size) for size in wanted.values())
        end, over = time.monotonic() + self._latency_s + wire_s + _RETURN_DELAY_S * len(wanted), False
        while len(found) < len(wanted) and not over:
            received = self._port.read(max(0.0, end - time.monotonic()))
            over = not received or time.monotonic() >= end
            for packet in [*parser.feed(received), *(parser.flush() if over else ())]:
                if (answer := accept(packet)) is not None and answer[0] in wanted:
                    found[answer[0]] = answer[1]
        if clean and parser.skipped:
            found.clear()
        self.counts.noise_bytes += parser.skipped
        self.counts.answers += len(found)
        if missing := [id_ for id_ in wanted if id_ not in found]:
            self.counts.missing += len(missing)
            self._unsettled = True
            raise LinkError(f"servo {', '.join(map(str, missing))}: no answer")
        return found


def patiently(ask: Callable[[], A]) -> A:
    """Ask up to `ATTEMPTS` times; for questions that may be repeated.

    Raises:
        LinkError: When the last one is not answered either.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(LinkError):
            return ask()
    return ask()
