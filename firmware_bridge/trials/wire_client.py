"""The simplest host there can be: no retries, no clock, one frame after the other, for tests of the firmware."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cells import load_arm
from firmware_bridge.armlink.codes import TABLE_HASH, Class, Drive, HelloFlag, KnotFlag, Result, StartMode
from firmware_bridge.armlink.frame import FrameParser, crc32c, frame_of
from firmware_bridge.armlink.messages import (
    Confirm,
    Control,
    Heartbeat,
    Hello,
    QuinticKnot,
    SegQuintic,
    Start,
    Sync,
)
from firmware_bridge.armlink.record_codec import Message
from firmware_bridge.armlink.reports import REPORTS, Ack, Event, HelloAck, Status
from firmware_bridge.emulator import VirtualFirmware, configuration
from kinematics import Trajectory

M = TypeVar("M", bound=Message)
CONFIG = configuration(load_arm("gp7"), "A1")
UID = b"unit-0000001"
HOME = (0, 2_000_000, -1_000_000, 0, 3_000_000, 0)


class Host:
    """A host and a virtual arm on a perfect line."""

    def __init__(self, firmware: VirtualFirmware | None = None) -> None:
        self.firmware = firmware or VirtualFirmware(CONFIG, uid=UID, position=HOME)
        self.firmware.run(1000)  # it is ready at its first tick
        self.parser = FrameParser()
        self.reports: list[Message] = []
        self.session = 0
        self.seq = 0

    def send(self, message: Message, **header: Any) -> int:
        """Send a message; the sequence number that it got."""
        seq = self.seq
        if message.CLASS is Class.RELIABLE:
            self.seq = (self.seq + 1) & 0xFFFF
        frame = frame_of(message, **{"session": self.session, "seq": seq} | header)
        self.feed(frame.encode())
        return seq

    def feed(self, wire: bytes) -> None:
        """Bytes reach the arm."""
        self.firmware.feed(wire)
        self.collect()

    def collect(self) -> None:
        """Take in what the arm has sent."""
        for frame in self.parser.feed(self.firmware.sent()):
            self.reports.append(REPORTS[frame.type].decode(frame.payload))

    def run(self, seconds: float, *, alive: bool = True) -> NDArray[np.void]:
        """Let time pass, with a heartbeat and a clock comparison every 50 ms."""
        rows = []
        left = round(seconds * 1e6)
        while left > 0:
            step = min(left, 50_000)
            if alive and self.session:
                self.send(Heartbeat(host_ms=0, lease_10ms=25, status_ms=20))
                self.send(Sync(host_ns=1))
            rows.append(self.firmware.run(step))
            self.collect()
            left -= step
        return np.concatenate(rows)

    def latest(self, kind: type[M]) -> M:
        """The last report of a kind."""
        return next(report for report in reversed(self.reports) if isinstance(report, kind))

    def events(self, code: int) -> list[Event]:
        """Events of a code, each once."""
        found = {r.event_no: r for r in self.reports if isinstance(r, Event) and r.code == code}
        return list(found.values())

    def ask(self, message: Message) -> Result:
        """Send a reliable message; what became of it."""
        self.send(message)
        ack = self.latest(Ack)
        assert ack.next_seq == self.seq
        return ack.results[0]

    def hello(self, nonce: int = 1, flags: int = 0, **changes: Any) -> Hello:
        """A HELLO with some fields changed."""
        fields: dict[str, Any] = {
            "proto_min": 1,
            "proto_max": 1,
            "table_hash": TABLE_HASH,
            "host_tag": b"test\0\0\0\0",
        }
        return Hello(**fields | {"host_nonce": nonce, "flags": HelloFlag(flags)} | changes)

    def open(self, nonce: int = 1, flags: int = 0) -> HelloAck:
        """Open a session."""
        self.send(self.hello(nonce, flags), session=0, seq=0)
        ack = self.latest(HelloAck)
        self.session, self.seq = ack.session, 0
        return ack

    def enable(self) -> "Host":
        """From nothing to OPERATION_ENABLED."""
        self.open(nonce=len(self.reports) + 1)
        self.run(0.05)
        confirm = Confirm(uid=self.firmware.uid, config_crc=crc32c(self.firmware.config.encode()))
        assert self.ask(confirm) is Result.OK
        for word in (0x06, 0x07, 0x0F):
            assert self.ask(Control(controlword=word)) is Result.OK
        self.run(0.03)
        assert self.status.drive is Drive.OPERATION_ENABLED
        return self

    @property
    def status(self) -> Status:
        """The last status."""
        return self.latest(Status)

    @property
    def setpoint(self) -> tuple[int, ...]:
        """Where the arm is told to be [1e-7 rad]."""
        status = self.status
        return tuple(p + e for p, e in zip(status.pos, status.ferr, strict=True))

    def queue(self, traj: int, motion: list[QuinticKnot], *, last: bool = True, first: int = 0) -> Result:
        """All knots of a trajectory, two in a frame; the first result that is not OK."""
        for k in range(0, len(motion), 2):
            pair = tuple(motion[k : k + 2])
            flags = KnotFlag.LAST if last and k + 2 >= len(motion) else KnotFlag(0)
            result = self.ask(SegQuintic(traj=traj, flags=flags, first_knot=first + k, knots=pair))
            if result is not Result.OK:
                return result
        return Result.OK

    def start(self, traj: int, t_us: int | None = None) -> Result:
        """Start a trajectory, at a device time or after the one before."""
        mode = StartMode.AFTER_PREVIOUS if t_us is None else StartMode.AT_TIME
        return self.ask(Start(traj=traj, mode=mode, t_start_us=t_us or 0))


def knots(trajectory: Trajectory, step_s: float = 0.05) -> list[QuinticKnot]:
    """The knots of a trajectory, and more between them: none further apart than ``step_s``, none nearer than 3 ms."""
    times = [0.0]
    for t in trajectory.t[1:]:
        if t - times[-1] > 3e-3:
            pieces = int(np.ceil((t - times[-1]) / step_s))
            times += list(np.linspace(times[-1], t, pieces + 1)[1:])
    times[-1] = trajectory.duration
    t_us = np.rint(np.array(times) * 1e6).astype(int)
    q, qd, qdd = trajectory.sample(t_us * 1e-6)
    qd[[0, -1]] = qdd[[0, -1]] = 0.0
    rounded = (np.rint(q * 1e7), np.rint(qd * 1e6), np.rint(qdd * 1e5))
    return [
        QuinticKnot(
            t_us=int(t),
            pos=tuple(int(x) for x in rounded[0][k]),
            vel=tuple(int(x) for x in rounded[1][k]),
            acc=tuple(int(x) for x in rounded[2][k]),
        )
        for k, t in enumerate(t_us)
    ]
