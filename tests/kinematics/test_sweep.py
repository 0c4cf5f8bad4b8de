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
    collides,
    link_frames,
    place_capsules,
    rest_to_rest,
    sweep,
    sweep_box_distance,
    through,
)
from kinematics.sweep import joint_reach
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import body, placed_body, pose
from tests.kinematics.samples import few_if_interpreted

DENSE = few_if_interpreted(400, 40)
RESOLUTION = few_if_interpreted(0.03, 0.2)
CHAIN, LIMITS = ARMS["LR Mate 200iD/7L"]
BODY = body(CHAIN)
A, B = placed_body(CHAIN, np.eye(4)), placed_body(CHAIN, pose(1.4, 0.3, 0.0, 2.0))


def motion(seed, corners=3):
    rng = np.random.default_rng(seed)
    return through(rng.uniform(0.5 * CHAIN.q_min, 0.5 * CHAIN.q_max, (corners, 6)), LIMITS)


def densely(arm, trajectory):
    return place_capsules(arm, trajectory.sample(np.linspace(0, trajectory.duration, DENSE))[0])


def smallest_over_all_states(a, b):
    """Of two motions, each at any of its moments, by brute force."""
    q = [m.sample(np.linspace(0, m.duration, DENSE))[0] for m in (a, b)]
    scene = Scene(bodies=(A, B))
    others = q[1][:: few_if_interpreted(3, 8)]
    return min(
        float(clearance(scene, np.stack([q[0], np.broadcast_to(one, q[0].shape)], axis=1)).min())
        for one in others
    )


def sweep_distance(one, two, enough):
    return float(SweepSet((one, two)).distance([0], [1], enough)[0])


def sweep_hits(one, two, apart):
    return bool(SweepSet((one, two)).near([0], [1], apart)[0])


def test_no_state_escapes_the_inflated_capsules():
    for seed in range(few_if_interpreted(6, 2)):
        trajectory = motion(seed)
        swept = sweep(A, trajectory, RESOLUTION)
        for time, state in zip(
            np.linspace(0, trajectory.duration, DENSE), densely(A, trajectory), strict=True
        ):
            i = int(np.searchsorted(swept.t, time, side="right")) - 1
            around = swept.capsules[i : i + 2]
            # Same parameter along the axis: how far each end of the axis is from the same end at the samples.
            for columns in (slice(0, 3), slice(3, 6)):
                off = np.linalg.norm(around[..., columns] - state[:, columns], axis=2)
                assert (off + BODY.radius <= around[..., 6]).any(axis=0).all()


def test_capsules_grow_by_at_most_half_the_resolution():
    swept = sweep(A, motion(3), RESOLUTION)
    grown = swept.capsules[..., 6] - BODY.radius
    assert grown.min() >= 0.0
    assert grown.max() <= 0.5 * RESOLUTION + 1e-6
    low = np.minimum(swept.capsules[..., :3], swept.capsules[..., 3:6]) - swept.capsules[..., 6:]
    np.testing.assert_allclose(swept.spans[-1, :, :3], low.min(axis=0))
    np.testing.assert_allclose(swept.spans[0, :, :3], low[:8].min(axis=0))


def test_knots_closer_than_the_resolution_are_joined():
    slow = motion(3).stretched(3.0)
    t = np.linspace(0, slow.duration, 500)
    q, qd, qdd = slow.sample(t)
    fine = sweep(A, Trajectory(t=t, q=q, qd=qd, qdd=qdd), RESOLUTION)
    assert len(fine.t) < len(sweep(A, slow, RESOLUTION).t) * 1.3
    assert fine.capsules[..., 6].max() <= BODY.radius.max() + 0.5 * RESOLUTION + 1e-6


def test_distance_of_sweeps_is_a_close_lower_bound():
    for seed in range(few_if_interpreted(8, 2)):
        a, b = motion(seed), motion(100 + seed)
        one, two = sweep(A, a, RESOLUTION), sweep(B, b, RESOLUTION)
        exact = smallest_over_all_states(a, b)
        bound = sweep_distance(one, two, 5.0)
        if bound < 0.0:  # ended at the first contact
            assert exact <= RESOLUTION + 0.02
        else:
            assert bound <= exact + 1e-9
            assert bound >= exact - RESOLUTION - 0.02  # of the dense samples themselves
        assert sweep_hits(one, two, 0.01) == (sweep_distance(one, two, 1.0) < 0.01)
        assert sweep_distance(one, two, 0.005) == pytest.approx(min(bound, 0.005)) or bound < 0.0


def test_far_sweeps_are_enough_apart():
    one = sweep(A, motion(1), RESOLUTION)
    two = sweep(placed_body(CHAIN, pose(9.0, 0, 0)), motion(2), RESOLUTION)
    assert sweep_distance(one, two, 0.1) == 0.1
    assert not sweep_hits(one, two, 0.1)


def test_a_sweep_hits_itself():
    one = sweep(A, motion(1), RESOLUTION)
    assert sweep_hits(one, one, 0.0)
    assert sweep_distance(one, one, 0.1) < 0.0


def test_many_pairs_are_compared_like_each_of_them():
    sweeps = [sweep(arm, motion(k), RESOLUTION) for k in range(4) for arm in (A, B)]
    many = SweepSet(tuple(sweeps))
    assert len(many) == 8
    i, j = np.triu_indices(8, 1)
    alone = [sweep_distance(sweeps[k], sweeps[m], 0.3) for k, m in zip(i, j, strict=True)]
    np.testing.assert_array_equal(many.distance(i, j, 0.3), alone)
    near = [sweep_hits(sweeps[k], sweeps[m], 0.05) for k, m in zip(i, j, strict=True)]
    np.testing.assert_array_equal(many.near(i, j, 0.05), near)
    assert 0 < sum(near) < len(near)
    assert many.near([], [], 0.1).shape == (0,)
    with pytest.raises(KinematicsError, match="twos: 8, expected an integer from 0 to 7"):
        many.near([0], [8], 0.1)


