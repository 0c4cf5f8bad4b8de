"""Planned visits: legs join up, keep the limits, put the tool where it belongs and last as long as they must."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from cells.cell import Cell, CellArm, load_cell
from cells.driver import DriveScrews, Dwell, GripPart, InsertPart, ReleasePart, Segment
from cells.joint_model import load_joint_model
from cells.part import Part, parts_of
from cells.recipe import NEST, Dispense, Operation, Pick, Place, Recipe, Screw, recipe_for
from cells.tool_shape import OPENING_M, finger_open_m
from controller.motion.poses import ArmPoses, UnreachableError
from controller.motion.visit import Leg, Visit, Zone
from controller.motion.visit_planner import VisitPlanner
from kinematics import KinematicsError, Trajectory
from tests.controller.motion.reference_arm import ReferenceArm

FloatArray = NDArray[np.float64]

MODELS = ("Pro-NE30-50-70", "Pro-NU80-160-110")
STRAIGHT_M = 1e-4  # sideways error of a straight line
MICROSECONDS = 2e-5  # by which the way down into a nest differs from the way up
NUMBERS = [
    operation.number for operation in recipe_for(load_joint_model(MODELS[0])).operations if operation.arm
]


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A visit with what it was planned for, beginning at the arm's parking place."""

    cell: Cell
    arm: CellArm
    recipe: Recipe
    operation: Operation
    position: int | None
    visit: Visit
    legs: tuple[Leg, ...]

    def frame(self, station: str) -> FloatArray:
        """Frame of the place a leg names."""
        if station == f"P{self.position}":
            assert self.position is not None
            return self.cell.nest(self.position)
        return self.cell.stations[station].X_WS

    def tool(self, trajectory: Trajectory, times: FloatArray) -> FloatArray:
        """Poses (n, 4, 4) of the tool in the world, by the reference arm."""
        reference = ReferenceArm(self.arm)
        return np.array([reference.tool(q) for q in trajectory.sample(times)[0]])


@cache
def planned(cell_name: str, model: str, number: str) -> tuple[Planned, ...]:
    """The visit of an operation by every arm in the first position in which it can do it."""
    cell, recipe = load_cell(cell_name), recipe_for(load_joint_model(model))
    operation = recipe.operation(number)
    found = []
    for arm in cell.arms:
        poses = ArmPoses(cell, arm)
        positions = range(cell.dial.positions) if operation.at_nest else [None]
        for position in positions:
            try:
                visit = VisitPlanner(cell, poses).plan(recipe, operation, position)
            except (UnreachableError, KinematicsError):
                continue
            legs = visit.legs_from(poses.park)
            found.append(
                Planned(
                    cell=cell,
                    arm=arm,
                    recipe=recipe,
                    operation=operation,
                    position=position,
                    visit=visit,
                    legs=legs,
                )
            )
            break
    return tuple(found)


EVERY_VISIT = pytest.mark.parametrize(
    ("model", "number"), [(model, number) for model in MODELS for number in NUMBERS]
)


def every(model: str, number: str) -> tuple[Planned, ...]:
    """Of the second cell only the larger joint."""
    found = planned("six_arm", model, number)
    return found + planned("four_types", model, number) if model == MODELS[1] else found


@EVERY_VISIT
def test_some_arm_can_do_it(model: str, number: str) -> None:
    assert planned("six_arm", model, number)
    assert planned("four_types", model, number)


@EVERY_VISIT
def test_legs_join_up_and_begin_and_end_at_rest(model: str, number: str) -> None:
    for plan in every(model, number):
        assert plan.legs[0].trajectory.q[0] == pytest.approx(ArmPoses(plan.cell, plan.arm).park)
        for one, two in pairwise(plan.legs):
            assert two.trajectory.q[0] == pytest.approx(one.trajectory.q[-1], abs=1e-9)
        for leg in plan.legs:
            assert np.abs(leg.trajectory.qd[[0, -1]]).max() < 1e-9
        assert plan.visit.end == pytest.approx(plan.legs[-1].trajectory.q[-1])


