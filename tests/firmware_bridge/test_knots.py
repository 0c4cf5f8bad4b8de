"""Knots for the device against the motion they stand for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells.arm import load_arm
from firmware_bridge.armlink.knots import ACC_UNIT, POS_UNIT, SPACING_S, VEL_UNIT, knots_of
from kinematics import Trajectory, rest_to_rest

ARM = load_arm("gp7")


def as_followed(trajectory: Trajectory) -> Trajectory:
    """What a device that puts quintics between the knots does."""
    knots = knots_of(trajectory)
    return Trajectory(
        t=np.array([knot.t_us for knot in knots]) * 1e-6,
        q=np.array([knot.pos for knot in knots]) * POS_UNIT,
        qd=np.array([knot.vel for knot in knots]) * VEL_UNIT,
        qdd=np.array([knot.acc for knot in knots]) * ACC_UNIT,
    )


@given(
    ends=st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6),
    factor=st.floats(1.0, 3.0),
)
def test_they_keep_to_the_motion_and_begin_and_end_at_rest(ends: list[float], factor: float) -> None:
    trajectory = rest_to_rest(np.zeros(6), np.array(ends), ARM.limits).stretched(factor)
    followed = as_followed(trajectory)
    times = np.linspace(0.0, trajectory.duration, 997)
    apart = np.abs(followed.sample(times)[0] - trajectory.sample(times)[0]).max()
    assert apart < 2e-5
    assert not followed.qd[[0, -1]].any()
    assert not followed.qdd[[0, -1]].any()
    assert np.diff(followed.t).max() <= SPACING_S + 1e-6
    assert followed.duration == pytest.approx(max(trajectory.duration, 0.002), abs=1e-6)


def test_a_very_short_motion_gets_the_shortest_segment() -> None:
    zero = np.zeros((2, 6))
    trajectory = Trajectory(t=np.array([0.0, 1e-4]), q=zero, qd=zero, qdd=zero)
    assert [knot.t_us for knot in knots_of(trajectory)] == [0, 2000]
