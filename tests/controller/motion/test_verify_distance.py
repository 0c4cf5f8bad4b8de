"""Order, margins and distances of the check against brute force and the planner's own kinematics."""

import numpy as np
import pytest

from controller.motion.plan_document import CapsuleRecord, FixtureRecord
from controller.motion.plan_records import cell_record
from controller.motion.shape import moving_capsules
from controller.motion.verify_body import ArmBody
from controller.motion.verify_distance import (
    MARGIN_M,
    box_solid,
    column_solid,
    keep_apart,
    moving_solid,
    resting_solid,
)
from controller.motion.verify_order import CircleError, Order
from controller.motion.verify_trajectory import Quintics
from kinematics import Body, Boxes, Capsules, Scene, clearance, place_capsules, rest_to_rest
from tests.controller.motion.small_plan import CELL, cell

RNG = np.random.default_rng(5)


def body(index):
    return ArmBody(cell_record(cell(), CELL).arms[index])


def hand(index):
    own = moving_capsules(cell().arms[index])
    return CapsuleRecord(link=6, a_m=own.a[-1], b_m=own.b[-1], radius_m=own.radius[-1])


def motion(index, start, end):
    return rest_to_rest(np.array(start), np.array(end), cell().arms[index].arm.limits)


def planners_body(index, capsules=None):
    """An arm as the planner sees it."""
    arm = cell().arms[index]
    own = capsules if capsules is not None else moving_capsules(arm)
    return Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=own)


def densely(trajectory, count=400):
    """States (count, 6) of a motion."""
    return trajectory.sample(np.linspace(0.0, trajectory.duration, count))[0]


# Towards the dial and across it, in front of the neighbour.
ACROSS = [motion(0, [a, 0.6, -0.3, 0.1, -1.0, 0.4], [-a, 0.9, -0.6, -0.3, -1.2, -0.9]) for a in (0.9, 0.4)]
BESIDE = [motion(1, [a, 0.5, -0.2, 0.2, -1.1, 0.0], [0.1, 0.8, -0.5, 0.0, -1.0, 1.5]) for a in (-0.9, 0.7)]


@pytest.mark.parametrize("trajectory", ACROSS)
def test_the_polynomials_are_those_of_the_trajectory(trajectory):
    states = Quintics(trajectory).states()
    q, qd, qdd = trajectory.sample(states.t)
    np.testing.assert_allclose(states.q, q, atol=1e-12)
    np.testing.assert_allclose(states.qd, qd, atol=1e-9)
    np.testing.assert_allclose(states.qdd, qdd, atol=1e-6)


@pytest.mark.parametrize("trajectory", ACROSS)
def test_no_point_leaves_its_piece_by_more_than_the_margin(trajectory):
    arm = body(0)
    quintics = Quintics(trajectory)
    cells, _ = quintics.split(quintics.cells(), np.full(len(trajectory.t) - 1, 3))
    placed = arm.place(hand(0), cells)
    knots = trajectory.t
    for piece in range(len(cells.q)):
        i = int(cells.interval[piece])
        share = cells.middle[piece] + cells.half[piece] * np.linspace(-1, 1, 9)
        q, _, _ = trajectory.sample(knots[i] + share * (knots[i + 1] - knots[i]))
        assert (np.abs(q - cells.q[piece]) <= cells.delta[piece] + 1e-12).all()
        dense = place_capsules(planners_body(0), q)
        away = np.linalg.norm(dense[..., :6].reshape(len(q), -1, 2, 3) - placed.ends[piece], axis=-1)
        assert (away.max(axis=(0, 2)) <= placed.margin[piece] + 1e-9).all()
        # An honest margin, not a wild one: some point comes within a third of it.
        assert away.max() >= placed.margin[piece].max() / 3


def test_the_first_pieces_move_by_no_more_than_ten_millimetres():
    assert moving_solid(body(0), hand(0), ACROSS[0]).margin.max() <= MARGIN_M == 0.005


