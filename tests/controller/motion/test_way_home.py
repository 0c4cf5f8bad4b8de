"""Ways home from wherever a jog or a stop left an arm, looked at with another collision library."""

import coal
import numpy as np
import pytest
from numpy.typing import NDArray

from cells.cell import Cell, load_cell
from cells.fixtures import fixtures_of
from cells.tool_shape import X_FT
from controller.motion.plan import MotionPlanner
from controller.motion.renewal import Stand
from controller.motion.way_home import NoWayError, ways
from kinematics import LineError, Trajectory, forward_kinematics, straight_line
from tests.controller.motion.coal_arms import apart_m, solids

FloatArray = NDArray[np.float64]
SAMPLES = 40


@pytest.fixture(scope="module")
def cell() -> Cell:
    return load_cell("six_arm")


@pytest.fixture(scope="module")
def planner(cell: Cell) -> MotionPlanner:
    return MotionPlanner(cell)


def standing(planner: MotionPlanner, **moved: FloatArray) -> dict[str, Stand]:
    """All arms parked but those."""
    return {arm.id: Stand(q=moved.get(arm.id, planner.park(arm.id)), held=None) for arm in planner.cell.arms}


def home(planner: MotionPlanner, stands: dict[str, Stand], arm: str) -> Trajectory:
    (way,) = ways(planner.cell, planner.visits.poses, stands, {arm: planner.park(arm)})
    assert way.arm == arm
    np.testing.assert_allclose(way.trajectory.q[0], stands[arm].q, atol=1e-3)
    np.testing.assert_allclose(way.trajectory.q[-1], planner.park(arm), atol=1e-9)
    return way.trajectory


def nearest_m(cell: Cell, stands: dict[str, Stand], name: str, q: FloatArray) -> float:
    """Of an arm that takes joints (n, 6) one after the other to fixtures and to the others."""
    arms = {arm.id: arm for arm in cell.arms}
    others = [
        solid for other, arm in arms.items() if other != name for solid in solids(arm, None, stands[other].q)
    ]
    for box in fixtures_of(cell):
        shape = coal.Box(*(2 * half for half in box.half_m))
        others.append((shape, coal.Transform3s(box.X_WO[:3, :3], box.X_WO[:3, 3])))
    return min(apart_m(solids(arms[name], None, joints), others) for joints in q)


def near_others(planner: MotionPlanner, name: str, joint: int, below_m: float) -> dict[str, Stand]:
    """An arm that was jogged from its parking place until it is nearer than that to something."""
    q = planner.park(name).copy()
    farthest = planner.cell.arms[0].arm.chain.q_max[joint]
    for step in (0.1, 0.005):  # roughly, then back and in small steps
        while nearest_m(planner.cell, standing(planner), name, q[None]) >= below_m:
            q[joint] += step
            assert q[joint] < farthest, "it came near nothing"
        if step > 0.005:
            q[joint] -= step
    return standing(planner, **{name: q})


@pytest.mark.parametrize("below_m", [0.018, 0.008])
@pytest.mark.parametrize("name", ["R1", "R4", "R6"])
def test_an_arm_nearer_than_the_clearance_leaves_and_comes_no_nearer_than_half_of_that(
    cell: Cell, planner: MotionPlanner, name: str, below_m: float
) -> None:
    stands = near_others(planner, name, joint=1, below_m=below_m)
    at_first = nearest_m(cell, stands, name, stands[name].q[None])
    assert at_first < cell.clearance.arms_m
    way = home(planner, stands, name)
    q, _, _ = way.sample(np.linspace(0.0, way.duration, SAMPLES))
    assert nearest_m(cell, stands, name, q) >= at_first / 2


def test_an_arm_that_touches_something_rises_and_touches_nothing_more(
    cell: Cell, planner: MotionPlanner
) -> None:
    stands = near_others(planner, "R4", joint=1, below_m=0.0)
    way = home(planner, stands, "R4")
    q, _, _ = way.sample(np.linspace(0.0, way.duration, SAMPLES))
    assert nearest_m(cell, stands, "R4", q) >= nearest_m(cell, stands, "R4", q[:1]) - 2e-4


@pytest.mark.parametrize("by_rad", [9e-4, 2e-3])
def test_an_arm_beyond_a_limit_is_taken_for_one_at_it_or_refused(
    planner: MotionPlanner, by_rad: float
) -> None:
    chain = planner.cell.arms[0].arm.chain
    q = planner.park("R1").copy()
    q[3] = chain.q_min[3] - by_rad
    stands = standing(planner, R1=q)
    if by_rad > 1e-3:
        with pytest.raises(NoWayError, match=r"R1 finds no way: joint 4 is 0\.0020 rad beyond its limit"):
            home(planner, stands, "R1")
        return
    way = home(planner, stands, "R1")
    assert (way.q >= chain.q_min).all()
    assert (way.q <= chain.q_max).all()


def test_an_arm_that_cannot_rise_and_is_clear_of_all_parts_goes_without(
    cell: Cell, planner: MotionPlanner
) -> None:
    """Stretched out to the side it could only rise by bending first."""
    q, arm = planner.park("R1").copy(), cell.arms[0]
    q[:5] = [q[0] + 1.2, 1.45, 0.0, 0.0, 0.1]
    X_BF = forward_kinematics(arm.arm.chain, q)
    X_up = X_BF.copy()
    X_up[2, 3] += (
        cell.work_height_m + planner.visits.poses["R1"].above_m - (arm.X_WB @ X_BF @ X_FT(arm.tool))[2, 3]
    )
    with pytest.raises(LineError):
        straight_line(arm.arm.chain, arm.arm.limits, X_BF, X_up, q, 0.1, 0.5)
    home(planner, standing(planner, R1=q), "R1")
