import numpy as np
import pytest

from kinematics import (
    IkFailure,
    KinematicsError,
    Limits,
    LineError,
    ParallelAxesChain,
    SerialChain,
    Singularity,
    forward_kinematics,
    inverse_kinematics,
    straight_line,
)
from tests.kinematics.samples import few_if_interpreted
from tests.reference.parallel_arms import TABLE, reference_pose, ur
from tests.reference.serial_arms import random_chain, random_pose

N = few_if_interpreted(3000, 20)


def apart(q, other):
    return np.abs((q - other + np.pi) % (2 * np.pi) - np.pi).max(axis=-1)


@pytest.mark.parametrize("name", TABLE)
def test_forward_kinematics_is_the_makers_table(name):
    q = np.random.default_rng(1).uniform(-3, 3, (5, 6))
    expected = [reference_pose(name, angles) for angles in q]
    np.testing.assert_allclose(forward_kinematics(ur(name), q), expected, atol=1e-12)


@pytest.mark.parametrize("name", TABLE)
def test_all_branches_reach_the_pose_and_one_is_where_it_came_from(name):
    chain = ur(name)
    q = np.random.default_rng(2).uniform(chain.q_min, chain.q_max, (N, 6))
    X = forward_kinematics(chain, q)
    solutions = inverse_kinematics(chain, X)
    poses = np.repeat(X[:, None], 8, axis=1)[solutions.valid]
    np.testing.assert_allclose(forward_kinematics(chain, solutions.q[solutions.valid]), poses, atol=1e-9)
    assert np.nanmax(np.nanmin(apart(solutions.q, q[:, None]), axis=1)) < 1e-6
    assert (solutions.valid == ~np.isnan(solutions.q).any(axis=2)).all()
    inside = solutions.q[solutions.valid]
    assert ((inside >= chain.q_min) & (inside <= chain.q_max)).all()
    assert np.median(solutions.valid.sum(axis=1)) == 8


def test_branches_differ():
    chain = ur("UR5e")
    q = np.random.default_rng(3).uniform(-2, 2, (N, 6))
    found = inverse_kinematics(chain, forward_kinematics(chain, q))
    full = found.q[found.valid.all(axis=1)]
    for i in range(8):
        for j in range(i):
            assert (apart(full[:, i], full[:, j]) > 1e-6).all()


def test_an_arm_that_is_turned_signed_and_shifted_is_the_same_problem():
    """Other bases, tools, zeros and directions of joints: everything the recognition has to find."""
    rng = np.random.default_rng(4)
    for _ in range(few_if_interpreted(20, 2)):
        X = np.array(ur("UR10e").X_joint)
        X[0], X[6] = random_pose(rng, 1.0) @ X[0], X[6] @ random_pose(rng, 0.2)
        for k in range(6):
            turned = np.eye(4)
            if rng.random() < 0.5:
                turned[1, 1] = turned[2, 2] = -1.0  # the joint counts the other way
            c, s = np.cos(angle := rng.uniform(-3, 3)), np.sin(angle)
            zero = np.eye(4)
            zero[:2, :2] = [[c, -s], [s, c]]
            zero[2, 3] = rng.uniform(-0.2, 0.2)  # the frame sits elsewhere on its axis
            X[k] = X[k] @ zero @ turned
            X[k + 1] = np.linalg.inv(zero @ turned) @ X[k + 1]
        chain = ParallelAxesChain(X_joint=X, q_min=-np.full(6, 6.0), q_max=np.full(6, 6.0))
        q = rng.uniform(-3, 3, (few_if_interpreted(200, 3), 6))
        X_BF = forward_kinematics(chain, q)
        found = inverse_kinematics(chain, X_BF)
        assert np.nanmax(np.nanmin(apart(found.q, q[:, None]), axis=1)) < 1e-6
        i = np.nonzero(found.valid)[0]
        np.testing.assert_allclose(forward_kinematics(chain, found.q[found.valid]), X_BF[i], atol=1e-9)


def test_a_straight_wrist_is_solved_and_what_is_too_far_is_not():
    chain = ur("UR5e")
    q = np.array([0.3, -1.0, 1.2, 0.4, 0.0, 0.7])
    X = forward_kinematics(chain, q)
    found = inverse_kinematics(chain, X)
    assert found.valid.any()
    assert (found.singularity[found.valid] & Singularity.WRIST).any()
    np.testing.assert_allclose(forward_kinematics(chain, found.q[found.valid])[0], X, atol=1e-9)
    far = X.copy()
    far[:3, 3] *= 10.0
    assert inverse_kinematics(chain, far).reasons() == ("out of reach",)
    assert not inverse_kinematics(chain, far).valid.any()
    near = X.copy()
    near[:2, 3] = 0.0996 * near[:2, 2]  # the wrist within joint 1's cylinder
    assert not inverse_kinematics(chain, near).valid.any()


