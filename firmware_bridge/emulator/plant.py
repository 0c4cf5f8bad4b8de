"""The emulated motors: al_plant_t of firmware/boards/plant.h, seen and disturbed from Python."""

import ctypes
import mmap
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

_SIX = ctypes.c_int32 * 6


class PlantLayout(ctypes.Structure):
    """The C structure."""

    _fields_ = (
        ("ticks", ctypes.c_uint32),
        ("power", ctypes.c_uint32),
        ("pos", _SIX),
        ("vel", _SIX),
        ("setpoint", _SIX),
        ("current", _SIX),
        ("jammed", ctypes.c_uint32),
        ("fault", ctypes.c_uint32),
        ("fault_joint", ctypes.c_uint32),
        ("extra_current", ctypes.c_int32),
        ("vel_error", ctypes.c_int32),
        ("residual", ctypes.c_float * 6),
        ("vel_setpoint", ctypes.c_float * 6),
        ("acc_setpoint", ctypes.c_float * 6),
    )


class Plant:
    """The plant of a `FirmwareProcess`, through the file they share.

    Attributes:
        layout: The structure itself: set ``jammed`` (a bit for each joint), ``fault`` or ``extra_current``.
    """

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as shared:
            self._map = mmap.mmap(shared.fileno(), ctypes.sizeof(PlantLayout))
        self.layout: PlantLayout = PlantLayout.from_buffer(self._map)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def powered(self) -> bool:
        """Power stage on, brakes released."""
        return bool(self.layout.power)

    def joints(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions [rad] and velocities [rad/s] of one tick: read again while an update is under way."""
        while True:
            before = self.layout.ticks
            q, qd = np.array(self.layout.pos) * 1e-7, np.array(self.layout.vel) * 1e-6
            if before % 2 == 0 and self.layout.ticks == before:
                return q, qd

    def close(self) -> None:
        """Let go of the file."""
        del self.layout
        self._map.close()
