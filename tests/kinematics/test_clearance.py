import coal
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from kinematics import (
    Body,
    Boxes,
    Capsules,
    KinematicsError,
    Scene,
    clearance,
    collides,
    link_frames,
    nearest,
    place_capsules,
)
from kinematics.clearance import _smallest
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import body, placed_body, pose, rows_distance
from tests.kinematics.samples import few_if_interpreted

N = few_if_interpreted(400, 60)
CHAIN = ARMS["KR 6 R900-2"][0]
UNIT = Boxes(X_WO=np.eye(4)[None], half=np.ones((1, 3)))


def random_capsules(rng, count):
    rows = np.column_stack([rng.normal(size=(count, 6)), rng.uniform(0.0, 0.1, count)])
    rows[::7, 3:6] = rows[::7, :3]  # spheres
    rows[1::7, 3:6] = rows[1::7, :3] + [0.5, 0.0, 0.0]  # along an axis
    rows[2::7, 6] = 0.0  # bare segments
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


def random_boxes(rng, count, size=0.8):
    X = np.tile(np.eye(4), (count, 1, 1))
    X[:, :3, :3] = Rotation.random(count, rng=rng).as_matrix()
    X[:, :3, 3] = rng.normal(size=(count, 3))
    return Boxes(X_WO=X, half=rng.uniform(0.05, size, (count, 3)))


def coal_shapes(rows):
    """Capsules as coal knows them: shape and pose."""
    for row in np.atleast_2d(rows):
        axis = row[3:6] - row[:3]
        length = np.linalg.norm(axis)
        turn = Rotation.align_vectors([axis / length], [[0, 0, 1]])[0] if length else Rotation.identity()
        shape = coal.Capsule(row[6], length) if length else coal.Sphere(row[6])
        yield shape, coal.Transform3s(turn.as_matrix(), 0.5 * (row[:3] + row[3:6]))


def coal_boxes(boxes):
    for X, half in zip(boxes.X_WO, boxes.half, strict=True):
        yield coal.Box(*(2 * half)), coal.Transform3s(X[:3, :3], X[:3, 3])


def coal_distance(one, two):
    return coal.distance(*one, *two, coal.DistanceRequest(), coal.DistanceResult())


def test_capsule_distance_equals_a_minimisation():
    rng = np.random.default_rng(20)
    A, B = random_capsules(rng, N), random_capsules(rng, N)[::-1].copy()
    B[2::7, 3:6] = B[2::7, :3] + (A[2::7, 3:6] - A[2::7, :3])  # parallel
    for one, two in list(zip(A, B, strict=True))[::4]:
        expected = between_points(one[:3], one[3:6], two[:3], two[3:6]) - one[6] - two[6]
        assert rows_distance(one, two) == pytest.approx(expected, abs=2e-6)


def test_capsule_box_distance_equals_a_minimisation_and_coal():
    rng = np.random.default_rng(21)
    for capsule in random_capsules(rng, N)[::4]:
        box = random_boxes(rng, 1)
        X, half = box.X_WO[0], box.half[0]
        found = rows_distance(capsule, boxes=box)
        a, b = (X[:3, :3].T @ (p - X[:3, 3]) for p in (capsule[:3], capsule[3:6]))
        assert found == pytest.approx(between_points(a, b, a, b, half) - capsule[6], abs=2e-6)
        if found > 0.0 and capsule[6] > 0.0:
            expected = coal_distance(*coal_shapes(capsule), *coal_boxes(box))
            assert found == pytest.approx(expected, abs=1e-5)


def cell(arms=3, boxes=8, rng=None, pairs=()):
    """Arms of different makers around boxes."""
    rng = rng if rng is not None else np.random.default_rng(7)
    chains = [chain for chain, _ in ARMS.values()]
    bodies = tuple(
        placed_body(chains[k % 4], pose(0.9 * np.cos(k), 0.9 * np.sin(k), 0.0, k + 2.0), pairs)
        for k in range(arms)
    )
    return Scene(bodies=bodies, boxes=random_boxes(rng, boxes, 0.15))


def states(scene, count, seed=8):
    rng = np.random.default_rng(seed)
    return np.stack([rng.uniform(b.chain.q_min, b.chain.q_max, (count, 6)) for b in scene.bodies], axis=1)


def by_coal(scene, q):
    """Smallest distance of a state, over all pairs and without any cleverness."""
    placed = [place_capsules(b, row) for b, row in zip(scene.bodies, q, strict=True)]
    shapes, fixed = [list(coal_shapes(rows)) for rows in placed], list(coal_boxes(scene.boxes))
    found = [np.inf]
    for k, (b, own) in enumerate(zip(scene.bodies, shapes, strict=True)):
        moving = [shape for shape, link in zip(own, b.capsules.link, strict=True) if link > 0]
        others = [shape for other in shapes[:k] for shape in other]
        found += [coal_distance(one, two) for one in own for two in others]
        found += [coal_distance(one, two) for one in moving for two in fixed]
        found += [coal_distance(own[i], own[j]) for i, j in b.pairs]
    return min(found)


