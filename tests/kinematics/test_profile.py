from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinematics import KinematicsError, Limits, rest_to_rest, rest_to_rest_duration, through
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted

LIMITS = ARMS["GP7"][1]
N = few_if_interpreted(300, 20)


def largest_use(trajectory, limits):
    """Largest share of a limit of velocity, acceleration or jerk used between any two of many samples."""
    t = np.union1d(np.linspace(0, trajectory.duration, few_if_interpreted(600, 40)), trajectory.t)
    _, qd, qdd = trajectory.sample(t)
    step = np.diff(t)
    jerk = np.diff(qdd, axis=0)[step > 1e-6] / step[step > 1e-6, None]
    shares = (qd / limits.velocity, qdd / limits.acceleration, jerk / limits.jerk)
    return max(float(np.abs(share).max(initial=0.0)) for share in shares)


def random_cases(rng, count):
    for _ in range(count):
        q0 = rng.uniform(-2, 2, 6)
        q1 = q0 + rng.normal(size=6) * 10 ** rng.uniform(-4, 0.5, 6) * (rng.random(6) < 0.8)
        factors = rng.uniform(0.1, 2.0, (3, 6))
        yield (
            q0,
            q1,
            Limits(
                velocity=LIMITS.velocity * factors[0],
                acceleration=LIMITS.acceleration * factors[1],
                jerk=LIMITS.jerk * factors[2],
            ),
        )


def fastest_by_bisection(distance, v, a, j):
    """Duration of the fastest profile of one joint, by bisection of its peak velocity."""

    def ramp(peak):
        tj = min(a / j, np.sqrt(peak / j))
        return 2 * tj + max(peak / a - a / j, 0.0) if tj == a / j else 2 * np.sqrt(peak / j)

    if v * ramp(v) <= distance:
        return ramp(v) + distance / v
    low, high = 0.0, v
    for _ in range(200):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if middle * ramp(middle) <= distance else (low, middle)
    return 2 * ramp(low)


def test_duration_is_that_of_the_slowest_joint_found_by_bisection():
    for q0, q1, limits in random_cases(np.random.default_rng(7), N):
        rows = zip(np.abs(q1 - q0), limits.velocity, limits.acceleration, limits.jerk, strict=True)
        expected = max(fastest_by_bisection(*row) for row in rows if row[0] > 0)
        assert rest_to_rest(q0, q1, limits).duration == pytest.approx(expected, rel=1e-9)
        assert rest_to_rest_duration(q0, q1, limits)[0] == pytest.approx(expected, rel=1e-9)


def test_duration_equals_ruckig():
    ruckig = pytest.importorskip("ruckig")
    for q0, q1, limits in random_cases(np.random.default_rng(8), N):
        wanted = ruckig.InputParameter(6)
        wanted.current_position, wanted.target_position = q0.tolist(), q1.tolist()
        wanted.max_velocity = limits.velocity.tolist()
        wanted.max_acceleration = limits.acceleration.tolist()
        wanted.max_jerk = limits.jerk.tolist()
        found = ruckig.Trajectory(6)
        assert ruckig.Ruckig(6).calculate(wanted, found) == ruckig.Result.Working
        assert rest_to_rest(q0, q1, limits).duration == pytest.approx(found.duration, abs=1e-12)


@pytest.mark.parametrize("straight", [False, True])
def test_limits_hold_and_both_ends_rest(straight):
    for q0, q1, limits in random_cases(np.random.default_rng(9), N):
        move = rest_to_rest(q0, q1, limits, straight=straight)
        assert largest_use(move, limits) < 1.0 + 1e-6
        np.testing.assert_allclose(move.q[[0, -1]], [q0, q1], atol=1e-12)
        np.testing.assert_allclose(move.qd[[0, -1]], 0.0, atol=1e-12)
        np.testing.assert_allclose(move.qdd[[0, -1]], 0.0, atol=1e-6)


def test_a_straight_move_stays_on_the_segment_and_is_no_faster():
    for q0, q1, limits in random_cases(np.random.default_rng(10), N):
        straight = rest_to_rest(q0, q1, limits, straight=True)
        q, _, _ = straight.sample(np.linspace(0, straight.duration, 20))
        along = (q - q0) @ (q1 - q0) / max((q1 - q0) @ (q1 - q0), 1e-300)
        np.testing.assert_allclose(q, q0 + along[:, None] * (q1 - q0), atol=1e-10)
        assert straight.duration >= rest_to_rest(q0, q1, limits).duration - 1e-9


