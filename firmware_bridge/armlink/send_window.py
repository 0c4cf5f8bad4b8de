"""Reliable delivery to the device: in order, executed once, at most eight frames under way.

Retransmission: the time-out follows the measured round trip and doubles from try to try; the acknowledgements'
bitmap shows a gap at once, and the missing frame is then sent again exactly once for that gap. A window of 48
frames that goes back to the first missing one collapses on a bad line (see docs/serial.md).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge.armlink.codes import WINDOW, Flag, Result
from firmware_bridge.armlink.frame import Frame
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import Ack

_RTO_LEAST_NS = 25_000_000
_RTO_MOST_NS = 400_000_000
_WRAP = 1 << 16

Answer = Callable[[Result], None]


@dataclass(slots=True)
class _Flying:
    seq: int
    message: Message
    answer: Answer
    sent_ns: int
    due_ns: int
    tries: int = 1
    gap_resent: bool = False


class SendWindow:
    """Frames on their way to the device.

    Args:
        session: Number of the session they belong to.
        frame_ns: Line time of eight of the longest frames [ns]: what an acknowledgement may have to wait for.

    Attributes:
        sent: Frames sent for the first time.
        resent: Frames sent again.
    """

    def __init__(self, session: int, frame_ns: int) -> None:
        self.sent = self.resent = 0
        self._session = session
        self._frame_ns = frame_ns
        self._next = 0
        self._flying: deque[_Flying] = deque()
        self._waiting: deque[tuple[Message, Answer]] = deque()
        self._trip_ns = 0.0

    @property
    def empty(self) -> bool:
        """Whether everything has been answered."""
        return not self._flying and not self._waiting

    @property
    def room(self) -> int:
        """Messages that could be sent at once."""
        return WINDOW - len(self._flying) - len(self._waiting)

    @property
    def next_seq(self) -> int:
        """Number of the next new frame: what the device expects when everything has been answered."""
        return self._next

    @property
    def round_trip_ns(self) -> int:
        """Smoothed time from a frame to its acknowledgement; 0 when there was none."""
        return round(self._trip_ns)

    def push(self, message: Message, answer: Answer) -> None:
        """Send a message after all others; ``answer`` is called with what became of it."""
        self._waiting.append((message, answer))

    def drop_waiting(self) -> None:
        """Forget what has not been sent yet; it is never answered."""
        self._waiting.clear()

    def due(self, now_ns: int) -> Frame | None:
        """The frame to send now, if any; call `sent_now` when it was."""
        flying = self._overdue(now_ns)
        if flying is not None:
            return self._frame(flying.message, flying.seq, Flag.RESEND)
        if self._waiting and len(self._flying) < WINDOW:
            return self._frame(self._waiting[0][0], self._next, 0)
        return None

    def sent_now(self, now_ns: int) -> None:
        """What `due` returned has been sent."""
        flying = self._overdue(now_ns)
        if flying is not None:
            flying.due_ns = now_ns + min(_RTO_MOST_NS, self._timeout_ns << flying.tries)
            flying.tries += 1
            self.resent += 1
            return
        message, answer = self._waiting.popleft()
        due = now_ns + self._timeout_ns
        self._flying.append(
            _Flying(seq=self._next, message=message, answer=answer, sent_ns=now_ns, due_ns=due)
        )
        self._next = (self._next + 1) % _WRAP
        self.sent += 1

    def next_ns(self) -> int | None:
        """When there is a frame to send: 0 when one waits for the line, else when one will be overdue."""
        if self._waiting and len(self._flying) < WINDOW:
            return 0
        return min((flying.due_ns for flying in self._flying), default=None)

    def acknowledge(self, ack: Ack, now_ns: int) -> None:
        """Take in an acknowledgement: answers in order, and the frame a gap asks for."""
        if not self._flying:
            return
        arrived = (ack.next_seq - self._flying[0].seq) % _WRAP
        if arrived > len(self._flying):
            return  # an old one
        for _ in range(arrived):
            flying = self._flying.popleft()
            if flying.tries == 1:  # Karn's rule: nobody knows which of several was answered
                trip = now_ns - flying.sent_ns
                self._trip_ns += (trip - self._trip_ns) / (8.0 if self._trip_ns else 1.0)
            flying.answer(ack.results[(ack.next_seq - 1 - flying.seq) % _WRAP])
        if ack.sack and self._flying:
            missing = self._flying[0]
            if not missing.gap_resent:
                missing.gap_resent, missing.due_ns = True, now_ns
            for flying in self._flying:
                ahead = (flying.seq - ack.next_seq - 1) % _WRAP
                if ahead < WINDOW and ack.sack >> ahead & 1:
                    flying.due_ns = max(flying.due_ns, now_ns + self._timeout_ns)

    @property
    def _timeout_ns(self) -> int:
        return max(_RTO_LEAST_NS, round(2 * self._trip_ns) + self._frame_ns)

    def _overdue(self, now_ns: int) -> _Flying | None:
        return next((flying for flying in self._flying if flying.due_ns <= now_ns), None)

    def _frame(self, message: Message, seq: int, flags: int) -> Frame:
        return Frame(type=message.ID, flags=flags, session=self._session, seq=seq, payload=message.encode())