@pytest.mark.parametrize("one", ACROSS)
@pytest.mark.parametrize("two", BESIDE)
def test_two_arms_are_apart_as_dense_samples_say(one, two):
    scene, dense, other = Scene(bodies=(planners_body(0), planners_body(1))), densely(one), densely(two)
    nearest = min(
        float(clearance(scene, np.stack([dense, np.roll(other, shift, axis=0)], axis=1)).min())
        for shift in range(400)
    )
    solids = moving_solid(body(0), hand(0), one), moving_solid(body(1), hand(1), two)
    # Dense samples may miss the nearest moment by the little that arms move between them.
    measured, good = keep_apart(*solids, nearest - 0.004)
    assert good
    assert measured >= nearest - 0.004
    measured, good = keep_apart(*solids, nearest + 0.0005)
    assert not good
    assert measured == pytest.approx(nearest, abs=0.02) or nearest < 0


def test_arms_at_rest_are_as_far_apart_as_the_planner_says():
    pairs = []
    for _ in range(30):
        q = RNG.uniform([-1.2, 0.0, -0.9, -1.0, -1.5, -3.0], [1.2, 1.0, 0.5, 1.0, 0.0, 3.0], size=(2, 6))
        wanted = float(clearance(Scene(bodies=(planners_body(0), planners_body(1))), q))
        solids = [resting_solid(body(k), hand(k), q[k]) for k in range(2)]
        measured, good = keep_apart(*solids, wanted + 0.01)
        assert not good
        if wanted > 0:
            assert measured == pytest.approx(wanted, abs=1e-6)
            assert keep_apart(*solids, wanted - 1e-5)[1]
            pairs.append(wanted)
    assert len(pairs) > 5


def test_boxes_are_as_far_as_the_planner_says():
    X_WO = np.eye(4)
    X_WO[:3, 3] = [0.6, 0.1, 1.25]
    X_WO[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    fixture = FixtureRecord(name="box", X_WO=X_WO.tolist(), half_m=(0.05, 0.1, 0.2))
    boxes = Boxes(X_WO=X_WO[None], half=np.array([[0.05, 0.1, 0.2]]))
    scene = Scene(bodies=(planners_body(0),), boxes=boxes)
    nearest = float(clearance(scene, densely(ACROSS[1], 2000)[:, None]).min())
    assert nearest > 0
    solid = moving_solid(body(0), hand(0), ACROSS[1])
    assert keep_apart(solid, box_solid(fixture), nearest - 0.001)[1]
    measured, good = keep_apart(solid, box_solid(fixture), nearest + 0.001)
    assert not good
    assert measured == pytest.approx(nearest, abs=0.01)


def test_the_base_of_an_arm_stands_where_its_capsule_is():
    arm = cell().arms[1]
    own = arm.arm.capsules
    base = own.link == 0
    column = Capsules(link=own.link[base], a=own.a[base], b=own.b[base], radius=own.radius[base])
    # The first arm's moving links stand where the second arm's base is measured from.
    scene = Scene(bodies=(planners_body(1, column), planners_body(0)))
    wanted = float(clearance(scene, np.zeros((2, 6))))
    measured, _ = keep_apart(
        column_solid(body(1)), resting_solid(body(0), hand(0), np.zeros(6)), wanted + 0.01
    )
    assert measured == pytest.approx(wanted, abs=1e-6)


class Node:
    def __init__(self, resource, *predecessors):
        self.resource, self.predecessors = resource, predecessors


def test_order_agrees_with_walking_back_through_the_arcs():
    for _ in range(20):
        last, nodes = {}, []
        for index in range(60):
            resource = f"R{RNG.integers(4)}"
            before = {last[resource]} if resource in last else set()
            before |= {int(other) for other in RNG.integers(0, max(index, 1), size=RNG.integers(3)) if index}
            nodes.append(Node(resource, *sorted(before)))
            last[resource] = index
        ancestors = []
        for node in nodes:
            ancestors.append(set(node.predecessors).union(*(ancestors[other] for other in node.predecessors)))
        order = Order(nodes)
        assert order.gaps == []
        for two in range(60):
            assert {one for one in range(60) if order.before(one, two)} == ancestors[two]


def test_a_resource_without_an_order_of_its_own_is_a_gap():
    assert Order([Node("A"), Node("B", 0), Node("A", 0), Node("A", 1)]).gaps == [(2, 3)]


def test_a_circle_is_named():
    with pytest.raises(CircleError) as caught:
        Order([Node("A"), Node("B", 0, 3), Node("A", 1), Node("B", 2), Node("C", 3)])
    assert sorted(caught.value.nodes) == [1, 2, 3]
