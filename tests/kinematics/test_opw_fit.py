import numpy as np
import pytest

from cells import load_arm
from cells.arm import arm_names
from kinematics import KinematicsError, SerialChain, fit_opw, forward_kinematics
from tests.reference.parallel_arms import ur
from tests.reference.serial_arms import random_chain, random_pose

LENGTHS = ("a1", "a2", "b", "c1", "c2", "c3", "c4")
Q = np.random.default_rng(1).uniform(-3, 3, (20, 6))


@pytest.mark.parametrize("name", arm_names())
def test_bundled_arms_are_found_again(name):
    chain = load_arm(name).chain
    fit = fit_opw(chain.serial())
    assert [getattr(fit.chain, key) for key in LENGTHS] == pytest.approx(
        [getattr(chain, key) for key in LENGTHS]
    )
    np.testing.assert_array_equal(fit.chain.signs, chain.signs)
    turns = (fit.chain.offsets - chain.offsets) / (2 * np.pi)
    np.testing.assert_allclose(turns, np.rint(turns), atol=1e-12)
    np.testing.assert_allclose(fit.X_BM, np.eye(4), atol=1e-12)
    np.testing.assert_allclose(fit.X_MF, np.eye(4), atol=1e-12)


def test_any_base_and_any_tool():
    rng = np.random.default_rng(2)
    for name in ("gp7", "tx2_60l", "kr6_r900_2"):
        for _ in range(5):
            serial = load_arm(name).chain.serial()
            X = np.array(serial.X_joint)
            X[0], X[6] = random_pose(rng, 1.0) @ X[0], X[6] @ random_pose(rng, 0.2)
            moved = SerialChain(X_joint=X, q_min=serial.q_min, q_max=serial.q_max)
            fit = fit_opw(moved)
            found = fit.X_BM @ forward_kinematics(fit.chain, Q) @ fit.X_MF
            np.testing.assert_allclose(found, forward_kinematics(moved, Q), atol=1e-9)
            assert fit.chain.a1 >= 0.0
            assert fit.chain.c4 >= 0.0


def test_other_arms_are_refused_with_the_reason():
    with pytest.raises(KinematicsError, match="1 off from axes 3 and 4 at right angles"):
        fit_opw(ur("UR5e"))
    with pytest.raises(KinematicsError, match="off from axes 1 and 2 at right angles"):
        fit_opw(random_chain(np.random.default_rng(3)))
    X = np.array(load_arm("gp7").chain.serial().X_joint)
    X[5, 2, 3] += 1e-6
    with pytest.raises(KinematicsError, match="1e-06 off from axis 6 through the wrist centre"):
        fit_opw(SerialChain(X_joint=X, q_min=-np.ones(6), q_max=np.ones(6)))
