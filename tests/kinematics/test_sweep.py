import numpy as np
import pytest

from kinematics import (
    Body,
    Boxes,
    Capsules,
    KinematicsError,
    Scene,
    SweepSet,
    Trajectory,
    clearance,
    link_frames,
    place_capsules,
    rest_to_rest,
    sweep,
    sweep_box_distance,
    through,
)
from kinematics.sweep import joint_reach
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import body, pose
from tests.kinematics.samples import few_if_interpreted

DENSE = few_if_interpreted(400, 40)
RESOLUTION = few_if_interpreted(0.03, 0.2)
CHAIN, LIMITS = ARMS["LR Mate 200iD/7L"]
BODY = body(CHAIN)
X_A, X_B = np.eye(4), pose(1.4, 0.3, 0.0, 2.0)


def motion(seed, corners=3):
    rng = np.random.default_rng(seed)
    return through(rng.uniform(0.5 * CHAIN.q_min, 0.5 * CHAIN.q_max, (corners, 6)), LIMITS)


def densely(X_WB, trajectory):
    return place_capsules(CHAIN, X_WB, BODY, trajectory.sample(np.linspace(0, trajectory.duration, DENSE))[0])


def smallest_over_all_states(A, B):
    return min(float(distance(A, one[None]).min()) for one in B[:: few_if_interpreted(3, 8)])


def test_no_state_escapes_the_inflated_capsules():
    for seed in range(few_if_interpreted(6, 2)):
        trajectory = motion(seed)
        swept = sweep(CHAIN, X_A, BODY, trajectory, RESOLUTION)
        for time, state in zip(
            np.linspace(0, trajectory.duration, DENSE), densely(X_A, trajectory), strict=True
        ):
            i = int(np.searchsorted(swept.t, time, side="right")) - 1
            around = swept.capsules[i : i + 2]
            # Same parameter along the axis: how far each end of the axis is from the same end at the samples.
            for columns in (slice(0, 3), slice(3, 6)):
                off = np.linalg.norm(around[..., columns] - state[:, columns], axis=2)
                assert (off + BODY.radius <= around[..., 6]).any(axis=0).all()


def test_capsules_grow_by_at_most_half_the_resolution():
    swept = sweep(CHAIN, X_A, BODY, motion(3), RESOLUTION)
    grown = swept.capsules[..., 6] - BODY.radius
    assert grown.min() >= 0.0
    assert grown.max() <= 0.5 * RESOLUTION + 1e-6
    low = np.minimum(swept.capsules[..., :3], swept.capsules[..., 3:6]) - swept.capsules[..., 6:]
    np.testing.assert_allclose(swept.low[-1], low.min(axis=0))
    np.testing.assert_allclose(swept.low[0], low[:8].min(axis=0))


def test_knots_closer_than_the_resolution_are_joined():
    slow = motion(3).stretched(3.0)
    t = np.linspace(0, slow.duration, 500)
    q, qd, qdd = slow.sample(t)
    fine = sweep(CHAIN, X_A, BODY, Trajectory(t=t, q=q, qd=qd, qdd=qdd), RESOLUTION)
    assert len(fine.t) < len(sweep(CHAIN, X_A, BODY, slow, RESOLUTION).t) * 1.3
    assert fine.capsules[..., 6].max() <= BODY.radius.max() + 0.5 * RESOLUTION + 1e-6


def test_distance_of_sweeps_is_a_close_lower_bound():
    for seed in range(few_if_interpreted(8, 2)):
        a, b = motion(seed), motion(100 + seed)
        A, B = (sweep(CHAIN, X, BODY, t, RESOLUTION) for X, t in ((X_A, a), (X_B, b)))
        exact = smallest_over_all_states(densely(X_A, a), densely(X_B, b))
        bound = sweep_distance(A, B, 5.0)
        if bound < 0.0:  # ended at the first contact
            assert exact <= RESOLUTION + 0.02
        else:
            assert bound <= exact + 1e-9
            assert bound >= exact - RESOLUTION - 0.02  # of the dense samples themselves
        assert sweep_hits(A, B, 0.01) == (sweep_distance(A, B, 1.0) < 0.01)
        assert sweep_distance(A, B, 0.005) == pytest.approx(min(bound, 0.005)) or bound < 0.0


