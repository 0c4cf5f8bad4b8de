import numpy as np
import pytest

from kinematics import KinematicsError, change_feed, rest_to_rest, through
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.kinematics.test_profile import largest_use, random_cases

LIMITS = ARMS["GP7"][1]


def moves(count):
    rng = np.random.default_rng(30)
    for _ in range(count):
        yield through(rng.uniform(-2, 2, (4, 6)), LIMITS), LIMITS
    for q0, q1, limits in random_cases(rng, count):
        yield rest_to_rest(q0, q1, limits), limits


CHANGES = ((1.0, 0.0), (0.0, 1.0), (1.0, 0.4), (0.4, 1.0), (0.7, 0.0), (0.0, 0.3))


@pytest.mark.parametrize(("rate", "to"), CHANGES)
def test_limits_hold_on_the_path_from_the_state_it_has(rate, to):
    rng = np.random.default_rng(31)
    for move, limits in moves(few_if_interpreted(8, 1)):
        if move.duration == 0.0:
            continue
        at = rng.uniform(0.0, move.duration)
        feed = change_feed(move, limits, at=at, rate=rate, to=to)
        q, qd, qdd = move.sample([at])
        np.testing.assert_allclose(feed.trajectory.q[:1], q, atol=1e-12)
        np.testing.assert_allclose(feed.trajectory.qd[:1], rate * qd, atol=1e-12)
        np.testing.assert_allclose(feed.trajectory.qdd[:1], rate**2 * qdd, atol=1e-9)
        assert largest_use(feed.trajectory, limits) < 1.0 + 2e-6
        end = move.sample([feed.at])[0] if feed.rate == 0.0 else move.q[-1:]
        np.testing.assert_allclose(feed.trajectory.q[-1:], end, atol=1e-9)
        np.testing.assert_allclose(feed.trajectory.qd[-1], 0.0, atol=1e-6)
        along = move.sample(np.linspace(at, move.duration, 4001))[0]
        for point in feed.trajectory.sample(np.linspace(0, feed.trajectory.duration, 30))[0]:
            assert np.abs(along - point).max(axis=1).min() < 5e-3


def test_a_hold_in_the_middle_is_quick_and_resuming_ends_the_motion():
    move = rest_to_rest(-np.full(6, 2.5), np.full(6, 2.5), LIMITS)
    held = change_feed(move, LIMITS, at=0.5 * move.duration, rate=1.0, to=0.0)
    assert held.rate == 0.0
    assert held.at < move.duration
    # Full speed, at most, comes down within the time of two jerk phases and the braking between them, and some.
    assert held.trajectory.duration < 1.5 * float((LIMITS.velocity / LIMITS.acceleration).max() + 0.1)
    on = change_feed(move, LIMITS, at=held.at, rate=0.0, to=1.0)
    np.testing.assert_allclose(on.trajectory.q[-1], move.q[-1], atol=1e-9)


def test_what_already_brakes_at_its_limit_is_ended():
    move = rest_to_rest(np.zeros(6), np.eye(6)[0], LIMITS)
    at = move.duration * 0.75
    feed = change_feed(move, LIMITS, at=at, rate=1.0, to=0.0)
    assert (feed.at, feed.rate) == (move.duration, 1.0)
    assert feed.trajectory.duration == pytest.approx(move.duration - at)


def test_nothing_to_change_and_nothing_left():
    move = rest_to_rest(np.zeros(6), np.eye(6)[0], LIMITS)
    same = change_feed(move, LIMITS, at=0.1, rate=0.5, to=0.5)
    assert (same.at, same.rate) == (0.1, 0.5)
    assert same.trajectory.duration == pytest.approx((move.duration - 0.1) / 0.5)
    held = change_feed(move, LIMITS, at=0.1, rate=0.0, to=0.0)
    assert held.trajectory.duration == 0.0
    over = change_feed(move, LIMITS, at=move.duration, rate=1.0, to=0.0)
    assert (over.trajectory.duration, over.rate) == (0.0, 0.0)


def test_the_end_may_come_before_the_new_rate():
    move = rest_to_rest(np.zeros(6), np.eye(6)[0], LIMITS)
    late = change_feed(move, LIMITS, at=move.duration - 1e-4, rate=0.0, to=1.0)
    assert late.at == pytest.approx(move.duration, abs=1e-4)
    np.testing.assert_allclose(late.trajectory.q[-1], move.q[-1], atol=1e-12)


@pytest.mark.parametrize("change", [{"at": -0.1}, {"at": np.nan}, {"rate": 1.1}, {"to": -1.0}])
def test_values_out_of_range_are_refused(change):
    move = rest_to_rest(np.zeros(6), np.eye(6)[0], LIMITS)
    (name,) = change
    with pytest.raises(KinematicsError, match=f"{name}: .*, expected from 0 to"):
        change_feed(move, LIMITS, **({"at": 0.1, "rate": 1.0, "to": 0.0} | change))
