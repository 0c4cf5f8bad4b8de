"""Parts are gripped, carried, inserted and released by contact and force; what goes wrong is told."""

from collections.abc import Callable

import numpy as np
import pytest

from cells.driver import Status
from cells.joint_model import load_joint_model
from cells.part import Part, parts_of
from sim.body import Workpiece
from sim.workpiece import Placed
from sim.world import World
from tests.sim.handling import Hand, cycle

pytestmark = pytest.mark.pybullet

MODEL = "Pro-PR60-50-90"
PARTS = parts_of(load_joint_model(MODEL))
PLAIN_WINDOW = (0.0, 90.0)


def put(world: World, station: str, *names: str) -> Workpiece:
    """A workpiece of seated parts in a station, front parts upright."""
    parts = tuple(Placed(part=PARTS[name], X_0P=np.eye(4)) for name in names)
    workpiece = Workpiece(world.engine, "J1", MODEL, parts)
    workpiece.rest(world.seat(station))
    world.at[station] = workpiece
    return workpiece


def fetch_and_place(world: World, part: Part, source: str, target: str, **more: object) -> tuple[Hand, dict]:
    """R1 fetches from a station within its reach and places into another; the measured values."""
    hand = Hand(world, "R1")
    assert len(hand.run(*hand.fetch(source, part))) == 4, hand.arm.read().fault
    assert hand.arm.gripper.held is not None
    entry = max(part.fit.entry_m, 0.003) if target in world.at else 0.003
    window = None if target in world.at else PLAIN_WINDOW
    results = hand.run(*hand.place(target, part, entry, window=window, **more))  # type: ignore[arg-type]
    return hand, dict(results[-1].measured) if len(results) == 3 else {}


@pytest.mark.parametrize("name", list(PARTS))
def test_each_kind_of_part_is_gripped_carried_and_placed(new_world: Callable, name: str) -> None:
    world, part = new_world(seed=2, ideal=False), PARTS[name]
    put(world, "feeder_stator", name)
    hand, measured = fetch_and_place(world, part, "feeder_stator", "feeder_housing", turn=0.5)
    assert measured["ok"] == 1.0
    hand.run(*hand.leave("feeder_housing", part))
    assert hand.arm.read().fault == ""
    assert hand.arm.gripper.held is None
    assert set(world.at) == {"feeder_housing"}
    assert world.collisions == []
    assert world.dropped == []
    assert world.seating[-1].position_error_m < 0.1e-3
    assert world.seating[-1].tilt_rad < 1e-3


def test_the_part_keeps_its_place_in_the_hand_when_the_grip_takes_hold(new_world: Callable) -> None:
    world, part = new_world(seed=2, ideal=False), PARTS["stator"]
    workpiece = put(world, "feeder_stator", "stator")
    before = workpiece.pose
    hand = Hand(world, "R1")
    down = hand.fetch("feeder_stator", part)[:3]
    hand.run(*down)
    held = hand.arm.gripper.held
    assert held is workpiece
    # Fingers that met it off centre had bent the arm a little; it springs back with the part.
    np.testing.assert_allclose(held.pose[:3, 3], before[:3, 3], atol=1e-4)
    np.testing.assert_allclose(held.pose[:3, :3], before[:3, :3], atol=2e-3)


@pytest.mark.parametrize("share", [1.0, 0.05])
def test_a_heavy_joint_is_set_down_quietly_however_slowly(new_world: Callable, share: float) -> None:
    """Its inertia must not be taken for contact: giving way to that would shake it ever harder."""
    heavy = "Pro-NU80-160-110"
    parts = parts_of(load_joint_model(heavy))
    world, cap = new_world(seed=2, ideal=False), parts["cap"]
    joint = Workpiece(
        world.engine, "J1", heavy, tuple(Placed(part=part, X_0P=np.eye(4)) for part in parts.values())
    )
    assert joint.last is cap
    joint.rest(world.seat("feeder_stator"))
    world.at["feeder_stator"] = joint
    hand = Hand(world, "R1")
    assert len(hand.run(*hand.fetch("feeder_stator", cap, force_n=400.0))) == 4, hand.arm.read().fault
    *above, insert = hand.place("feeder_housing", cap, 0.003, window=PLAIN_WINDOW)
    hand.run(*above)
    hand.arm.feed(share)
    (result,) = hand.run(insert, seconds=60.0)
    measured = dict(result.measured)
    assert measured["ok"] == 1.0
    assert measured["peak_force_n"] < 45.0


