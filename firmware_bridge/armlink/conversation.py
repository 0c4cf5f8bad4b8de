"""One session with a device: what keeps it alive, delivers in order, and compares clocks.

Nothing of an earlier session can reach the next one: all of it is in here, and a new session gets a new one.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from firmware_bridge.armlink.clock_sync import ClockSync
from firmware_bridge.armlink.frame import frame_of
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.mailboxes import Outbox
from firmware_bridge.armlink.messages import EventAck, Heartbeat, Hold, Qstop, Sync
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import Event, SyncReply
from firmware_bridge.armlink.send_window import SendWindow

_SYNC_NS = 400_000_000
_FIRST_SYNC_NS = 20_000_000
_FIRST_SYNCS = 6
_BEATS_PER_LEASE = 7  # of an arm that gets no knots


class Conversation:
    """One session.

    Args:
        session: Its number.
        settings: How the line is used.

    Attributes:
        window: Reliable messages.
        clock: The device's clock.
    """

    def __init__(self, session: int, settings: LinkSettings) -> None:
        self.session = session
        self.window = SendWindow(session, round(8 * settings.longest_frame_s * 1e9))
        self.clock = ClockSync()
        self._settings = settings
        self._express: deque[Message] = deque()
        self._beat_due_ns = self._sync_due_ns = 0
        self._syncs = 0
        self._beaten = False  # the lease and the period of status have been set

    @property
    def compared(self) -> bool:
        """Whether the clocks have been compared often enough to begin."""
        return self._syncs >= _FIRST_SYNCS

    def counts(self) -> dict[str, Any]:
        """What it contributes to a `LinkHealth`."""
        return {
            "round_trip_ns": self.window.round_trip_ns,
            "shortest_trip_ns": self.clock.round_trip_ns,
            "drift_ppm": self.clock.drift_ppm,
            "frames_sent": self.window.sent,
            "retransmits": self.window.resent,
        }

    def sync(self, reply: SyncReply, now_ns: int) -> None:
        """The device has compared clocks."""
        if reply.host_ns <= now_ns:
            self._syncs += 1
            self.clock.add(reply.host_ns, now_ns, reply.t_rx_us, reply.t_tx_us)

    def seen(self, event: Event) -> None:
        """Tell the device that its event has arrived."""
        self._express.append(EventAck(event_no=event.event_no))

    def speak(self, stop: Hold | Qstop | None, outbox: Outbox, now_ns: int) -> None:
        """Send what does not wait for its turn."""
        for message in self._urgent(stop, now_ns):
            outbox.put(frame_of(message, session=self.session).encode(), now_ns)

    def deliver(self, outbox: Outbox, now_ns: int) -> bool:
        """Send the next reliable frame if there is one and the line has room; whether it did."""
        frame = self.window.due(now_ns)
        if frame is None:
            return False
        encoded = frame.encode()
        if not outbox.budget.admits(len(encoded), now_ns):
            return False
        self.window.sent_now(now_ns)
        outbox.put(encoded, now_ns)
        if self._beaten:
            self._rest(now_ns)
        return True

    def due_ns(self, outbox: Outbox, now_ns: int) -> int:
        """When there will be something to send."""
        dues = [self._beat_due_ns, self._sync_due_ns]
        if (late := self.window.next_ns()) is not None:
            dues.append(max(late, now_ns + outbox.budget.waiting_ns(now_ns)))
        return min(dues)

    def _rest(self, now_ns: int) -> None:
        """No heartbeat for a while: every frame renews the lease."""
        self._beat_due_ns = now_ns + round(self._settings.lease_s / _BEATS_PER_LEASE * 1e9)

    def _urgent(self, stop: Hold | Qstop | None, now_ns: int) -> Iterator[Message]:
        if stop is not None:
            yield stop
        while self._express:
            yield self._express.popleft()
        lease_s = self._settings.lease_s
        if now_ns >= self._beat_due_ns:
            self._rest(now_ns)
            self._beaten = True
            yield Heartbeat(
                host_ms=now_ns // 1_000_000 % (1 << 32),
                lease_10ms=round(lease_s * 100),
                status_ms=round(self._settings.status_s * 1000),
            )
        if now_ns >= self._sync_due_ns:
            self._sync_due_ns = now_ns + (_SYNC_NS if self.compared else _FIRST_SYNC_NS)
            yield Sync(host_ns=now_ns)
