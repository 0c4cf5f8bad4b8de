"""Messages from the host to the arm, as raw numbers; units in brackets.

Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.
"""

from typing import ClassVar

from firmware_bridge.armlink.codes import Class, HelloFlag, KnotFlag, Report, StartMode
from firmware_bridge.armlink.record_codec import Message, Record, record, repeat, wire


@record
class CubicKnot(Record):
    """Position and velocity; a cubic in between."""

    t_us: int = wire("u32")  # time since the start of the trajectory [us]
    pos: tuple[int, ...] = wire("i32", 6, low=-1000000000, high=1000000000)  # position [1e-7 rad]
    vel: tuple[int, ...] = wire("i32", 6, low=-1000000000, high=1000000000)  # velocity [1e-6 rad/s]


@record
class QuinticKnot(Record):
    """Position, velocity and acceleration; a quintic in between."""

    t_us: int = wire("u32")  # time since the start of the trajectory [us]
    pos: tuple[int, ...] = wire("i32", 6, low=-1000000000, high=1000000000)  # position [1e-7 rad]
    vel: tuple[int, ...] = wire("i32", 6, low=-1000000000, high=1000000000)  # velocity [1e-6 rad/s]
    acc: tuple[int, ...] = wire("i32", 6, low=-1000000000, high=1000000000)  # acceleration [1e-5 rad/s2]


@record
class Config(Record):
    """What the device is and what it may do. Its CRC-32C is the configuration CRC; DESC carries it in pieces."""

    model: bytes = wire("bytes", 16)  # model of the arm, UTF-8, padded with zeros
    serial: bytes = wire("bytes", 16)  # serial number, UTF-8, padded with zeros
    joints: int = wire("u8", low=1, high=6)  # joints in use
    stop_max_ms: int = wire("u16", low=50, high=2000)  # longest time any stop may take [ms]
    pos_min: tuple[int, ...] = wire("i32", 6)  # lower position limits [1e-7 rad]
    pos_max: tuple[int, ...] = wire("i32", 6)  # upper position limits [1e-7 rad]
    vel_max: tuple[int, ...] = wire("i32", 6, low=0)  # velocity limits [1e-6 rad/s]
    acc_max: tuple[int, ...] = wire("i32", 6, low=0)  # acceleration limits of trajectories [1e-5 rad/s2]
    jerk_max: tuple[int, ...] = wire("i32", 6, low=0)  # jerk limits of trajectories [1e-3 rad/s3]
    stop_acc: tuple[int, ...] = wire("i32", 6, low=0)  # acceleration limits of holds and stops [1e-5 rad/s2]
    stop_jerk: tuple[int, ...] = wire("i32", 6, low=0)  # jerk limits of holds and stops [1e-3 rad/s3]
    follow_max: tuple[int, ...] = wire("i32", 6, low=0)  # largest following error [1e-7 rad]
    current_max: tuple[int, ...] = wire("u16", 6)  # largest motor current [mA]


@record
class Hello(Message):
    """Open a session. Answered by HELLO_ACK or NAK; the same nonce again gets the same session."""

    ID: ClassVar[int] = 0x01
    CLASS: ClassVar[Class] = Class.OPENING
    proto_min: int = wire("u8")  # lowest major version the host speaks
    proto_max: int = wire("u8")  # highest major version the host speaks
    flags: HelloFlag = wire("u16", values=HelloFlag)  # wishes
    host_nonce: int = wire("u32")  # random, new for each session
    table_hash: int = wire("u32")  # hash of the host's message table
    host_tag: bytes = wire("bytes", 8)  # name of the host, for people


@record
class DescRead(Message):
    """Ask for a piece of the configuration."""

    ID: ClassVar[int] = 0x02
    CLASS: ClassVar[Class] = Class.OPENING
    offset: int = wire("u16")  # where the piece begins [byte]


@record
class ReportRead(Message):
    """Ask for a report now, with or without a session."""

    ID: ClassVar[int] = 0x05
    CLASS: ClassVar[Class] = Class.OPENING
    report: Report = wire("u8", values=Report)  # which


@record
class Sync(Message):
    """Compare clocks; answered by SYNC_REPLY. At least one every 2 s or the arm can't be enabled."""

    ID: ClassVar[int] = 0x03
    CLASS: ClassVar[Class] = Class.EXPRESS
    host_ns: int = wire("u64")  # host time, sent back as it is [ns]


@record
class Heartbeat(Message):
    """The host is alive. Every valid frame of the session renews the lease; this one also sets it."""

    ID: ClassVar[int] = 0x04
    CLASS: ClassVar[Class] = Class.EXPRESS
    host_ms: int = wire("u32")  # host time, for captures [ms]
    lease_10ms: int = wire("u8", low=5, high=100)  # silence after which the arm holds [10 ms]
    status_ms: int = wire("u8", low=2, high=250)  # period of STATUS [ms]


