"""Dial, press, bench and spindles."""

from collections.abc import Callable

import numpy as np
import pytest

from cells.driver import StationCycle, StopCategory
from cells.joint_model import load_joint_model
from cells.part import parts_of
from sim.body import Workpiece
from sim.press import Press
from sim.screwdriving import Screw
from sim.workpiece import Placed
from tests.sim.handling import cycle

MODEL = "Pro-PR60-50-90"
PARTS = parts_of(load_joint_model(MODEL))


def put(world, station: str, name: str) -> Workpiece:  # type: ignore[no-untyped-def]
    workpiece = Workpiece(world.engine, "J1", MODEL, (Placed(part=PARTS[name], X_0P=np.eye(4)),))
    workpiece.rest(world.seat(station))
    world.at[station] = workpiece
    return workpiece


@pytest.mark.pybullet
def test_dial_carries_a_joint_all_round_and_turns_it_over(new_world: Callable) -> None:
    world = new_world()
    joint = put(world, "P0", "housing")
    other = put(world, "P3", "housing")
    for index in range(1, 8):
        result = cycle(world, "dial", 1.2)
        assert result.end_ns - result.start_ns == 1_200_000_000
        assert world.at[f"P{index}"] is joint
        turned = np.diag([1.0, -1.0, -1.0, 1.0]) if index > 3 else np.eye(4)
        np.testing.assert_allclose(joint.pose, world.seat(f"P{index}") @ turned, atol=1e-4)
        if index == 1:
            assert world.at["P4"] is other
            np.testing.assert_allclose(other.pose[:3, 2], [0.0, 0.0, -1.0], atol=1e-4)
    assert world.collisions == []


@pytest.mark.pybullet
def test_dial_moves_smoothly(new_world: Callable) -> None:
    world = new_world()
    joint = put(world, "P3", "housing")
    world.stations.start(StationCycle(id=1, station="dial", duration_s=1.2))
    heights, places = [], []
    while not world.stations.read():
        world.step()
        heights.append(joint.pose[2, 2])
        places.append(joint.pose[:2, 3])
    speed = np.linalg.norm(np.diff(places, axis=0), axis=1) * 120
    # A quintic's top speed is 1.875 times its mean; nothing jumps.
    assert speed.max() == pytest.approx(1.875 * 0.4 * np.pi / 4 / (0.92 * 1.2), rel=0.02)
    assert np.abs(np.diff(speed)).max() < 0.05 * speed.max()
    assert heights[0] == pytest.approx(1.0, abs=1e-3)
    assert heights[-1] == pytest.approx(-1.0, abs=1e-6)


@pytest.mark.pybullet
def test_a_stopped_dial_comes_to_rest_and_goes_on_from_there(new_world: Callable) -> None:
    world = new_world()
    joint = put(world, "P3", "housing")
    world.stations.start(StationCycle(id=1, station="dial", duration_s=1.2))
    for _ in range(60):
        world.step()
    world.stations.stop(StopCategory.STOP_AND_HOLD)
    for _ in range(60):
        world.step()
    rest = joint.pose
    assert world.stations.read() == ()
    assert np.linalg.norm(rest[:3, 3] - world.seat("P3")[:3, 3]) > 0.05
    for _ in range(30):
        world.step()
    np.testing.assert_array_equal(joint.pose, rest)
    cycle(world, "dial", 1.2)
    assert world.at["P4"] is joint
    np.testing.assert_allclose(joint.pose[:3, 3], world.seat("P4")[:3, 3], atol=1e-4)
    np.testing.assert_allclose(joint.pose[:3, 2], [0.0, 0.0, -1.0], atol=1e-3)


@pytest.mark.pybullet
def test_press_station_gives_the_hub_back_where_it_was(new_world: Callable) -> None:
    world = new_world()
    hub = put(world, "press", "rotor")
    result = cycle(world, "press", 6.0)
    assert result.measured["ok"] == 1.0
    assert result.measured["force_n"] == pytest.approx(3000.0)
    np.testing.assert_allclose(hub.pose, world.seat("press"), atol=1e-4)
    world.stations.chip_m = 0.3e-3
    assert cycle(world, "press", 6.0).measured["ok"] == 0.0
    assert hub.faults == ["press-fit outside its force-travel window"]


@pytest.mark.pybullet
def test_bench_drives_every_screw(new_world: Callable) -> None:
    world = new_world()
    put(world, "bench", "flexspline")
    result = cycle(world, "bench", 14.0)
    count = load_joint_model(MODEL).flexspline_screws.count
    assert sum(key.startswith("torque_") for key in result.measured) == count
    assert result.measured["ok"] == 1.0
    assert len(world.at["bench"].screw_ratios) == count


@pytest.mark.parametrize("dt", [1 / 120, 1 / 240, 1e-3])
def test_press_trips_at_the_same_point_whatever_the_step(dt: float) -> None:
    press = Press(1.0, np.random.default_rng(3))
    while press.result is None:
        press.advance(dt)
    assert press.result.force_n == pytest.approx(3000.0, rel=1e-9)
    assert press.result.ok


def test_a_chip_shortens_the_travel_and_is_found() -> None:
    results = []
    for chip in (0.0, 0.2e-3):
        press = Press(1.0, np.random.default_rng(3), chip)
        while press.result is None:
            press.advance(1 / 120)
        results.append(press.result)
    assert results[0].ok
    assert not results[1].ok
    assert results[0].travel_m - results[1].travel_m == pytest.approx(0.2e-3, abs=2e-5)


def test_screws_reach_their_torque_in_time_and_within_both_windows() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        screw, elapsed = Screw(2.0, 1.5, rng), 0.0
        while screw.result is None:
            screw.turn(1 / 120)
            elapsed += 1 / 120
        assert elapsed < 1.5
        assert screw.result.ok
        assert screw.result.torque_nm == pytest.approx(2.0, rel=0.07)


def test_a_screw_with_a_soft_joint_is_outside_its_angle_window() -> None:
    screw = Screw(2.0, 1.5, np.random.default_rng(5))
    screw._stiffness *= 0.5
    while screw.result is None:
        screw.turn(1 / 120)
    assert not screw.result.ok
