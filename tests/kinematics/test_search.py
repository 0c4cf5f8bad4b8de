from itertools import pairwise

import numpy as np
import pytest

from kinematics import Body, Boxes, KinematicsError, PathStatus, Scene, clearance, plan_path
from tests.kinematics.arms import ARMS
from tests.kinematics.bodies import body, placed_body, pose
from tests.kinematics.samples import INTERPRETED, few_if_interpreted

CHAIN = ARMS["LR Mate 200iD/7L"][0]
START = np.array([-1.0, 0.7, 0.2, 0.0, -1.0, 0.0])
GOAL = START * [-1, 1, 1, 1, 1, 1]
WALL = Boxes(X_WO=pose(0.75, 0.0, 0.3)[None], half=np.array([[0.4, 0.05, 0.3]]))
PAIRS = np.array([[0, 4], [0, 6], [2, 6]])


NOTHING = Boxes(X_WO=np.empty((0, 4, 4)), half=np.empty((0, 3)))
HOW = {"clearance": 0.01, "resolution": few_if_interpreted(0.02, 0.1)}


def scene(boxes=WALL, *others):
    arm = Body(chain=CHAIN, X_WB=np.eye(4), capsules=body(CHAIN), pairs=PAIRS)
    return Scene(bodies=(arm, *others), boxes=boxes)


def find(where, rng, start=START, goal=GOAL, **changes):
    return plan_path(where, start, goal, rng, **(HOW | changes))


def assert_free(path, where, *rest):
    for one, two in pairwise(path.q):
        q = one + np.linspace(0, 1, few_if_interpreted(300, 30))[:, None] * (two - one)
        states = np.stack([q, *(np.broadcast_to(other, q.shape) for other in rest)], axis=1)
        assert clearance(where, states).min() >= HOW["clearance"]


@pytest.mark.parametrize("seed", range(few_if_interpreted(5, 1)))
@pytest.mark.parametrize("shortcuts", [0, 60])
def test_way_around_a_wall_is_found_and_free(seed, shortcuts):
    path = find(scene(), np.random.default_rng(seed), shortcuts=shortcuts)
    assert path.status == PathStatus.FOUND
    np.testing.assert_array_equal(path.q[[0, -1]], [START, GOAL])
    assert len(path.q) > 2
    assert path.iterations > 0
    assert ((path.q >= CHAIN.q_min) & (path.q <= CHAIN.q_max)).all()
    assert_free(path, scene())


def test_way_around_another_arm_is_found_and_free():
    rest = np.array([0.0, 0.9, 0.0, 0.0, 0.5, 0.0])
    where = scene(NOTHING, placed_body(CHAIN, pose(1.3, 0.0, 0.0, np.pi)))
    path = find(where, np.random.default_rng(6), [START, rest])
    assert path.status == PathStatus.FOUND
    assert len(path.q) > 2
    assert_free(path, where, rest)
    other = find(
        scene(NOTHING, placed_body(CHAIN, pose(1.3, 0.0, 0.0, np.pi))), None, [rest, GOAL], GOAL, arm=1
    )
    assert other.status == PathStatus.FOUND


def test_the_same_seed_gives_the_same_path():
    one, two = (find(scene(), np.random.default_rng(2)) for _ in range(2))
    np.testing.assert_array_equal(one.q, two.q)
    assert one.iterations == two.iterations


@pytest.mark.skipif(INTERPRETED, reason="takes too long; the next test sees to it")
def test_small_strides_need_more_room():
    path = find(scene(), np.random.default_rng(1), stride=0.01, iterations=20000, shortcuts=0)
    assert path.status == PathStatus.FOUND
    assert np.abs(np.diff(path.q, axis=0)).max() <= 0.01 * (1 + 1e-9)
    assert len(path.q) > 256


def test_trees_grow_beyond_their_first_room(monkeypatch):
    wide = find(scene(), np.random.default_rng(1), shortcuts=0)
    monkeypatch.setattr("kinematics.search._NODES", 2)
    assert find(scene(), np.random.default_rng(1), shortcuts=0).status == wide.status == PathStatus.FOUND