def test_first_conflict_is_the_earliest_moment_in_the_way_of_the_other():
    found = 0
    for seed in range(few_if_interpreted(12, 3)):
        a, b = motion(seed), motion(100 + seed)
        pair = SweepSet((sweep(A, a, RESOLUTION), sweep(B, b, RESOLUTION)))
        times = pair.first_conflict(0, 1, 0.01)
        assert (times is None) == (not pair.near([0], [1], 0.01)[0])
        if times is None:
            continue
        found += 1
        other = b.sample(np.linspace(0, b.duration, few_if_interpreted(120, 10)))[0]
        count = few_if_interpreted(60, 5) if times[0] > 0.0 else 0
        before = a.sample(np.linspace(0, times[0], count, endpoint=False))[0]
        states = np.stack(np.broadcast_arrays(before[:, None], other[None]), axis=2).reshape(-1, 2, 6)
        assert not collides(Scene(bodies=(A, B)), states, 0.01).any()
        assert 0.0 <= times[1] <= b.duration
        # Soon after they are nearer than the clearance and what the sweep adds.
        t = np.linspace(-0.02, 0.15, few_if_interpreted(60, 20))
        pairs = [(q, p) for q in a.sample(times[0] + t)[0] for p in b.sample(times[1] + t)[0]]
        assert clearance(Scene(bodies=(A, B)), pairs).min() < 0.01 + 2.0 * RESOLUTION
    assert found or few_if_interpreted(False, True)


def test_first_conflict_of_a_swing_with_an_arm_in_its_way():
    swing = rest_to_rest(np.array([-2.0, 1.0, 0, 0, 0, 0]), np.array([2.0, 1.0, 0, 0, 0, 0]), LIMITS)
    still = Trajectory(t=[0.0], q=[[0.0, 1.0, 0, 0, 0, 0]], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    in_way, away = (sweep(placed_body(CHAIN, pose(x, 0, 0, np.pi)), still, 0.1) for x in (1.3, 9.0))
    pair = SweepSet((sweep(A, swing, 0.1), in_way, away))
    first, other = pair.first_conflict(0, 1, 0.0)
    assert 0.1 * swing.duration < first < 0.5 * swing.duration
    assert other == 0.0
    assert pair.first_conflict(0, 2, 0.0) is None


def test_box_distance_of_a_sweep_is_a_close_lower_bound():
    rng = np.random.default_rng(30)
    trajectory, own = motion(4), A.capsules
    moving = Body(  # a base that stands still is not compared with boxes
        chain=CHAIN,
        X_WB=A.X_WB,
        capsules=Capsules(link=own.link[1:], a=own.a[1:], b=own.b[1:], radius=own.radius[1:]),
    )
    swept = sweep(moving, trajectory, RESOLUTION)
    states = trajectory.sample(np.linspace(0, trajectory.duration, DENSE))[0]
    for _ in range(few_if_interpreted(40, 8)):
        X = pose(*rng.uniform(-1.2, 1.2, 3), rng.uniform(0, 3))
        boxes = Boxes(X_WO=np.stack([X, pose(0, 0, -2)]), half=rng.uniform(0.05, 0.2, (2, 3)))
        exact = float(clearance(Scene(bodies=(moving,), boxes=boxes), states[:, None]).min())
        bound = sweep_box_distance(swept, boxes)
        if bound < 0.0:
            assert exact <= RESOLUTION + 0.02
        else:
            assert exact - RESOLUTION - 0.02 <= bound <= exact + 1e-9
        assert sweep_box_distance(swept, boxes, 0.01) == pytest.approx(min(bound, 0.01)) or bound < 0.0


def test_an_arm_at_rest_sweeps_itself_only():
    q = 0.2 * CHAIN.q_max
    still = Trajectory(t=[0.0], q=q[None], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))
    swept = sweep(A, still, RESOLUTION)
    np.testing.assert_allclose(swept.capsules[0], place_capsules(A, q), atol=1e-8)
    other = sweep(B, still, RESOLUTION)
    exact = clearance(Scene(bodies=(A, B)), [q, q])
    assert sweep_distance(swept, other, 9.0) == pytest.approx(exact, abs=1e-8)


def test_nothing_thin_slips_through_between_samples():
    """A fast swing with a coarse resolution still meets a post as thin as a needle in its way."""
    swing = rest_to_rest(np.zeros(6), np.eye(6)[0] * 2.0, LIMITS)
    swept = sweep(A, swing, 0.5)
    middle = place_capsules(A, np.eye(6)[0] * 1.0)
    post = Boxes(X_WO=pose(*middle[6, :3])[None], half=np.full((1, 3), 1e-4))
    assert sweep_box_distance(swept, post) < 0.0


def test_reach_bounds_the_speed_of_every_point():
    rng = np.random.default_rng(31)
    ends = Capsules(
        link=np.arange(7), a=rng.normal(size=(7, 3)), b=rng.normal(size=(7, 3)), radius=np.ones(7)
    )
    q = rng.uniform(CHAIN.q_min, CHAIN.q_max, (few_if_interpreted(300, 20), 6))
    reach = joint_reach(Body(chain=CHAIN, X_WB=np.eye(4), capsules=ends))
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
        sweep(A, motion(1), resolution)
