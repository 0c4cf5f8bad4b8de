import numpy as np
import pytest

from kinematics import (
    Boxes,
    KinematicsError,
    Scene,
    Trajectory,
    clearance,
    first_contact,
    place_capsules,
    rest_to_rest,
    through,
)
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import placed_body, pose
from tests.kinematics.samples import few_if_interpreted

CHAIN, LIMITS = ARMS["GP7"]
BOXES = Boxes(X_WO=pose(0.6, 0.0, 0.4)[None], half=np.full((1, 3), 0.1))
SCENE = Scene(
    bodies=(placed_body(CHAIN, np.eye(4), [[2, 6]]), placed_body(CHAIN, pose(1.2, 0.2, 0, 2.5))), boxes=BOXES
)
TOLERANCE = few_if_interpreted(1e-3, 5e-2)


def motions(seed):
    rng = np.random.default_rng(seed)
    return [through(rng.uniform(0.4 * CHAIN.q_min, 0.4 * CHAIN.q_max, (3, 6)), LIMITS) for _ in range(2)]


def still(q):
    return Trajectory(t=[0.0], q=[q], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6)))


def densely(scene, moving, t):
    return clearance(scene, np.stack([motion.sample(t)[0] for motion in moving], axis=1))


def test_contact_is_where_dense_samples_have_it_and_never_later():
    seen = set()
    for seed in range(few_if_interpreted(25, 4)):
        moving = motions(seed)
        found = first_contact(SCENE, moving, 0.01, TOLERANCE)
        t = np.linspace(0, max(m.duration for m in moving), few_if_interpreted(4000, 40))
        near = t[densely(SCENE, moving, t) < 0.01]
        if found is None:
            assert len(near) == 0
        else:
            assert len(near) == 0 or found <= near[0]
            after = found + np.linspace(0.0, few_if_interpreted(5e-3, 0.1), 200)
            assert densely(SCENE, moving, after).min() < 0.01 + TOLERANCE
        seen.add(found is None)
    assert seen == {True, False} or few_if_interpreted(False, True)


def test_nothing_thin_slips_through_between_samples():
    """A fast swing meets a post as thin as a needle, between the first samples."""
    arm = placed_body(CHAIN, np.eye(4))
    hand = place_capsules(arm, [0.1, 1.2, 0.0, 0.0, 0.0, 0.0])[6, :3]
    scene = Scene(bodies=(arm,), boxes=Boxes(X_WO=pose(*hand)[None], half=np.full((1, 3), 1e-4)))
    swing = rest_to_rest([-1.5, 1.2, 0.0, 0.0, 0.0, 0.0], [1.5, 1.2, 0.0, 0.0, 0.0, 0.0], LIMITS)
    t = np.linspace(0.0, swing.duration, 2000)
    dense = clearance(scene, swing.sample(t)[0][:, None])
    assert dense.min() < 0.0
    found = first_contact(scene, [swing])
    assert found is not None
    assert found == pytest.approx(t[dense < 0.0][0], abs=5e-3)


def test_arms_at_rest_meet_at_once_or_never():
    apart = [still(np.zeros(6)), still(np.zeros(6))]
    far = float(clearance(SCENE, np.zeros((2, 6))))
    assert first_contact(SCENE, apart, 0.9 * far) is None
    assert first_contact(SCENE, apart, 1.1 * far) == 0.0


def test_wrong_questions_are_refused():
    with pytest.raises(KinematicsError, match="motions: 1, expected one for each of 2 arms"):
        first_contact(SCENE, motions(0)[:1])
    for clearance_m, tolerance in ((-1.0, 1e-3), (np.nan, 1e-3), (0.0, 0.0), (0.0, np.inf)):
        with pytest.raises(KinematicsError, match="first_contact: clearance"):
            first_contact(SCENE, motions(0), clearance_m, tolerance)
