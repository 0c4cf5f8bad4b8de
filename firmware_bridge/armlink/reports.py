"""Messages from the arm to the host, as raw numbers; units in brackets.

Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.
"""

from typing import ClassVar

from firmware_bridge.armlink.codes import Class, Drive, Fault, HoldCause, Motion, Refusal, ResetCause, Result
from firmware_bridge.armlink.record_codec import Message, record, tail, wire


@record
class HelloAck(Message):
    """Who the device is, and the session."""

    ID: ClassVar[int] = 0x81
    CLASS: ClassVar[Class] = Class.REPORT
    major: int = wire("u8")  # protocol version
    minor: int = wire("u8")  # protocol version
    session: int = wire("u16")  # session; 0 after LOOK
    host_nonce: int = wire("u32")  # of the HELLO
    boot_id: int = wire("u32")  # new at each start of the firmware
    uid: bytes = wire("bytes", 12)  # unit
    fw_rev: int = wire("u32")  # revision of the firmware
    table_hash: int = wire("u32")  # hash of the device's message table
    config_crc: int = wire("u32")  # CRC-32C of the configuration
    config_size: int = wire("u16")  # size of the configuration [byte]
    joints: int = wire("u8")  # joints in use
    knots: int = wire("u8")  # capacity of the buffer
    tick_hz: int = wire("u16")  # rate of the motion tick [Hz]
    now_us: int = wire("u32")  # device time [us]
    reset_cause: ResetCause = wire("u16", values=ResetCause)  # why the firmware started


@record
class Desc(Message):
    """A piece of the encoded configuration."""

    ID: ClassVar[int] = 0x82
    CLASS: ClassVar[Class] = Class.REPORT
    offset: int = wire("u16")  # where the piece begins [byte]
    total: int = wire("u16")  # size of the whole [byte]
    chunk: bytes = tail()


@record
class SyncReply(Message):
    """Clocks compared."""

    ID: ClassVar[int] = 0x83
    CLASS: ClassVar[Class] = Class.REPORT
    host_ns: int = wire("u64")  # as it came [ns]
    t_rx_us: int = wire("u32")  # device time when SYNC had arrived [us]
    t_tx_us: int = wire("u32")  # device time when this was sent [us]


@record
class Ack(Message):
    """Progress of the reliable frames. A window of eight frames and eight results: no result is ever missed."""

    ID: ClassVar[int] = 0x84
    CLASS: ClassVar[Class] = Class.REPORT
    next_seq: int = wire("u16")  # expected next; everything before has been executed or rejected
    sack: int = wire("u8")  # bit i: next_seq + 1 + i has arrived
    results: tuple[Result, ...] = wire("u8", 8, values=Result)  # of next_seq - 1 - i
    reject_joint: int = wire("u8")  # joint of the latest rejection by a limit
    free_knots: int = wire("u8")  # free slots
    drive: Drive = wire("u8", values=Drive)  # state of the drive
    motion: Motion = wire("u8", values=Motion)  # state of motion
    buffered_ms: int = wire("u16")  # motion buffered ahead [ms]


@record
class Nak(Message):
    """A frame was not taken; at most ten a second."""

    ID: ClassVar[int] = 0x85
    CLASS: ClassVar[Class] = Class.REPORT
    boot_id: int = wire("u32")  # of this start
    code: Refusal = wire("u8", values=Refusal)  # why
    type: int = wire("u8")  # id of the message
    data: int = wire("u32")  # by code


@record
class Status(Message):
    """State of the arm, at the period the host asked for."""

    ID: ClassVar[int] = 0x90
    CLASS: ClassVar[Class] = Class.REPORT
    t_us: int = wire("u32")  # device time [us]
    statusword: int = wire("u16")  # bits as in CiA 402
    drive: Drive = wire("u8", values=Drive)  # state of the drive
    motion: Motion = wire("u8", values=Motion)  # state of motion
    hold_cause: HoldCause = wire("u8", values=HoldCause)  # why it is held
    hold_id: int = wire("u16")  # the hold that is on; 0: none
    fault: Fault = wire("u16", values=Fault)  # latched fault
    fault_joint: int = wire("u8")  # its joint; 255: none
    latch_count: int = wire("u16")  # number of that fault
    next_seq: int = wire("u16")  # as in ACK
    free_knots: int = wire("u8")  # free slots
    override_pct: int = wire("u8")  # speed along the path, as ordered [%]
    speed_pct: int = wire("u8")  # speed along the path now [%]
    traj: int = wire("u8")  # trajectory that runs or ran last
    knot: int = wire("u16")  # its last knot that was passed
    buffered_ms: int = wire("u16")  # motion buffered ahead [ms]
    lost_us: int = wire("u32")  # time lost by holds and override since the trajectory's start [us]
    pos: tuple[int, ...] = wire("i32", 6)  # measured position [1e-7 rad]
    ferr: tuple[int, ...] = wire("i32", 6)  # setpoint minus measured position [1e-7 rad]
    vel: tuple[int, ...] = wire("i32", 6)  # measured velocity [1e-6 rad/s]
    current: tuple[int, ...] = wire("i16", 6)  # motor current [mA]


@record
class Telem(Message):
    """Health of drives and link, twice a second. Counters wrap."""

    ID: ClassVar[int] = 0x91
    CLASS: ClassVar[Class] = Class.REPORT
    temperature: tuple[int, ...] = wire("i8", 6)  # of the drives [degC]
    bus_mv: int = wire("u16")  # supply voltage [mV]
    frames: int = wire("u32")  # good frames received
    crc_errors: int = wire("u16")  # frames with a wrong CRC or header
    framing_errors: int = wire("u16")  # frames that are no COBS, too short or too long
    overruns: int = wire("u16")  # bytes the UART lost
    gaps: int = wire("u16")  # reliable frames that came before their turn
    duplicates: int = wire("u16")  # reliable frames that came again
    strangers: int = wire("u16")  # frames of other sessions
    rejected: int = wire("u16")  # reliable frames rejected
    late_starts: int = wire("u16")  # trajectories that started after their time
    starved: int = wire("u16")  # holds for want of knots
    events_lost: int = wire("u16")  # events for which there was no room
    tx_skipped: int = wire("u16")  # reports for which the line had no room
    tick_max_us: int = wire("u16")  # longest time between two ticks since the last TELEM [us]


@record
class Event(Message):
    """Something happened; repeated ten times a second until EVENT_ACK. Codes below 0x1000 are faults."""

    ID: ClassVar[int] = 0x92
    CLASS: ClassVar[Class] = Class.REPORT
    event_no: int = wire("u16")  # counts up
    t_us: int = wire("u32")  # device time [us]
    code: int = wire("u16")  # Fault or EventCode
    source: int = wire("u8")  # joint, trajectory or cause, by code; 255: none
    data: int = wire("i32")  # by code


REPORTS: dict[int, type[Message]] = {
    0x81: HelloAck,
    0x82: Desc,
    0x83: SyncReply,
    0x84: Ack,
    0x85: Nak,
    0x90: Status,
    0x91: Telem,
    0x92: Event,
}
"""Classes by id."""
