"""Limits at all times: what passes and what does not agrees with dense samples, torques with another library."""

import numpy as np
import pytest

from cells.cell import load_cell
from cells.hand_load import hand_load
from cells.joint_model import load_joint_model
from cells.part import parts_of
from controller.motion.plan_document import HandRecord
from controller.motion.plan_records import cell_record, hand_document
from controller.motion.verify_body import ArmBody
from controller.motion.verify_trajectory import Quintics, States
from kinematics import Bodies, Trajectory, inverse_dynamics, rest_to_rest
from sim.workpiece import part_mass

CELL = load_cell("six_arm")
LIMITS = CELL.arms[0].arm.limits
PART = parts_of(load_joint_model("Pro-NU80-160-110"))["output_flange"]


def random_motion(rng, knots=5):
    """Any quintics, as a hostile file may hold them."""
    t = np.append(0.0, np.cumsum(rng.uniform(0.01, 0.3, knots - 1)))
    q, qd, qdd = (scale * rng.normal(size=(knots, 6)) for scale in (1.0, 2.0, 20.0))
    return Trajectory(t=t, q=q, qd=qd, qdd=qdd)


def densely(motion, order):
    """Sizes (6,) of a derivative at their largest, by samples; jerk by differences of accelerations."""
    t = np.linspace(0.0, motion.duration, 40_001)
    states = motion.sample(t)
    return np.abs(states[order] if order < 3 else np.diff(states[2], axis=0) / t[1]).max(axis=0)


@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_a_limit_just_below_the_largest_value_is_passed_and_one_just_above_is_not(order):
    rng = np.random.default_rng(order)
    for _ in range(12):
        motion = random_motion(rng)
        largest, joint = densely(motion, order), int(rng.integers(6))
        limit = 2.0 * largest
        limit[joint] = 0.99 * largest[joint]
        quintics = Quintics(motion)
        found = quintics.excess(order, limit)
        assert found.joint == joint
        assert found.share == pytest.approx(1 / 0.99, rel=5e-3)
        assert abs(found.value) == pytest.approx(largest[joint], rel=5e-3)
        if order < 3:
            there = motion.sample([found.t])[order][0, joint]
            assert there == pytest.approx(found.value, rel=5e-3)
        limit[joint] = 1.01 * largest[joint]
        assert quintics.excess(order, limit) is None


def test_a_motion_planned_at_its_limits_keeps_them():
    rng = np.random.default_rng(1)
    for _ in range(20):
        motion = rest_to_rest(*rng.uniform(-1.0, 1.0, (2, 6)), LIMITS)
        quintics = Quintics(motion)
        for order, limit in ((1, LIMITS.velocity), (2, LIMITS.acceleration), (3, LIMITS.jerk)):
            assert quintics.excess(order, limit) is None
        assert quintics.excess(3, 0.999 * LIMITS.jerk) is not None


def test_positions_count_from_the_middle_of_their_range_and_rest_is_no_exception():
    motion = Trajectory(
        t=[0.0], q=[[0.0, 0.0, 2.0, 0.0, 0.0, 0.0]], qd=np.zeros((1, 6)), qdd=np.zeros((1, 6))
    )
    half, middle = np.ones(6), np.array([0.0, 0.0, 1.1, 0.0, 0.0, 0.0])
    assert Quintics(motion).excess(0, half, middle) is None
    found = Quintics(motion).excess(0, half - 0.5, middle)
    assert (found.joint, found.value) == (2, pytest.approx(2.0))


def test_a_jump_of_acceleration_in_an_instant_is_jerk():
    """So short that rounding of the positions hides the jerk of the quintic."""
    qdd = np.zeros((4, 6))
    qdd[2:, 0] = 10.0
    t = np.array([0.0, 0.1, 0.1 + 1e-6, 0.2])
    q, qd = np.ones((4, 6)), np.zeros((4, 6))
    found = Quintics(Trajectory(t=t, q=q, qd=qd, qdd=qdd)).excess(3, LIMITS.jerk)
    assert found is not None
    assert found.joint == 0


def test_what_is_no_number_is_beyond_every_limit():
    q = np.zeros((2, 6))
    q[1, 4] = 1e308
    q[0, 4] = -1e308
    with np.errstate(all="ignore"):
        quintics = Quintics(Trajectory(t=[0.0, 1.0], q=q, qd=np.zeros((2, 6)), qdd=np.zeros((2, 6))))
        assert all(quintics.excess(order, np.ones(6)) is not None for order in range(3))


def test_torques_are_those_of_the_planners_dynamics_with_the_hand_on_the_last_link():
    rng, arm = np.random.default_rng(2), CELL.arms[1]
    hand = HandRecord.model_validate(hand_document(arm.tool, PART))
    links = arm.arm.links[1:]
    mass = np.array([link.mass_kg for link in links])
    com = np.array([link.com_m for link in links])
    inertia = np.array([np.diag(link.inertia_kgm2) for link in links])
    # The hand as a body of its own: its torques are those of the last link replaced by it, without the other links.
    lone = Bodies(
        mass=np.array([0, 0, 0, 0, 0, hand.mass_kg]),
        com=np.array([*np.zeros((5, 3)), hand.com_m]),
        inertia=np.array([*np.zeros((5, 3, 3)), np.diag(hand.inertia_kgm2)]),
    )
    q, qd, qdd = (scale * rng.normal(size=(40, 6)) for scale in (1.0, 2.0, 10.0))
    chain = arm.arm.chain
    wanted = sum(
        inverse_dynamics(chain.serial(bodies), q, qd, qdd)
        for bodies in (Bodies(mass=mass, com=com, inertia=inertia), lone)
    )
    body = ArmBody(cell_record(CELL, "six_arm").arms[1])
    found = body.torques(hand, States(t=np.zeros(40), q=q, qd=qd, qdd=qdd))
    np.testing.assert_allclose(found, np.abs(wanted), rtol=1e-9, atol=1e-9)


def test_the_load_of_a_hand_is_tool_and_part_at_the_tool_centre_point():
    tool, own = CELL.arms[0].tool, part_mass(PART)
    alone, both = hand_load(tool), hand_load(tool, PART)
    assert alone.mass_kg == tool.mass_kg
    assert both.mass_kg == pytest.approx(tool.mass_kg + PART.mass_kg)
    # The part hangs below the tool centre point by as much as its centre of mass is below its grip.
    at = tool.length_m + PART.grip.height_m - own.com_m[2]
    moment = both.mass_kg * both.com_m - tool.mass_kg * alone.com_m
    assert moment == pytest.approx(PART.mass_kg * at)
    assert both.along_kgm2 - alone.along_kgm2 == pytest.approx(own.inertia_kgm2[2, 2])
    about_flange = both.across_kgm2 + both.mass_kg * both.com_m**2
    tool_about = alone.across_kgm2 + alone.mass_kg * alone.com_m**2
    assert about_flange - tool_about == pytest.approx(own.inertia_kgm2[0, 0] + PART.mass_kg * at**2)
