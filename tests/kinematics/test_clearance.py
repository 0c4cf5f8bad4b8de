import coal
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from kinematics import (
    Boxes,
    Capsules,
    KinematicsError,
    box_distance,
    distance,
    link_frames,
    place_capsules,
    self_distance,
)
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import body, pose
from tests.kinematics.samples import few_if_interpreted

N = few_if_interpreted(400, 60)
CHAIN = ARMS["KR 6 R900-2"][0]


def random_capsules(rng, count):
    rows = np.column_stack([rng.normal(size=(count, 6)), rng.uniform(0.01, 0.1, count)])
    rows[::7, 3:6] = rows[::7, :3]  # spheres
    rows[1::7, 3:6] = rows[1::7, :3] + [0.5, 0.0, 0.0]  # along an axis
    return rows


def between_points(a, b, c, d, half=None):
    """Distance of segment a-b from segment c-d, or from the box [-half, half], by minimisation."""

    def squared(s):
        p = a + s[0] * (b - a)
        q = np.clip(p, -half, half) if half is not None else c + s[1] * (d - c)
        return float(((p - q) ** 2).sum())

    best = min(
        (
            minimize(
                squared, start, bounds=[(0, 1)] * 2, method="L-BFGS-B", options={"ftol": 1e-16, "gtol": 1e-12}
            )
            for start in ([0.5, 0.5], [0.0, 1.0], [1.0, 0.0])
        ),
        key=lambda result: result.fun,
    )
    return np.sqrt(best.fun)


def test_capsule_distance_equals_a_minimisation():
    rng = np.random.default_rng(20)
    A, B = random_capsules(rng, N), random_capsules(rng, N)[::-1].copy()
    B[2::7, 3:6] = B[2::7, :3] + (A[2::7, 3:6] - A[2::7, :3])  # parallel
    found = distance(A[:, None], B[:, None])
    for one, two, gap in list(zip(A, B, found, strict=True))[::4]:
        expected = between_points(one[:3], one[3:6], two[:3], two[3:6]) - one[6] - two[6]
        assert gap == pytest.approx(expected, abs=2e-6)


def test_capsule_box_distance_equals_a_minimisation_and_coal():
    rng = np.random.default_rng(21)
    A = random_capsules(rng, N)
    for capsule in A[::4]:
        X, half = np.eye(4), rng.uniform(0.05, 0.8, 3)
        X[:3, :3], X[:3, 3] = Rotation.random(rng=rng).as_matrix(), rng.normal(size=3)
        found = box_distance(capsule[None, None], Boxes(X_WO=X[None], half=half[None]))[0]
        a, b = (X[:3, :3].T @ (p - X[:3, 3]) for p in (capsule[:3], capsule[3:6]))
        assert found == pytest.approx(between_points(a, b, a, b, half) - capsule[6], abs=2e-6)
        length = np.linalg.norm(capsule[3:6] - capsule[:3])
        if found > 0.0 and length > 0.0:
            z = (capsule[3:6] - capsule[:3]) / length
            x = np.cross(z, [1.0, 0.0, 0.0] if abs(z[0]) < 0.9 else [0.0, 1.0, 0.0])
            x /= np.linalg.norm(x)
            turn = np.column_stack([x, np.cross(z, x), z])
            place = coal.Transform3s(turn, 0.5 * (capsule[:3] + capsule[3:6]))
            other = coal.Transform3s(X[:3, :3], X[:3, 3])
            request, result = coal.DistanceRequest(), coal.DistanceResult()
            shape = coal.Capsule(capsule[6], length)
            gap = coal.distance(shape, place, coal.Box(*(2 * half)), other, request, result)
            assert found == pytest.approx(gap, abs=1e-5)


