"""A simulated arm keeps the driver's contract and follows its setpoints."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pybullet
import pytest

from cells.driver import Dwell, QueueStatus, Segment, Status, StopCategory
from cells.tool_shape import X_FT
from kinematics import forward_kinematics, rest_to_rest
from sim.arm_urdf import FLANGE_LINK
from tests.sim.handling import ZERO, Hand

pytestmark = pytest.mark.pybullet

AWAY = np.array([0.4, 0.5, 0.3, -0.6, -1.1, 0.8])


def test_flange_follows_the_trajectory_within_20_micrometres(new_world: Callable) -> None:
    world = new_world()
    hand = Hand(world, "R2")
    chain, X_WB = hand.arm.cell_arm.arm.chain, hand.arm.cell_arm.X_WB
    trajectory = rest_to_rest(ZERO, AWAY, hand.arm.limits)
    assert hand.arm.queue(hand.segment(trajectory)) is QueueStatus.ACCEPTED
    worst = 0.0
    while hand.arm.status is Status.RUNNING:
        world.step()
        q, _, _ = trajectory.sample(np.array([world.time_ns * 1e-9]))
        expected = (X_WB @ forward_kinematics(chain, q[0]))[:3, 3]
        state = pybullet.getLinkState(hand.arm.body, FLANGE_LINK, computeForwardKinematics=1)
        worst = max(worst, float(np.linalg.norm(np.array(state[4]) - expected)))
    assert 0.0 < worst < 20e-6


def test_fingers_meet_at_the_tool_centre_point(new_world: Callable) -> None:
    world = new_world()
    arm = world.arms["R1"]
    middle = np.mean(
        [
            pybullet.getLinkState(arm.body, link, computeForwardKinematics=1)[4]
            for link in (FLANGE_LINK + 1, FLANGE_LINK + 2)
        ],
        axis=0,
    )
    X_WF = arm.cell_arm.X_WB @ forward_kinematics(arm.cell_arm.arm.chain, ZERO)
    np.testing.assert_allclose(middle, (X_WF @ X_FT(arm.cell_arm.tool))[:3, 3], atol=1e-6)


def test_segments_follow_each_other_without_a_gap_in_device_time(new_world: Callable) -> None:
    hand = Hand(new_world(), "R1")
    results = hand.run(
        hand.to(AWAY), hand.segment(None, Dwell(duration_s=0.1)), hand.to(ZERO), hand.to(AWAY / 2)
    )
    assert len(results) == 4
    for before, after in pairwise(results):
        assert after.start_ns == before.end_ns
    assert results[1].end_ns - results[1].start_ns == 100_000_000
    assert hand.arm.read().results == ()


def test_refuses_what_does_not_start_where_the_last_one_ends(new_world: Callable) -> None:
    hand = Hand(new_world(), "R1")
    arm = hand.arm
    elsewhere = rest_to_rest(ZERO + 0.01, AWAY, arm.limits)
    assert arm.queue(Segment(id=1, trajectory=elsewhere)) is QueueStatus.REFUSED
    too_fast = rest_to_rest(ZERO, AWAY, arm.limits).stretched(0.8)
    assert arm.queue(Segment(id=2, trajectory=too_fast)) is QueueStatus.REFUSED
    beyond = rest_to_rest(ZERO, np.array([3.2, 0.0, 0.0, 0.0, 0.0, 0.0]), arm.limits)
    assert arm.queue(Segment(id=3, trajectory=beyond)) is QueueStatus.REFUSED


def test_nothing_moves_before_the_arm_is_enabled(new_world: Callable) -> None:
    arm = new_world().arms["R3"]
    assert arm.read().status is Status.DISABLED
    trajectory = rest_to_rest(ZERO, AWAY, arm.limits)
    assert arm.queue(Segment(id=1, trajectory=trajectory)) is QueueStatus.REFUSED


@pytest.mark.parametrize("category", list(StopCategory))
def test_stop_stays_on_the_path_flushes_and_latches(new_world: Callable, category: StopCategory) -> None:
    world = new_world()
    hand = Hand(world, "R1")
    trajectory = rest_to_rest(ZERO, AWAY, hand.arm.limits)
    hand.arm.queue(hand.segment(trajectory))
    hand.arm.queue(hand.to(ZERO))
    for _ in range(25):
        world.step()
    hand.arm.stop(category)
    for _ in range(120):
        world.step()
    state = hand.arm.read()
    held = category is StopCategory.STOP_AND_HOLD
    assert state.status is (Status.STOPPED if held else Status.DISABLED)
    assert state.results == ()
    path = trajectory.sample(np.linspace(0.0, trajectory.duration, 4001))[0]
    assert np.abs(path - state.q).max(axis=1).min() < 1e-3
    assert np.abs(state.q - AWAY).max() > 0.05
    assert np.abs(state.qd).max() < 1e-6
    assert hand.arm.queue(Segment(id=9, process=Dwell(duration_s=0.1))) is QueueStatus.REFUSED
    for _ in range(60):
        world.step()
    np.testing.assert_allclose(hand.arm.read().q, state.q, atol=1e-7)

    hand.arm.enable()
    hand.q = hand.arm.read().q
    assert len(hand.run(hand.to(ZERO))) == 1
    np.testing.assert_allclose(hand.arm.read().q, ZERO, atol=1e-5)


def test_running_into_a_table_is_seen_and_faults_the_arm(new_world: Callable) -> None:
    world = new_world()
    hand = Hand(world, "R1")
    X_WS = world.seat("feeder_rotor")
    hand.run(hand.to(hand.over(X_WS, 0.10)), hand.line(0.0, 0.0, -0.18, 0.3))
    state = hand.arm.read()
    assert state.status is Status.FAULT
    assert "following error" in state.fault
    assert any((c.a, c.b) == ("R1", "feeder_rotor") and c.depth_m > 0.0 for c in world.collisions)
    assert hand.arm.queue(Segment(id=5, process=Dwell(duration_s=0.1))) is QueueStatus.REFUSED
    hand.arm.enable()
    assert hand.arm.read().status is Status.FAULT


def test_servo_errors_show_at_the_flange_and_not_in_the_encoders(new_world: Callable) -> None:
    world = new_world(seed=4, ideal=False)
    hand = Hand(world, "R1")
    hand.run(hand.to(AWAY))
    np.testing.assert_allclose(hand.arm.read().q, AWAY, atol=1e-4)
    state = pybullet.getLinkState(hand.arm.body, FLANGE_LINK, computeForwardKinematics=1)
    cell_arm = hand.arm.cell_arm
    nominal = (cell_arm.X_WB @ forward_kinematics(cell_arm.arm.chain, AWAY))[:3, 3]
    assert 0.05e-3 < np.linalg.norm(np.array(state[4]) - nominal) < 0.4e-3