@EVERY_VISIT
def test_limits_are_kept_between_the_knots_too(model: str, number: str) -> None:
    for plan in every(model, number):
        chain, limits = plan.arm.arm.chain, plan.arm.arm.limits
        for leg in plan.legs:
            trajectory = leg.trajectory
            q, qd, qdd = trajectory.sample(np.linspace(0.0, trajectory.duration, 400))
            assert (q >= chain.q_min - 1e-9).all()
            assert (q <= chain.q_max + 1e-9).all()
            assert (np.abs(qd) <= limits.velocity * (1 + 1e-6)).all()
            assert (np.abs(qdd) <= limits.acceleration * 1.01).all()
            assert (np.abs(trajectory.qdd) <= limits.acceleration * (1 + 1e-6)).all()


@EVERY_VISIT
def test_it_lasts_at_least_the_core_time_in_the_nest(model: str, number: str) -> None:
    for plan in every(model, number):
        inside = sum(leg.duration_s for leg in plan.legs if leg.zone is Zone.INSIDE)
        assert inside >= plan.operation.core_s - MICROSECONDS
        assert plan.visit.duration_s(Zone.INSIDE) == pytest.approx(inside)
        if plan.operation.at_nest:
            assert inside > 0.0


@EVERY_VISIT
def test_a_leg_lasts_as_long_as_its_segment(model: str, number: str) -> None:
    for plan in every(model, number):
        for leg in plan.legs:
            segment = Segment(id=1, trajectory=leg.trajectory, process=leg.process, finger_m=leg.finger_m)
            assert leg.duration_s == pytest.approx(segment.duration_s, abs=1e-12)


@EVERY_VISIT
def test_zones_come_in_their_order(model: str, number: str) -> None:
    order = [Zone.BEFORE, Zone.INSIDE, Zone.AFTER]
    for plan in every(model, number):
        ranks = [order.index(leg.zone) for leg in plan.legs]
        assert ranks == sorted(ranks)
        assert 1 in ranks


def gripped(plan: Planned, step: Pick) -> Part:
    parts = parts_of(plan.recipe.model)
    special = {"press": "rotor", "bench": "output_flange", NEST: "cap"}
    return parts[special.get(step.station, step.station.removeprefix("feeder_"))]


@EVERY_VISIT
def test_fingers_open_around_the_part_and_hold_it_from_grip_to_release(model: str, number: str) -> None:
    for plan in every(model, number):
        held: Part | None = None
        for leg in plan.legs:
            assert leg.held == held
            if held is not None:
                assert leg.finger_m is None
            if isinstance(leg.process, GripPart):
                assert held is None
                held = leg.held_after
                assert held is not None
                (pick,) = (step for step in plan.operation.steps if isinstance(step, Pick))
                assert held == gripped(plan, pick)
                assert (leg.process.radius_m, leg.process.internal) == (
                    held.grip.radius_m,
                    held.grip.internal,
                )
            else:
                assert leg.held_after == held
            if isinstance(leg.process, InsertPart):
                assert held is not None
            if isinstance(leg.process, ReleasePart):
                held = None
        assert held is None
        for step in plan.operation.steps:
            if isinstance(step, Pick):
                opened = [leg.finger_m for leg in plan.legs if leg.finger_m is not None]
                assert opened == [finger_open_m(gripped(plan, step))]


@EVERY_VISIT
def test_the_tool_is_at_the_part_when_it_grips_and_at_the_seat_when_it_lets_go(
    model: str, number: str
) -> None:
    for plan in every(model, number):
        for leg in plan.legs:
            if not isinstance(leg.process, GripPart | InsertPart):
                continue
            part = leg.held_after
            assert part is not None
            (X_WT,) = plan.tool(leg.trajectory, np.array([leg.trajectory.duration]))
            goal = plan.frame(leg.process.station)[:3, 3] + [0.0, 0.0, part.grip.height_m]
            assert X_WT[:3, 3] == pytest.approx(goal, abs=1e-6)
            assert X_WT[:3, 2] == pytest.approx([0.0, 0.0, -1.0], abs=1e-6)