def test_an_edge_close_to_a_box_is_looked_at_in_many_places():
    """More intervals in doubt than fit a block of lanes; what is a little too near is found, a little less is free."""
    arm = Body(chain=CHAIN, X_WB=np.eye(4), capsules=body(CHAIN))
    bend = np.array([0.0, 0.7, 0.2, 0.0, -1.0, 0.0])
    start, goal = (np.where(np.arange(6) == 0, a, bend) for a in (-0.5, 0.5))
    floor = Boxes(X_WO=pose(0.0, 0.0, -1.0)[None], half=np.array([[2.0, 2.0, 0.9]]))
    gap = float(clearance(Scene(bodies=(arm,), boxes=floor), start[None]))
    free = find(Scene(bodies=(arm,), boxes=floor), None, start, goal, clearance=gap - 0.004, resolution=0.004)
    assert len(free.q) == 2
    near = find(Scene(bodies=(arm,), boxes=floor), None, start, goal, clearance=gap + 1e-6, resolution=0.004)
    assert near.status == PathStatus.START_BLOCKED


def test_without_a_wall_the_path_is_straight():
    path = find(scene(NOTHING), None)
    assert path.iterations == 0
    np.testing.assert_array_equal(path.q, [START, GOAL])
    np.testing.assert_array_equal(find(scene(NOTHING), None, goal=START).q, [START, START])


def test_shortcuts_make_it_no_longer():
    lengths = [
        np.linalg.norm(np.diff(find(scene(), np.random.default_rng(3), shortcuts=n).q, axis=0), axis=1).sum()
        for n in (0, 60)
    ]
    assert lengths[1] < lengths[0]


def test_blocked_ends_say_by_what():
    rng = np.random.default_rng(4)
    in_wall = START * [0, 1, 1, 1, 1, 1]
    path = find(scene(), rng, in_wall)
    assert path.status == PathStatus.START_BLOCKED
    assert path.reason.startswith("start: capsule")
    assert path.reason.endswith("m from box 0, clearance 0.0100 m")
    path = find(scene(), rng, goal=GOAL + 5.0 * np.eye(6)[0])
    assert path.status == PathStatus.GOAL_BLOCKED
    assert path.reason.startswith("goal: joint 1 at 6.0000 rad is outside its limits")
    path = find(scene(), rng, goal=in_wall)
    assert path.status == PathStatus.GOAL_BLOCKED
    assert path.q.shape == (0, 6)


def test_touching_oneself_is_named():
    path = find(scene(NOTHING), None, clearance=0.6)
    assert "of arm 0 is" in path.reason
    assert "from capsule" in path.reason
    assert path.status == PathStatus.START_BLOCKED


def test_giving_up_is_a_result():
    cage = Boxes(X_WO=pose(0.75, 0.0, 0.0)[None], half=np.array([[0.4, 0.05, 3.0]]))
    tall = Boxes(
        X_WO=np.concatenate([cage.X_WO, pose(-0.75, 0.0, 0.0)[None], pose(0, 0, 1.25)[None]]),
        half=np.array([[0.5, 0.05, 3.0], [0.5, 0.05, 3.0], [1.0, 0.05, 0.3]]),
    )
    path = find(scene(tall), np.random.default_rng(5), iterations=few_if_interpreted(50, 3))
    assert path.status == PathStatus.NOT_FOUND
    assert path.reason == f"no path after {few_if_interpreted(50, 3)} iterations"
    assert path.q.shape == (0, 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"clearance": -0.1}, "clearance -0.1 m"),
        ({"clearance": np.nan}, "clearance nan m"),
        ({"resolution": 0.0}, "resolution 0.0 m"),
        ({"stride": np.nan}, "stride nan rad"),
        ({"arm": 1}, "arm: 1, expected an integer from 0 to 0"),
        ({"goal": np.full(6, np.nan)}, r"goal\[0\]: nan"),
        ({"start": np.full(6, np.inf)}, r"start\[0, 0, 0\]: inf|start\[0, 0\]: inf"),
    ],
)
def test_impossible_questions_are_refused(changes, message):
    with pytest.raises(KinematicsError, match=message):
        find(scene(), None, **changes)