def test_smallest_of_all_pairs_counts():
    scene = cell(pairs=[[0, 6], [2, 6], [5, 1]])
    q = states(scene, few_if_interpreted(150, 20))
    found, expected = clearance(scene, q), np.array([by_coal(scene, row) for row in q])
    apart = expected > 0.0
    assert 0.1 < apart.mean() < 0.9 or few_if_interpreted(False, True)
    np.testing.assert_allclose(found[apart], expected[apart], atol=1e-6)
    np.testing.assert_array_equal(found <= 0.0, ~apart)
    np.testing.assert_array_equal(collides(scene, q), ~apart)
    np.testing.assert_array_equal(collides(scene, q, 0.05), found < 0.05)
    np.testing.assert_array_equal(clearance(scene, q, 0.05), np.minimum(found, 0.05))


def test_states_do_not_depend_on_their_batch():
    scene = cell()
    q = states(scene, 70)
    found = clearance(scene, q)
    for k in (0, 1, 63, 64, 69):
        assert clearance(scene, q[k]) == pytest.approx(found[k], abs=1e-14)
        assert collides(scene, q[k]) == (found[k] < 0.0)
    np.testing.assert_allclose(clearance(scene, q[::-1])[::-1], found, atol=1e-14)


def test_any_array_of_numbers_will_do():
    scene = cell(arms=2, boxes=2)
    q = states(scene, 6)
    wide = np.zeros((12, 2, 12))
    wide[::2, :, ::2] = q
    np.testing.assert_array_equal(clearance(scene, wide[::2, :, ::2]), clearance(scene, q))
    low = q.astype(np.float32)
    np.testing.assert_array_equal(clearance(scene, low), clearance(scene, low.astype(float)))
    np.testing.assert_array_equal(clearance(scene, q.tolist()), clearance(scene, q))
    assert clearance(scene, np.empty((0, 2, 6))).shape == (0,)
    assert collides(scene, np.empty((0, 2, 6))).shape == (0,)
    assert place_capsules(scene.bodies[0], np.empty((0, 6))).shape == (0, 7, 7)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused(bad):
    scene = cell(arms=2, boxes=1)
    q = states(scene, 3)
    q[1, 1, 2] = bad
    for call in (clearance, collides, nearest):
        with pytest.raises(KinematicsError, match=r"q\[1, 1, 2\]: .*inf|q\[1, 1, 2\]: nan"):
            call(scene, q)
    with pytest.raises(KinematicsError, match="distance: nan m"):
        clearance(scene, q[0], np.nan)


def test_wrong_shapes_are_refused():
    scene = cell(arms=2, boxes=1)
    with pytest.raises(KinematicsError, match=r"q: shape \(3, 3, 6\), expected \(n, 2, 6\)"):
        clearance(scene, np.zeros((3, 3, 6)))
    with pytest.raises(KinematicsError, match="q: 200000 rad, expected at most 100000 rad"):
        clearance(scene, np.full((2, 6), 2e5))
    with pytest.raises(KinematicsError, match="bodies: none, expected at least one arm"):
        Scene(bodies=())
    with pytest.raises(KinematicsError, match=r"body\.pairs: 7, expected an integer from 0 to 6"):
        placed_body(CHAIN, np.eye(4), [[0, 7]])


def test_placed_capsules_move_with_their_links():
    rng = np.random.default_rng(22)
    for chain, _ in ARMS.values():
        capsules, X_WB = body(chain), pose(1.0, -2.0, 0.5, 0.7)
        order = rng.permutation(7)
        capsules = Capsules(
            link=capsules.link[order], a=capsules.a[order], b=capsules.b[order], radius=capsules.radius[order]
        )
        q = rng.uniform(chain.q_min, chain.q_max, (few_if_interpreted(70, 5), 6))
        arm = Body(chain=chain, X_WB=X_WB, capsules=capsules)
        placed = place_capsules(arm, q)
        X_WL = X_WB @ link_frames(chain, q)[:, capsules.link]
        for ends, columns in ((capsules.a, slice(0, 3)), (capsules.b, slice(3, 6))):
            expected = (X_WL[..., :3, :3] @ ends[:, :, None])[..., 0] + X_WL[..., :3, 3]
            np.testing.assert_allclose(placed[..., columns], expected, atol=2e-15)
        np.testing.assert_array_equal(placed[..., 6], np.broadcast_to(capsules.radius, (len(q), 7)))
        np.testing.assert_allclose(place_capsules(arm, q[3]), placed[3], atol=1e-15)


def test_no_state_is_nearer_than_pairs_always_keep():
    """What lets pairs be left out is a bound over all states, also outside the joint limits."""
    scene = cell()
    q = np.random.default_rng(9).uniform(-4.0, 4.0, (few_if_interpreted(1000, 10), 3, 6))
    model = scene.model
    assert (model.apart > 0.0).any()
    for k in range(0, len(model.pairs), few_if_interpreted(1, 9)):
        alone = model._replace(pairs=model.pairs[k : k + 1], apart=np.array([-np.inf]))
        assert _smallest(alone, q, np.inf, -np.inf)[0].min() >= model.apart[k] - 1e-12