@EVERY_VISIT
def test_insertion_is_straight_down_slow_and_long_enough(model: str, number: str) -> None:
    for plan in every(model, number):
        for leg in plan.legs:
            if not isinstance(leg.process, InsertPart):
                continue
            times = np.linspace(0.0, leg.trajectory.duration, 60)
            X_WT = plan.tool(leg.trajectory, times)
            goal = plan.frame(leg.process.station)[:2, 3]
            assert np.abs(X_WT[:, :2, 3] - goal).max() < STRAIGHT_M
            assert (X_WT[:, 2, 2] < -1.0 + 1e-6).all()
            heights = X_WT[:, 2, 3]
            assert (np.diff(heights) <= 1e-9).all()
            assert heights[0] - heights[-1] >= leg.process.entry_m
            speed = -np.diff(heights) / np.diff(times)
            assert speed.max() <= plan.cell.motion.insert_m_per_s * 1.001
            assert leg.held is not None
            if leg.process.station.startswith("P"):
                assert leg.process.entry_m >= leg.held.fit.entry_m
                assert leg.process.force_low_n == leg.held.fit.force_low_n
            assert leg.process.force_high_n == leg.held.fit.force_high_n


@EVERY_VISIT
def test_fingers_come_and_go_straight_while_they_are_beside_the_part(model: str, number: str) -> None:
    for plan in every(model, number):
        for one, two in pairwise(plan.legs):
            if not isinstance(one.process, GripPart | ReleasePart):
                continue
            place = plan.frame(one.process.station)
            part = one.held_after if isinstance(one.process, GripPart) else one.held
            assert part is not None
            seat = place[2, 3] + part.grip.height_m
            for leg in (one, two):
                way = leg.trajectory
                if way.duration == 0.0:
                    continue
                X_WT = plan.tool(way, np.linspace(0.0, way.duration, 150))
                low = X_WT[:, 2, 3] < seat + 0.020
                if isinstance(two.process, DriveScrews | Dwell) and leg is two:
                    continue
                assert low.any()
                aside = np.linalg.norm(X_WT[low, :2, 3] - place[:2, 3], axis=1)
                blended = leg.name in ("fetch", "carry", "bring")
                assert aside.max() < (1.05 * OPENING_M / 3 if blended else STRAIGHT_M)
                assert (X_WT[low, 2, 2] < -np.cos(0.02)).all()


@EVERY_VISIT
def test_every_screw_is_driven_and_every_bead_is_laid(model: str, number: str) -> None:
    for plan in every(model, number):
        steps = plan.operation.steps
        driven = [leg.process for leg in plan.legs if isinstance(leg.process, DriveScrews)]
        asked = [step for step in steps if isinstance(step, Screw)]
        assert sum(drive.count for drive in driven) == sum(step.count for step in asked)
        assert all(drive.count <= 2 and drive.duration_s > 0.0 for drive in driven)
        assert {drive.torque_nm for drive in driven} == {step.torque_nm for step in asked}
        beads = [leg for leg in plan.legs if leg.name == "dispense"]
        dispensed = [step for step in steps if isinstance(step, Dispense)]
        assert len(beads) == len(dispensed)
        for leg, step in zip(beads, dispensed, strict=True):
            assert leg.duration_s >= step.core_s - 1e-9
            turned = leg.trajectory.q[-1] - leg.trajectory.q[0]
            assert abs(turned[5]) == pytest.approx(step.turn_rad)
            assert turned[:5] == pytest.approx(np.zeros(5), abs=1e-9)
        placed = [step for step in steps if isinstance(step, Place)]
        assert len([leg for leg in plan.legs if isinstance(leg.process, InsertPart)]) == len(placed)


def test_a_retreat_ends_at_the_parking_place() -> None:
    plan = planned("six_arm", MODELS[1], "30")[0]
    park = ArmPoses(plan.cell, plan.arm).park
    back = plan.visit.drawn_back
    assert back.end == pytest.approx(park)
    assert back.rest[-1].zone is Zone.AFTER
    assert back.rest[:-1] == plan.visit.rest
    assert back.rest[-1].trajectory.q[0] == pytest.approx(plan.visit.end)


def test_a_visit_out_of_reach_says_which_place() -> None:
    cell, recipe = load_cell("six_arm"), recipe_for(load_joint_model(MODELS[1]))
    with pytest.raises(UnreachableError, match=r"^R1 at "):
        VisitPlanner(cell, ArmPoses(cell, cell.arms[0])).plan(recipe, recipe.operation("30"), 4)
