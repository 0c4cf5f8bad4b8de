"""Planted faults: each is found and named; the untouched plan passes."""

import dataclasses
import sys
from collections import Counter

import numpy as np
import pytest

from cells.recipe import recipe_for
from controller.motion.plan_files import read_plan, write_plan
from controller.motion.plan_records import cell_record
from controller.motion.verify import verify_plan
from controller.motion.verify_body import MissingLibraryError
from controller.motion.verify_clearance import ClearanceCheck
from controller.motion.verify_order import Order
from controller.motion.verify_recipe import RecipeCheck
from kinematics import Trajectory
from tests.controller.motion.small_plan import CELL, cell, models, planned


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    directory = tmp_path_factory.mktemp("plan")
    write_plan(directory, planned(1), cell(), CELL)
    return read_plan(directory)


def verify(stored):
    return verify_plan(stored, cell(), cell_record(cell(), CELL), models())


def changed(record, **values):
    return record.model_copy(update=values)


def with_document(stored, **values):
    return dataclasses.replace(stored, document=changed(stored.document, **values))


def with_item(stored, name, index, **values):
    items = list(getattr(stored.document, name))
    items[index] = changed(items[index], **values)
    return with_document(stored, **{name: tuple(items)})


def with_trajectory(stored, index, trajectory):
    trajectories = list(stored.trajectories)
    trajectories[index] = trajectory
    return dataclasses.replace(stored, trajectories=tuple(trajectories))


def without_arc(stored, before, after):
    left = tuple(other for other in stored.document.nodes[after].predecessors if other != before)
    return with_item(stored, "nodes", after, predecessors=left)


def find(stored, resource, label, operation, joint=0):
    """Id of the first such node."""
    wanted = (resource, label, operation, joint)
    return next(
        index
        for index, node in enumerate(stored.document.nodes)
        if (node.resource, node.label, node.operation, node.joint) == wanted
    )


def leg_of(stored, node):
    return stored.document.legs[stored.document.nodes[node].leg]


def only(verdict):
    """The first violation as the line that an operator sees."""
    assert verdict.violations
    return str(verdict.violations[0])


def test_the_untouched_plan_passes(stored):
    verdict = verify(stored)
    assert verdict.violations == ()
    assert verdict.measured.arm_pairs > 1000
    assert verdict.measured.fixture_pairs > 1000
    assert verdict.measured.arms_m >= cell().clearance.arms_m
    assert verdict.measured.fixtures_m >= cell().clearance.fixtures_m


def essential_coordination(stored):
    """Arcs between arms that no other arcs imply, and the plan without each."""
    for after, node in enumerate(stored.document.nodes):
        for before in node.coordination:
            fault = without_arc(stored, before, after)
            if not Order(fault.document.nodes).before(before, after):
                yield before, after, fault


def test_a_missing_arc_between_arms_is_found(stored):
    before, after, fault = next(essential_coordination(stored))
    check = ClearanceCheck(fault, Order(fault.document.nodes))
    line = str(next(check.arms(lambda done, of: None)))
    assert line.startswith("clearance: ")
    for node in (before, after):
        assert stored.document.nodes[node].resource in line
    assert "promised are 20.0 mm" in line


def test_what_a_planner_overlooks_that_does_not_look_far_ahead_is_found(stored):
    """Without any arc between arms that are planned more than ten seconds apart: no horizon in time is a proof."""
    nodes = list(stored.document.nodes)
    far = 0
    for index, node in enumerate(nodes):
        gone = {
            other
            for other in node.coordination
            if node.start_s - nodes[other].start_s - nodes[other].duration_s > 10.0
        }
        far += len(gone)
        nodes[index] = changed(
            node, predecessors=tuple(other for other in node.predecessors if other not in gone)
        )
    assert far > 10
    fault = with_document(stored, nodes=tuple(nodes))
    check = ClearanceCheck(fault, Order(fault.document.nodes))
    found = [str(item) for item in check.arms(lambda done, of: None)]
    assert found
    assert all(line.startswith("clearance: R") and " may be at the same time and " in line for line in found)


