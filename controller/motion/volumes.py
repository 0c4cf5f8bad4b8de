"""The space that legs sweep, how near it comes to fixtures, and which legs are in each other's way."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.fixtures import Fixture, fixtures_of
from cells.part import Part
from cells.tool_shape import HandCapsule, hand_capsule
from controller.motion.first_touch import FirstTouch, first_touch
from controller.motion.shape import moving_capsules
from controller.motion.visit import Leg, still
from kinematics import Body, Boxes, Sweep, SweepSet, sweep, sweep_box_distance

Ints = NDArray[np.int64]

# Volumes are swept in steps of this size; what lies between two samples is covered by thicker capsules.
_RESOLUTION_M = 0.02
_UNKNOWN = -1
_COLUMN_M = 0.09  # half width of a base column, as in cells.arm


class CollisionError(Exception):
    """A leg that cannot be moved without touching a fixture; the message names both.

    Attributes:
        arm: Whose leg it is.
        touch: Where and until when it does not.
    """

    def __init__(self, message: str, arm: str, touch: FirstTouch) -> None:
        super().__init__(message)
        self.arm = arm
        self.touch = touch


class Volumes:
    """Swept volumes of the legs of one cell, numbered; what is near what is computed once for each pair.

    Legs of one motion with one shape in the hand share a number.
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._fixtures = (*fixtures_of(cell), *(column(arm) for arm in cell.arms))
        self._asked: dict[tuple[int, str], tuple[int, Leg]] = {}  # by identity, which a leg that lives keeps
        self._numbers: dict[tuple[object, ...], int] = {}
        self._legs: list[Leg] = []
        self._sweeps: list[Sweep] = []
        self._set = SweepSet()
        self._rests: dict[int, int] = {}
        self._arms: list[CellArm] = []
        self._known = np.full((256, 256), _UNKNOWN, dtype=np.int8)
        self._bodies: dict[tuple[str, HandCapsule], Body] = {}
        self._checked: set[tuple[int, str]] = set()

    def number(self, arm: CellArm, leg: Leg) -> int:
        """Number of the volume that an arm sweeps in a leg."""
        key = (id(leg), arm.id)
        if key not in self._asked:
            hands = (hand_capsule(arm.tool, held) for held in (leg.held, leg.held_after))
            move = leg.trajectory
            same = (arm.id, *hands, *(knots.tobytes() for knots in (move.t, move.q, move.qd, move.qdd)))
            if same not in self._numbers:
                self._numbers[same] = len(self._legs)
                self._legs.append(leg)
                self._arms.append(arm)
                self._sweeps.append(sweep(self._body(arm, leg.held), move, _RESOLUTION_M))
                self._set.add(self._sweeps[-1])
                if len(self._legs) > len(self._known):
                    size = len(self._known)
                    self._known = np.pad(self._known, (0, size), constant_values=_UNKNOWN)
            self._asked[key] = self._numbers[same], leg
        return self._asked[key][0]

    def rest(self, number: int) -> int:
        """Number of the volume that the arm fills while it rests at the end of a leg.

        A part gripped there counts as held, one let go no longer.
        """
        if number not in self._rests:
            leg = self._legs[number]
            stay = replace(leg, name="rest", trajectory=still(leg.trajectory.q[-1]), held=leg.held_after)
            self._rests[number] = self.number(self._arms[number], stay)
        return self._rests[number]

    def conflict(self, ones: Ints, twos: Ints) -> NDArray[np.bool_]:
        """Which of the pairs (n,), (n,) of volumes come nearer than the clearance between arms."""
        unknown = self._known[ones, twos] == _UNKNOWN
        if unknown.any():
            low, high = np.minimum(ones[unknown], twos[unknown]), np.maximum(ones[unknown], twos[unknown])
            low, high = np.divmod(np.unique(low * len(self._legs) + high), len(self._legs))
            near = self._set.near(low, high, self.cell.clearance.arms_m)
            self._known[low, high] = self._known[high, low] = near
        return self._known[ones, twos].astype(np.bool_)

    def check(self, arm: CellArm, leg: Leg, operation: str) -> None:
        """Make sure that a leg touches no fixture but the place it works in.

        Raises:
            CollisionError: When it does.
        """
        number = self.number(arm, leg)
        own = (arm.id, _owner(leg.station))
        if (number, own[1]) in self._checked:
            return
        others = [fixture for fixture in self._fixtures if fixture.name.split(".")[0] not in own]
        volume, limit = self._sweeps[number], self.cell.clearance.fixtures_m
        if sweep_box_distance(volume, boxes_of(others), limit) >= limit:
            self._checked.add((number, own[1]))
            return
        near = [
            fixture for fixture in others if sweep_box_distance(volume, boxes_of([fixture]), limit) < limit
        ]
        touch = first_touch(self._body(arm, leg.held), leg.trajectory, boxes_of(near), limit)
        raise CollisionError(
            f"{self.cell.file}: {arm.id} {leg.name} of operation {operation} comes nearer than {limit * 1000:.0f} mm to "
            f"{', '.join(fixture.name for fixture in near)}: {touch}",
            arm.id,
            touch,
        )

    def _body(self, arm: CellArm, held: Part | None) -> Body:
        key = (arm.id, hand_capsule(arm.tool, held))
        if key not in self._bodies:
            capsules = moving_capsules(arm, held)
            self._bodies[key] = Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=capsules)
        return self._bodies[key]


def column(arm: CellArm) -> Fixture:
    """The base column of an arm, in the way of the others."""
    height = arm.arm.chain.c1
    X_WO = arm.X_WB.copy()
    X_WO[2, 3] += height / 2
    return Fixture(name=f"{arm.id}.column", X_WO=X_WO, half_m=(_COLUMN_M, _COLUMN_M, height / 2))


def boxes_of(fixtures: list[Fixture]) -> Boxes:
    """Fixtures as obstacles."""
    return Boxes(
        X_WO=np.array([fixture.X_WO for fixture in fixtures]),
        half=np.array([fixture.half_m for fixture in fixtures]),
    )


def _owner(station: str) -> str:
    """Name by which fixtures of a leg's own station begin."""
    return f"nest{station[1:]}" if station.startswith("P") else station
