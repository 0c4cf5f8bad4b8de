import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from kinematics import Chain, KinematicsError, LineError, forward_kinematics, straight_line
from tests.kinematics.arms import ARMS, DEG
from tests.kinematics.samples import few_if_interpreted
from tests.kinematics.test_profile import largest_use

CHAIN, LIMITS = ARMS["GP7"]
Q_START = np.array([0, 20, 10, 0, -80, 0]) * DEG
X_START = forward_kinematics(CHAIN, Q_START)


def moved(offset=(0, 0, 0), rotation=(0, 0, 0)):
    X = X_START.copy()
    X[:3, 3] += offset
    X[:3, :3] = Rotation.from_rotvec(rotation).as_matrix() @ X[:3, :3]
    return X


LINES = {
    "down": ((0, 0, -0.2), (0, 0, 0)),
    "aslant and turning": ((0.1, 0.2, 0.1), (0.2, -0.1, 0.6)),
    "turning in place": ((0, 0, 0), (0, 0, 1.0)),
    "half a turn": ((0, 0, 0.05), (0, 0, np.pi)),
    "hardly turning": ((0.05, 0, 0), (0, 0, 1e-8)),
}


@pytest.mark.parametrize("name", LINES)
def test_flange_stays_on_the_line_within_all_limits(name):
    X_end = moved(*LINES[name])
    line = straight_line(CHAIN, LIMITS, X_START, X_end, Q_START, 0.5, 5.0)
    assert np.diff(line.t).max() <= 0.01
    assert largest_use(line, LIMITS) < 1.0 + 1e-6
    t = np.linspace(0, line.duration, few_if_interpreted(800, 60))
    q, qd, _ = line.sample(t)
    X = forward_kinematics(CHAIN, q)
    np.testing.assert_allclose(X[[0, -1]], [X_START, X_end], atol=1e-9)
    way = X_end[:3, 3] - X_START[:3, 3]
    off = X[:, :3, 3] - X_START[:3, 3]
    off -= np.outer(off @ way / max(way @ way, 1e-300), way)
    assert np.linalg.norm(off, axis=1).max() < 5e-5
    # The rotation keeps its axis: its vector is along that of the end.
    whole = Rotation.from_matrix(X_end[:3, :3] @ X_START[:3, :3].T).as_rotvec()
    part = Rotation.from_matrix(X[:, :3, :3] @ X_START[:3, :3].T).as_rotvec()
    assert np.abs(np.cross(part[:-1], whole)).max() < 1e-6
    speed = np.linalg.norm(np.diff(X[:, :3, 3], axis=0), axis=1) / np.diff(t)
    assert speed.max() < 0.5 * (1 + 1e-6)
    np.testing.assert_allclose(qd[[0, -1]], 0.0, atol=1e-9)
    np.testing.assert_allclose(line.q[0], Q_START, atol=1e-9)


def test_joint_limits_slow_the_whole_line_down():
    slow = straight_line(CHAIN, LIMITS, X_START, moved((0, 0, -0.2)), Q_START, 5.0, 50.0)
    quick = 0.2 / 5.0
    assert slow.duration > quick
    assert 0.9 < largest_use(slow, LIMITS) < 1.0 + 1e-6


def test_knots_are_added_until_they_are_near_enough():
    line = straight_line(CHAIN, LIMITS, X_START, moved((0, 0, -0.2)), Q_START, 0.05, 1.0)
    assert line.duration > 2.0
    assert np.diff(line.t).max() <= 0.01


def test_the_same_pose_is_a_single_knot():
    line = straight_line(CHAIN, LIMITS, X_START, X_START, Q_START, 0.5, 5.0)
    assert line.duration == 0.0
    np.testing.assert_array_equal(line.q, Q_START[None])


def test_out_of_reach_says_where():
    with pytest.raises(LineError, match=r"at 0.2\d+ m of 1.0000 m \(2\d.\d %\): out of reach"):
        straight_line(CHAIN, LIMITS, X_START, moved((1.0, 0, 0)), Q_START, 0.5, 5.0)


def test_beyond_a_limit_says_which():
    names = ("a1", "a2", "b", "c1", "c2", "c3", "c4", "offsets", "signs")
    narrow = Chain(**{name: getattr(CHAIN, name) for name in names}, q_min=Q_START - 0.1, q_max=Q_START + 0.1)
    with pytest.raises(LineError, match=r"limit of joint [235]: -?\d.\d+ rad, allowed"):
        straight_line(narrow, LIMITS, X_START, moved((0, 0, -0.3)), Q_START, 0.5, 5.0)


def test_singular_is_named():
    q = Q_START.copy()
    q[4] = 0.0
    X = forward_kinematics(CHAIN, q)
    X_end = X.copy()
    X_end[2, 3] -= 0.1
    with pytest.raises(LineError, match=r"at 0.0000 m .* singular, joints at \["):
        straight_line(CHAIN, LIMITS, X, X_end, q, 0.5, 5.0)


def test_malformed_input_is_named():
    X_end = moved((0, 0, -0.1))
    with pytest.raises(KinematicsError, match=r"speed: 0\.0, expected a finite number above 0"):
        straight_line(CHAIN, LIMITS, X_START, X_end, Q_START, 0.0, 5.0)
    with pytest.raises(KinematicsError, match=r"q_start: its flange is .* off X_BF_start"):
        straight_line(CHAIN, LIMITS, X_START, X_end, Q_START + 0.1, 0.5, 5.0)