@record
class Hold(Message):
    """Slow down to rest on the path and keep the buffer. Repeat until STATUS shows it."""

    ID: ClassVar[int] = 0x20
    CLASS: ClassVar[Class] = Class.EXPRESS
    ramp_ms: int = wire("u16", high=2000)  # of the ramp; 0 is 150; longer if limits demand it [ms]


@record
class Qstop(Message):
    """Stop on the path as fast as the limits of stops allow, drop the buffer, brakes on, power off."""

    ID: ClassVar[int] = 0x22
    CLASS: ClassVar[Class] = Class.EXPRESS
    reason: int = wire("u16")  # for the record


@record
class EventAck(Message):
    """The event has been seen; the next one may come."""

    ID: ClassVar[int] = 0x31
    CLASS: ClassVar[Class] = Class.EXPRESS
    event_no: int = wire("u16")  # number of the event


@record
class Control(Message):
    """Controlword of CiA 402: 06 shutdown, 07 switch on, 0F enable operation, 00 disable voltage, 02 quick stop."""

    ID: ClassVar[int] = 0x08
    CLASS: ClassVar[Class] = Class.RELIABLE
    controlword: int = wire("u16")  # bits as in CiA 402; its fault reset bit is refused


@record
class Confirm(Message):
    """The host says which unit and configuration it means; needed before the arm can be enabled."""

    ID: ClassVar[int] = 0x09
    CLASS: ClassVar[Class] = Class.RELIABLE
    uid: bytes = wire("bytes", 12)  # unit
    config_crc: int = wire("u32")  # CRC-32C of the configuration


@record
class SegCubic(Message):
    """Append knots to a trajectory of cubics. All of them are taken or none."""

    ID: ClassVar[int] = 0x10
    CLASS: ClassVar[Class] = Class.RELIABLE
    traj: int = wire("u8")  # trajectory; a new one is the number after the last one's, modulo 256
    flags: KnotFlag = wire("u8", values=KnotFlag)  # LAST
    first_knot: int = wire("u16")  # number of the first of these knots in the trajectory, from 0
    knots: tuple[CubicKnot, ...] = repeat(CubicKnot, 4)


@record
class SegQuintic(Message):
    """Append knots to a trajectory of quintics. All of them are taken or none."""

    ID: ClassVar[int] = 0x14
    CLASS: ClassVar[Class] = Class.RELIABLE
    traj: int = wire("u8")  # trajectory; a new one is the number after the last one's, modulo 256
    flags: KnotFlag = wire("u8", values=KnotFlag)  # LAST
    first_knot: int = wire("u16")  # number of the first of these knots in the trajectory, from 0
    knots: tuple[QuinticKnot, ...] = repeat(QuinticKnot, 2)


@record
class Start(Message):
    """Let a trajectory start. Needs its LAST knot, or enough knots to stop within."""

    ID: ClassVar[int] = 0x11
    CLASS: ClassVar[Class] = Class.RELIABLE
    traj: int = wire("u8")  # trajectory
    mode: StartMode = wire("u8", values=StartMode)  # when
    t_start_us: int = wire("u32")  # device time, for AT_TIME [us]


@record
class Truncate(Message):
    """Drop all knots after this one and all later trajectories: the tail is planned anew. Cures poisoning."""

    ID: ClassVar[int] = 0x12
    CLASS: ClassVar[Class] = Class.RELIABLE
    traj: int = wire("u8")  # trajectory
    knot: int = wire("u16")  # last knot that stays


@record
class Abandon(Message):
    """Drop everything buffered and end the hold; only at rest. The next trajectory starts where the arm stands."""

    ID: ClassVar[int] = 0x13
    CLASS: ClassVar[Class] = Class.RELIABLE
    hold_id: int = wire("u16")  # hold that is on; 0: none


@record
class Resume(Message):
    """Go on along the path."""

    ID: ClassVar[int] = 0x21
    CLASS: ClassVar[Class] = Class.RELIABLE
    hold_id: int = wire("u16")  # hold that is on


@record
class Override(Message):
    """Speed along the path, also of what comes later. Changes along a ramp; what is buffered stays."""

    ID: ClassVar[int] = 0x24
    CLASS: ClassVar[Class] = Class.RELIABLE
    percent: int = wire("u8", high=100)  # of the planned speed; 0: at rest on the path [%]


@record
class FaultReset(Message):
    """End a fault by naming it."""

    ID: ClassVar[int] = 0x30
    CLASS: ClassVar[Class] = Class.RELIABLE
    fault: int = wire("u16")  # the latched fault
    latch_count: int = wire("u16")  # its number


MESSAGES: dict[int, type[Message]] = {
    0x01: Hello,
    0x02: DescRead,
    0x05: ReportRead,
    0x03: Sync,
    0x04: Heartbeat,
    0x20: Hold,
    0x22: Qstop,
    0x31: EventAck,
    0x08: Control,
    0x09: Confirm,
    0x10: SegCubic,
    0x14: SegQuintic,
    0x11: Start,
    0x12: Truncate,
    0x13: Abandon,
    0x21: Resume,
    0x24: Override,
    0x30: FaultReset,
}
"""Classes by id."""