def test_every_other_arc_that_is_missing_is_found(stored):
    """Each arc of recipe, dial, stations and arms that no other arcs imply."""
    recipes = {model.name: recipe_for(model) for model in models()}
    rules = Counter()
    for after, node in enumerate(stored.document.nodes):
        for before in set(node.predecessors) - set(node.coordination):
            document = without_arc(stored, before, after).document
            order = Order(document.nodes)
            if order.before(before, after):
                continue
            found = ["chain"] if order.gaps else []
            if not found:
                found = [item.rule for item in RecipeCheck(document, order, cell(), recipes).violations()]
            assert found, (before, after)
            rules[found[0]] += 1
    assert set(rules) == {"chain", "precedence", "dial", "feeder", "station", "out tray"}


def test_a_leg_that_does_not_wait_for_the_one_before_is_found(stored):
    node = find(stored, "R1", "carry", "10")
    line = only(verify(without_arc(stored, node - 1, node)))
    assert line.startswith("chain: R1 carry of operation 10 for J0001 does not wait for R1 ")


def test_arcs_in_a_circle_are_found(stored):
    one, two = find(stored, "R1", "insert", "10"), find(stored, "R6", "fetch", "30")
    nodes = list(stored.document.nodes)
    nodes[one] = changed(nodes[one], predecessors=(*nodes[one].predecessors, two))
    nodes[two] = changed(nodes[two], predecessors=(*nodes[two].predecessors, one))
    line = only(verify(with_document(stored, nodes=tuple(nodes))))
    assert line.startswith("circle: these wait for each other: ")
    assert "R1 insert of operation 10 for J0001" in line
    assert "R6 fetch of operation 30 for J0001" in line


