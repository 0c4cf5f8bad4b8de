"""The device's clock from exchanges over lines that hold some of them up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.armlink.clock_sync import ClockSync

WRAP = 1 << 32


def exchanged(
    drift_ppm: float, begin_us: int, seconds: float, rng: np.random.Generator
) -> tuple[ClockSync, int]:
    """Five exchanges a second, most of them quick; and the host time of the last one."""
    clock, host_ns = ClockSync(), 5_000_000_000
    end_ns = host_ns + round(seconds * 1e9)
    while host_ns < end_ns:
        there, back = rng.exponential(3e6, 2) if rng.random() < 0.3 else rng.uniform(4e5, 5e5, 2)
        arrived_ns = host_ns + there
        stamp_us = begin_us + round((arrived_ns - 5_000_000_000) * (1 + drift_ppm * 1e-6) / 1000)
        received_ns = round(arrived_ns + back)
        clock.add(host_ns, received_ns, stamp_us % WRAP, stamp_us % WRAP)
        host_ns += 200_000_000
    return clock, host_ns


@given(
    drift_ppm=st.floats(-300.0, 300.0),
    begin_us=st.integers(0, WRAP - 1),
    seed=st.integers(0, 2**32 - 1),
)
def test_it_finds_offset_and_drift_whatever_the_counter_shows(
    drift_ppm: float, begin_us: int, seed: int
) -> None:
    clock, host_ns = exchanged(drift_ppm, begin_us, 30.0, np.random.default_rng(seed))
    true_us = begin_us + (host_ns - 5_000_000_000) * (1 + drift_ppm * 1e-6) / 1000
    difference_us = (clock.to_device_us(host_ns) - true_us + WRAP / 2) % WRAP - WRAP / 2
    assert abs(difference_us) < 1000  # half of what the ways there and back may differ by
    assert clock.drift_ppm == pytest.approx(drift_ppm, abs=60.0)
    assert clock.to_host_ns(clock.to_device_us(host_ns)) == pytest.approx(host_ns, abs=1_000)


def test_stamps_that_contradict_each_other_are_not_believed() -> None:
    clock = ClockSync()
    clock.add(1_000_000, 1_500_000, 0, 10_000)  # 10 ms on the device within 0.5 ms
    assert not clock.synced