@pytest.mark.parametrize("angle", [0.0, 1.0, 2.5])
def test_insertion_yields_to_a_lateral_error(new_world: Callable, angle: float) -> None:
    world, part = new_world(), PARTS["stator"]
    put(world, "P0", "housing")
    put(world, "feeder_stator", "stator")
    miss = (0.3e-3 * np.cos(angle), 0.3e-3 * np.sin(angle))
    hand, measured = fetch_and_place(world, part, "feeder_stator", "P0", miss=miss)
    assert measured["ok"] == 1.0
    assert measured["peak_force_n"] < 60.0
    assert measured["offset_m"] < 30e-6
    assert abs(measured["height_m"]) < 0.1e-3
    assert [p.part.name for p in world.at["P0"].parts] == ["housing", "stator"]
    hand.run(*hand.leave("P0", part))
    assert world.collisions == []


@pytest.mark.parametrize("angle", [0.0, 1.0, 2.5])
def test_three_millimetres_off_is_never_ok(new_world: Callable, angle: float) -> None:
    world, part = new_world(), PARTS["stator"]
    put(world, "P0", "housing")
    put(world, "feeder_stator", "stator")
    miss = (3e-3 * np.cos(angle), 3e-3 * np.sin(angle))
    hand, measured = fetch_and_place(world, part, "feeder_stator", "P0", miss=miss)
    assert measured.get("ok", 0.0) == 0.0
    if not measured:
        assert hand.arm.read().status is Status.FAULT


def test_a_weak_grip_loses_the_part(new_world: Callable) -> None:
    world, part = new_world(), PARTS["stator"]
    workpiece = put(world, "feeder_stator", "stator")
    hand = Hand(world, "R1")
    hand.run(*hand.fetch("feeder_stator", part, force_n=1.0))
    assert hand.arm.read().fault == "lost stator"
    assert world.dropped == [workpiece]
    height = workpiece.pose[2, 3]
    for _ in range(60):
        world.step()
    assert workpiece.pose[2, 3] < height - 0.02


def test_a_new_part_collides_though_its_number_in_the_engine_is_an_old_one(new_world: Callable) -> None:
    world, part = new_world(), PARTS["stator"]
    numbers = []
    for _ in range(3):
        put(world, "P0", "housing")
        put(world, "feeder_stator", "stator")
        hand, measured = fetch_and_place(world, part, "feeder_stator", "P0", miss=(0.6e-3, 0.0))
        assert measured["ok"] == 1.0  # without contact nothing would bring it to the middle
        hand.run(*hand.leave("P0", part))
        numbers.append(world.at["P0"].body)
        world.at.pop("P0").vanish()
    assert len(set(numbers)) < 3


def test_an_empty_station_faults_the_arm(new_world: Callable) -> None:
    world = new_world()
    hand = Hand(world, "R1")
    hand.run(*hand.fetch("feeder_stator", PARTS["stator"]))
    assert hand.arm.read().fault == "nothing to grip at feeder_stator"


def test_a_joint_with_a_bad_insertion_is_rejected_at_the_end_of_the_line(new_world: Callable) -> None:
    world = new_world()
    put(world, "P7", "housing").faults.append("stator seated outside its window at P0")
    result = cycle(world, "P7", 19.0)
    assert result.verdict.startswith("stator seated outside its window at P0")
    assert result.end_ns - result.start_ns >= 19_000_000_000


def test_parts_enter_by_the_feeder_and_leave_by_the_tray(new_world: Callable) -> None:
    world = new_world()
    cycle(world, "feeder_rotor", model=MODEL)
    assert world.at["feeder_rotor"].last.name == "rotor"
    with pytest.raises(ValueError, match="station feeder_rotor: has not been emptied yet"):
        cycle(world, "feeder_rotor", model=MODEL)
    with pytest.raises(ValueError, match="station out_tray: is empty"):
        cycle(world, "out_tray")
    joint = put(world, "out_tray", "housing")
    cycle(world, "out_tray")
    assert world.finished == [joint]
    assert "out_tray" not in world.at
