"""Cells that cannot work: the message names what blocks, and the configuration it shows would work."""

import dataclasses
import re

import numpy as np
import pytest

from cells.cell import load_cell
from cells.files import locate
from cells.fixtures import fixtures_of
from cells.joint_model import load_joint_model
from controller.explanation import explanation_of
from controller.motion.first_touch import first_touch
from controller.motion.nearest_pose import blocker
from controller.motion.poses import ArmPoses, UnreachableError
from controller.motion.shape import moving_capsules
from controller.motion.visit import Leg, Zone
from controller.motion.volumes import CollisionError, Volumes
from controller.scheduling.build import InfeasibleCellError, build_problem
from kinematics import Body, Boxes, Scene, clearance, forward_kinematics, inverse_kinematics, rest_to_rest
from tests.controller.motion.reference_arm import ReferenceArm

CELL = load_cell("six_arm")
ARM = CELL.arms[0]


def station(x, y, z=0.14):
    """A place in the frame of the first arm's base."""
    X = np.eye(4)
    X[:3, 3] = x, y, z
    return ARM.X_WB @ X


def refused(X_WS, height_m=0.1, q6=0.0, arm=ARM):
    with pytest.raises(UnreachableError) as caught:
        ArmPoses(CELL, arm).at(X_WS, height_m, q6, "the shelf")
    return caught.value


def with_limits(joint, low, high):
    chain = ARM.arm.chain
    q_min, q_max = chain.q_min.copy(), chain.q_max.copy()
    q_min[joint], q_max[joint] = low, high
    chain = dataclasses.replace(chain, q_min=q_min, q_max=q_max)
    return dataclasses.replace(ARM, arm=dataclasses.replace(ARM.arm, chain=chain))


@pytest.mark.parametrize(
    ("x", "y", "z"), [(1.1, 0.0, 0.14), (0.9, 0.8, 0.0), (0.7, 0.0, 1.2), (-1.2, 0.3, 0.2)]
)
def test_out_of_reach_says_how_far_and_the_pose_shown_is_the_nearest(x, y, z):
    X_WS = station(x, y, z)
    error = refused(X_WS)
    assert str(error).startswith("R1 at the shelf: ")
    nearest = error.nearest
    wanted = X_WS[:3, 3] + [0.0, 0.0, 0.1]
    X_WT = ReferenceArm(ARM).tool(nearest.q)
    np.testing.assert_allclose(X_WT[:3, 3], wanted + nearest.shift_m, atol=1e-6)
    np.testing.assert_allclose(X_WT[:3, 2], [0.0, 0.0, -1.0], atol=1e-6)
    away = float(np.linalg.norm(nearest.shift_m))
    assert f"is {1000 * away:.0f} mm away" in str(error)
    # Nothing on a fine grid that is nearer by more than a few percent can be reached.
    rng, poses = np.random.default_rng(1), ArmPoses(CELL, ARM)
    for direction in rng.normal(size=(400, 3)):
        closer = X_WS.copy()
        closer[:3, 3] += 0.95 * away * rng.random() ** (1 / 3) * direction / np.linalg.norm(direction)
        with pytest.raises(UnreachableError):
            poses.at(closer, 0.1, 0.0, "nearer")


def test_out_of_reach_agrees_with_the_lengths_of_the_arm():
    """Straight in front, at the height of the shoulder, the stretched arm ends where its lengths say."""
    chain = ARM.arm.chain
    reach = chain.a1 + chain.c2 + np.hypot(chain.a2, chain.c3)
    wrist = chain.c1 - chain.c4 - ARM.tool.length_m  # of the tool when the wrist is as high as the shoulder
    error = refused(station(reach + 0.05, 0.0, wrist), height_m=0.0)
    assert ": out of reach; " in str(error)
    # In its posture the arm does not stretch to the very end.
    assert 0.05 <= np.linalg.norm(error.nearest.shift_m) < 0.065


def test_a_joint_limit_is_named_with_its_value():
    arm = with_limits(1, -0.2, 0.3)
    error = refused(station(0.75, 0.0), arm=arm)
    text = str(error)
    assert re.search(r"joint 2 would be at \d+\.\d deg, its limit is 17\.2 deg", text)
    assert (error.nearest.q <= arm.arm.chain.q_max + 1e-9).all()
    assert (error.nearest.q >= arm.arm.chain.q_min - 1e-9).all()
    # The joint named is the one that blocks: with its old limits the pose is reached.
    ArmPoses(CELL, ARM).at(station(0.75, 0.0), 0.1, 0.0, "the shelf")


