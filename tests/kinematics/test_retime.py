from functools import partial

import numpy as np
import pinocchio
import pytest
from scipy.interpolate import CubicSpline

from cells import load_arm
from kinematics import (
    KinematicsError,
    Limits,
    TorqueLimits,
    Trajectory,
    inverse_dynamics,
    path_speeds,
    retime,
)
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.kinematics.test_profile import largest_use
from tests.reference.serial_arms import pinocchio_of, random_chain

LIMITS = ARMS["GP7"][1]
KNOTS = np.linspace(0.0, 1.0, 5)


def spline_path(rng, size=1.0):
    spline = CubicSpline(KNOTS, size * rng.uniform(-1, 1, (5, 6)))
    return spline, Trajectory(t=KNOTS, q=spline(KNOTS), qd=spline(KNOTS, 1), qdd=spline(KNOTS, 2))


def gravity_and_inertia(rng):
    """Inverse dynamics of a random arm by pinocchio."""
    model = pinocchio_of(random_chain(rng))
    data = model.createData()

    def torques(q, qd, qdd):
        return np.array([pinocchio.rnea(model, data, *row) for row in zip(q, qd, qdd, strict=True)])

    return torques


@pytest.mark.parametrize("size", [0.02, 0.3, 2.0])
def test_velocity_acceleration_and_jerk_hold_and_the_path_is_kept(size):
    rng = np.random.default_rng(20)
    for _ in range(few_if_interpreted(10, 1)):
        spline, path = spline_path(rng, size)
        move = retime(path, LIMITS, points=few_if_interpreted(200, 20))
        assert largest_use(move, LIMITS) < 1.0 + 1e-6
        np.testing.assert_allclose(move.q[[0, -1]], path.q[[0, -1]], atol=1e-9)
        np.testing.assert_allclose(move.qd[[0, -1]], 0.0, atol=1e-9)
        q, _, _ = move.sample(np.linspace(0.0, move.duration, 60))
        near = spline(np.linspace(0.0, 1.0, 20_001))
        assert max(np.abs(near - point).max(axis=1).min() for point in q) < 3e-3 * size


def test_it_is_not_much_slower_than_the_fastest_without_jerk_limits():
    rng = np.random.default_rng(21)
    s = np.linspace(0.0, 1.0, 100)
    for _ in range(few_if_interpreted(10, 1)):
        spline, path = spline_path(rng, 2.0)
        bound = path_speeds(s, spline(s, 1), spline(s, 2), LIMITS).duration
        assert bound * (1 - 1e-3) < retime(path, LIMITS, points=100).duration < 1.25 * bound


def test_torque_limits_hold_between_knots_too():
    rng = np.random.default_rng(22)
    for _ in range(few_if_interpreted(6, 1)):
        torques = gravity_and_inertia(rng)
        _, path = spline_path(rng, 1.0)
        q, _, _ = path.sample(np.linspace(0, 1, 50))
        static = np.abs(torques(q, 0 * q, 0 * q)).max(axis=0)
        limit = TorqueLimits(inverse_dynamics=torques, limit=1.2 * static + 1.0)
        free, bound = retime(path, LIMITS, points=60), retime(path, LIMITS, limit, points=60)
        tau = torques(*bound.sample(np.sort(rng.uniform(0.0, bound.duration, few_if_interpreted(2000, 100)))))
        assert (np.abs(tau) <= limit.limit * (1 + 1e-6)).all()
        assert (np.abs(tau) / limit.limit).max() > 0.8
        assert largest_use(bound, LIMITS) < 1.0 + 1e-6
        assert bound.duration > free.duration


def test_a_weak_arm_of_the_catalogue_moves_within_its_torques():
    arm = load_arm("gp7")
    weak = TorqueLimits(inverse_dynamics=partial(inverse_dynamics, arm.dynamics), limit=0.7 * arm.torque_nm)
    _, path = spline_path(np.random.default_rng(25), 1.0)
    move = retime(path, arm.limits, weak, points=few_if_interpreted(100, 8))
    tau = inverse_dynamics(
        arm.dynamics, *move.sample(np.linspace(0.0, move.duration, few_if_interpreted(1000, 30)))
    )
    assert (np.abs(tau) <= weak.limit * (1 + 1e-6)).all()


def test_limits_that_no_arm_has_still_hold():
    speed, jerk = few_if_interpreted(0.1, 2.0), few_if_interpreted(1e5, 1e3)
    slow = Limits(velocity=np.full(6, speed), acceleration=np.full(6, 10.0), jerk=np.full(6, jerk))
    _, path = spline_path(np.random.default_rng(23), 1.0)
    assert largest_use(retime(path, slow, points=30), slow) < 1.0 + 1e-6


def test_paths_without_a_way_are_refused():
    still = Trajectory(t=[0.0], q=np.zeros((1, 6)), qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    with pytest.raises(KinematicsError, match="retime: 1 knots, 200 points, expected at least 2 of both"):
        retime(still, LIMITS)
    _, path = spline_path(np.random.default_rng(24))
    with pytest.raises(KinematicsError, match="retime: 5 knots, 1 points"):
        retime(path, LIMITS, points=1)
    rest = Trajectory(t=KNOTS, q=np.zeros((5, 6)), qd=np.zeros((5, 6)), qdd=np.zeros((5, 6)))
    with pytest.raises(KinematicsError, match="tangent: 0 at s = 0"):
        retime(rest, LIMITS)