def test_far_sweeps_are_enough_apart():
    A = sweep(CHAIN, X_A, BODY, motion(1), RESOLUTION)
    B = sweep(CHAIN, pose(9.0, 0, 0), BODY, motion(2), RESOLUTION)
    assert sweep_distance(A, B, 0.1) == 0.1
    assert not sweep_hits(A, B, 0.1)


def test_a_sweep_hits_itself():
    A = sweep(CHAIN, X_A, BODY, motion(1), RESOLUTION)
    assert sweep_hits(A, A, 0.0)
    assert sweep_distance(A, A, 0.1) < 0.0


def test_box_distance_of_a_sweep_is_a_close_lower_bound():
    rng = np.random.default_rng(30)
    trajectory = motion(4)
    swept = sweep(CHAIN, X_A, BODY, trajectory, RESOLUTION)
    states = densely(X_A, trajectory)
    for _ in range(few_if_interpreted(40, 8)):
        X = pose(*rng.uniform(-1.2, 1.2, 3), rng.uniform(0, 3))
        boxes = Boxes(X_WO=np.stack([X, pose(0, 0, -2)]), half=rng.uniform(0.05, 0.2, (2, 3)))
        exact, bound = float(box_distance(states, boxes).min()), sweep_box_distance(swept, boxes)
        if bound < 0.0:
            assert exact <= RESOLUTION + 0.02
        else:
            assert exact - RESOLUTION - 0.02 <= bound <= exact + 1e-9
        assert sweep_box_distance(swept, boxes, 0.01) == pytest.approx(min(bound, 0.01)) or bound < 0.0


def test_an_arm_at_rest_sweeps_itself_only():
    q = 0.2 * CHAIN.q_max
    still = Trajectory(t=[0.0], q=q[None], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    swept = sweep(CHAIN, X_A, BODY, still, RESOLUTION)
    np.testing.assert_allclose(swept.capsules[0], place_capsules(CHAIN, X_A, BODY, q), atol=1e-8)
    other = sweep(CHAIN, X_B, BODY, still, RESOLUTION)
    exact = distance(swept.capsules, other.capsules)[0]
    assert sweep_distance(swept, other, 9.0) == pytest.approx(exact, abs=1e-8)


def test_nothing_thin_slips_through_between_samples():
    """A fast swing with a coarse resolution still meets a post as thin as a needle in its way."""
    swing = rest_to_rest(np.zeros(6), np.eye(6)[0] * 2.0, LIMITS)
    swept = sweep(CHAIN, X_A, BODY, swing, 0.5)
    middle = place_capsules(CHAIN, X_A, BODY, np.eye(6)[0] * 1.0)
    post = Boxes(X_WO=pose(*middle[6, :3])[None], half=np.full((1, 3), 1e-4))
    assert sweep_box_distance(swept, post) < 0.0


def test_reach_bounds_the_speed_of_every_point():
    rng = np.random.default_rng(31)
    ends = Capsules(
        link=np.arange(7), a=rng.normal(size=(7, 3)), b=rng.normal(size=(7, 3)), radius=np.ones(7)
    )
    q = rng.uniform(CHAIN.q_min, CHAIN.q_max, (few_if_interpreted(300, 20), 6))
    reach = joint_reach(CHAIN, ends)
    X = link_frames(CHAIN, q)
    axes = (
        X[:, 1:, :3, :3]
        @ np.array([[0, 0, 1], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1.0]])[..., None]
    )
    for link in range(7):
        for local in (ends.a[link], ends.b[link]):
            point = X[:, link, :3, :3] @ local + X[:, link, :3, 3]
            for k in range(6):
                off = np.linalg.norm(np.cross(axes[:, k, :, 0], point - X[:, k + 1, :3, 3]), axis=1)
                assert reach[link, k] >= off.max() - 1e-12 if link > k else reach[link, k] == 0.0


@pytest.mark.parametrize("resolution", [0.0, -1.0, np.inf, np.nan])
def test_resolution_is_a_length(resolution):
    with pytest.raises(KinematicsError, match=r"resolution_m: .* expected a finite length above 0"):
        sweep(CHAIN, X_A, BODY, motion(1), resolution)
