import numpy as np
import pytest

from kinematics import KinematicsError, Reach, SerialChain, forward_kinematics, numeric_inverse
from tests.kinematics.arms import ARMS
from tests.kinematics.samples import few_if_interpreted
from tests.reference.parallel_arms import ur
from tests.reference.serial_arms import random_chain

N = few_if_interpreted(3000, 4)
CHAINS = {
    "random": random_chain(np.random.default_rng(1)),
    "UR5e": ur("UR5e"),
    **{name: chain.serial() for name, (chain, _) in ARMS.items()},
}


@pytest.mark.parametrize("name", CHAINS)
def test_poses_inside_the_workspace_are_solved(name):
    chain, rng = CHAINS[name], np.random.default_rng(2)
    X = forward_kinematics(chain, rng.uniform(chain.q_min, chain.q_max, (N, 6)))
    found = numeric_inverse(chain, X, rng)
    solved = found.reach == Reach.SOLVED
    assert solved.mean() >= 0.999
    np.testing.assert_allclose(forward_kinematics(chain, found.q[solved]), X[solved], atol=1e-9)
    assert ((found.q[solved] >= chain.q_min) & (found.q[solved] <= chain.q_max)).all()
    assert np.isnan(found.q[~solved]).all()
    assert found.reason(0) == "solved"


def test_the_same_seed_gives_the_same_solutions():
    chain = CHAINS["random"]
    X = forward_kinematics(chain, np.random.default_rng(3).uniform(-2, 2, (few_if_interpreted(100, 2), 6)))
    one, two, other = (numeric_inverse(chain, X, np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(one.q, two.q)
    assert (one.q != other.q).any()


def test_it_says_why():
    chain = CHAINS["GP7"]
    X = forward_kinematics(chain, np.full(6, 0.4))
    far, edge = X.copy(), X.copy()
    behind = forward_kinematics(chain, np.array([-1.0, 0.4, 0.4, 0.4, 0.4, 0.4]))
    far[:3, 3] = 3.0, 0.0, 0.3
    edge[:3, 3] = (0.99, 0.0, 0.33)  # just beyond: the lengths alone do not tell
    narrow = SerialChain(X_joint=chain.X_joint, q_min=np.full(6, 0.3), q_max=np.full(6, 0.45))
    rng = np.random.default_rng(6)
    found = numeric_inverse(chain, np.stack([X, far]), rng, restarts=few_if_interpreted(100, 4))
    assert [found.reason(i) for i in range(2)] == ["solved", "out of reach"]
    assert found.descents[1] == 0
    limited = numeric_inverse(narrow, behind[None], rng, restarts=20)
    assert limited.reach[0] == Reach.JOINT_LIMIT
    assert limited.reason(0) == f"limit of joint {limited.joint[0] + 1}"
    assert np.isnan(limited.q).all()
    stretched = numeric_inverse(chain, edge[None], rng, restarts=5)
    assert stretched.reach[0] in (Reach.SINGULAR, Reach.NOT_CONVERGED)
    assert stretched.joint[0] == -1


def test_an_arm_without_a_dimension_is_singular():
    X_joint = np.tile(np.eye(4), (7, 1, 1))
    X_joint[3, :3, 3] = 0.3, 0.0, 0.0
    flat = SerialChain(X_joint=X_joint, q_min=-np.full(6, 3.0), q_max=np.full(6, 3.0))  # all axes parallel
    goal = np.eye(4)
    goal[:3, 3] = 0.0, 0.1, 0.2
    found = numeric_inverse(flat, goal[None], np.random.default_rng(7), restarts=3)
    assert found.reason(0) == "singular"


def test_windings_reach_into_limits_beyond_half_a_turn():
    chain = CHAINS["GP7"]
    low, high = np.array(chain.q_min), np.array(chain.q_max)
    low[5], high[5] = np.radians(200.0), np.radians(350.0)
    wound = SerialChain(X_joint=chain.X_joint, q_min=low, q_max=high)
    low[5], high[5] = -high[5], -np.radians(200.0)
    unwound = SerialChain(X_joint=chain.X_joint, q_min=low, q_max=high)
    rng = np.random.default_rng(8)
    for arm in (wound, unwound):
        X = forward_kinematics(arm, rng.uniform(arm.q_min, arm.q_max, (few_if_interpreted(200, 2), 6)))
        found = numeric_inverse(arm, X, rng)
        assert (found.reach == Reach.SOLVED).all()
        assert ((found.q >= arm.q_min) & (found.q <= arm.q_max)).all()


def test_half_a_turn_and_no_turn_are_poses_like_others():
    chain = CHAINS["UR5e"]
    X = forward_kinematics(chain, np.array([0.2, -1.0, 1.0, 0.3, 1.0, 0.0]))
    turned = X @ np.diag([-1.0, -1.0, 1.0, 1.0])
    found = numeric_inverse(chain, np.stack([X, turned]), np.random.default_rng(9))
    assert (found.reach == Reach.SOLVED).all()


def test_empty_batch_and_wrong_input():
    chain, rng = CHAINS["random"], np.random.default_rng(10)
    assert numeric_inverse(chain, np.empty((0, 4, 4)), rng).q.shape == (0, 6)
    with pytest.raises(KinematicsError, match="restarts: 0, expected at least 1"):
        numeric_inverse(chain, np.eye(4)[None], rng, restarts=0)
    X = np.eye(4)[None].copy()
    X[0, 0, 3] = np.nan
    with pytest.raises(KinematicsError, match=r"X_BF\[0, 0, 3\]: nan"):
        numeric_inverse(chain, X, rng)
