"""The contract between a plan and whatever executes it: arms and stations, simulated or real.

An ``ArmDriver`` receives segments ahead of time and executes them in the order queued, each as soon as the
one before has ended; Python is never in the servo loop. Calls never block for longer than one simulation
step or one serial write, unless their driver says so. All calls come from one thread. A driver that faults
stops on its path, reports the fault in every ``ArmState`` until it is closed, and refuses further segments.
A stop flushes the queue: what was queued before a stop never moves.

A segment has a time of its own, which passes at the driver's *feed*: its motion, and waiting in it (`Dwell`, the
planned time of a process), take longer by that. A part in the hand stays gripped whatever the feed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cells.measurement import Measurement
from kinematics import Limits, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True)
class GripPart:
    """Close the gripper on the workpiece at ``station`` until both fingers hold it with ``force_n``."""

    station: str
    radius_m: float
    internal: bool
    force_n: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertPart:
    """Follow the segment's line down into ``station``, yielding sideways and watching the force.

    The last ``entry_m`` of the way are inside the counterpart. Done when seated; the station then holds the
    workpiece.
    """

    station: str
    entry_m: float
    force_low_n: float
    force_high_n: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasePart:
    """Open the fingers to ``radius_m`` beside the part, which stays with ``station``."""

    station: str
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveScrews:
    """Drive ``count`` screws at once into the joint at ``station`` to ``torque_nm``."""

    station: str
    count: int
    torque_nm: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dwell:
    """Stay where you are: a timed process (adhesive, grease, leads, connectors)."""

    duration_s: float


Process = GripPart | InsertPart | ReleasePart | DriveScrews | Dwell


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of motion and what the tool does with it.

    The trajectory starts where the last segment ended. A process without own motion begins when the
    trajectory has ended; ``InsertPart`` runs along it. A segment without trajectory stays. ``finger_m`` is
    the radius (of the finger pads from the tool axis) that the open gripper takes on the way; None leaves
    the fingers alone.
    """

    id: int
    trajectory: Trajectory | None = None
    process: Process | None = None
    finger_m: float | None = None

    @property
    def duration_s(self) -> float:
        """Planned duration [s]."""
        moving = self.trajectory.duration if self.trajectory is not None else 0.0
        if self.process is None:
            return moving
        if isinstance(self.process, InsertPart):
            return max(moving, self.process.duration_s)
        return moving + self.process.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentResult:
    """What became of a segment: device times and what was measured on the way (units in the names)."""

    id: int
    start_ns: int
    end_ns: int
    measured: Mapping[str, float] = field(default_factory=dict)


class Status(Enum):
    """What an arm is doing."""

    DISABLED = "disabled"
    IDLE = "idle"
    RUNNING = "running"
    STOPPED = "stopped"
    FAULT = "fault"


class QueueStatus(Enum):
    """Answer to a queued segment."""

    ACCEPTED = "accepted"
    FULL = "full"
    REFUSED = "refused"


class StopCategory(Enum):
    """Stop categories in the sense of IEC 60204-1, as a process command and never a safety function."""

    POWER_OFF = 0
    STOP_THEN_POWER_OFF = 1
    STOP_AND_HOLD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmState:
    """What an arm reports: measured joints, and the results of segments that ended since the last reading.

    ``feed`` is the share of the planned speed that has been reached; see `ArmDriver.feed`.
    """

    time_ns: int
    q: NDArray[np.float64]
    qd: NDArray[np.float64]
    status: Status
    fault: str = ""
    results: tuple[SegmentResult, ...] = field(default=())
    feed: float = 1.0


class ArmDriver(Protocol):
    """One arm with its tool."""

    @property
    def name(self) -> str:
        """Name of the arm in its cell."""
        ...

    @property
    def limits(self) -> Limits:
        """Joint limits the driver will accept."""
        ...

    def __enter__(self) -> Self:
        """Connect."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, at rest."""
        ...

    def read(self) -> ArmState:
        """Latest state; ends of segments are reported exactly once."""
        ...

    def enable(self) -> None:
        """Power the arm where it stands; needed before the first segment and after a stop."""
        ...

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment; refused when it does not start where the last one ends or breaks a limit."""
        ...

    def feed(self, share: float) -> None:
        """Follow the path at this share of its planned speed from now on, changing smoothly within the limits.

        1 is as planned, 0 held on the path with power on. Kept until changed, for every segment that follows; a
        stop or `enable` sets it back to 1. Never drops what is queued.

        Raises:
            ValueError: Outside 0 to 1.
        """
        ...

    def stop(self, category: StopCategory) -> None:
        """Decelerate on the path and flush the queue."""
        ...


def share_of_speed(share: float) -> float:
    """A feed as a number.

    Raises:
        ValueError: Outside 0 to 1.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"feed: {share:g} of the planned speed, expected from 0 to 1")
    return float(share)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCycle:
    """One thing a station does by itself: a feeder presents a part, the press presses, the dial indexes.

    ``model`` and ``serial`` say for which joint; empty where that has no meaning.
    """

    id: int
    station: str
    duration_s: float
    model: str = ""
    serial: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationResult:
    """What became of a station's cycle; ``verdict`` is empty when good, otherwise the reason of a reject.

    ``tests`` are measurements of the joint with their windows, ``measured`` all other values (units in the
    names).
    """

    id: int
    start_ns: int
    end_ns: int
    verdict: str = ""
    measured: Mapping[str, float] = field(default_factory=dict)
    tests: Mapping[str, Measurement] = field(default_factory=dict)


class StationDriver(Protocol):
    """All stations of a cell: feeders, press, bench, dial, test and out tray."""

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle.

        Raises:
            ValueError: When the station is not idle.
        """
        ...

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that ended since the last reading."""
        ...

    def stop(self, category: StopCategory) -> None:
        """Bring every station to rest."""
        ...


class Clock(Protocol):
    """Time of the cell. A simulated clock advances the world; a real one waits."""

    @property
    def now_ns(self) -> int:
        """Monotonic time [ns]."""
        ...

    def advance(self) -> None:
        """Let one control period pass."""
        ...
