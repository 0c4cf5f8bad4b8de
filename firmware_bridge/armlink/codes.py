"""Numbers and enumerations of the protocol between host and arm.

Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit.
"""

from enum import IntEnum, IntFlag

TABLE_HASH = 0xD4BD52A8
MAJOR = 1
MINOR = 0
MAX_PAYLOAD = 228
JOINTS = 6
WINDOW = 8
KNOTS = 64
TRAJECTORIES = 8
START_TOLERANCE = 500


class Class(IntEnum):
    """How a message is delivered."""

    OPENING = 0  # outside any session; answered at once; repeating it is harmless
    RELIABLE = 1  # in order, executed once, acknowledged
    EXPRESS = 2  # acted on when it arrives, unacknowledged; repeating it is harmless
    REPORT = 3  # from the device; may be lost, is repeated or superseded


class Flag(IntFlag):
    """Bits of a frame's flags; bits 4 to 7 are the protocol's major version."""

    RESEND = 1  # sent before


class HelloFlag(IntFlag):
    """Wishes of a HELLO."""

    TAKEOVER = 1  # end the session of another host; a moving arm is held first
    LOOK = 2  # only say who you are; no session is opened or ended


class Drive(IntEnum):
    """States of the drive, as in CiA 402."""

    NOT_READY = 0  # starting
    SWITCH_ON_DISABLED = 1  # no power, brakes on
    READY_TO_SWITCH_ON = 2  # no power, brakes on, may be switched on
    SWITCHED_ON = 3  # power, holds its position
    OPERATION_ENABLED = 4  # follows trajectories
    QUICK_STOP_ACTIVE = 5  # stopping on its path, then no power
    FAULT_REACTION_ACTIVE = 6  # stopping on its path because of a fault
    FAULT = 7  # no power, brakes on, until the fault is reset by name


class Motion(IntEnum):
    """What an enabled arm is doing."""

    IDLE = 0  # at rest, nothing started
    RUN = 1  # on a trajectory
    HOLDING = 2  # slowing down on its path
    HELD = 3  # at rest on its path, the buffer kept


class HoldCause(IntEnum):
    """Why an arm is held."""

    NONE = 0  # it is not
    HOST = 1  # HOLD
    LEASE = 2  # no valid frame of the session for the time of the lease
    STARVED = 3  # too little motion buffered; goes on by itself at most three times
    TAKEOVER = 4  # another host asks for the arm
    STOP = 5  # a quick stop or the reaction to a fault


class StartMode(IntEnum):
    """When a trajectory starts."""

    AT_TIME = 0  # at a device time; at once when it has passed
    AFTER_PREVIOUS = 1  # without a pause when the one before has ended; at once when it has


class KnotFlag(IntFlag):
    """Bits of a batch of knots."""

    LAST = 1  # the trajectory ends, at rest, with the last knot of this batch


class Report(IntEnum):
    """Reports that can be asked for."""

    STATUS = 0  # STATUS
    TELEM = 1  # TELEM


class Result(IntEnum):
    """What became of a reliable frame."""

    OK = 0  # done
    UNKNOWN = 1  # no such message
    MALFORMED = 2  # wrong size or a value out of range
    WRONG_STATE = 3  # not in this state
    NOT_CONFIRMED = 4  # identity and configuration have not been confirmed in this session
    NOT_SYNCED = 5  # no SYNC within the last 2 s
    WRONG_ARM = 6  # another unit than the host means
    WRONG_CONFIG = 7  # another configuration than the host means
    FULL = 8  # no free slot
    WRONG_TRAJECTORY = 9  # not the trajectory that is being filled, next, or next to start
    WRONG_KNOT = 10  # not the next knot, or no such knot
    POISONED = 11  # an earlier knot was rejected: TRUNCATE or ABANDON first
    KNOT_TIME = 12  # a segment must take 2 ms to 1 s; knot 0 is at 0
    WRONG_START = 13  # knot 0 is not where the arm is when it starts
    POSITION_LIMIT = 14  # a knot or the curve between two leaves the position limits
    VELOCITY_LIMIT = 15  # the curve between two knots may exceed the velocity limit
    ACCELERATION_LIMIT = 16  # the curve between two knots may exceed the acceleration limit
    JERK_LIMIT = 17  # the curve between two knots may exceed the jerk limit
    STOP_TIME = 18  # from there the arm could not stop within the configured time
    NOT_AT_REST = 19  # first and last knots must be at rest
    TOO_LATE = 20  # the arm may need what should be dropped
    NOT_READY = 21  # too few knots to start with
    WRONG_HOLD = 22  # not the hold that is on
    WRONG_FAULT = 23  # not the fault that is latched
    MOVING = 24  # not while the arm moves
    STILL_FAULTY = 25  # the cause of the fault is still there
    NOT_FOLLOWING = 26  # setpoint and measured position differ by more than 0.5 degrees


class Refusal(IntEnum):
    """Why a frame was not taken at all."""

    NO_SESSION = 1  # of another session; data: the boot id
    LEASED = 2  # another host's session is alive; data: its remaining lease [ms]
    MOVING = 3  # no new session while the arm moves
    VERSION = 4  # no common major version; data: the device's
    TABLE = 5  # made from another message table; data: the device's hash


class Fault(IntEnum):
    """Latched faults."""

    NONE = 0  # none
    HOST_LOST = 0x0101  # the host was silent for three times the lease
    STARVED = 0x0103  # motion ran out of knots more than three times
    LINE_QUALITY = 0x0104  # more frames of 2 s were bad than good
    FOLLOWING = 0x0201  # a joint is too far from its setpoint
    STOP_OVERRUN = 0x0203  # the arm was not at rest in time; power was removed at once
    OVERCURRENT = 0x0301  # a motor current is above its limit
    OVERTEMPERATURE = 0x0302  # a drive is too hot
    UNDERVOLTAGE = 0x0303  # the supply voltage is too low
    DRIVE = 0x0304  # a drive reports a fault of its own
    STO = 0x0305  # the wired stop removed the power
    TICK_OVERRUN = 0x0401  # the motion tick came too late while the arm moved


class EventCode(IntEnum):
    """Codes of events besides the faults."""

    TRAJECTORY_STARTED = 0x1001  # source: trajectory; t: when; data: how late [us]
    TRAJECTORY_DONE = 0x1002  # source: trajectory; t: when; data: time lost since its start [us]
    HOLD = 0x1003  # source: cause; data: hold id
    HELD = 0x1004  # source: cause; data: hold id
    RESUMED = 0x1005  # source: cause; data: hold id
    REJECTED = 0x1006  # source: joint; data: sequence number * 256 + result
    STOPPED = 0x1007  # a quick stop has ended at rest; source: 0; data: its reason


class ResetCause(IntEnum):
    """Why the firmware started."""

    POWER_ON = 0  # power
    PIN = 1  # reset pin or debugger
    WATCHDOG = 2  # watchdog
    SOFTWARE = 3  # on request