def test_the_blocking_joint_is_the_only_one_to_widen():
    """For random poses that only limits forbid: with the limit of the named joint where it says, the pose is reached."""
    rng, chain, tried = np.random.default_rng(2), ARM.arm.chain, 0
    tight = dataclasses.replace(chain, q_min=chain.q_min / 4, q_max=chain.q_max / 4)
    for q in rng.uniform(chain.q_min, chain.q_max, (200, 6)):
        X_BF = forward_kinematics(chain, q)
        if inverse_kinematics(tight, X_BF).valid.any():
            continue
        joint, angle = re.match(r"joint (\d) would be at (-?[\d.]+) deg", blocker(tight, X_BF)).groups()
        index, value = int(joint) - 1, np.radians(float(angle))
        over = max(tight.q_min[index] - value, value - tight.q_max[index])
        wider = dataclasses.replace(tight, q_min=tight.q_min - over - 1e-3, q_max=tight.q_max + over + 1e-3)
        assert inverse_kinematics(wider, X_BF).valid.any()
        tried += 1
    assert tried > 100


def test_the_last_joint_beyond_its_limit_says_where_it_ends():
    error = refused(station(0.6, 0.0), q6=7.0)
    assert "joint 6 would be at 401.1 deg, its limit is 360.0 deg; there it could be with" in str(error)
    assert error.nearest.q[5] == pytest.approx(2 * np.pi)


def test_a_fixture_in_the_way_is_named_with_the_last_clear_configuration():
    limits, poses = ARM.arm.limits, ArmPoses(CELL, ARM)
    start = poses.at(station(0.35, 0.0), 0.35, 0.0, "start")
    end = poses.at(CELL.stations["press"].X_WS, -0.05, 0.0, "inside the press")
    leg = Leg(name="plunge", zone=Zone.BEFORE, trajectory=rest_to_rest(start, end, limits))
    with pytest.raises(
        CollisionError, match=r"R1 plunge of operation 10 comes nearer than 5 mm to .*press"
    ) as caught:
        Volumes(CELL).check(ARM, leg, "10")
    touch = caught.value.touch
    boxes = [box for box in fixtures_of(CELL) if box.name.startswith("press")]
    scene = Scene(
        bodies=(Body(chain=ARM.arm.chain, X_WB=ARM.X_WB, capsules=moving_capsules(ARM)),),
        boxes=Boxes(X_WO=np.array([b.X_WO for b in boxes]), half=np.array([b.half_m for b in boxes])),
    )
    assert float(clearance(scene, touch.q[None])) >= CELL.clearance.fixtures_m
    assert touch.distance_m < CELL.clearance.fixtures_m
    assert 0.0 < touch.clear_s < leg.trajectory.duration
    assert f"clear until {touch.clear_s:.2f} s (joints " in str(caught.value)
    late = leg.trajectory.sample([touch.clear_s + 0.01])[0]
    assert (
        first_touch(scene.bodies[0], rest_to_rest(late[0], end, limits), scene.boxes, 0.005).distance_m
        < 0.005
    )


def test_a_cell_that_cannot_work_names_every_arm_and_what_blocks_it(tmp_path):
    text = tmp_path / "far.toml"
    source = locate("six_arm", "cells")[0].read_text(encoding="utf-8")
    text.write_text(source.replace("x_m = 0.763\ny_m = -0.279", "x_m = 2.3\ny_m = -0.279"), encoding="utf-8")
    with pytest.raises(InfeasibleCellError) as caught:
        build_problem(load_cell(text), [load_joint_model("Pro-PR60-100-80")])
    lines = explanation_of(caught.value).splitlines()
    assert "operation 10" in lines[0]
    assert "can be done by no arm:" in lines[0]
    reasons = [line.strip() for line in lines[1:]]
    assert [reason[:2] for reason in reasons] == ["R1", "R2", "R3", "R4", "R5", "R6"]
    assert all(
        re.search(r"feeder_housing is \d+ mm beyond its reach of 9\d\d mm", reason) for reason in reasons
    )
