"""The memory of the emulated motors: where they were at any time that is kept, however many ticks were missed."""

import ctypes
from pathlib import Path

import numpy as np
import pytest

from firmware_bridge.emulator.plant import HistoryLayout, Plant, PlantLayout

ROWS = len(HistoryLayout().t_us)
BEGIN_US = (1 << 32) - 2_000_000  # the clock wraps after two seconds


@pytest.mark.parametrize("count", [1, 2, 900, ROWS, ROWS + 1234])
def test_the_motors_are_where_they_were(count: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(count)
    t_us = BEGIN_US + np.cumsum(rng.choice([1000, 1000, 1000, 2000, 9000], count))
    pos = np.cumsum(rng.integers(-5000, 5000, (count, 6)), axis=0)
    history = HistoryLayout(count=count)
    for tick in range(count):
        history.t_us[tick % ROWS] = int(t_us[tick]) % (1 << 32)
        history.pos[tick % ROWS][:] = pos[tick].tolist()
    file = tmp_path / "plant"
    file.write_bytes(bytes(PlantLayout()) + bytes(history))
    kept = slice(max(0, count - ROWS + 100), count)
    with Plant(file) as plant:
        for time in rng.integers(t_us[kept][0], t_us[-1] + 1, 50).tolist():
            expected = [np.interp(time, t_us[kept], pos[kept, joint]) * 1e-7 for joint in range(6)]
            assert plant.joints_at(time % (1 << 32)) == pytest.approx(expected, abs=1e-9)
        assert plant.joints_at((int(t_us[-1]) + 5000) % (1 << 32)) == pytest.approx(pos[-1] * 1e-7)
    assert ctypes.sizeof(history) > ROWS * 28
