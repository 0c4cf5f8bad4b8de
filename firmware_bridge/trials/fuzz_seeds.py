"""Seeds for the fuzzer: whole sessions in the operations of firmware/boards/fuzz.c.

``python -m firmware_bridge.trials.fuzz_seeds FOLDER`` writes them.
"""

import sys
from pathlib import Path

import numpy as np

from firmware_bridge.armlink.codes import HelloFlag, KnotFlag, Report, StartMode
from firmware_bridge.armlink.messages import (
    Abandon,
    Confirm,
    Control,
    CubicKnot,
    DescRead,
    EventAck,
    FaultReset,
    Heartbeat,
    Hello,
    Hold,
    Override,
    Qstop,
    QuinticKnot,
    ReportRead,
    Resume,
    SegCubic,
    SegQuintic,
    Start,
    Sync,
    Truncate,
)
from firmware_bridge.armlink.record_codec import Message

_RISE = np.array([0.0, 0.05, 0.2, 0.25])


def frame(message: Message) -> bytes:
    """The operation that sends a message."""
    payload = message.encode()
    return bytes((1, message.ID, 0, 0, len(payload))) + payload


def wait(ms: int) -> bytes:
    """The operation that lets time pass."""
    return bytes((2, (ms + 4) // 5 - 1))


def seeds() -> dict[str, bytes]:
    """Seeds by name."""
    hello = Hello(proto_min=1, proto_max=1, flags=HelloFlag(0), host_nonce=5, table_hash=0, host_tag=bytes(8))
    opening = frame(hello) + frame(Heartbeat(host_ms=0, lease_10ms=100, status_ms=20)) + wait(2)
    opening += frame(Sync(host_ns=1)) + frame(Confirm(uid=bytes(12), config_crc=0))
    enabled = opening + b"".join(frame(Control(controlword=word)) for word in (6, 7, 15))

    def quintic(traj: int, sign: int) -> bytes:
        """A short way there or back, from rest to rest."""
        rest, far = (0,) * 6, (sign * 20000,) * 6
        begin, end = (rest, far) if sign > 0 else (tuple(-x for x in far), rest)
        motion = (
            QuinticKnot(t_us=0, pos=begin, vel=rest, acc=rest),
            QuinticKnot(t_us=300_000, pos=end, vel=rest, acc=rest),
        )
        seg = SegQuintic(traj=traj, flags=KnotFlag.LAST, first_knot=0, knots=motion)
        return frame(seg) + frame(Start(traj=traj, mode=StartMode.AFTER_PREVIOUS, t_start_us=0))

    rest = (0,) * 6
    slow = tuple(
        CubicKnot(t_us=round(t * 1e6), pos=(round(1e5 * t * t),) * 6, vel=(round(2e4 * t),) * 6)
        for t in _RISE
    )
    cubic = frame(SegCubic(traj=1, flags=KnotFlag(0), first_knot=0, knots=slow))
    start = frame(Start(traj=1, mode=StartMode.AT_TIME, t_start_us=0xFFFF4000))
    reads = (
        frame(DescRead(offset=100)) + frame(ReportRead(report=Report.STATUS)) + frame(EventAck(event_no=1))
    )
    far = CubicKnot(t_us=5, pos=(2**29,) * 6, vel=rest)
    return {
        "run": enabled + quintic(1, 1) + quintic(2, -1) + wait(250) + wait(250) + wait(250) + reads,
        "hold": enabled
        + quintic(1, 1)
        + wait(100)
        + frame(Hold(ramp_ms=0))
        + wait(200)
        + frame(Resume(hold_id=1))
        + wait(250),
        "abandon": enabled
        + quintic(1, 1)
        + wait(100)
        + frame(Hold(ramp_ms=9))
        + wait(200)
        + frame(Abandon(hold_id=1)),
        "stop": enabled + quintic(1, 1) + wait(100) + frame(Qstop(reason=3)) + wait(200) + reads,
        "starve": enabled + cubic + start + wait(250) + frame(Truncate(traj=1, knot=2)) + wait(250),
        "poison": enabled
        + frame(SegCubic(traj=1, flags=KnotFlag.LAST, first_knot=0, knots=(slow[0], far)))
        + reads,
        "override": enabled
        + frame(Override(percent=30))
        + quintic(1, 1)
        + wait(200)
        + frame(Override(percent=90))
        + wait(250),
        "feed": enabled
        + quintic(1, 1)
        + wait(100)
        + frame(Override(percent=0))
        + wait(110)
        + frame(Hold(ramp_ms=0))
        + wait(250),
        "jam": enabled
        + quintic(1, 1)
        + wait(50)
        + bytes((3, 1))
        + wait(250)
        + frame(FaultReset(fault=0x201, latch_count=1)),
        "lost": enabled + quintic(1, 1) + wait(250) * 5,
        "noise": bytes((0, 12)) + bytes(range(12)) + enabled,
    }


if __name__ == "__main__":
    for name, seed in seeds().items():
        (Path(sys.argv[1]) / name).write_bytes(seed)
