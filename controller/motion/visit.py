"""One visit of one arm as legs of motion: fetch a part, carry it, work in the nest, leave.

The legs of a visit are the segments of the plan. Between them the arm is at rest, at a place where it may wait. Times are
those of the trajectories; the process' core time is filled up by a dwell before the fingers open.
"""

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cells.driver import InsertPart, Process
from cells.part import Part
from cells.recipe import Operation
from controller.motion.poses import ArmPoses
from controller.motion.straight_end import onto_line
from kinematics import Trajectory, through

FloatArray = NDArray[np.float64]

START = "start"  # the leg of an arm that only stands
RETREAT = "retreat"  # the leg that draws back to the parking place


class Zone(Enum):
    """Where a leg is, seen from the nest of its visit."""

    BEFORE = "before"
    INSIDE = "inside"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A stretch of motion without a stop, with what the tool does.

    ``station`` is the place the leg enters, works in or leaves, empty on the way; ``held`` and ``held_after`` are the part
    in the fingers under way and at the end.
    """

    name: str
    zone: Zone
    trajectory: Trajectory
    process: Process | None = None
    finger_m: float | None = None
    held: Part | None = None
    held_after: Part | None = None
    station: str = ""

    @property
    def duration_s(self) -> float:
        """Planned duration, as `cells.driver.Segment` counts it [s]."""
        if self.process is None or isinstance(self.process, InsertPart):
            return self.trajectory.duration
        return self.trajectory.duration + self.process.duration_s


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A planned visit; its first leg depends on where the arm comes from (see `legs_from`)."""

    operation: Operation
    arm: str
    position: int | None
    approach: FloatArray  # waypoints (k, 6) of the first leg, without its start
    final: Trajectory | None  # the straight line that the first leg ends with after those
    first: Leg  # the first leg from rest at approach[0]
    rest: tuple[Leg, ...]
    _poses: ArmPoses = field(repr=False)

    def legs_from(self, q: FloatArray) -> tuple[Leg, ...]:
        """All legs, the first one starting at rest at ``q`` (6,) [rad]."""
        trajectory = through(np.vstack([q, self.approach]), self._poses.arm.arm.limits)
        if self.final is not None:
            trajectory = onto_line(trajectory, self.final, self._poses.arm.arm)
        return replace(self.first, trajectory=trajectory), *self.rest

    @cached_property
    def end(self) -> FloatArray:
        """Joints (6,) at the end [rad]."""
        q: FloatArray = (self.rest[-1] if self.rest else self.first).trajectory.q[-1]
        return q

    @cached_property
    def drawn_back(self) -> "Visit":
        """The same visit with a way to the arm's parking place at its end; itself where it has one already."""
        if self.rest and self.rest[-1].name == RETREAT:
            return self
        park = through(np.vstack([self.end, self._poses.park]), self._poses.arm.arm.limits)
        leg = Leg(name=RETREAT, zone=Zone.AFTER, trajectory=park)
        return replace(self, rest=(*self.rest, leg))

    def duration_s(self, zone: Zone) -> float:
        """Time in a zone, from rest at the first waypoint [s]."""
        return sum(leg.duration_s for leg in (self.first, *self.rest) if leg.zone is zone)

    def taken_s(self) -> float:
        """Time from the first waypoint until the fetched workpiece has left its station [s]."""
        total = 0.0
        for leg in (self.first, *self.rest):
            total += leg.duration_s
            if leg.name == "carry":
                return total
        return total


def still(q: FloatArray) -> Trajectory:
    """Standing at ``q`` (6,) [rad]: a trajectory of one knot."""
    zero = np.zeros((1, 6))
    return Trajectory(t=np.zeros(1), q=q[None, :], qd=zero, qdd=zero)


def standing(q: FloatArray, held: Part | None = None) -> Leg:
    """An arm at rest at ``q`` (6,) [rad] with a part in the hand or none, before it does anything."""
    return Leg(name=START, zone=Zone.BEFORE, trajectory=still(q), held=held, held_after=held)
