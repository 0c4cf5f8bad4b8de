"""Fixtures of the bundled cells: different things keep apart, judged by another collision library."""

from itertools import combinations

import coal
import numpy as np
import pytest

from cells.cell import Cell, cell_names, load_cell
from cells.cell_file import REQUIRED_STATIONS
from cells.fixtures import FLOOR_M, SHUTTLE_M, Fixture, fixtures_of
from cells.joint_model import joint_model_names, load_joint_model
from cells.part import parts_of

CELLS = [load_cell(name) for name in cell_names()]
EVERY_CELL = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)


Solid = tuple[coal.CollisionGeometry, coal.Transform3s]


def box(fixture: Fixture) -> Solid:
    X = fixture.X_WO
    return coal.Box(*(2 * np.array(fixture.half_m))), coal.Transform3s(X[:3, :3], X[:3, 3])


def cylinder(x: float, y: float, z_m: tuple[float, float], radius_m: float) -> Solid:
    middle = np.array([x, y, sum(z_m) / 2])
    return coal.Cylinder(radius_m, z_m[1] - z_m[0]), coal.Transform3s(np.eye(3), middle)


def distance_m(one: Solid, two: Solid) -> float:
    return float(coal.distance(*one, *two, coal.DistanceRequest(), coal.DistanceResult()))


def owner(fixture: Fixture) -> str:
    name = fixture.name.split(".")[0]
    return "dial" if name.startswith("nest") else name  # the trunnions' shafts are part of the dial


@EVERY_CELL
def test_solids_of_different_things_keep_apart(cell: Cell) -> None:
    for one, two in combinations(fixtures_of(cell), 2):
        if owner(one) != owner(two):
            assert distance_m(box(one), box(two)) > 0.01, f"{one.name} and {two.name}"


@EVERY_CELL
def test_everything_stands_on_the_floor_but_shafts_and_heads(cell: Cell) -> None:
    for fixture in fixtures_of(cell):
        assert min(fixture.half_m) > 0.0
        assert fixture.X_WO[:3, 2] == pytest.approx([0.0, 0.0, 1.0])
        low = fixture.X_WO[2, 3] - fixture.half_m[2]
        assert (low == pytest.approx(FLOOR_M)) != fixture.name.endswith((".shaft", ".head"))


@EVERY_CELL
def test_one_name_for_one_box_and_boxes_for_all(cell: Cell) -> None:
    names = [fixture.name for fixture in fixtures_of(cell)]
    assert len(names) == len(set(names))
    assert {owner(fixture) for fixture in fixtures_of(cell)} == {
        "dial",
        *REQUIRED_STATIONS,
        *(arm.id for arm in cell.arms),
    }
    assert sum(name.endswith(".shaft") for name in names) == cell.dial.positions


@EVERY_CELL
def test_seated_parts_of_every_model_touch_no_fixture(cell: Cell) -> None:
    widest = max(load_joint_model(name).diameter_m for name in joint_model_names()) / 2
    lowest = min(
        part.bottom_m for name in joint_model_names() for part in parts_of(load_joint_model(name)).values()
    )
    height = cell.work_height_m
    places = {
        name: station.X_WS[:2, 3] for name, station in cell.stations.items() if station.kind != "nozzle"
    }
    places |= {f"P{k}": cell.nest(k)[:2, 3] for k in range(cell.dial.positions)}
    # A machine's shuttle brings the workpiece under its head.
    for name, station in cell.stations.items():
        if station.kind in ("press", "bench"):
            places[f"{name}, out"] = (station.X_WS @ [SHUTTLE_M, 0.0, 0.0, 1.0])[:2]
    for name, (x, y) in places.items():
        seated = cylinder(x, y, (height + lowest, height - lowest + 0.012), widest)
        for fixture in fixtures_of(cell):
            if fixture.name == f"nest{name[1:]}.shaft":
                continue  # it carries the nest: a clamp on the joint's rim, not modelled
            assert distance_m(seated, box(fixture)) > 0.0, f"{name} and {fixture.name}"


@EVERY_CELL
def test_poses_are_frames_and_cannot_be_changed(cell: Cell) -> None:
    poses = [
        *(arm.X_WB for arm in cell.arms),
        *(station.X_WS for station in cell.stations.values()),
        *(cell.nest(k) for k in range(cell.dial.positions)),
        *(fixture.X_WO for fixture in fixtures_of(cell)),
    ]
    for X in poses:
        assert X[:3, :3] @ X[:3, :3].T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(X[:3, :3]) == pytest.approx(1.0)
        assert X[3].tolist() == [0.0, 0.0, 0.0, 1.0]
        assert not X.flags.writeable


@EVERY_CELL
def test_nests_lie_on_their_circle_and_look_outwards(cell: Cell) -> None:
    centre = np.array(cell.dial.center_m)
    for position in range(cell.dial.positions):
        X_WN = cell.nest(position)
        assert X_WN[:2, 3] - centre == pytest.approx(cell.dial.radius_m * X_WN[:2, 0])
        assert X_WN[2, 3] == cell.work_height_m
        assert cell.dial.rear_up(position) == (position > cell.dial.flip_after)
