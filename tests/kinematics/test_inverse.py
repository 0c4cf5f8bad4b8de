import dataclasses

import numpy as np
import pytest

from kinematics import (
    Chain,
    IkFailure,
    KinematicsError,
    Singularity,
    forward_kinematics,
    inverse_kinematics,
    windings,
)
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


def test_a_stretched_and_a_folded_arm_are_reached(chain):
    offset = np.arctan2(chain.a2, chain.c3)  # of the forearm, from joint 3 zero to a straight line
    for bend in (-offset, np.pi - offset):
        q = np.zeros(6)
        q[:3] = (np.array([0.4, 0.3, bend]) + chain.offsets[:3]) * chain.signs[:3]
        q[4] = 0.7
        wide = wide_limits(chain)
        X = forward_kinematics(wide, q)
        solutions = inverse_kinematics(wide, X)
        assert solutions.valid.any()
        assert (solutions.singularity[solutions.valid] & Singularity.ELBOW).any()
        found = forward_kinematics(wide, solutions.q[solutions.valid])
        np.testing.assert_allclose(found, np.broadcast_to(X, found.shape), atol=1e-9)


def wide_limits(chain):
    values = {
        name: getattr(chain, name) for name in ("a1", "a2", "b", "c1", "c2", "c3", "c4", "offsets", "signs")
    }
    return Chain(**values, q_min=-np.full(6, 7.0), q_max=np.full(6, 7.0))


def test_reasons_name_what_fails(chain):
    q = np.array([0.5, 0.2, 0.1, 0.3, 0.8, -0.2])
    X = forward_kinematics(chain, q)
    far = X.copy()
    far[0, 3] = 5.0
    tight = wide_limits(chain)
    tight = dataclasses.replace(tight, q_min=q - 1e-3, q_max=q + 1e-3)
    moved = forward_kinematics(tight, q + 0.1 * np.eye(6)[5])
    solutions = inverse_kinematics(tight, np.stack([X, moved, far]))
    assert solutions.reasons()[0] == ""
    assert "6" in solutions.reasons()[1]
    assert solutions.reasons()[1].startswith("limit of joint ")
    assert solutions.reasons()[2] == "out of reach"
    assert (solutions.failure[2] == IkFailure.OUT_OF_REACH).all()
    assert IkFailure.JOINT_6 in solutions.failure[1]
    assert inverse_kinematics(tight, far).reasons() == ("out of reach",)
    assert not solutions.singularity.any()


def test_the_failing_joint_is_the_first_that_brute_force_finds(chain):
    q = np.random.default_rng(14).uniform(chain.q_min, chain.q_max, (N // 10, 6))
    X = forward_kinematics(chain, q)
    limited, free = inverse_kinematics(chain, X), inverse_kinematics(wide_limits(chain), X)
    for i, branch in np.ndindex(limited.failure.shape):
        if not free.valid[i, branch]:
            assert limited.failure[i, branch] == IkFailure.OUT_OF_REACH
            continue
        turned = free.q[i, branch, :, None] + 2 * np.pi * np.arange(-3, 4)
        inside = ((turned >= chain.q_min[:, None]) & (turned <= chain.q_max[:, None])).any(axis=1)
        assert limited.failure[i, branch] == (0 if inside.all() else 1 + np.argmin(inside))


def test_singular_poses_are_flagged(chain):
    wide = wide_limits(chain)
    straight = (np.array([0.3, 0.4, 0.5, 0.2, 0.0, 0.1]) + chain.offsets) * chain.signs
    near = straight + 1e-4 * np.eye(6)[4]
    flags = inverse_kinematics(wide, forward_kinematics(wide, np.stack([straight, near]))).singularity
    assert (flags[0] & Singularity.WRIST).any()
    assert not (flags[1, [0, 1]] & Singularity.WRIST).any()
    X = np.eye(4)
    X[:3, 3] = 0.0, chain.b, chain.c1 + 0.9 * chain.c2
    assert (inverse_kinematics(wide, X).singularity & Singularity.SHOULDER).all()


def test_windings_are_all_that_fit():
    chain = wide_limits(ARMS["GP7"][0])
    q = np.array([0.0, 1.0, -1.0, 6.9, -6.9, 20.0])
    found = windings(chain, q)
    assert len(found) == 3 * 2 * 2 * 3 * 3 * 2
    assert len(np.unique(found, axis=0)) == len(found)
    np.testing.assert_allclose(np.exp(1j * found), np.broadcast_to(np.exp(1j * q), found.shape), atol=1e-12)
    assert (np.abs(found) <= 7.0).all()
    with pytest.raises(KinematicsError, match="q: not an array of numbers"):
        windings(chain, "all")
    assert windings(ARMS["GP7"][0], [0, 0, 3.5, 0, 3.0, 0]).shape == (0, 6)


def test_every_form_of_pose_gives_the_same(chain):
    q = np.random.default_rng(15).uniform(0.5 * chain.q_min, 0.5 * chain.q_max, (20, 6))
    X = forward_kinematics(chain, q)
    expected = inverse_kinematics(chain, X).table
    frozen = X.copy()
    frozen.flags.writeable = False
    for given in (np.asfortranarray(X), X[::-1][::-1], X.tolist(), frozen):
        np.testing.assert_array_equal(inverse_kinematics(chain, given).table, expected)
    for one in (X[3], np.asfortranarray(X[3]), X[3].tolist(), frozen[3]):
        np.testing.assert_allclose(inverse_kinematics(chain, one).table, expected[3], atol=1e-11)
    assert inverse_kinematics(chain, np.empty((0, 4, 4))).q.shape == (0, 8, 6)
    single = X.astype(np.float32)
    np.testing.assert_array_equal(
        inverse_kinematics(chain, single).table, inverse_kinematics(chain, single.astype(float)).table
    )


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.eye(3), r"X_BF: shape \(3, 3\), expected \(n, 4, 4\)|X_BF: shape"),
        (np.full((4, 4), np.nan), r"X_BF\[0, 0\]: nan"),
        (np.full((2, 4, 4), np.inf), r"X_BF\[0, 0, 0\]: inf"),
        ("there", "X_BF: not an array of numbers"),
    ],
)
def test_malformed_poses_are_named(X, message):
    with pytest.raises(KinematicsError, match=message):
        inverse_kinematics(ARMS["GP7"][0], X)
