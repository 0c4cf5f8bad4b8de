"""Two motions run into one another: limits at all times, both ends, and what stays of each."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinematics import KinematicsError, Limits, Trajectory, blend, concatenate, rest_to_rest

LIMITS = Limits(velocity=np.full(6, 2.0), acceleration=np.full(6, 10.0), jerk=np.full(6, 100.0))
angles = st.lists(st.floats(-2.0, 2.0).map(lambda q: round(q, 6)), min_size=6, max_size=6).map(np.array)


def two(a, b, c):
    return rest_to_rest(a, b, LIMITS), rest_to_rest(b, c, LIMITS)


@given(angles, angles, angles)
def test_limits_hold_at_all_times_and_it_is_never_longer(a, b, c):
    first, second = two(a, b, c)
    whole = blend(first, second, LIMITS)
    _, qd, qdd = whole.sample(np.linspace(0.0, whole.duration, 1000))
    assert (np.abs(qd) <= LIMITS.velocity * (1.0 + 1e-9)).all()
    assert (np.abs(qdd) <= LIMITS.acceleration * (1.0 + 1e-9)).all()
    assert whole.duration <= first.duration + second.duration + 1e-9
    np.testing.assert_allclose(whole.q[[0, -1]], [a, c], atol=1e-12)
    np.testing.assert_allclose(np.abs(whole.qd[[0, -1]]).max(), 0.0, atol=1e-9)


def test_what_is_outside_the_overlap_is_followed_exactly():
    slow = Limits(velocity=np.full(6, 1.0), acceleration=np.full(6, 2.5), jerk=np.full(6, 12.5))
    first = rest_to_rest(np.zeros(6), np.full(6, 1.0), slow)
    second = rest_to_rest(np.full(6, 1.0), np.array([2.0, 2.0, 1.0, 1.0, 1.0, 0.5]), slow)
    whole = blend(first, second, LIMITS)  # these leave room enough for both at once
    saved = first.duration + second.duration - whole.duration
    assert saved == pytest.approx(min(first.duration, second.duration))
    before = np.linspace(0.0, first.duration - saved, 20)
    np.testing.assert_allclose(whole.sample(before)[0], first.sample(before)[0], atol=1e-9)
    after = np.linspace(first.duration, whole.duration, 20)
    np.testing.assert_allclose(
        whole.sample(after)[0], second.sample(after - (first.duration - saved))[0], atol=1e-9
    )


def test_joints_stay_where_they_may_be():
    first, second = two(np.zeros(6), np.eye(6)[0], np.eye(6)[0] + np.eye(6)[1])
    near = blend(first, second, LIMITS, lambda q: bool((q[q[:, 0] < 0.9, 1] < 1e-3).all()))
    free = blend(first, second, LIMITS)
    assert free.duration < near.duration < first.duration + second.duration
    q = near.sample(np.linspace(0.0, near.duration, 1000))[0]
    assert q[q[:, 0] < 0.9, 1].max() < 2e-3


def test_where_nothing_is_allowed_there_is_a_stop():
    first, second = two(np.zeros(6), np.full(6, 1.0), np.zeros(6))
    whole = blend(first, second, LIMITS, lambda q: False)
    assert whole.duration == concatenate(first, second).duration


def test_a_motion_that_stands_adds_nothing():
    still = Trajectory(t=[0.0], q=np.zeros((1, 6)), qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    move = rest_to_rest(np.zeros(6), np.full(6, 1.0), LIMITS)
    assert blend(still, move, LIMITS).duration == move.duration


def test_motions_that_do_not_meet_are_refused():
    first = rest_to_rest(np.zeros(6), np.full(6, 1.0), LIMITS)
    with pytest.raises(KinematicsError, match="at the end of the first"):
        blend(first, first, LIMITS)
