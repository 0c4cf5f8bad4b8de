"""How emulated servos move, against figures worked out by hand."""

import numpy as np
import pytest

from firmware_bridge.servos.motion import Motion


def test_a_profile_by_time() -> None:
    motion = Motion(0.0, 1e9)
    motion.go(0.0, 90.0, duration_s=10.0, ramp_s=1.0)  # 90 = top · (10 - 1)
    assert motion.at(0.5) == pytest.approx((1.25, 5.0))
    assert motion.at(1.0) == pytest.approx((5.0, 10.0))
    assert motion.at(5.0) == pytest.approx((45.0, 10.0))
    assert motion.at(9.5) == pytest.approx((88.75, 5.0))
    assert motion.at(10.0) == motion.at(99.0) == (90.0, 0.0)


def test_a_profile_by_limits() -> None:
    motion = Motion(0.0, 1e9)
    motion.limited(0.0, -100.0, velocity=20.0, acceleration=10.0)  # 2 s up, 3 s cruise, 2 s down
    assert motion.at(2.0) == pytest.approx((-20.0, -20.0))
    assert motion.at(5.0) == pytest.approx((-80.0, -20.0))
    assert motion.at(7.0) == (-100.0, 0.0)
    motion.limited(10.0, -60.0, velocity=1e6, acceleration=10.0)  # a triangle: 2 s up, 2 s down
    assert motion.at(12.0) == pytest.approx((-80.0, 20.0))
    assert motion.at(14.0) == (-60.0, 0.0)


def test_nothing_is_faster_than_the_servo() -> None:
    motion = Motion(0.0, 50.0)
    motion.go(0.0, 100.0)
    assert motion.at(1.0) == pytest.approx((50.0, 50.0))
    motion.go(1.0, 50.0 + 10.0, duration_s=0.02)
    times = np.linspace(1.0, 1.3, 50)
    assert max(abs(motion.at(t)[1]) for t in times) == pytest.approx(50.0)


def test_stopping_stands_where_it_is() -> None:
    motion = Motion(0.0, 50.0)
    motion.go(0.0, 100.0)
    motion.stop(0.5)
    assert motion.at(0.5) == motion.at(9.0) == (25.0, 0.0)