def test_motion_is_symmetric_in_time():
    for q0, q1, limits in random_cases(np.random.default_rng(11), 10):
        there, back = rest_to_rest(q0, q1, limits), rest_to_rest(q1, q0, limits)
        t = np.linspace(0, there.duration, 30)
        np.testing.assert_allclose(there.sample(t)[0], back.sample(there.duration - t)[0], atol=1e-10)


def test_no_motion_is_a_single_knot():
    move = rest_to_rest(np.ones(6), np.ones(6), LIMITS)
    assert move.duration == 0.0
    np.testing.assert_array_equal(move.q, np.ones((1, 6)))
    assert rest_to_rest_duration(np.ones(6), np.ones(6), LIMITS).tolist() == [0.0]


def test_durations_of_one_with_many():
    ends = np.random.default_rng(12).uniform(-1, 1, (5, 6))
    many = rest_to_rest_duration(np.zeros(6), ends, LIMITS)
    assert many == pytest.approx([rest_to_rest(np.zeros(6), end, LIMITS).duration for end in ends])
    with pytest.raises(KinematicsError, match="q0, q1: 2 and 5 configurations"):
        rest_to_rest_duration(ends[:2], ends, LIMITS)


waypoints = st.lists(
    st.lists(st.floats(-2.0, 2.0).map(lambda x: round(x, 3)), min_size=6, max_size=6), min_size=1, max_size=5
)


@given(waypoints, st.booleans())
def test_motion_past_waypoints_holds_all_limits(points, straight):
    move = through(points, LIMITS, straight=straight)
    assert largest_use(move, LIMITS) < 1.0 + 1e-6
    np.testing.assert_allclose(move.q[[0, -1]], [points[0], points[-1]], atol=1e-9)
    np.testing.assert_allclose(move.qd[[0, -1]], 0.0, atol=1e-9)
    legs = pairwise(points)
    assert (
        move.duration <= sum(rest_to_rest(a, b, LIMITS, straight=straight).duration for a, b in legs) + 1e-9
    )


def test_corners_are_rounded_where_joints_take_turns():
    corner = np.zeros((3, 6))
    corner[1:, 0] = 1.0
    corner[2, 1] = 1.0
    move = through(corner, LIMITS)
    legs = [rest_to_rest(a, b, LIMITS).duration for a, b in pairwise(corner)]
    # The joints do not share limits: both legs run at once, as far as the shorter allows.
    assert move.duration == pytest.approx(max(legs), rel=1e-9)


def test_speed_that_peaks_between_two_jumps_of_the_jerk_is_seen():
    limits = Limits(velocity=np.full(6, 1.0), acceleration=np.full(6, 5.0), jerk=np.full(6, 50.0))
    corner = np.zeros((3, 6))
    corner[1:, 0] = 0.29, 1.02
    corner[2, 1] = 1.13
    assert largest_use(through(corner, limits), limits) < 1.0 + 1e-6


def test_waypoints_on_a_line_are_passed_at_speed():
    line = np.outer([0.0, 1.0, 2.0], np.full(6, 1.0))
    move = through(line, LIMITS)
    times = np.linspace(0, move.duration, 400)
    q, qd, _ = move.sample(times)
    passing = np.abs(q[:, 0] - 1.0).argmin()
    assert qd[passing].min() > 1.0
    assert move.duration < 2 * rest_to_rest(line[0], line[1], LIMITS).duration


def test_the_same_waypoint_again_changes_nothing():
    points = np.random.default_rng(13).uniform(-1, 1, (3, 6))
    assert through(points[[0, 0, 1, 1, 2]], LIMITS).duration == through(points, LIMITS).duration
    assert through(points[[0, 0]], LIMITS).duration == 0.0


def test_there_is_at_least_one_waypoint():
    with pytest.raises(KinematicsError, match="waypoints: none, expected at least one"):
        through(np.empty((0, 6)), LIMITS)
