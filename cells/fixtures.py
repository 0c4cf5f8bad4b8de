"""Solid shapes of a cell that are not arms or parts: one list for the planner and for the simulation.

All dimensions are estimates (E); everything is a box so that planner, simulation and independent checks see
the same solid.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, Station, frame
from cells.cell_file import (
    DISC_RADIUS_M,
    FOOTPRINT_M,
    MACHINE_FRAME_HALF_M,
    MACHINE_FRAME_X_M,
    NOZZLE_HALF_M,
    PEDESTAL_HALF_M,
)

TABLE_BELOW_M = 0.075  # a station's table lies this far below the frame of a seated part
FLOOR_M = -0.75
SHUTTLE_M = 0.17  # press and bench carry the workpiece out along x of the station, under their column
_COLUMN_HEIGHT_M = 0.22


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """A box: pose ``X_WO`` (4, 4) of its centre, half extents (3,) [m]."""

    name: str
    X_WO: NDArray[np.float64]
    half_m: tuple[float, float, float]


def fixtures_of(cell: Cell) -> tuple[Fixture, ...]:
    """All fixed solids of a cell, the dial in its resting pose included."""
    boxes: list[Fixture] = []
    for station in cell.stations.values():
        boxes += _nozzle(station) if station.kind == "nozzle" else _table(station)
    boxes += _dial(cell)
    boxes += [
        _upright(
            f"{arm.id}.pedestal", arm.X_WB, (0.0, 0.0), (FLOOR_M, 0.0), (PEDESTAL_HALF_M, PEDESTAL_HALF_M)
        )
        for arm in cell.arms
    ]
    return tuple(boxes)


def _table(station: Station) -> list[Fixture]:
    top = float(station.X_WS[2, 3]) - TABLE_BELOW_M
    boxes = [_upright(station.id, station.X_WS, (0.0, 0.0), (FLOOR_M, top), (FOOTPRINT_M, FOOTPRINT_M))]
    if station.kind in ("press", "bench"):
        # The frame of the machine: the shuttle carries the workpiece to x = SHUTTLE_M, under its head.
        high = float(station.X_WS[2, 3]) + _COLUMN_HEIGHT_M
        boxes.append(
            _upright(
                f"{station.id}.frame",
                station.X_WS,
                (MACHINE_FRAME_X_M, 0.0),
                (FLOOR_M, high),
                MACHINE_FRAME_HALF_M,
            )
        )
        boxes.append(
            _upright(f"{station.id}.head", station.X_WS, (0.19, 0.0), (high - 0.06, high), (0.05, 0.05))
        )
    return boxes


def _nozzle(station: Station) -> list[Fixture]:
    top = float(station.X_WS[2, 3]) - 0.050
    return [_upright(station.id, station.X_WS, (0.0, 0.0), (FLOOR_M, top), (NOZZLE_HALF_M, NOZZLE_HALF_M))]


def _dial(cell: Cell) -> list[Fixture]:
    """An octagonal disc of four crossed boxes, and in each nest the shaft of its trunnion."""
    x, y = cell.dial.center_m
    top = cell.work_height_m - TABLE_BELOW_M
    long, short = DISC_RADIUS_M * np.cos(np.pi / 8), DISC_RADIUS_M * np.sin(np.pi / 8)
    boxes = [
        _upright(f"dial.disc{i}", frame(x, y, 0.0, i * np.pi / 4), (0.0, 0.0), (FLOOR_M, top), (long, short))
        for i in range(4)
    ]
    for position in range(cell.dial.positions):
        X_WN = cell.nest(position)
        boxes.append(
            _upright(
                f"nest{position}.shaft",
                X_WN,
                (-0.1, 0.0),
                (cell.work_height_m - 0.012, cell.work_height_m + 0.012),
                (0.1 - FOOTPRINT_M - 0.003, 0.012),
            )
        )
    return boxes


def _upright(
    name: str,
    X_WS: NDArray[np.float64],
    center_m: tuple[float, float],
    z_m: tuple[float, float],
    half_m: tuple[float, float],
) -> Fixture:
    """A box standing upright at ``center_m`` in the x-y plane of a frame, between two world heights."""
    X_WO = X_WS.copy()
    X_WO[:2, 3] += X_WS[:2, :2] @ np.array(center_m)
    X_WO[2, 3] = (z_m[0] + z_m[1]) / 2
    X_WO.flags.writeable = False
    return Fixture(name=name, X_WO=X_WO, half_m=(half_m[0], half_m[1], (z_m[1] - z_m[0]) / 2))
