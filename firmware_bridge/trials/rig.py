"""A host, a bad line and an arm, with a model of what may happen: every action checks every invariant.

The invariants: only knots of this session that were reported as accepted are ever executed; setpoints keep to
their curve and never go back; velocity, acceleration and jerk keep their limits at every tick; a silent host's
arm is at rest in time; frames are executed once and in order; faults stay until they are reset by name; an
arm without power does not move, and has power only in a session that confirmed it.
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cells import load_arm
from firmware_bridge.armlink.codes import Drive, Fault, HelloFlag, KnotFlag, Report, Result
from firmware_bridge.armlink.codes import StartMode as Mode
from firmware_bridge.armlink.frame import FrameParser, crc32c, frame_of
from firmware_bridge.armlink.messages import (
    Abandon,
    Confirm,
    Control,
    EventAck,
    FaultReset,
    Heartbeat,
    Hold,
    Override,
    Qstop,
    QuinticKnot,
    ReportRead,
    Resume,
    SegQuintic,
    Start,
    Sync,
    Truncate,
)
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import REPORTS, Ack, Event, HelloAck, Status
from firmware_bridge.emulator import VirtualFirmware
from firmware_bridge.trials.wire_client import CONFIG, HOME, UID, Host, knots
from kinematics import Trajectory, rest_to_rest

LIMITS = load_arm("gp7").limits
VEL = np.array(CONFIG.vel_max) * 1e-6
ACC = np.array(CONFIG.stop_acc) * 1e-5
JERK = np.array(CONFIG.stop_jerk) * 1e-3
LEASE_S, STOP_S = 0.25, CONFIG.stop_max_ms * 1e-3
_LINE = ("ok", "ok", "ok", "ok", "drop", "flip", "twice", "merged", "noise")
_POWERED = np.isin(
    np.arange(len(Drive)),
    [Drive.SWITCHED_ON, Drive.OPERATION_ENABLED, Drive.QUICK_STOP_ACTIVE, Drive.FAULT_REACTION_ACTIVE],
)
ROUNDING = 6e-7  # rad; of knots and setpoints
CONFIRM = Confirm(uid=UID, config_crc=crc32c(CONFIG.encode()))


class Rig:
    """See the module."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.firmware = VirtualFirmware(CONFIG, uid=UID, position=HOME, now_us=0xFFFF_FFFF - 400_000)
        self.silent_s = 0.0
        self.last: NDArray[np.void] | None = None
        self.old_wires: list[bytes] = []
        self.jammed = False
        self.powered_before = False
        self.ticks_followed = 0
        self.boot()

    def boot(self) -> None:
        """Forget what a reset of the firmware forgets."""
        self.parser = FrameParser()
        self.session, self.fault, self.latch = 0, Fault.NONE, 0
        self.status_payload = b""
        self.confirmed = False
        self.sent: dict[int, Message] = {}
        self.wires: dict[int, bytes] = {}
        self.begin_session(0)

    def begin_session(self, session: int) -> None:
        """Nothing of an earlier session is known any more."""
        # What was in flight may have been executed before the session ended.
        self.perhaps_reset = any(isinstance(self.sent[seq], FaultReset) for seq in self.wires)
        self.session, self.confirmed = session, False
        self.sent, self.wires = {}, {}
        self.results: dict[int, Result] = {}
        self.base = self.seq = 0
        self.accepted: dict[int, list[QuinticKnot]] = {}
        self.paths: dict[int, Trajectory] = {}
        self.newest = 0
        self.tail: list[QuinticKnot] = []  # knots of the newest trajectory that are still to be sent

    @property
    def status(self) -> Status | None:
        """What was reported last."""
        return Status.decode(self.status_payload) if self.status_payload else None

    # ---------------------------------------------------------------------------------------------- the line

    def deliver(self, wire: bytes) -> None:
        """The line does what it does."""
        self.old_wires = [*self.old_wires[-30:], wire]
        what = _LINE[int(self.rng.integers(len(_LINE)))]
        if what == "drop":
            return
        if what == "flip":
            broken = bytearray(wire)
            broken[int(self.rng.integers(len(wire)))] ^= 1 << int(self.rng.integers(8))
            wire = bytes(broken)
        elif what == "twice":
            wire = wire + wire
        elif what == "merged":
            wire = wire[:-1]  # the delimiter is lost, and with it the next frame
        elif what == "noise":
            wire = self.rng.bytes(int(self.rng.integers(1, 300))) + b"\0" + wire
        self.feed(wire)

    def feed(self, wire: bytes) -> None:
        """Bytes reach the arm."""
        self.firmware.feed(wire)
        self.collect()

    def collect(self) -> None:
        """Take in what the arm has sent."""
        for frame in self.parser.feed(self.firmware.sent()):
            if frame.type == Status.ID:
                self.status_payload = frame.payload
                continue
            report = REPORTS[frame.type].decode(frame.payload)
            if isinstance(report, HelloAck):
                if report.session not in (0, self.session):  # 0: it was only looked at
                    self.begin_session(report.session)
            elif frame.session != self.session:
                continue
            elif isinstance(report, Ack):
                self.acknowledge(report)
            elif isinstance(report, Event) and report.code < 0x1000:
                assert Fault(report.code)

    def acknowledge(self, ack: Ack) -> None:
        """Frames were executed, each once and in order."""
        new = (ack.next_seq - self.base) & 0xFFFF
        assert new <= 8, "more acknowledged than was in flight"
        for back in reversed(range(8)):
            seq = (ack.next_seq - 1 - back) & 0xFFFF
            if back < new:
                assert seq in self.sent, "acknowledged what was never sent"
                self.results[seq] = ack.results[back]
                self.executed(self.sent[seq], ack.results[back])
                del self.wires[seq]
            elif seq in self.results:
                assert self.results[seq] is ack.results[back], "a frame got a second result"
        self.base = ack.next_seq

    def executed(self, message: Message, result: Result) -> None:
        """Keep the model of what the arm may do."""
        if result is not Result.OK:
            if isinstance(message, SegQuintic):
                self.tail = []
            return
        if isinstance(message, Confirm):
            self.confirmed = True
        elif isinstance(message, SegQuintic):
            known = [] if message.first_knot == 0 else self.accepted[message.traj]
            assert len(known) == message.first_knot, "knots were taken out of order or twice"
            self.accepted[message.traj] = [*known, *message.knots]
            self.paths.pop(message.traj, None)
            self.newest = message.traj
        elif isinstance(message, Truncate):
            self.accepted[message.traj] = self.accepted[message.traj][: message.knot + 1]
            self.paths.pop(message.traj, None)
            self.newest, self.tail = message.traj, []
        elif isinstance(message, Abandon):
            self.tail = []
        elif isinstance(message, FaultReset):
            assert (message.fault, message.latch_count) == (self.fault, self.latch)
            self.fault = Fault.NONE

    # ------------------------------------------------------------------------------------------ what a host does

    def send(self, message: Message) -> None:
        """A reliable message, if the window has room."""
        if self.session and (self.seq - self.base) & 0xFFFF < 8:
            wire = frame_of(message, session=self.session, seq=self.seq).encode()
            self.sent[self.seq], self.wires[self.seq] = message, wire
            self.seq = (self.seq + 1) & 0xFFFF
            self.silent_s = 0.0
            self.deliver(wire)

    def resend(self) -> None:
        """Everything that has not been acknowledged, in any order."""
        for seq in self.rng.permutation(list(self.wires)):
            if (wire := self.wires.get(int(seq))) is not None:
                self.feed(b"\0" + wire)
                self.silent_s = 0.0

    def express(self, message: Message) -> None:
        """A message that does not wait for its turn."""
        self.silent_s = 0.0
        self.deliver(frame_of(message, session=self.session).encode())

    def hello(self) -> None:
        """Another session is asked for, in any way."""
        flags = HelloFlag(int(self.rng.integers(4)))
        hello = Host.hello(self, nonce=int(self.rng.integers(1 << 32)), flags=flags)  # type: ignore[arg-type]
        self.deliver(frame_of(hello, session=0).encode())

    def enable(self) -> None:
        """All that leads to an enabled arm, over a good line."""
        self.run(2_000)
        hello = Host.hello(self, nonce=int(self.rng.integers(1 << 32)), flags=1)  # type: ignore[arg-type]
        self.feed(b"\0" + frame_of(hello, session=0).encode())
        if self.wires or not self.session:
            return
        self.feed(frame_of(Sync(host_ns=0), session=self.session).encode())
        self.read_status()
        assert self.status is not None
        words = [CONFIRM, *(Control(controlword=word) for word in (6, 7, 15))]
        if self.fault:
            words.insert(0, FaultReset(fault=self.fault, latch_count=self.latch))
        for word in words:
            self.send(word)
            self.resend()

    def read_status(self) -> None:
        """Ask for a status."""
        self.feed(b"\0" + frame_of(ReportRead(report=Report.STATUS), session=0).encode())

    def plan(self) -> None:
        """Think of a new trajectory from where the last one ends, or from where the arm is."""
        if self.status is None or self.tail:
            return
        busy = self.status.buffered_ms > 0 and self.newest in self.accepted
        here = self.accepted[self.newest][-1].pos if busy else np.add(self.status.pos, self.status.ferr)
        q0 = np.array(here) * 1e-7
        q1 = np.clip(
            q0 + self.rng.uniform(-0.5, 0.5, 6) * self.rng.choice([0.05, 1.0]),
            np.array(CONFIG.pos_min) * 1e-7 + 0.1,
            np.array(CONFIG.pos_max) * 1e-7 - 0.1,
        )
        motion = rest_to_rest(q0, q1, LIMITS).stretched(float(self.rng.choice([1.0, 1.3, 3.0])))
        self.tail = knots(motion, float(self.rng.choice([0.03, 0.06, 0.1])))
        self.next_traj, self.next_knot = (self.newest + 1) & 0xFF, 0

    def queue(self) -> None:
        """Send some of the planned knots, now and then wrong ones."""
        self.plan()
        for _ in range(int(self.rng.integers(1, 9))):
            if not self.tail:
                return
            pair, self.tail = tuple(self.tail[:2]), self.tail[2:]
            if self.rng.random() < 0.03:
                pair = tuple(
                    QuinticKnot(t_us=k.t_us, pos=tuple(p + 9_000_000 for p in k.pos), vel=k.vel, acc=k.acc)
                    for k in pair
                )
            flags = KnotFlag(0) if self.tail else KnotFlag.LAST
            self.send(SegQuintic(traj=self.next_traj, flags=flags, first_knot=self.next_knot, knots=pair))
            self.next_knot += len(pair)
            if self.rng.random() < 0.5:
                self.resend()

    def start(self) -> None:
        """Start a trajectory, mostly the newest, early or late."""
        now = self.status.t_us if self.status else 0
        mode = Mode(int(self.rng.integers(2)))
        t_us = (now + int(self.rng.integers(-50_000, 150_000))) & 0xFFFFFFFF
        traj = self.newest if self.rng.random() < 0.8 else int(self.rng.integers(256))
        self.send(Start(traj=traj, mode=mode, t_start_us=t_us))

    def move(self) -> None:
        """A whole motion, over a good line."""
        self.resend()
        self.read_status()
        self.plan()
        while self.tail:
            self.queue()
            self.resend()
        self.send(Start(traj=self.newest, mode=Mode.AFTER_PREVIOUS, t_start_us=0))
        self.resend()

    def command(self) -> None:
        """Any other message, right or wrong."""
        rng = self.rng
        hold_id = self.status.hold_id if self.status else 0
        traj = self.newest
        messages: list[Callable[[], Message]] = [
            lambda: Control(controlword=int(rng.choice([0, 2, 6, 7, 15, 0x80, 0x8F]))),
            lambda: Resume(hold_id=hold_id),
            lambda: Resume(hold_id=int(rng.integers(3))),
            lambda: Abandon(hold_id=hold_id),
            lambda: Override(percent=int(rng.choice([0, 1, 30, 70, 100, 100]))),
            lambda: Truncate(traj=traj, knot=int(rng.integers(0, 12))),
            lambda: FaultReset(fault=self.fault, latch_count=self.latch),
            lambda: FaultReset(fault=int(rng.integers(0x0400)), latch_count=int(rng.integers(3))),
            lambda: CONFIRM,
        ]
        self.send(messages[int(rng.integers(len(messages)))]())

    def urge(self) -> None:
        """An express message."""
        rng = self.rng
        messages: list[Callable[[], Message]] = [
            lambda: Hold(ramp_ms=int(rng.choice([0, 1, 100, 2000]))),
            lambda: Qstop(reason=1),
            lambda: Sync(host_ns=1),
            lambda: EventAck(event_no=int(rng.integers(40))),
        ]
        self.express(messages[int(rng.integers(len(messages)))]())

    def replay(self) -> None:
        """Bytes of long ago come out of some buffer."""
        for wire in self.old_wires[: int(self.rng.integers(1, 8))]:
            self.feed(wire)

    # ----------------------------------------------------------------------------------------- what happens to it

    def reset(self) -> None:
        """The firmware starts anew."""
        self.firmware.reset(now_us=int(self.rng.integers(1 << 32)))
        self.last = None
        self.boot()

    def jam(self) -> None:
        """A joint is held, or let go."""
        self.jammed = not self.jammed
        self.firmware.plant.jammed = 0b10 if self.jammed else 0

    def disturb(self) -> None:
        """A drive has a fault, or none."""
        causes = [*[Fault.NONE] * 6, Fault.STO, Fault.OVERTEMPERATURE, Fault.UNDERVOLTAGE]
        self.firmware.plant.fault = int(self.rng.choice(causes))

    def freeze(self) -> None:
        """The processor stands still for a while."""
        self.firmware.freeze(int(self.rng.choice([3_000, 20_000, 80_000])))
        self.last = None

    def wait(self, *, alive: bool = True) -> None:
        """Time passes, up to 300 ms."""
        for _ in range(int(self.rng.integers(1, 7))):
            if alive and self.session:
                self.feed(
                    b"\0"
                    + frame_of(
                        Heartbeat(host_ms=0, lease_10ms=25, status_ms=20), session=self.session
                    ).encode()
                )
                self.silent_s = 0.0
            self.run(50_000)

    def run(self, duration_us: int) -> None:
        """Time passes."""
        rows = self.firmware.run(duration_us)
        self.collect()
        self.check(rows)

    def be_silent(self) -> None:
        """Time passes without a word from the host."""
        self.wait(alive=False)

    # How often each happens.
    ACTIONS: ClassVar[dict[str, int]] = {
        "move": 6,
        "wait": 8,
        "queue": 4,
        "start": 2,
        "command": 4,
        "urge": 2,
        "resend": 2,
        "enable": 2,
        "be_silent": 1,
        "replay": 1,
        "hello": 1,
        "reset": 1,
        "jam": 1,
        "disturb": 1,
        "freeze": 1,
    }

    def act(self, action: str) -> None:
        """Do one of `ACTIONS`."""
        getattr(self, action)()

    # ------------------------------------------------------------------------------------------------ invariants

    def check(self, rows: NDArray[np.void]) -> None:
        """Everything that must hold at every tick."""
        self.check_faults(rows)
        self.check_power(rows)
        self.check_limits(rows)
        running = rows[rows["running"] == 1]
        for traj in set(running["traj"].tolist()):
            self.check_path(traj, running[running["traj"] == traj])
        self.silent_s += 1e-3 * len(rows)
        if self.silent_s > LEASE_S + STOP_S + 0.06 and rows["power"][-1]:
            assert not rows["vel"][-1].any(), "a silent host's arm still moves"
        if self.silent_s > 3 * LEASE_S + STOP_S + 0.16:
            assert rows["power"][-1] == 0
        self.last = rows[-1:]

    def check_faults(self, rows: NDArray[np.void]) -> None:
        """A fault stays until it is reset by its name."""
        if self.perhaps_reset and rows["fault"][0] == Fault.NONE:
            self.fault = Fault.NONE
        self.perhaps_reset = False
        faults = rows["fault"]
        if self.fault is Fault.NONE and faults[-1]:
            self.fault, self.latch = Fault(int(faults[-1])), self.latch + 1
            faults = faults[int((faults > 0).argmax()) :]
        assert (faults == self.fault).all(), "a fault ended or changed without being reset"

    def check_power(self, rows: NDArray[np.void]) -> None:
        """An arm without power does not move, and has power only in a session that confirmed it."""
        on = rows["power"] == 1
        assert not on.any() or self.confirmed
        assert (on == _POWERED[rows["state"]]).all()
        still = ~on[1:] & ~on[:-1]
        assert not np.diff(rows["pos"], axis=0)[still].any()

    def check_limits(self, rows: NDArray[np.void]) -> None:
        """Velocity, acceleration and jerk keep their limits at every tick."""
        joined = rows if self.last is None else np.concatenate([self.last, rows])
        on = (joined["power"] == 1)[1:] & (joined["power"] == 1)[:-1]
        assert (np.abs(rows["vel"][rows["power"] == 1]) <= VEL * 1.001 + 2e-3).all()
        assert (np.abs(rows["acc"][rows["power"] == 1]) <= ACC * 1.001).all()
        steps = np.abs(np.diff(joined["setpoint"].astype(np.int64), axis=0))[on]
        assert (steps <= VEL * 5.01e-3 * 1e7 + 2).all(), "a setpoint jumped"
        jerks = np.abs(np.diff(joined["acc"], axis=0))[on] / 1e-3
        assert (jerks <= JERK * 1.05 + 1.0).all()

    def check_path(self, traj: int, rows: NDArray[np.void]) -> None:
        """Setpoints keep to knots that this session had accepted, and never go back."""
        self.ticks_followed += len(rows)
        assert traj in self.accepted, "a trajectory runs that this session has not sent"
        assert (np.diff(rows["place"].astype(np.int64)) >= 0).all(), "the path was followed backwards"
        if traj not in self.paths:
            known = self.accepted[traj]
            self.paths[traj] = Trajectory(
                t=np.array([k.t_us for k in known]) * 1e-6,
                q=np.array([k.pos for k in known]) * 1e-7,
                qd=np.array([k.vel for k in known]) * 1e-6,
                qdd=np.array([k.acc for k in known]) * 1e-5,
            )
        path = self.paths[traj]
        places = rows["place"] / 65536e6
        assert places.max() <= path.t[-1] + 1e-9
        q = path.sample(places)[0]
        first = np.abs(rows["setpoint"] * 1e-7 - q)
        # Knot 0 gives way to the setpoint, by no more than the tolerance of a start.
        allowed = np.where(places < path.t[min(1, len(path.t) - 1)], 6e-5, ROUNDING)
        assert (first.max(axis=1) <= allowed).all(), "off the path"
