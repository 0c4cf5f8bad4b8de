"""The emulated motors: al_plant_t of firmware/boards/plant.h, seen and disturbed from Python."""

import ctypes
import mmap
from bisect import bisect_left
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


_HISTORY = 65536
_SPARE = 64  # rows that may be overwritten while they are read
_WRAP = 1 << 32


class HistoryLayout(ctypes.Structure):
    """history_t of firmware/boards/host.c: where the motors were in the last minute."""

    _fields_ = (
        ("count", ctypes.c_uint32),
        ("t_us", ctypes.c_uint32 * _HISTORY),
        ("pos", _SIX * _HISTORY),
    )


class Plant:
    """The plant of a `FirmwareProcess`, through the file they share.

    Attributes:
        layout: The structure itself: set ``jammed`` (a bit for each joint), ``fault`` or ``extra_current``.
    """

    def __init__(self, file: Path) -> None:
        with file.open("r+b") as shared:
            size = ctypes.sizeof(PlantLayout) + ctypes.sizeof(HistoryLayout)
            self._map = mmap.mmap(shared.fileno(), size)
        self.layout: PlantLayout = PlantLayout.from_buffer(self._map)
        history = HistoryLayout.from_buffer(self._map, ctypes.sizeof(PlantLayout))
        self._history = history
        self._times = np.frombuffer(history.t_us, dtype=np.uint32)
        self._places = np.frombuffer(history.pos, dtype=np.int32).reshape(_HISTORY, 6)

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

    def latest_us(self) -> int:
        """Time of the latest tick on the clock of this machine (monotonic, modulo 2**32) [us]."""
        return int(self._times[(self._history.count - 1) % _HISTORY])

    def joints_at(self, time_us: int) -> NDArray[np.float64]:
        """Positions (6,) at a time of the last minute, as `latest_us` counts [rad]; else the nearest known."""
        count = self._history.count

        def since_us(tick: int) -> int:
            return (int(self._times[tick % _HISTORY]) - time_us + _WRAP // 2) % _WRAP - _WRAP // 2

        known = range(count - min(count, _HISTORY - _SPARE), count)
        after = known.start + bisect_left(known, 0, key=since_us)
        if after in (known.start, known.stop):
            return np.asarray(self._places[min(after, known.stop - 1) % _HISTORY] * 1e-7)
        share = -since_us(after - 1) / (since_us(after) - since_us(after - 1))
        low, high = self._places[(after - 1) % _HISTORY], self._places[after % _HISTORY]
        return np.asarray((low + share * (high - low)) * 1e-7)

    def close(self) -> None:
        """Let go of the file."""
        del self.layout, self._history, self._times, self._places
        self._map.close()
