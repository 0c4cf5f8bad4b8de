"""Poses over stations: the tool is where it should be, straight down, on one branch and within the limits."""

import numpy as np
import pytest

from cells.cell import Cell, CellArm, cell_names, load_cell
from controller.motion.poses import ArmPoses, UnreachableError
from tests.controller.motion.reference_arm import ReferenceArm

CELLS = [load_cell(name) for name in cell_names()]
EVERY_ARM = pytest.mark.parametrize(
    ("cell", "arm"),
    [(cell, arm) for cell in CELLS for arm in cell.arms],
    ids=[f"{cell.name}-{arm.id}" for cell in CELLS for arm in cell.arms],
)


def places(cell: Cell) -> dict[str, np.ndarray]:
    stations = {name: station.X_WS for name, station in cell.stations.items()}
    return stations | {f"P{k}": cell.nest(k) for k in range(cell.dial.positions)}


@EVERY_ARM
def test_the_tool_stands_over_every_place_it_reaches_and_points_down(cell: Cell, arm: CellArm) -> None:
    poses, reference = ArmPoses(cell, arm), ReferenceArm(arm)
    low, high = poses.chain_limits
    reached = 0
    for name, X_WS in places(cell).items():
        for height in (0.0, 0.03, poses.above_m):
            q6 = float(low[5] + high[5]) / 2 + 0.4
            try:
                q = poses.at(X_WS, height, q6, name)
            except UnreachableError:
                continue
            reached += 1
            X_WT = reference.tool(q)
            assert X_WT[:3, 3] == pytest.approx(X_WS[:3, 3] + [0.0, 0.0, height], abs=1e-9)
            assert X_WT[:3, 2] == pytest.approx([0.0, 0.0, -1.0], abs=1e-9)
            assert q[5] == q6
            assert (q >= low).all()
            assert (q <= high).all()
    assert reached >= 12


@EVERY_ARM
def test_all_poses_have_the_elbow_up_and_the_wrist_unturned(cell: Cell, arm: CellArm) -> None:
    poses, reference = ArmPoses(cell, arm), ReferenceArm(arm)
    middle = float(poses.chain_limits[0][5] + poses.chain_limits[1][5]) / 2
    wrists, bends = [], []
    for name, X_WS in places(cell).items():
        try:
            q = poses.at(X_WS, poses.above_m, middle, name)
        except UnreachableError:
            continue
        assert reference.elbow_rise_m(q) > 0.02
        wrists.append(q[3])
        bends.append(q[4] * arm.arm.chain.signs[4] - arm.arm.chain.offsets[4])
    assert np.ptp(wrists) < 1e-6
    assert len(set(np.sign(bends))) == 1


@EVERY_ARM
def test_fingers_over_a_nest_are_tangential_to_the_dial(cell: Cell, arm: CellArm) -> None:
    poses, reference = ArmPoses(cell, arm), ReferenceArm(arm)
    low, high = poses.chain_limits
    reached = 0
    for position in range(cell.dial.positions):
        X_WN = cell.nest(position)
        try:
            q6 = poses.nest_q6(position)
        except UnreachableError:
            continue
        reached += 1
        q = poses.at(X_WN, 0.05, q6, f"P{position}")
        assert reference.tool(q)[:3, 0] @ X_WN[:3, 0] == pytest.approx(0.0, abs=1e-9)
        assert abs(q6 - (low[5] + high[5]) / 2) <= np.pi / 2 + 1e-9
    assert reached >= 2


@EVERY_ARM
def test_the_parking_place_is_in_front_of_the_arms_own_base(cell: Cell, arm: CellArm) -> None:
    poses = ArmPoses(cell, arm)
    X_WT = ReferenceArm(arm).tool(poses.park)
    p_BT = np.linalg.inv(arm.X_WB) @ X_WT[:, 3]
    assert p_BT[1] == pytest.approx(0.0, abs=1e-9)
    assert 0.0 < p_BT[0] < 0.4
    assert X_WT[2, 3] > cell.work_height_m + poses.above_m
    assert not poses.park[5] < poses.chain_limits[0][5]


def test_what_is_out_of_reach_is_named() -> None:
    cell = CELLS[-1]
    poses = ArmPoses(cell, cell.arms[0])
    far = np.eye(4)
    far[0, 3] = 5.0
    with pytest.raises(UnreachableError, match=r"^R1 at the moon: out of reach$"):
        poses.at(far, 0.0, 0.0, "the moon")
    beyond = float(poses.chain_limits[1][5]) + 0.01
    with pytest.raises(
        UnreachableError, match=r"^R1 at P0: joint 6 would be at 360\.6 deg, its limit is 360\.0 deg; "
    ):
        poses.at(cell.nest(0), 0.1, beyond, "P0")
