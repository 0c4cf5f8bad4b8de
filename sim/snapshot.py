"""What there is to see in a world at one moment, apart from the world: to be drawn later."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from sim.workpiece import Placed
from sim.world import World

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmView:
    """One arm as it stands: measured joints (6,) [rad], the fingers' distances from the tool axis [m]."""

    cell_arm: CellArm
    q: FloatArray
    fingers_m: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything there is to see in a world at one moment; needs the world no more.

    Attributes:
        cell: The cell.
        arms: Its arms.
        nests: Poses (4, 4) of the dial's nests in the world.
        workpieces: Parts and pose (4, 4) in the world of every workpiece.
        standing: Those of them that stand in a station beside the dial.
    """

    cell: Cell
    arms: tuple[ArmView, ...]
    nests: tuple[FloatArray, ...]
    workpieces: tuple[tuple[tuple[Placed, ...], FloatArray], ...]
    standing: tuple[tuple[tuple[Placed, ...], FloatArray], ...]

    @classmethod
    def of(cls, world: World) -> "Snapshot":
        """The world as it is now."""
        dial = world.stations.dial
        return cls(
            cell=world.cell,
            arms=tuple(
                ArmView(cell_arm=arm.cell_arm, q=arm.measured_q(), fingers_m=arm.gripper.fingers_m())
                for arm in world.arms.values()
            ),
            nests=tuple(
                world.engine.link_pose(dial.body, dial.nest_link(position)) for position in range(dial.count)
            ),
            workpieces=tuple((workpiece.parts, workpiece.pose) for workpiece in world.workpieces()),
            standing=tuple(
                (workpiece.parts, workpiece.pose)
                for station, workpiece in world.at.items()
                if not world.is_nest(station)
            ),
        )
