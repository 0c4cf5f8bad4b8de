from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pinocchio
import pytest

from kinematics import KinematicsError, forward_kinematics, jacobian, link_frames
from kinematics.chain import JOINT_AXES
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.reference.arms import exponential_forward, pinocchio_model

N = few_if_interpreted(200, 12)


@pytest.fixture(params=ARMS, ids=str)
def chain(request):
    return ARMS[request.param][0]


@pytest.fixture
def q(chain):
    return np.random.default_rng(1).uniform(chain.q_min, chain.q_max, (N, 6))


def test_forward_kinematics_equals_the_product_of_exponentials(chain, q):
    expected = np.stack([exponential_forward(chain, one) for one in q])
    np.testing.assert_allclose(forward_kinematics(chain, q), expected, atol=2e-15)


def test_jacobian_equals_pinocchio(chain, q):
    model = pinocchio_model(chain)
    data, flange = model.createData(), model.getFrameId("flange")
    for one, J in zip(q, jacobian(chain, q), strict=True):
        expected = pinocchio.computeFrameJacobian(
            model, data, one * chain.signs - chain.offsets, flange, pinocchio.LOCAL_WORLD_ALIGNED
        )
        np.testing.assert_allclose(J, expected * chain.signs, atol=3e-15)


def test_jacobian_is_the_derivative_of_the_flange_position(chain, q):
    step = 1e-6
    for k in range(6):
        ahead, behind = (forward_kinematics(chain, q + s * step * np.eye(6)[k])[:, :3, 3] for s in (1, -1))
        np.testing.assert_allclose(jacobian(chain, q)[:, :3, k], (ahead - behind) / (2 * step), atol=1e-9)


def test_link_frames_follow_the_table_of_joint_origins(chain, q):
    X = link_frames(chain, q)
    np.testing.assert_array_equal(X[:, 0], np.broadcast_to(np.eye(4), (N, 4, 4)))
    np.testing.assert_allclose(X[:, 6], forward_kinematics(chain, q), atol=2e-15)
    for k in range(6):
        X_step = np.linalg.inv(X[:, k]) @ X[:, k + 1]
        np.testing.assert_allclose(X_step[:, :3, 3], np.tile(chain.joint_origins[k], (N, 1)), atol=2e-15)
        np.testing.assert_allclose(
            X_step[:, :3, :3] @ JOINT_AXES[k], np.tile(JOINT_AXES[k], (N, 1)), atol=2e-15
        )


def test_zero_pose_stands_straight_up():
    expected = np.eye(4)
    expected[:3, 3] = 0.0, 0.020, 0.375 + 0.4 + 0.45 + 0.07
    np.testing.assert_allclose(forward_kinematics(ARMS["TX2-60L"][0], np.zeros(6)), expected, atol=1e-15)


@pytest.mark.parametrize("function", [forward_kinematics, jacobian, link_frames])
def test_every_form_of_input_gives_the_same(chain, q, function):
    expected = function(chain, q)
    np.testing.assert_array_equal(function(chain, np.asfortranarray(q)), expected)
    np.testing.assert_array_equal(function(chain, q[::-1])[::-1], expected)
    np.testing.assert_array_equal(function(chain, q.tolist()), expected)
    np.testing.assert_array_equal(
        function(chain, q.astype(np.float32)), function(chain, q.astype(np.float32) * 1.0)
    )
    np.testing.assert_array_equal(function(chain, [0, 1, 0, 0, 1, 0]), function(chain, [0.0, 1, 0, 0, 1, 0]))
    for one in (q[0], q[0].astype(np.float64)):
        np.testing.assert_allclose(function(chain, one), expected[0], atol=2e-15)
    assert function(chain, np.empty((0, 6))).shape == (0, *expected.shape[1:])


def test_threads_do_not_disturb_each_other(chain, q):
    with ThreadPoolExecutor(2) as pool:
        for X in pool.map(lambda _: forward_kinematics(chain, q), range(8)):
            np.testing.assert_array_equal(X, forward_kinematics(chain, q))


def test_few_and_many_configurations_give_the_same(chain, q):
    np.testing.assert_allclose(forward_kinematics(chain, q[:3]), forward_kinematics(chain, q)[:3], atol=1e-15)


@pytest.mark.parametrize(
    ("q", "message"),
    [
        (np.zeros(5), r"q: shape \(5,\), expected \(6\)"),
        (np.zeros((2, 7)), r"q: shape \(2, 7\), expected \(n, 6\)"),
        (np.zeros((2, 2, 6)), r"q: shape \(2, 2, 6\)"),
        (0.0, r"q: shape \(\)"),
        ([0, 0, 0, np.nan, 0, 0], r"q\[3\]: nan, expected a finite number"),
        ([[0, 0, 0, 0, 0, np.inf]], r"q\[0, 5\]: inf"),
        (np.full(6, 1e6), "q: 1e[+]06 rad, expected at most 100000 rad"),
        ("six", "q: not an array of numbers"),
    ],
)
def test_malformed_angles_are_named(q, message):
    with pytest.raises(KinematicsError, match=message):
        forward_kinematics(ARMS["GP7"][0], q)