@pytest.mark.parametrize("bend", [0.0, np.pi])
def test_a_stretched_and_a_folded_arm_are_reached(bend):
    chain = ur("UR5e")
    q = np.random.default_rng(52).uniform(-2.0, 2.0, (N, 6))
    q[:, 2], q[:, 4] = bend, 0.2 + np.abs(q[:, 4])  # a straight wrist would take digits too
    X = forward_kinematics(chain, q)
    solutions = inverse_kinematics(chain, X)
    assert solutions.valid.any(axis=1).all()
    off = apart(solutions.q, q[:, None])
    assert np.nanmin(off, axis=1).max() < 1e-5  # half the digits are lost where the reach ends
    assert (solutions.singularity[np.arange(N), np.nanargmin(off, axis=1)] & Singularity.ELBOW).all()


def test_narrow_limits_leave_the_branches_inside():
    wide, narrow = ur("UR5e"), ur("UR5e", q_max=1.5)
    X = forward_kinematics(wide, np.random.default_rng(5).uniform(-1.4, 1.4, (N, 6)))
    free, bound = inverse_kinematics(wide, X), inverse_kinematics(narrow, X)
    inside = (np.abs((free.q + np.pi) % (2 * np.pi) - np.pi) <= 1.5).all(axis=2) & free.valid
    np.testing.assert_array_equal(bound.valid, inside)
    assert (bound.failure == IkFailure.JOINT_3).any()
    tight = ur("UR5e", q_max=0.1)
    assert inverse_kinematics(tight, X[0]).reasons()[0].startswith("limit of joint")


def test_empty_batch_and_other_layouts():
    chain = ur("UR3e")
    assert inverse_kinematics(chain, np.empty((0, 4, 4))).q.shape == (0, 8, 6)
    X = forward_kinematics(chain, np.full((3, 6), 0.5))
    strided = np.asfortranarray(np.repeat(X, 2, axis=0))[::2]
    np.testing.assert_array_equal(inverse_kinematics(chain, strided).q, inverse_kinematics(chain, X).q)


def test_straight_lines_of_such_an_arm():
    chain = ur("UR5e")
    limits = Limits(velocity=np.full(6, 3.0), acceleration=np.full(6, 15.0), jerk=np.full(6, 150.0))
    q = np.array([0.3, -1.4, 1.5, -1.6, -1.5, 0.2])
    X = forward_kinematics(chain, q)
    X_end = X.copy()
    X_end[:3, 3] += (0.05, 0.1, -0.1)
    move = straight_line(chain, limits, X, X_end, q, 0.3, 1.0)
    way = forward_kinematics(chain, move.sample(np.linspace(0, move.duration, 50))[0])[:, :3, 3] - X[:3, 3]
    direction = (X_end - X)[:3, 3] / np.linalg.norm((X_end - X)[:3, 3])
    assert np.abs(way - np.outer(way @ direction, direction)).max() < 1e-6
    X_end[:3, 3] += (2.0, 0.0, 0.0)
    with pytest.raises(LineError, match="out of reach"):
        straight_line(chain, limits, X, X_end, q, 0.3, 1.0)


@pytest.mark.parametrize(
    ("joint", "shift", "message"),
    [
        (1, (0.001, 0, 0), "0.001 off from axes 1 and 2 meeting"),
        (4, (0.001, 0, 0), "0.001 off from axes 4 and 5 meeting"),
        (5, (0.001, 0, 0), "0.001 off from axes 5 and 6 meeting"),
        (2, (0.425, 0, 0), "upper arm 0 m, forearm 0.3922 m, expected at least 0.001"),
    ],
)
def test_arms_that_only_look_like_it_are_refused(joint, shift, message):
    X = np.array(ur("UR5e").X_joint)
    X[joint, :3, 3] += shift
    values = {"X_joint": X, "q_min": -np.ones(6), "q_max": np.ones(6)}
    with pytest.raises(KinematicsError, match=message):
        ParallelAxesChain(**values)


def test_other_arms_are_refused_and_have_no_closed_form():
    chain = random_chain(np.random.default_rng(6))
    with pytest.raises(KinematicsError, match="off from axes 2 and 3 parallel"):
        ParallelAxesChain(X_joint=chain.X_joint, q_min=chain.q_min, q_max=chain.q_max)
    with pytest.raises(KinematicsError, match="no closed form"):
        inverse_kinematics(
            SerialChain(X_joint=chain.X_joint, q_min=chain.q_min, q_max=chain.q_max), np.eye(4)
        )