def test_a_knot_moved_within_a_leg_is_found(stored):
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    motion = stored.trajectories[leg.trajectory]
    q = motion.q.copy()
    q[len(q) // 2, 1] += 0.05
    fault = with_trajectory(stored, leg.trajectory, Trajectory(t=motion.t, q=q, qd=motion.qd, qdd=motion.qdd))
    assert only(verify(fault)).startswith("limit: R1 carry of operation 10 for J0001: velocity of joint 2")


def test_a_leg_that_ends_elsewhere_is_found(stored):
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    motion = stored.trajectories[leg.trajectory]
    q = motion.q.copy()
    q[-1, 3] += 2e-6
    fault = with_trajectory(stored, leg.trajectory, Trajectory(t=motion.t, q=q, qd=motion.qd, qdd=motion.qdd))
    assert only(verify(fault)) == (
        "seam: R1 dip of operation 10 for J0001 starts 0.000002 rad in joint 4 from where carry ended"
    )


def test_a_leg_that_does_not_end_at_rest_is_found(stored):
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    motion = stored.trajectories[leg.trajectory]
    qd = motion.qd.copy()
    qd[-1, 0] = 0.01
    fault = with_trajectory(stored, leg.trajectory, Trajectory(t=motion.t, q=motion.q, qd=qd, qdd=motion.qdd))
    assert "rest: R1 carry of operation 10 for J0001 does not end at rest" in map(
        str, verify(fault).violations
    )


@pytest.mark.parametrize(
    ("factor", "quantity"), [(0.2, "velocity"), (0.8, "acceleration"), (0.999, "jerk"), (0.3, "torque")]
)
def test_a_motion_that_is_too_fast_is_found(stored, factor, quantity):
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    fault = with_trajectory(stored, leg.trajectory, stored.trajectories[leg.trajectory].stretched(factor))
    lines = [str(item) for item in verify(fault).violations]
    assert any(f"limit: R1 carry of operation 10 for J0001: {quantity} of joint" in line for line in lines)


def test_a_jerk_between_knots_is_found(stored):
    """A motion through the same knots that has no more acceleration than it may, but gets to it too fast."""
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    motion = stored.trajectories[leg.trajectory]
    qdd = motion.qdd.copy()
    qdd[len(qdd) // 2, 2] *= 0.8
    fault = with_trajectory(stored, leg.trajectory, Trajectory(t=motion.t, q=motion.q, qd=motion.qd, qdd=qdd))
    lines = [str(item) for item in verify(fault).violations]
    assert any("limit: R1 carry of operation 10 for J0001: jerk of joint 3" in line for line in lines)


def test_a_load_that_is_too_heavy_is_found(stored):
    """Heavier than the plan says: the hand is wrong; as heavy as it says, but too heavy: so is the torque."""
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    fault = with_item(stored, "hands", leg.hand, mass_kg=60.0)
    lines = [str(item) for item in verify(fault).violations]
    assert any(line.startswith("payload: R1 ") and "mass_kg is 60.0, not 2." in line for line in lines)
    torque = [line for line in lines if line.startswith("limit: R1 ") and ": torque of joint " in line]
    assert torque
    assert all(float(line.split(" s, ")[1].split()[0]) > 1.0 for line in torque)


@pytest.mark.parametrize(
    ("label", "change", "line"),
    [
        ("fetch", {"force_n": 15.0}, "R1 fetch of operation 10 for J0001 has force_n 15 in its grip process"),
        ("fetch", {"internal": False}, "has internal 0 in its grip process, expected 1"),
        ("fetch", {"station": "press"}, "does its process at press, the leg is at feeder_housing"),
        ("insert", {"force_high_n": 9e3}, "has force_high_n 9000 in its insert process"),
        ("release", {"duration_s": 0.01}, "has duration_s 0.01 in its release process, expected 0.15"),
    ],
)
def test_a_process_with_other_parameters_is_found(stored, label, change, line):
    node = find(stored, "R1", label, "10")
    process = leg_of(stored, node).process
    fault = with_item(stored, "legs", stored.document.nodes[node].leg, process=changed(process, **change))
    found = [str(item) for item in verify(fault).violations]
    assert any(item.startswith("process: R1 ") and line in item for item in found)


def test_screws_driven_to_another_torque_are_found(stored):
    node = next(
        index
        for index, record in enumerate(stored.document.nodes)
        if record.leg is not None and leg_of(stored, index).does == "screw"
    )
    process = leg_of(stored, node).process
    leg = stored.document.nodes[node].leg
    fault = with_item(stored, "legs", leg, process=changed(process, torque_nm=1.5 * process.torque_nm))
    assert any(
        item.rule == "process" and " has torque_nm " in item.detail for item in verify(fault).violations
    )


def test_a_box_that_does_not_hold_its_leg_is_found(stored):
    sweeps = list(stored.document.sweeps)
    low = sweeps[5].low_m
    sweeps[5] = changed(sweeps[5], low_m=(low[0] + 0.05, *low[1:]))
    arm = sweeps[5].arm
    line = only(verify(with_document(stored, sweeps=tuple(sweeps))))
    assert line.startswith(f"sweep: {arm} ")
    assert line.endswith("leaves the box that the plan gives")
    missing = with_document(stored, sweeps=stored.document.sweeps[1:])
    assert only(verify(missing)).startswith(f"sweep: {stored.document.sweeps[0].arm} ")


def test_a_position_beyond_its_limit_is_found(stored):
    leg = leg_of(stored, find(stored, "R1", "start", "10"))
    motion = stored.trajectories[leg.trajectory]
    fault = with_trajectory(
        stored, leg.trajectory, Trajectory(t=motion.t, q=motion.q + 7.0, qd=motion.qd, qdd=motion.qdd)
    )
    lines = [str(item) for item in verify(fault).violations]
    assert any(
        line.startswith("limit: R1 start of operation 10 for J0001: position of joint") for line in lines
    )


def test_a_leg_planned_shorter_than_its_motion_is_found(stored):
    node = find(stored, "R1", "carry", "10")
    line = only(verify(with_item(stored, "nodes", node, duration_s=0.5)))
    assert line.startswith("duration: R1 carry of operation 10 for J0001 is planned with 0.5000 s")


def test_swapped_legs_are_found(stored):
    node = find(stored, "R1", "carry", "10")
    nodes = list(stored.document.nodes)
    one, two = nodes[node], nodes[node + 1]
    nodes[node], nodes[node + 1] = changed(one, leg=two.leg), changed(two, leg=one.leg)
    line = only(verify(with_document(stored, nodes=tuple(nodes))))
    assert line.startswith("seam: R1 carry of operation 10 for J0001 starts ")


def test_an_enlarged_payload_is_found(stored):
    leg = leg_of(stored, find(stored, "R1", "carry", "10"))
    hand = stored.document.hands[leg.hand]
    fault = with_item(stored, "hands", leg.hand, radius_m=hand.radius_m + 0.3)
    assert only(verify(fault)).startswith("payload: R1 ")
    assert "another hand than that which holds housing: radius_m is 0.36, not 0.06" in only(verify(fault))
    # ... and were the hand really that large, arms would meet.
    check = ClearanceCheck(fault, Order(fault.document.nodes))
    assert next(check.arms(lambda done, of: None)).rule == "clearance"


def test_a_part_that_vanishes_is_found(stored):
    node = find(stored, "R1", "dip", "10")
    line = only(verify(with_item(stored, "legs", stored.document.nodes[node].leg, held="")))
    assert line == "payload: R1 dip of operation 10 for J0001 holds nothing, carry ended with housing"


def test_a_fixture_in_the_way_is_found(stored):
    """A box on the way of R1 to the dial."""
    record = stored.document.cell
    X_WO = np.eye(4)
    X_WO[:3, 3] = [0.6, 0.0, 0.35]
    box = changed(record.fixtures[0], name="crate", X_WO=tuple(map(tuple, X_WO)), half_m=(0.05, 0.05, 0.05))
    fault = with_document(stored, cell=changed(record, fixtures=(*record.fixtures, box)))
    assert only(verify(fault)) == f"cell: cell.fixtures is not that of {CELL}"
    found = list(ClearanceCheck(fault, Order(fault.document.nodes)).fixtures())
    assert all(item.rule == "fixture" and "and crate " in item.detail for item in found)
    assert any(item.detail.startswith("R1 ") for item in found)


@pytest.mark.parametrize(
    "field", ["lengths_m", "capsules", "X_WB", "q_max_rad", "velocity_rad_per_s", "torque_nm", "links"]
)
def test_another_arm_than_the_cell_has_is_found(stored, field):
    arms = list(stored.document.cell.arms)
    value = getattr(arms[2], field)
    other = {
        "lengths_m": lambda: changed(value, c2=value.c2 + 1e-4),
        "capsules": lambda: value[:-1],
        "links": lambda: (changed(value[0], mass_kg=1.0), *value[1:]),
        "X_WB": lambda: value[1:] + value[:1],
    }.get(field, lambda: tuple(item * 1.01 for item in value))()
    arms[2] = changed(arms[2], **{field: other})
    fault = with_document(stored, cell=changed(stored.document.cell, arms=tuple(arms)))
    assert only(verify(fault)) == f"cell: cell.arms[2].{field} is not that of {CELL}"


@pytest.mark.parametrize(
    ("label", "values", "line"),
    [
        ("insert", {"operation": "30"}, "content: operation 10 of joint 1 "),
        ("release", {"operation": "999"}, "content: operation 999 of joint 1 is not in its recipe"),
    ],
)
def test_an_operation_that_is_not_done_as_the_recipe_says_is_found(stored, label, values, line):
    node = find(stored, "R1", label, "10")
    assert any(
        str(item).startswith(line) for item in verify(with_item(stored, "nodes", node, **values)).violations
    )


def test_a_release_that_is_left_out_is_found(stored):
    node = find(stored, "R1", "release", "10")
    fault = with_item(stored, "legs", stored.document.nodes[node].leg, process=None)
    lines = [str(item) for item in verify(fault).violations]
    assert "content: operation 10 of joint 1 has 0 legs that release, its recipe says 1" in lines


def test_a_nest_on_the_wrong_side_is_found(stored):
    legs = tuple(changed(leg, station="P5") if leg.station == "P0" else leg for leg in stored.document.legs)
    lines = [str(item) for item in verify(with_document(stored, legs=legs)).violations]
    assert "content: operation 10 of joint 1 is at dial position 5, where its side is not up" in lines


def test_a_leg_that_enters_a_nest_without_naming_it_is_found(stored):
    node = find(stored, "R1", "enter", "10")
    fault = with_item(stored, "legs", stored.document.nodes[node].leg, station="")
    line = only(verify(fault))
    assert line.startswith("nest: R1 in enter of operation 10 for J0001 comes down to ")
    assert line.endswith(" mm over nest P0 without naming it")


def test_an_unknown_model_is_found(stored):
    verdict = verify_plan(stored, cell(), cell_record(cell(), CELL), models()[:1])
    assert {item.rule for item in verdict.violations} == {"model"}


def test_a_missing_library_says_what_to_install(stored, monkeypatch):
    monkeypatch.setitem(sys.modules, "coal", None)
    with pytest.raises(MissingLibraryError, match=r"pip install 'jointcell\[verify\]'"):
        verify(stored)
