from itertools import pairwise

import numpy as np
import pytest

from kinematics import (
    Boxes,
    KinematicsError,
    PathStatus,
    Scene,
    box_distance,
    place_capsules,
    plan_path,
    self_distance,
)
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import body, pose
from tests.kinematics.samples import few_if_interpreted

CHAIN = ARMS["LR Mate 200iD/7L"][0]
START = np.array([-1.0, 0.7, 0.2, 0.0, -1.0, 0.0])
GOAL = START * [-1, 1, 1, 1, 1, 1]
WALL = Boxes(X_WO=pose(0.75, 0.0, 0.3)[None], half=np.array([[0.4, 0.05, 0.3]]))
PAIRS = np.array([[0, 4], [0, 6], [2, 6]])


def scene(**changes):
    values = {"boxes": WALL, "clearance": 0.01, "resolution": few_if_interpreted(0.02, 0.1)} | changes
    return Scene(chain=CHAIN, X_WB=np.eye(4), capsules=body(CHAIN), pairs=PAIRS, **values)


def assert_free(path, where):
    for one, two in pairwise(path.q):
        q = one + np.linspace(0, 1, few_if_interpreted(300, 30))[:, None] * (two - one)
        placed = place_capsules(CHAIN, where.X_WB, where.capsules, q)
        assert box_distance(placed, where.boxes).min() >= where.clearance
        assert self_distance(placed, where.pairs).min() >= where.clearance


def test_way_around_a_wall_is_found_and_free():
    where = scene()
    path = plan_path(where, START, GOAL, np.random.default_rng(1))
    assert path.status == PathStatus.FOUND
    np.testing.assert_array_equal(path.q[[0, -1]], [START, GOAL])
    assert len(path.q) > 2
    assert np.abs(np.diff(path.q, axis=0)).max(axis=1).min() > 0.0
    assert_free(path, where)


def test_the_same_seed_gives_the_same_path():
    one, two = (plan_path(scene(), START, GOAL, np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(one.q, two.q)
    assert one.iterations == two.iterations


def test_without_a_wall_the_path_is_straight():
    path = plan_path(scene(boxes=Boxes(X_WO=np.empty((0, 4, 4)), half=np.empty((0, 3)))), START, GOAL, None)
    assert path.iterations == 0
    np.testing.assert_array_equal(path.q, [START, GOAL])


def test_shortcuts_make_it_no_longer():
    lengths = [
        np.abs(
            np.diff(plan_path(scene(), START, GOAL, np.random.default_rng(3), shortcuts=n).q, axis=0)
        ).sum()
        for n in (0, 60)
    ]
    assert lengths[1] <= lengths[0]


def test_blocked_ends_say_by_what():
    rng = np.random.default_rng(4)
    in_wall = START * [0, 1, 1, 1, 1, 1]
    path = plan_path(scene(), in_wall, GOAL, rng)
    assert path.status == PathStatus.START_BLOCKED
    assert "from box 0, clearance 0.0100 m" in path.reason
    path = plan_path(scene(), START, GOAL + 5.0 * np.eye(6)[0], rng)
    assert path.status == PathStatus.GOAL_BLOCKED
    assert path.reason.startswith("goal: joint 1 at 6.0000 rad is outside its limits")
    folded = plan_path(scene(clearance=0.5), START, GOAL, rng)
    assert folded.status == PathStatus.START_BLOCKED


def test_touching_oneself_is_named():
    nothing = Boxes(X_WO=np.empty((0, 4, 4)), half=np.empty((0, 3)))
    path = plan_path(scene(boxes=nothing, clearance=0.6), START, GOAL, None)
    assert "capsules 0 and" in path.reason
    assert path.status == PathStatus.START_BLOCKED


def test_giving_up_is_a_result():
    cage = Boxes(X_WO=pose(0.75, 0.0, 0.0)[None], half=np.array([[0.4, 0.05, 3.0]]))
    tall = Boxes(
        X_WO=np.concatenate([cage.X_WO, pose(-0.75, 0.0, 0.0)[None], pose(0, 0, 1.25)[None]]),
        half=np.array([[0.5, 0.05, 3.0], [0.5, 0.05, 3.0], [1.0, 0.05, 0.3]]),
    )
    path = plan_path(scene(boxes=tall), START, GOAL, np.random.default_rng(5), iterations=20)
    assert path.status == PathStatus.NOT_FOUND
    assert path.reason == "no path after 20 iterations"
    assert path.q.shape == (0, 6)


def test_impossible_scenes_are_refused():
    with pytest.raises(KinematicsError, match=r"clearance -0\.1 m"):
        scene(clearance=-0.1)
