"""Simulated arms that are late: nothing is lost or changes its order; the study with parts is slow."""

from itertools import count

import numpy as np
import pytest

from cells.driver import Dwell, QueueStatus, Segment, Status, StopCategory
from controller.bench.delayed_run import LATEST_S
from controller.bench.late_world import FeedClock, LateArm, run_late_world
from kinematics import rest_to_rest
from sim.world import World
from tests.controller.motion.small_plan import cell, planned

pytestmark = pytest.mark.pybullet

THERE = np.array([0.3, 0.2, -0.2, 0.4, -0.5, 0.3])


def test_a_late_arm_does_everything_in_order_and_not_at_once() -> None:
    rng, ids = np.random.default_rng(0), count()
    with World(cell(), ideal=True) as world:
        arm = LateArm(world.arms["R1"], rng)
        clock = FeedClock(world, {"R1": arm}, rng)
        arm.enable()
        ways = [rest_to_rest(a, b, arm.limits) for a, b in ((np.zeros(6), THERE), (THERE, np.zeros(6)))]
        segments = [Segment(id=next(ids), trajectory=way) for way in ways]
        segments.append(Segment(id=next(ids), process=Dwell(duration_s=0.1)))
        for segment in segments:
            assert arm.queue(segment) is QueueStatus.ACCEPTED
        results = []
        while len(results) < len(segments):
            state = arm.read()
            results += state.results
            assert state.status is Status.RUNNING or len(results) == len(segments)
            assert clock.now_ns < 60e9
            clock.advance()
        assert [result.id for result in results] == [segment.id for segment in segments]
        starts = np.array([result.start_ns for result in results]) * 1e-9
        assert 0.0 < starts[0] < LATEST_S
        arm.queue(segments[2])
        arm.stop(StopCategory.STOP_AND_HOLD)
        clock.advance()
        assert arm.read().status is Status.STOPPED


@pytest.mark.slow
def test_late_arms_with_parts_keep_their_distance_and_lose_nothing() -> None:
    late = run_late_world(cell(), planned().graph, 2, seed=0)
    assert (late.cycles, late.stuck, late.collisions) == (2, [], 0)
    assert (late.dropped, late.badly_seated) == (0, 0)
    assert late.smallest_m >= 0.9 * cell().clearance.arms_m