def test_placed_capsules_move_with_their_links():
    rng = np.random.default_rng(22)
    capsules, X_WB = body(CHAIN), pose(1.0, -2.0, 0.5, 0.7)
    q = rng.uniform(CHAIN.q_min, CHAIN.q_max, (70, 6))
    placed = place_capsules(CHAIN, X_WB, capsules, q)
    X_WL = X_WB @ link_frames(CHAIN, q)[:, capsules.link]
    for ends, columns in ((capsules.a, slice(0, 3)), (capsules.b, slice(3, 6))):
        expected = (X_WL[..., :3, :3] @ ends[:, :, None])[..., 0] + X_WL[..., :3, 3]
        np.testing.assert_allclose(placed[..., columns], expected, atol=2e-15)
    np.testing.assert_array_equal(placed[..., 6], np.broadcast_to(capsules.radius, (70, 7)))
    np.testing.assert_allclose(place_capsules(CHAIN, X_WB, capsules, q[3]), placed[3], atol=1e-15)


def test_smallest_of_all_pairs_counts():
    rng = np.random.default_rng(23)
    A, B = (random_capsules(rng, 30).reshape(5, 6, 7) for _ in range(2))
    pairs = [(i, j) for i in range(6) for j in range(6)]
    each = [distance(A[:, i : i + 1], B[:, j : j + 1]) for i, j in pairs]
    np.testing.assert_allclose(distance(A, B), np.min(each, axis=0), atol=1e-15)
    np.testing.assert_allclose(distance(A, B[:1])[2], distance(A[2:3], B[:1])[0])
    chosen = [(0, 3), (1, 5), (2, 4)]
    own = [distance(A[:, i : i + 1], A[:, j : j + 1]) for i, j in chosen]
    np.testing.assert_allclose(self_distance(A, chosen), np.min(own, axis=0), atol=1e-15)
    X = np.stack([pose(*rng.normal(size=3), yaw) for yaw in (0.1, 0.2, 0.3)])
    half = rng.uniform(0.1, 0.3, (3, 3))
    alone = [box_distance(A, Boxes(X_WO=X[k : k + 1], half=half[k : k + 1])) for k in range(3)]
    np.testing.assert_allclose(box_distance(A, Boxes(X_WO=X, half=half)), np.min(alone, axis=0), atol=1e-15)


def test_nothing_is_infinitely_far():
    A, none = np.zeros((2, 1, 7)), Boxes(X_WO=np.empty((0, 4, 4)), half=np.empty((0, 3)))
    assert distance(A, np.empty((2, 0, 7))).tolist() == [np.inf, np.inf]
    assert box_distance(A, none).tolist() == [np.inf, np.inf]
    assert self_distance(A, np.empty((0, 2))).tolist() == [np.inf, np.inf]


def test_touching_is_negative_by_the_radii():
    capsule = np.array([[[0, 0, 0, 1, 0, 0, 0.1]]])
    assert distance(capsule, capsule)[0] == pytest.approx(-0.2)
    box = Boxes(X_WO=np.eye(4)[None], half=np.ones((1, 3)))
    assert box_distance(capsule, box)[0] == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"link": [7]}, "capsules.link: 7, expected an integer from 0 to 6"),
        ({"link": [0.5]}, "capsules.link: 0.5, expected an integer"),
        ({"a": np.zeros((2, 3))}, r"capsules.a: shape \(2, 3\), expected \(1, 3\)"),
        ({"radius": [0.0]}, r"capsules.radius\[0\]: 0 m, expected more than 0"),
    ],
)
def test_impossible_capsules_are_refused(values, message):
    good = {"link": [0], "a": np.zeros((1, 3)), "b": np.zeros((1, 3)), "radius": [0.1]}
    with pytest.raises(KinematicsError, match=message):
        Capsules(**(good | values))


def test_mismatched_bodies_are_refused():
    with pytest.raises(KinematicsError, match="B: 3 states, expected 1 or 2 as in A"):
        distance(np.zeros((2, 1, 7)), np.zeros((3, 1, 7)))
    with pytest.raises(KinematicsError, match="pairs: 4, expected an integer from 0 to 0"):
        self_distance(np.zeros((2, 1, 7)), [[0, 4]])
    with pytest.raises(KinematicsError, match=r"boxes\.half: 0 m, expected more than 0"):
        Boxes(X_WO=np.eye(4)[None], half=[[1.0, 0.0, 1.0]])
