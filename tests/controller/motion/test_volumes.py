"""Swept volumes against another collision library: what comes too near is never missed, what is far is free."""

import coal
import numpy as np
import pytest
from numpy.typing import NDArray

from cells.cell import Cell, CellArm, load_cell
from cells.joint_model import load_joint_model
from cells.part import parts_of
from controller.motion.poses import ArmPoses
from controller.motion.visit import Leg, Zone, still
from controller.motion.volumes import CollisionError, Volumes
from kinematics import rest_to_rest
from tests.controller.motion.coal_arms import solids

FloatArray = NDArray[np.float64]
PART = parts_of(load_joint_model("Pro-NU80-160-110"))["output_flange"]
SAMPLES = 25
SLACK_M = 0.08  # how much thicker than the arm a swept volume may be


@pytest.fixture(scope="module")
def cell() -> Cell:
    return load_cell("six_arm")


def between(arm: CellArm, q0: FloatArray, q1: FloatArray, **more: object) -> Leg:
    return Leg(
        name="swing",
        zone=Zone.BEFORE,
        trajectory=rest_to_rest(q0, q1, arm.arm.limits),
        **more,  # type: ignore[arg-type]
    )


def nearest_m(one_arm: CellArm, one: Leg, two_arm: CellArm, two: Leg) -> float:
    """Smallest distance of two legs, each at any moment, by dense samples."""

    def sampled(arm: CellArm, leg: Leg) -> list[tuple[coal.Capsule, coal.Transform3s]]:
        times = np.linspace(0.0, leg.trajectory.duration, SAMPLES)
        return [solid for q in leg.trajectory.sample(times)[0] for solid in solids(arm, leg.held, q)]

    request = coal.DistanceRequest()
    others = sampled(two_arm, two)
    best = np.inf
    for a, X_a in sampled(one_arm, one):
        for b, X_b in others:
            apart = float(np.linalg.norm(X_a.getTranslation() - X_b.getTranslation()))
            reach = a.radius + a.halfLength + b.radius + b.halfLength
            if apart - reach < best:
                best = min(best, float(coal.distance(a, X_a, b, X_b, request, coal.DistanceResult())))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_what_comes_too_near_is_a_conflict_and_what_is_far_is_none(cell: Cell, seed: int) -> None:
    rng = np.random.default_rng(seed)
    volumes = Volumes(cell)
    one_arm, two_arm = cell.arms[seed % 6], cell.arms[(seed + 1) % 6]
    legs = []
    for arm in (one_arm, two_arm):
        poses = ArmPoses(cell, arm)
        yaw = rng.uniform(-1.2, 1.2, 2)
        ends = [poses.park.copy(), poses.park.copy()]
        for q, turn in zip(ends, yaw, strict=True):
            q[0] += turn
            q[1] += rng.uniform(0.0, 0.5)
            q[2] += rng.uniform(-0.3, 0.3)
        legs.append(between(arm, *ends, held=PART if seed % 2 else None))
    numbers = [
        np.array([volumes.number(arm, leg)]) for arm, leg in zip((one_arm, two_arm), legs, strict=True)
    ]
    conflict = bool(volumes.conflict(*numbers)[0])
    assert bool(volumes.conflict(*numbers[::-1])[0]) == conflict
    near = nearest_m(one_arm, legs[0], two_arm, legs[1])
    limit = cell.clearance.arms_m
    if near < limit:
        assert conflict, f"missed: {near:.3f} m"
    if near > limit + SLACK_M:
        assert not conflict, f"seen although {near:.3f} m apart"


def test_opposite_arms_at_home_are_free_and_arms_in_one_nest_are_not(cell: Cell) -> None:
    volumes = Volumes(cell)
    one, two, across = cell.arms[0], cell.arms[1], cell.arms[3]
    parked = [
        volumes.number(arm, Leg(name="start", zone=Zone.BEFORE, trajectory=still(ArmPoses(cell, arm).park)))
        for arm in (one, across)
    ]
    assert not volumes.conflict(np.array(parked[:1]), np.array(parked[1:]))[0]
    shared = ArmPoses(cell, two).at(cell.nest(1), 0.1, ArmPoses(cell, two).nest_q6(1), "P1")
    own = ArmPoses(cell, one).at(cell.nest(1), 0.1, ArmPoses(cell, one).nest_q6(1), "P1")
    a = volumes.number(one, Leg(name="enter", zone=Zone.INSIDE, trajectory=still(own)))
    b = volumes.number(two, Leg(name="enter", zone=Zone.INSIDE, trajectory=still(shared)))
    assert volumes.conflict(np.array([a]), np.array([b]))[0]


def test_legs_of_one_motion_have_one_number_and_their_rest_another(cell: Cell) -> None:
    volumes, arm = Volumes(cell), cell.arms[0]
    park = ArmPoses(cell, arm).park
    away = park.copy()
    away[0] += 0.5
    leg = between(arm, park, away)
    number = volumes.number(arm, leg)
    assert volumes.number(arm, leg) == number
    assert volumes.number(arm, between(arm, park, away)) == number
    assert volumes.number(arm, between(arm, away, park)) != number
    assert volumes.number(arm, between(arm, park, away, held=PART, held_after=PART)) != number
    assert volumes.rest(number) == volumes.rest(number) != number


def test_a_leg_into_a_table_is_refused_and_both_are_named(cell: Cell) -> None:
    volumes, arm = Volumes(cell), cell.arms[0]
    poses = ArmPoses(cell, arm)
    X_WS = cell.stations["feeder_rotor"].X_WS
    above, inside = (poses.at(X_WS, height, 0.0, "feeder_rotor") for height in (0.15, -0.07))
    with pytest.raises(
        CollisionError, match=r"R1 swing of operation 50 comes nearer than 5 mm to feeder_rotor: "
    ):
        volumes.check(arm, between(arm, above, inside), "50")
    volumes.check(arm, between(arm, above, inside, station="feeder_rotor"), "50")  # it works there
    volumes.check(arm, between(arm, poses.park, above), "50")