def test_nothing_is_infinitely_far():
    assert rows_distance([[0, 0, 0, 1, 0, 0, 0.1]]) == np.inf
    empty = Capsules(link=[], a=np.empty((0, 3)), b=np.empty((0, 3)), radius=[])
    bare = Body(chain=CHAIN, X_WB=np.eye(4), capsules=empty)
    scene = Scene(bodies=(bare, placed_body(CHAIN, np.eye(4))))
    assert clearance(scene, np.zeros((2, 6))) == np.inf
    assert not collides(scene, np.zeros((2, 6)))
    assert nearest(scene, np.zeros((2, 6))) == "nothing to compare"


def test_touching_is_negative_by_the_radii():
    capsule = [0, 0, 0, 1, 0, 0, 0.1]
    assert rows_distance(capsule, capsule) == pytest.approx(-0.2)
    assert rows_distance(capsule, boxes=UNIT) == pytest.approx(-0.1)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([[0, 0, 2, 0, 0, 2, 0.0]], 1.0),  # a point above the box
        ([[0, 0, 1, 0, 0, 1, 0.0]], 0.0),  # on its face
        ([[0, 0, 1.5, 0, 0, 3, 0.5]], 0.0),  # touches it
        ([[-3, 0, 0, 3, 0, 0, 0.0]], 0.0),  # runs through it
        ([[0, 0, 0, 0, 0, 0, 0.25]], -0.25),  # inside
        ([[2, -3, 2, 2, 3, 2, 0.0]], np.sqrt(2.0)),  # along an edge
    ],
)
def test_degenerate_and_touching_capsules_have_a_distance(rows, expected):
    assert rows_distance(rows, boxes=UNIT) == pytest.approx(expected, abs=1e-12)


def test_points_have_a_distance():
    assert rows_distance([0, 0, 0, 0, 0, 0, 0.0], [3, 4, 0, 3, 4, 0, 0.0]) == pytest.approx(5.0)
    assert rows_distance([0, 0, 0, 0, 0, 0, 0.0], [0, 0, 0, 0, 0, 0, 0.0]) == 0.0
    assert rows_distance([0, 0, 0, 0, 0, 0, 0.0], [1, -1, 0, 1, 1, 0, 0.0]) == pytest.approx(1.0)


def test_nested_boxes_count_by_the_outer_one():
    boxes = Boxes(X_WO=np.stack([np.eye(4)] * 2), half=[[1, 1, 1], [0.1, 0.1, 0.1]])
    assert rows_distance([0, 0, 2, 0, 0, 3, 0.1], boxes=boxes) == pytest.approx(0.9)
    assert rows_distance([0, 0, 0, 0, 0, 0, 0.1], boxes=boxes) == pytest.approx(-0.1)


def test_the_nearest_are_named():
    boxes = Boxes(X_WO=np.stack([pose(9, 0, 0), pose(0, 0, 1.0)]), half=np.full((2, 3), 0.1))
    first = placed_body(CHAIN, pose(0, 0, 0))
    assert nearest(Scene(bodies=(first,), boxes=boxes), np.zeros((1, 6))).endswith("m from box 1")
    pair = Scene(bodies=(first, placed_body(CHAIN, pose(0.4, 0, 0))), boxes=boxes)
    assert "of arm" in nearest(pair, np.zeros((2, 6)))
    assert nearest(pair, np.zeros((2, 6)), arm=0) == nearest(pair, np.zeros((2, 6)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"link": [7]}, "capsules.link: 7, expected an integer from 0 to 6"),
        ({"link": [0.5]}, "capsules.link: 0.5, expected an integer"),
        ({"a": np.zeros((2, 3))}, r"capsules.a: shape \(2, 3\), expected \(1, 3\)"),
        ({"radius": [-0.1]}, r"capsules.radius\[0\]: -0.1 m, expected at least 0"),
        ({"b": [[0, np.nan, 0]]}, r"capsules.b\[0, 1\]: nan, expected a finite number"),
    ],
)
def test_impossible_capsules_are_refused(values, message):
    good = {"link": [0], "a": np.zeros((1, 3)), "b": np.zeros((1, 3)), "radius": [0.1]}
    with pytest.raises(KinematicsError, match=message):
        Capsules(**(good | values))


def test_impossible_boxes_are_refused():
    with pytest.raises(KinematicsError, match=r"boxes\.half: 0 m, expected more than 0"):
        Boxes(X_WO=np.eye(4)[None], half=[[1.0, 0.0, 1.0]])
    with pytest.raises(KinematicsError, match=r"boxes\.X_WO\[0\]: axes are off by 3, expected a rotation"):
        Boxes(X_WO=np.diag([2.0, 1.0, 1.0, 1.0])[None], half=np.ones((1, 3)))
