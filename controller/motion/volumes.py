"""The space that legs sweep, how near it comes to fixtures, and which legs are in each other's way."""

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.fixtures import Fixture, fixtures_of
from cells.part import Part
from cells.tool_shape import HandCapsule, hand_capsule
from controller.motion.shape import moving_capsules
from controller.motion.visit import Leg
from kinematics import Boxes, Capsules, Sweep, sweep, sweep_box_distance, sweep_hits

FloatArray = NDArray[np.float64]

# Volumes are swept in steps of this size; what lies between two samples is covered by thicker capsules.
_RESOLUTION_M = 0.02
_COLUMN_M = 0.09  # half width of a base column, as in cells.arm


class CollisionError(Exception):
    """A leg that cannot be moved without touching a fixture; the message names both."""


class Volumes:
    """Swept volumes of the legs of one cell. Legs are known by identity and kept alive: the same leg is swept once."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell
        self._fixtures = (*fixtures_of(cell), *(_column(arm) for arm in cell.arms))
        self._sweeps: dict[tuple[int, str], Sweep] = {}
        self._capsules: dict[tuple[str, HandCapsule], Capsules] = {}
        self._conflicts: dict[tuple[int, int], bool] = {}
        self._checked: set[int] = set()
        self._kept: list[Leg] = []  # keys are identities: the legs must live

    def conflict(self, one_arm: CellArm, one: Leg, two_arm: CellArm, two: Leg) -> bool:
        """Whether two legs come nearer than the clearance."""
        key = (id(one), id(two))
        known = self._conflicts.get(key)
        if known is None:
            known = sweep_hits(self._sweep(one_arm, one), self._sweep(two_arm, two), self.cell.clearance.arms_m)
            self._conflicts[key] = known
        return known

    def check(self, arm: CellArm, leg: Leg, operation: str) -> None:
        """Make sure that a leg touches no fixture but the place it works in.

        Raises:
            CollisionError: When it does.
        """
        if id(leg) in self._checked:
            return
        self._checked.add(id(leg))
        own = (arm.id, _owner(leg.station))
        others = [fixture for fixture in self._fixtures if fixture.name.split(".")[0] not in own]
        volume, limit = self._sweep(arm, leg), self.cell.clearance.fixtures_m
        if sweep_box_distance(volume, _boxes(others), limit) >= limit:
            return
        near = [fixture.name for fixture in others if sweep_box_distance(volume, _boxes([fixture]), limit) < limit]
        raise CollisionError(
            f"{self.cell.file}: {arm.id} {leg.name} of operation {operation} comes nearer than {limit * 1000:.0f} mm to "
            f"{', '.join(near)}"
        )

    def _sweep(self, arm: CellArm, leg: Leg) -> Sweep:
        key = (id(leg), arm.id)
        if key not in self._sweeps:
            self._kept.append(leg)
            self._sweeps[key] = sweep(
                arm.arm.chain, arm.X_WB, self._shape(arm, leg.held), leg.trajectory, _RESOLUTION_M
            )
        return self._sweeps[key]

    def _shape(self, arm: CellArm, held: Part | None) -> Capsules:
        key = (arm.id, hand_capsule(arm.tool, held))
        if key not in self._capsules:
            self._capsules[key] = moving_capsules(arm, held)
        return self._capsules[key]


def _column(arm: CellArm) -> Fixture:
    """The base column of an arm, in the way of the others."""
    height = arm.arm.chain.c1
    X_WO = arm.X_WB.copy()
    X_WO[2, 3] += height / 2
    return Fixture(name=f"{arm.id}.column", X_WO=X_WO, half_m=(_COLUMN_M, _COLUMN_M, height / 2))


def _boxes(fixtures: list[Fixture]) -> Boxes:
    return Boxes(
        X_WO=np.array([fixture.X_WO for fixture in fixtures]), half=np.array([fixture.half_m for fixture in fixtures])
    )


def _owner(station: str) -> str:
    """Name by which fixtures of a leg's own station begin."""
    return f"nest{station[1:]}" if station.startswith("P") else station
