"""A world watches itself: room between arms, forbidden contacts, its time; its clock waits for ends."""

import math
from collections.abc import Callable
from itertools import combinations

import coal
import numpy as np
import pybullet
import pytest

from cells.cell import CellArm
from cells.driver import Dwell, QueueStatus, Status, StopCategory
from cells.tool_shape import hand_capsule
from kinematics import link_frames
from sim.sim_arm import SimArm
from sim.world import SimClock, World
from tests.sim.handling import Hand
from tests.sim.test_handling import PARTS, put

pytestmark = pytest.mark.pybullet

AWAY = np.array([0.4, 0.5, 0.3, -0.6, -1.1, 0.8])


def bodies(arm: SimArm) -> list[tuple[coal.Capsule, coal.Transform3s]]:
    """Capsules of the moving links and the hand at the measured joints, for an independent library."""
    cell_arm: CellArm = arm.cell_arm
    X_WL = cell_arm.X_WB @ link_frames(cell_arm.arm.chain, arm.measured_q())
    own = cell_arm.arm.capsules
    hand = hand_capsule(cell_arm.tool)
    rows = [
        (int(k), a, b, float(r))
        for k, a, b, r in zip(own.link, own.a, own.b, own.radius, strict=True)
        if k > 0
    ]
    found = []
    for link, a, b, radius in [*rows, (6, np.array(hand.a_m), np.array(hand.b_m), hand.radius_m)]:
        p, q = (X_WL[link][:3, :3] @ end + X_WL[link][:3, 3] for end in (a, b))
        length = float(np.linalg.norm(q - p))
        z = (q - p) / length
        x = np.cross(z, [1.0, 0.0, 0.0] if abs(z[0]) < 0.9 else [0.0, 1.0, 0.0])
        x /= np.linalg.norm(x)
        pose = coal.Transform3s(np.stack([x, np.cross(z, x), z], axis=1), (p + q) / 2)
        found.append((coal.Capsule(radius, length), pose))
    return found


def gap(a: SimArm, b: SimArm) -> float:
    best = math.inf
    for one, X_one in bodies(a):
        for two, X_two in bodies(b):
            result = coal.DistanceResult()
            best = min(best, coal.distance(one, X_one, two, X_two, coal.DistanceRequest(), result))
    return best


def test_smallest_clearance_is_that_of_an_independent_library(new_world: Callable) -> None:
    world: World = new_world()
    pairs = list(combinations(world.arms.values(), 2))
    assert world.min_clearance_m == pytest.approx(min(gap(a, b) for a, b in pairs), abs=1e-6)
    hand = Hand(world, "R1")
    hand.arm.queue(hand.to(AWAY))
    gaps = [world.min_clearance_m]
    while hand.arm.status is Status.RUNNING:
        world.step()
        gaps.append(min(gap(a, b) for a, b in pairs if hand.arm in (a, b)))
    # Not every step is measured: an arm at 2 m/s comes nearer by at most 50 mm in 25 ms.
    assert min(gaps) - 1e-6 <= world.min_clearance_m <= min(gaps) + 0.05


def test_clock_stops_in_the_very_step_in_which_something_ends(new_world: Callable) -> None:
    world: World = new_world()
    hand = Hand(world, "R1")
    clock = SimClock(world, period_s=10.0)
    hand.arm.queue(hand.segment(None, Dwell(duration_s=0.31)))
    clock.advance()
    (result,) = hand.arm.read().results
    assert result.end_ns == 310_000_000
    assert 0 <= clock.now_ns - result.end_ns < 9_000_000
    hand.arm.queue(hand.to(AWAY))
    SimClock(world).advance()
    hand.arm.stop(StopCategory.STOP_AND_HOLD)
    clock.advance()
    assert hand.arm.status is Status.STOPPED
    assert clock.now_ns < 1_000_000_000


def test_clock_passes_no_more_than_its_period(new_world: Callable) -> None:
    world: World = new_world()
    clock = SimClock(world)
    clock.advance()
    assert clock.now_ns == 25_000_000


def test_times_of_a_step_add_up(new_world: Callable) -> None:
    world: World = new_world()
    hand = Hand(world, "R1")
    hand.run(hand.to(AWAY))
    times = world.times
    assert times.engine_s > 0.0
    assert times.calls_s > 0.0
    assert times.own_share == pytest.approx(1.0 - (times.engine_s + times.calls_s) / times.total_s)
    assert 0.0 < times.own_share < 1.0


def insert_halfway(world: World) -> Hand:
    """R1 has gripped a stator and is inside its housing when it is stopped; the arm is at rest then."""
    part = PARTS["stator"]
    put(world, "P0", "housing")
    put(world, "feeder_stator", "stator")
    hand = Hand(world, "R1")
    hand.run(*hand.fetch("feeder_stator", part))
    for segment in hand.place("P0", part, part.fit.entry_m):
        assert hand.arm.queue(segment) is QueueStatus.ACCEPTED
    while hand.arm.gripper.inside is None:
        world.step()
    hand.arm.stop(StopCategory.STOP_AND_HOLD)
    for _ in range(60):
        world.step()
    assert hand.arm.status is Status.STOPPED
    return hand


def test_a_part_let_go_inside_its_counterpart_collides_with_it_again(new_world: Callable) -> None:
    world: World = new_world()
    hand = insert_halfway(world)
    held = hand.arm.gripper.held
    assert held is not None
    housing = world.at["P0"].body

    def touching() -> bool:
        return bool(pybullet.getContactPoints(held.body, housing, physicsClientId=world.engine.client))

    assert not touching()
    hand.arm.lose()
    touched = False
    for _ in range(12):
        world.step()
        touched = touched or touching()
    assert touched


def test_after_a_stop_the_counterpart_must_not_be_touched_any_more(new_world: Callable) -> None:
    world: World = new_world()
    hand = insert_halfway(world)
    part, housing = hand.arm.gripper.held, world.at["P0"]
    hand.arm.enable()
    assert part is not None
    assert not world.watch.allowed(part.body, housing.body)


def test_after_a_jam_the_counterpart_must_not_be_touched_any_more(new_world: Callable) -> None:
    world: World = new_world()
    part = PARTS["stator"]
    put(world, "P0", "housing")
    put(world, "feeder_stator", "stator")
    hand = Hand(world, "R1")
    hand.run(*hand.fetch("feeder_stator", part))
    hand.run(*hand.place("P0", part, part.fit.entry_m, miss=(4e-3, 0.0)))
    held = hand.arm.gripper.held
    assert hand.arm.read().status is Status.FAULT
    assert held is not None
    assert not world.watch.allowed(held.body, world.at["P0"].body)
