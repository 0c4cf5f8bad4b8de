from itertools import pairwise

import numpy as np
import pytest
from scipy.interpolate import BPoly

from kinematics import KinematicsError, Trajectory, concatenate, rest_to_rest, sample_one
from kinematics.trajectory import control_steps
from tests.kinematics.arms import ARMS

LIMITS = ARMS["GP7"][1]


@pytest.fixture
def wavy():
    rng = np.random.default_rng(5)
    t = np.concatenate([[0.0], np.cumsum(rng.uniform(0.05, 0.4, 6))])
    return Trajectory(t=t, q=rng.normal(size=(7, 6)), qd=rng.normal(size=(7, 6)), qdd=rng.normal(size=(7, 6)))


def test_sampling_equals_scipys_hermite_polynomials(wavy):
    t = np.linspace(0, wavy.duration, 101)
    derivatives = np.stack([wavy.q, wavy.qd, wavy.qdd], axis=1)
    reference = BPoly.from_derivatives(wavy.t, derivatives)
    q, qd, qdd = wavy.sample(t)
    np.testing.assert_allclose(q, reference(t), atol=1e-12)
    np.testing.assert_allclose(qd, reference(t, 1), atol=1e-10)
    np.testing.assert_allclose(qdd, reference(t, 2), atol=1e-8)


def test_arm_rests_before_and_after(wavy):
    q, qd, qdd = wavy.sample([-1.0, wavy.duration + 1.0])
    np.testing.assert_array_equal(q, wavy.q[[0, -1]])
    np.testing.assert_array_equal(qd, 0.0)
    np.testing.assert_array_equal(qdd, 0.0)


def test_one_sample_equals_many(wavy):
    times = np.concatenate([np.linspace(0, wavy.duration, 23)[1:-1], [-0.1, wavy.duration + 0.1]])
    q, qd, _ = wavy.sample(times)
    one_q, one_qd = np.empty(6), np.empty(6)
    for k, time in enumerate(times):
        sample_one(wavy.t, wavy.q, wavy.qd, wavy.qdd, float(time), one_q, one_qd)
        np.testing.assert_allclose(one_q, q[k], atol=1e-14)
        np.testing.assert_allclose(one_qd, qd[k], atol=1e-12)


def test_a_single_knot_is_an_arm_at_rest():
    still = Trajectory(t=[0.0], q=np.ones((1, 6)), qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    assert still.duration == 0.0
    np.testing.assert_array_equal(still.sample([0.0, 1.0])[0], 1.0)
    one_q, one_qd = np.empty(6), np.empty(6)
    sample_one(still.t, still.q, still.qd, still.qdd, 0.0, one_q, one_qd)
    np.testing.assert_array_equal(one_q, 1.0)


def test_short_intervals_are_free_of_noise():
    move = rest_to_rest(np.zeros(6), np.full(6, 3.0), LIMITS)
    inner = move.t[2] + np.array([0.0, 1e-7, 2e-7])
    states = move.sample(inner)
    short = Trajectory(t=inner - inner[0], q=states[0], qd=states[1], qdd=states[2])
    np.testing.assert_allclose(short.sample([0.5e-7, 1.5e-7])[2], states[2][:2], rtol=1e-5, atol=1e-5)


def test_stretching_keeps_the_path(wavy):
    slow = wavy.stretched(2.0)
    t = np.linspace(0, wavy.duration, 11)
    for (fast, factor), late in zip(
        zip(wavy.sample(t), (1, 2, 4), strict=True), slow.sample(2 * t), strict=True
    ):
        np.testing.assert_allclose(fast / factor, late, atol=1e-9)


def test_concatenation_runs_one_after_the_other():
    points = np.random.default_rng(6).uniform(-1, 1, (3, 6))
    first, second = (rest_to_rest(a, b, LIMITS) for a, b in pairwise(points))
    both = concatenate(first, second)
    assert both.duration == pytest.approx(first.duration + second.duration)
    t = np.linspace(0, second.duration, 20)
    np.testing.assert_allclose(both.sample(first.duration + t)[0], second.sample(t)[0], atol=1e-9)
    with pytest.raises(KinematicsError, match=r"concatenate: q\[\d\] is .* rad at the end of the first"):
        concatenate(second, first)


@pytest.mark.parametrize("t", [[], [0.1, 0.2], [0.0, 0.0], [0.0, 1.0, 0.5]])
def test_times_ascend_from_zero(t):
    zeros = np.zeros((len(t), 6))
    with pytest.raises(KinematicsError, match="expected strictly ascending times from 0 s"):
        Trajectory(t=t, q=zeros, qd=zeros, qdd=zeros)


def test_shapes_match():
    with pytest.raises(KinematicsError, match=r"trajectory.qd: shape \(1, 6\), expected \(2, 6\)"):
        Trajectory(t=[0.0, 1.0], q=np.zeros((2, 6)), qd=np.zeros((1, 6)), qdd=np.zeros((2, 6)))


def test_control_points_bound_motion_velocity_acceleration_and_jerk(wavy):
    h = np.diff(wavy.t)[:, None]
    steps = control_steps(wavy.t, wavy.q, wavy.qd, wavy.qdd)
    exact = BPoly.from_derivatives(wavy.t, np.stack([wavy.q, wavy.qd, wavy.qdd], axis=1))
    for i in range(6):
        t = np.linspace(wavy.t[i], wavy.t[i + 1], 201)[1:-1]
        assert (np.abs(steps[:, i]).sum(axis=0) >= np.abs(np.diff(exact(t), axis=0)).sum(axis=0)).all()
        for n, factor in ((1, 5.0), (2, 20.0), (3, 60.0)):
            bound = np.abs(factor * np.diff(steps, n=n - 1, axis=0)[:, i] / h[i] ** n).max(axis=0)
            assert (bound >= np.abs(exact(t, n)).max(axis=0) * (1 - 1e-9)).all()
