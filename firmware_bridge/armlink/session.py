"""The host's side of one line: bytes and time in, bytes and reports out. It does no input or output itself.

In order: who are you (`opening`), confirm, power up, follow (`motion_stream`), stop (`stopping`). Whatever
happens that nobody ordered becomes one `Failed` in words, the arm is told to hold, and nothing moves again
before a `Recover`.
"""

from collections.abc import Callable
from dataclasses import replace

from firmware_bridge.armlink.codes import Drive, EventCode, Fault, HoldCause, Motion, Refusal, Result
from firmware_bridge.armlink.conversation import Conversation
from firmware_bridge.armlink.frame import frame_of
from firmware_bridge.armlink.link_health import LinkHealth, likely_cause
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.mailboxes import Inbox, Outbox
from firmware_bridge.armlink.messages import (
    Abandon,
    Confirm,
    Control,
    FaultReset,
    Override,
    SegQuintic,
    Start,
)
from firmware_bridge.armlink.motion_stream import MotionStream
from firmware_bridge.armlink.opening import Expected, Opening
from firmware_bridge.armlink.orders import (
    Enable,
    Enabled,
    Failed,
    Feed,
    Go,
    Halted,
    Health,
    LinkUp,
    Move,
    Order,
    Recover,
    Recovered,
    Report,
    State,
    Stop,
)
from firmware_bridge.armlink.phases import CONTROLS, Phase
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import Ack, Event, HelloAck, Nak, Status, SyncReply, Telem
from firmware_bridge.armlink.stopping import Stopping
from firmware_bridge.armlink.words import fault_words, worded

_SILENT_NS = 500_000_000
_ENABLE_NS = 3_000_000_000
_HEALTH_NS = 500_000_000
_LOOK_NS = 100_000_000  # nothing arrives: silence is noticed this much late at most
_QUICK_FRAME_S = 0.004  # two knots in a frame when the line carries them in less
_HELD_BY_ITSELF = (HoldCause.LEASE, HoldCause.STARVED, HoldCause.TAKEOVER)


