import numpy as np
import pytest

from kinematics import KinematicsError, forward_kinematics, inverse_kinematics
from kinematics.elementary import nearest_turn
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted

N = few_if_interpreted(2000, 30)


@pytest.fixture(params=ARMS, ids=str)
def chain(request):
    return ARMS[request.param][0]


def turns_apart(q, p):
    """Largest difference, full turns aside."""
    return np.abs(np.angle(np.exp(1j * (q - p)))).max(axis=-1)


def test_every_solution_reaches_the_pose_within_limits_and_one_is_the_generating_one(chain):
    q = np.random.default_rng(2).uniform(chain.q_min, chain.q_max, (N, 6))
    X = forward_kinematics(chain, q)
    solutions = inverse_kinematics(chain, X)
    pose, branch = np.nonzero(solutions.valid)
    found = solutions.q[pose, branch]
    np.testing.assert_allclose(forward_kinematics(chain, found), X[pose], atol=1e-12)
    assert (found >= chain.q_min).all()
    assert (found <= chain.q_max).all()
    assert np.nanmin(turns_apart(solutions.q, q[:, None]), axis=1).max() < 1e-9
    assert np.isnan(solutions.q[~solutions.valid]).all()


def test_few_and_many_poses_give_the_same(chain):
    q = np.random.default_rng(3).uniform(chain.q_min, chain.q_max, (20, 6))
    X = forward_kinematics(chain, q)
    many = inverse_kinematics(chain, X)
    for k in range(20):
        one = inverse_kinematics(chain, X[k])
        assert one.q.shape == (8, 6)
        np.testing.assert_array_equal(one.valid, many.valid[k])
        np.testing.assert_allclose(one.q, many.q[k], atol=1e-11)


def test_straight_wrist_and_its_neighbourhood(chain):
    rng = np.random.default_rng(4)
    for bend in (0.0, 1e-12, -1e-12, 1e-9, 1e-7, -1e-5):
        q = 0.5 * rng.uniform(chain.q_min, chain.q_max)
        q[4] = bend * chain.signs[4] + chain.offsets[4]
        X = forward_kinematics(chain, q)
        solutions = inverse_kinematics(chain, X)
        assert solutions.valid.any()
        found = forward_kinematics(chain, solutions.q[solutions.valid])
        np.testing.assert_allclose(found, np.broadcast_to(X, found.shape), atol=1e-12)


def test_wrist_centre_on_axis_1_has_solutions():
    chain = ARMS["KR 6 R900-2"][0]
    X = np.eye(4)
    X[2, 3] = 0.4 + 0.5
    solutions = inverse_kinematics(chain, X)
    assert solutions.valid.any()
    found = forward_kinematics(chain, solutions.q[solutions.valid])
    np.testing.assert_allclose(found, np.broadcast_to(X, found.shape), atol=1e-12)


def test_out_of_reach_is_a_result(chain):
    far, inside = np.eye(4), np.eye(4)
    far[0, 3] = 2.0
    inside[2, 3] = chain.c1 + chain.c4  # the wrist centre in the shoulder
    solutions = inverse_kinematics(chain, np.stack([far, inside]))
    assert not solutions.valid.any()
    assert np.isnan(solutions.q).all()


def test_limits_themselves_are_reached(chain):
    q = np.stack([chain.q_min, chain.q_max]) * 0.999
    q[:, 1:] = 0.3 * (chain.q_min + chain.q_max)[1:] + 0.1
    q[:, 0] = chain.q_min[0], chain.q_max[0]
    solutions = inverse_kinematics(chain, forward_kinematics(chain, q))
    assert np.nanmin(turns_apart(solutions.q, q[:, None]), axis=1).max() < 1e-9


def test_nearest_turn_keeps_the_direction():
    for angle in (0.0, 3.0, -3.5, 7.0, 100.0):
        assert abs(nearest_turn(angle)) <= np.pi + 1e-12
        assert np.exp(1j * nearest_turn(angle)) == pytest.approx(np.exp(1j * angle))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.eye(3), r"X_BF: shape \(3, 3\), expected \(n, 4, 4\)|X_BF: shape"),
        (np.full((4, 4), np.nan), "nan"),
    ],
)
def test_malformed_poses_are_named(X, message):
    with pytest.raises(KinematicsError, match=message):
        inverse_kinematics(ARMS["GP7"][0], X)
