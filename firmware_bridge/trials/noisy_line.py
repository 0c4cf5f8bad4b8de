"""An arm that goes there and back on a line that loses, turns and holds up bytes."""

from dataclasses import dataclass
from itertools import cycle

import numpy as np
from numpy.typing import NDArray

from firmware_bridge.armlink.knots import POS_UNIT, knots_of
from firmware_bridge.armlink.orders import AfterLast, Enable, Enabled, Ended, Failed, LinkUp, Move
from firmware_bridge.emulator.line_model import LineFaults
from firmware_bridge.trials.virtual_line import ARM, VirtualLine
from kinematics import rest_to_rest

HERE = np.zeros(6)
THERE = np.array([0.8, 0.3, -0.4, 0.5, 0.6, 1.0])
OUT = rest_to_rest(HERE, THERE, ARM.limits)
BACK = rest_to_rest(THERE, HERE, ARM.limits)
NOISY = LineFaults(flip=1e-3, drop=3e-4, ragged_s=0.008)
NOISY_WITH_STALLS = LineFaults(flip=1e-3, drop=3e-4, ragged_s=0.008, stall_every_s=2.0, stall_s=0.2)
ON_PATH_RAD = 2e-5  # knots every 20 ms, single precision on the device


def moves(count: int) -> list[Move]:
    """There and back, again and again, without a pause."""
    sides = cycle((knots_of(OUT), knots_of(BACK)))
    return [Move(id=index, knots=next(sides), start=AfterLast()) for index in range(count)]


def enabled(line: VirtualLine) -> VirtualLine:
    """The line when its arm follows."""
    report = line.wait_for(LinkUp, Failed)
    assert isinstance(report, LinkUp), report
    line.order(Enable())
    report = line.wait_for(Enabled, Failed)
    assert isinstance(report, Enabled), report
    return line


def off_path(rows: NDArray[np.void]) -> float:
    """How far a commanded setpoint was from the straight path of all moves [rad]."""
    places = rows["setpoint"][rows["power"] == 1] * POS_UNIT
    share = np.clip(places @ THERE / (THERE @ THERE), 0.0, 1.0)
    return float(np.abs(places - share[:, None] * THERE).max())


def jumps(rows: NDArray[np.void]) -> float:
    """Largest step of a setpoint in a tick against the fastest joint's [share]."""
    places = rows["setpoint"][rows["power"] == 1] * POS_UNIT
    return float((np.abs(np.diff(places, axis=0)) / (ARM.limits.velocity * 1.02e-3)).max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What a line let through.

    Attributes:
        moves: Moves that were ordered.
        ended: Moves that ended, in their order.
        lost_s: Time that they lost.
        underruns: Holds for want of motion.
        damaged: Frames that arrived damaged at the host.
        off_path_rad: Setpoint furthest from the path.
        jump: Largest step of a setpoint against the fastest joint's.
        fault: What made the arm stop; empty when nothing did.
    """

    moves: int
    ended: int
    lost_s: float
    underruns: int
    damaged: int
    off_path_rad: float
    jump: float
    fault: str

    @property
    def wrong_knots(self) -> bool:
        """Whether anything but the ordered motion was executed."""
        return self.off_path_rad > ON_PATH_RAD or self.jump > 1.0


def cross(faults: LineFaults, seed: int, count: int) -> Crossing:
    """Move there and back over a line with faults."""
    line = enabled(VirtualLine(faults=faults, seed=seed))
    line.order(*moves(count))
    line.run(count * OUT.duration + 1.0)
    ends = [report for report in line.reports if isinstance(report, Ended)]
    failed = [report.reason for report in line.reports if isinstance(report, Failed)]
    health, rows = line.session.health(line.now_ns), line.trace()
    return Crossing(
        moves=count,
        ended=len(ends) if [end.id for end in ends] == list(range(len(ends))) else 0,
        lost_s=sum(end.lost_ns for end in ends) * 1e-9,
        underruns=health.starved,
        damaged=health.bad_here,
        off_path_rad=off_path(rows),
        jump=jumps(rows),
        fault=failed[0] if failed else "",
    )
