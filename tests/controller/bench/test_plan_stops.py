"""A few stops of the cell in simulation; the study of 500 is slow."""

import pytest

from controller.bench.plan_stops import SERVO_RAD, SERVO_S, stop_and_go_on
from controller.choice import Choice
from tests.controller.motion import small_plan

pytestmark = pytest.mark.pybullet


@pytest.mark.parametrize("moments", [4, pytest.param(500, marks=pytest.mark.slow)])
def test_arms_rest_as_promised_and_the_cell_goes_on(moments: int) -> None:
    plan = small_plan.planned()
    choice = Choice(
        cycle_s=small_plan.CYCLE_MS / 1000,
        schedule=small_plan.schedule(),
        retreats=frozenset(plan.retreats),
        rules=plan.rules,
    )
    stops = stop_and_go_on(small_plan.cell(), choice, plan.order, moments, seed=1)
    assert stops.moments == moments
    assert stops.stops
    assert stops.faults == []
    assert stops.late_s < SERVO_S
    assert stops.far_rad < SERVO_RAD
    assert (stops.collisions, stops.dropped, stops.badly_seated) == (0, 0, 0)
