import numpy as np
import pytest

from kinematics import KinematicsError, course_of, pace, rest_to_rest, stopping, through
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.kinematics.test_profile import random_cases

LIMITS = ARMS["GP7"][1]
STEP_S = 1e-3


def moves(count):
    rng = np.random.default_rng(50)
    for _ in range(count):
        yield through(rng.uniform(-2, 2, (4, 6)), LIMITS), LIMITS
    for q0, q1, limits in random_cases(rng, count):
        move = rest_to_rest(q0, q1, limits)
        if move.duration > 0.01:
            yield move, limits


def paced(move, limits, at, rate, to, smooth, seconds):
    """The motion's own time and rate after every millisecond."""
    clock, course = np.array([at, rate, 0.0]), course_of(move, limits)
    found = [clock.copy()]
    for _ in range(round(seconds / STEP_S)):
        pace(course, clock, to, STEP_S, smooth)
        found.append(clock.copy())
    return np.array(found)[:, :2].T


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize(("rate", "to"), [(1.0, 0.0), (0.0, 1.0), (1.0, 0.1), (0.2, 0.9), (0.5, 0.0)])
def test_acceleration_limits_hold_and_the_rate_is_reached(rate, to, smooth):
    rng = np.random.default_rng(51)
    for move, limits in moves(few_if_interpreted(8, 1)):
        tau, rates = paced(move, limits, rng.uniform(0.0, 0.9 * move.duration), rate, to, smooth, 1.0)
        inside = tau < move.duration
        assert ((np.diff(rates) * (to - rate)) >= -1e-12).all()
        assert (rates[~inside] == to).all() or rates[inside][-1] == to or not inside.all()
        q = move.sample(np.minimum(tau, move.duration))[0]
        used = np.abs(np.diff(q, n=2, axis=0)) / STEP_S**2 / limits.acceleration
        assert used.max() < 1.03  # second differences of what is bounded at both ends of every step


@pytest.mark.parametrize("abort", [True, False])
def test_it_rests_where_and_when_it_is_said_to(abort):
    rng = np.random.default_rng(52)
    for move, limits in moves(few_if_interpreted(10, 1)):
        at = rng.uniform(0.0, move.duration)
        stop = stopping(move, limits, at=at, abort=abort)
        tau, rates = paced(move, limits, at, 1.0, 0.0, not abort, stop.duration)
        assert rates[-1] == 0.0 or tau[-1] >= move.duration
        assert min(tau[-1], move.duration) == pytest.approx(stop.at, abs=1e-9)
        way = move.sample(np.linspace(at, stop.at, 2001))[0]
        np.testing.assert_allclose(stop.turned, np.abs(np.diff(way, axis=0)).sum(axis=0), atol=1e-4)


def test_an_abort_is_the_hardest_braking_that_the_limits_allow():
    """On a straight line at full speed it is the schoolbook's: v / a, v^2 / 2 a."""
    move = rest_to_rest(np.zeros(6), np.eye(6)[0] * 3.0, LIMITS)
    v, a = np.abs(move.qd[:, 0]).max(), LIMITS.acceleration[0]
    stop = stopping(move, LIMITS, at=0.5 * move.duration, abort=True)
    assert stop.duration == pytest.approx(v / a, abs=2 * STEP_S)
    assert stop.turned[0] == pytest.approx(v**2 / (2 * a), rel=0.01)
    smooth = stopping(move, LIMITS, at=0.5 * move.duration)
    # Building the deceleration up and down costs its rise time, at most.
    assert stop.duration < smooth.duration < stop.duration + a / LIMITS.jerk[0] + 2 * STEP_S


def test_an_abort_never_goes_farther_than_a_smooth_stop():
    rng = np.random.default_rng(53)
    for move, limits in moves(few_if_interpreted(10, 1)):
        at = rng.uniform(0.0, move.duration)
        hard, smooth = (stopping(move, limits, at=at, abort=abort) for abort in (True, False))
        assert hard.at <= smooth.at + 1e-9  # which need not be later: both may reach the end of the motion
        assert (hard.turned <= smooth.turned + 1e-9).all()


def test_at_rest_already():
    move = rest_to_rest(np.zeros(6), np.ones(6), LIMITS)
    for stop in (stopping(move, LIMITS, at=0.3, rate=0.0), stopping(move, LIMITS, at=move.duration)):
        assert stop.duration == 0.0
        assert (stop.turned == 0.0).all()


@pytest.mark.parametrize(
    "change", [{"at": -0.1}, {"at": 1e3}, {"rate": 1.1}, {"rate": -0.1}, {"at": float("nan")}]
)
def test_what_is_out_of_range_is_said(change):
    move = rest_to_rest(np.zeros(6), np.ones(6), LIMITS)
    with pytest.raises(KinematicsError, match=rf"^{next(iter(change))}: .* expected from 0 to "):
        stopping(move, LIMITS, **({"at": 0.1} | change))