class ArmSession:
    """One arm at the end of one line.

    Args:
        expected: The arm that is meant.
        settings: How the line is used.
        nonces: Random numbers of 32 bits, one for each session.
    """

    def __init__(self, expected: Expected, settings: LinkSettings, nonces: Callable[[], int]) -> None:
        self._expected = expected
        self._settings = settings
        self._nonces = nonces
        self._phase = Phase.DOWN
        self._outbox = Outbox(settings)
        self._inbox = Inbox(0)
        self._reports: list[Report] = []
        self._health = LinkHealth()
        self._health_due_ns = self._enabling_ns = 0
        self._recovering = False
        self._opening: Opening | None = None
        self._begin(None)

    def _begin(self, talk: Conversation | None) -> None:
        """A new session, or none: nothing of the last one stays."""
        self._talk = talk
        self._status: Status | None = None
        self._stopping: Stopping | None = None
        self._lead_least_ms = -1
        self._taken_traj = 0  # number of the newest trajectory the device took
        self._stream: MotionStream | None = None
        if talk is not None:
            settings = self._settings
            self._stream = MotionStream(
                talk.clock,
                lead_us=round(settings.lead_s * 1e6),
                stop_us=self._expected.stop_max_ms * 1000,
                batch=2 if settings.longest_frame_s <= _QUICK_FRAME_S else 1,
            )

    # --- the port ------------------------------------------------------------------------------------------

    def opened(self, now_ns: int) -> None:
        """The port is open."""
        self._health = replace(self._health, connected=True)
        self._inbox = Inbox(now_ns)
        if self._phase is Phase.DOWN or self._recovering:
            self._ask(now_ns)

    def closed(self, reason: str) -> None:
        """The port is gone, or could not be opened."""
        self._health = replace(self._health, connected=False, identified=False)
        self._lose(reason)
        if self._phase is not Phase.FAILED:
            self._phase = Phase.DOWN

    def receive(self, data: bytes, now_ns: int) -> None:
        """Bytes have arrived."""
        for message, session in self._inbox.feed(data, now_ns):
            self._take(message, session, now_ns)

    def transmit(self, now_ns: int) -> bytes:
        """The bytes to send now."""
        self._supervise(now_ns)
        if self._opening is not None and self._health.connected:
            if (hello := self._opening.due(now_ns)) is not None:
                self._outbox.put(frame_of(hello, session=0).encode(), now_ns)
        elif self._talk is not None:
            stop = self._stopping.due(now_ns) if self._stopping is not None else None
            self._talk.speak(stop, self._outbox, now_ns)
            self._feed(now_ns)
            while self._talk.deliver(self._outbox, now_ns):
                self._feed(now_ns)
        return self._outbox.take()

    def due_ns(self, now_ns: int) -> int:
        """When `transmit` should be called next, bytes and orders apart."""
        dues = [now_ns + _LOOK_NS]
        if self._opening is not None:
            dues.append(self._opening.due_ns)
        if self._stopping is not None and not self._stopping.quiet:
            dues.append(self._stopping.due_ns)
        if self._talk is not None:
            dues.append(self._talk.due_ns(self._outbox, now_ns))
        return min(dues)

    # --- orders and reports --------------------------------------------------------------------------------

    def order(self, order: Order, now_ns: int) -> None:
        """Do what a driver asks."""
        match order:
            case Move():
                following = self._phase in (Phase.ENABLED, Phase.ENABLING)
                if self._stream is not None and following and self._stopping is None:
                    self._stream.add(order)
            case Go():
                if self._stream is not None:
                    self._stream.call(order)
            case Stop():
                self._stop(order.power_off, now_ns)
            case Enable():
                if self._phase is Phase.READY and self._stopping is None:
                    self._phase, self._enabling_ns = Phase.ENABLING, now_ns
                    self._push(Override(percent=100))
                    self._power_up()
            case Feed():
                if self._phase in (Phase.ENABLED, Phase.ENABLING):
                    self._push(Override(percent=order.percent))
            case Recover():
                self._recovering = True
                if self._health.connected:
                    self._ask(now_ns)

    def give_up(self, reason: str, now_ns: int) -> None:
        """Whoever gives the orders is gone: come to rest, if anything is under way."""
        if self._stream is not None and not self._stream.empty:
            self._fail(reason, now_ns)

    def reports(self) -> list[Report]:
        """What has happened since the last call."""
        reports, self._reports = self._reports, []
        return reports

    def health(self, now_ns: int) -> LinkHealth:
        """How the line is now."""
        inbox = self._inbox
        health = replace(
            self._health,
            refusal=self._opening.refusal if self._opening is not None else "",
            frames_received=inbox.good,
            bad_here=inbox.bad,
            recent_bad_share=inbox.recent_bad_share,
            silent_ns=max(0, now_ns - inbox.last_ns),
            lead_ns=0 if self._status is None else self._status.buffered_ms * 1_000_000,
            lead_least_ns=self._lead_least_ms * 1_000_000,
        )
        if self._talk is None:
            return health
        return replace(health, **self._talk.counts())

    # --- phases --------------------------------------------------------------------------------------------

    def _ask(self, now_ns: int) -> None:
        """Find out who is there."""
        self._begin(None)
        self._opening = Opening(self._expected, self._nonces())
        self._phase, self._inbox.last_ns = Phase.OPENING, now_ns
        self._health = LinkHealth(connected=True)

    def _supervise(self, now_ns: int) -> None:
        """What time alone brings about."""
        silent_ns = now_ns - self._inbox.last_ns
        if self._talk is not None and silent_ns > _SILENT_NS:
            self._lose(f"nothing heard from the arm for {silent_ns / 1e9:.1f} s", now_ns)
        if self._phase is Phase.ENABLING and now_ns - self._enabling_ns > _ENABLE_NS:
            state = "no status" if self._status is None else worded(self._status.drive)
            self._fail(f"could not be powered up within {_ENABLE_NS / 1e9:.0f} s: {state}", now_ns)
        if self._phase is Phase.CONFIRMING:
            self._confirm()
        if now_ns >= self._health_due_ns:
            self._health_due_ns = now_ns + _HEALTH_NS
            self._inbox.look()
            self._reports.append(Health(health=self.health(now_ns)))

    def _confirm(self) -> None:
        """Ready once identity is confirmed, clocks are compared and the device has no fault."""
        talk, status = self._talk, self._status
        if talk is None or status is None or not talk.compared or not talk.window.empty:
            return
        if status.fault is Fault.NONE:
            self._phase = Phase.READY
            self._reports.append(Recovered() if self._recovering else LinkUp())
            self._recovering = False
        elif self._recovering:
            self._status = None  # look again when this was answered
            self._push(FaultReset(fault=status.fault, latch_count=status.latch_count))
        else:
            self._fail(fault_words(status))

    def _power_up(self) -> None:
        for word in CONTROLS.get(self._status.drive, ()) if self._status is not None else ():
            self._push(Control(controlword=word))

    def _stop(self, power_off: bool, now_ns: int) -> None:
        if self._phase in (Phase.ENABLED, Phase.ENABLING):
            self._phase = Phase.READY
        if self._talk is None:
            self._reports.append(Halted())  # nobody there: the device holds by itself when its lease ends
        elif self._stopping is not None and power_off:
            self._stopping.harder(now_ns)
        elif self._stopping is None:
            self._begin_stop(power_off, now_ns)

    def _begin_stop(self, power_off: bool, now_ns: int) -> None:
        assert self._talk is not None
        assert self._stream is not None
        self._stream.flush(self._taken_traj)
        self._talk.window.drop_waiting()
        self._stopping = Stopping(power_off, now_ns)

    def _fail(self, reason: str, now_ns: int | None = None) -> None:
        """Something happened that nobody ordered."""
        if self._phase is Phase.FAILED:
            return
        now_ns = self._inbox.last_ns if now_ns is None else now_ns
        cause = likely_cause(self.health(now_ns))
        self._reports.append(Failed(reason=f"{reason}; {cause}" if cause and cause not in reason else reason))
        self._phase, self._recovering = Phase.FAILED, False
        if self._talk is not None and self._stopping is None:
            self._begin_stop(False, now_ns)

    def _lose(self, reason: str, now_ns: int | None = None) -> None:
        """There is no session any more."""
        if self._phase not in (Phase.DOWN, Phase.OPENING):
            self._fail(reason, now_ns)
        self._opening = None
        self._begin(None)

    # --- what the device says ------------------------------------------------------------------------------

    def _take(self, message: Message, session: int, now_ns: int) -> None:
        talk = self._talk
        if isinstance(message, HelloAck):
            self._take_hello(message, now_ns)
        elif isinstance(message, Nak):
            self._take_nak(message)
        elif talk is None or session != talk.session:
            return
        elif isinstance(message, Ack):
            talk.window.acknowledge(message, now_ns)
        elif isinstance(message, Status):
            self._take_status(message, now_ns)
        elif isinstance(message, SyncReply):
            talk.sync(message, now_ns)
        elif isinstance(message, Event):
            talk.seen(message)
            self._take_event(message)
        elif isinstance(message, Telem):
            bad = message.crc_errors + message.framing_errors
            self._health = replace(
                self._health, bad_there=bad, overruns=message.overruns, starved=message.starved
            )

    def _take_hello(self, ack: HelloAck, now_ns: int) -> None:
        opening = self._opening
        if opening is None:
            return
        opening.answered(ack, now_ns)
        if opening.refusal:
            self._fail(opening.refusal, now_ns)
        elif opening.accepted is not None:
            self._opening = None
            self._begin(Conversation(ack.session, self._settings))
            self._phase = Phase.CONFIRMING
            self._health = replace(self._health, identified=True, boot_id=ack.boot_id)
            self._push(Confirm(uid=self._expected.uid, config_crc=self._expected.config_crc))

    def _take_nak(self, nak: Nak) -> None:
        if self._opening is not None:
            self._opening.refused(nak)
            if self._opening.refusal:
                self._fail(self._opening.refusal)
        elif self._talk is not None and nak.code is Refusal.NO_SESSION:
            again = nak.boot_id != self._health.boot_id
            self._lose("firmware has started anew" if again else "another host has opened a session")

    def _take_status(self, status: Status, now_ns: int) -> None:
        assert self._talk is not None
        assert self._stream is not None
        self._status = status
        self._stream.note(status)
        if self._stream.unfinished:
            least_ms = self._lead_least_ms
            self._lead_least_ms = status.buffered_ms if least_ms < 0 else min(least_ms, status.buffered_ms)
        if self._talk.clock.synced:
            self._reports.append(
                State(
                    time_ns=min(now_ns, self._talk.clock.to_host_ns(status.t_us)),
                    pos=status.pos,
                    vel=status.vel,
                    drive=status.drive,
                    motion=status.motion,
                    speed_pct=status.speed_pct,
                )
            )
        self._judge(status, now_ns)
        self._go_on_stopping(status)

    def _judge(self, status: Status, now_ns: int) -> None:
        """Whether a status shows what was ordered."""
        following = self._phase in (Phase.ENABLING, Phase.ENABLED)
        if status.fault is not Fault.NONE:
            if self._phase is not Phase.CONFIRMING:
                self._fail(fault_words(status), now_ns)
        elif (
            self._phase is Phase.ENABLING
            and status.drive is Drive.OPERATION_ENABLED
            and self._answered(status)
        ):
            self._phase = Phase.ENABLED
            self._reports.append(Enabled())
        elif following and status.hold_cause in _HELD_BY_ITSELF:
            self._fail(f"held: {worded(status.hold_cause)}", now_ns)
        elif self._phase is Phase.ENABLED and status.drive is not Drive.OPERATION_ENABLED:
            self._fail(f"drive went by itself to: {worded(status.drive)}", now_ns)

    def _answered(self, status: Status) -> bool:
        """Whether nothing is under way to the device and a status is not older than its last answer."""
        assert self._talk is not None
        window = self._talk.window
        return window.empty and status.next_seq == window.next_seq

    def _go_on_stopping(self, status: Status) -> None:
        if self._stopping is None or self._talk is None or not self._stopping.at_rest(status):
            return
        if not self._answered(status):
            return
        if status.drive is Drive.OPERATION_ENABLED and status.motion is not Motion.IDLE:
            self._stopping.quiet = True
            self._push(Abandon(hold_id=status.hold_id))
        else:
            self._halted()

    def _halted(self) -> None:
        assert self._stream is not None
        self._stopping = None
        self._stream.flush(self._taken_traj)
        self._reports.append(Halted())

    def _take_event(self, event: Event) -> None:
        assert self._stream is not None
        report: Report | None = None
        if event.code == EventCode.TRAJECTORY_STARTED:
            report = self._stream.started(event.source, event.t_us)
        elif event.code == EventCode.TRAJECTORY_DONE:
            report = self._stream.ended(event.source, event.t_us, event.data)
        if report is not None:
            self._reports.append(report)

    # --- what goes to the device ---------------------------------------------------------------------------

    def _feed(self, now_ns: int) -> None:
        """Hand knots and starts to the window while the device should have more."""
        if self._talk is None or self._stream is None or self._phase is not Phase.ENABLED:
            return
        while self._talk.window.room > 0 and (message := self._stream.next_message(now_ns)) is not None:
            self._push(message)

    def _push(self, message: Message) -> None:
        assert self._talk is not None

        def answer(result: Result) -> None:
            if result is Result.NOT_READY and isinstance(message, Start) and self._stream is not None:
                self._stream.not_ready(message.traj)
            elif result is not Result.OK and self._stopping is None and not isinstance(message, FaultReset):
                self._fail(f"arm refused {type(message).__name__}: {worded(result)}")
            elif result is Result.OK and isinstance(message, SegQuintic) and message.first_knot == 0:
                self._taken_traj = message.traj

        self._talk.window.push(message, answer)
