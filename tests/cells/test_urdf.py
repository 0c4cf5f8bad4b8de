"""URDF import: against pinocchio's own reader, and against files that are wrong or hostile."""

import tomllib

import numpy as np
import pinocchio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cells import CellError, load_arm
from cells.arm_text import arm_text
from cells.serial_arm import load_serial_arm, quaternion_of, rotation_of
from cells.urdf import load_urdf, parse_urdf
from kinematics import ParallelAxesChain, forward_kinematics
from tests.reference.serial_arms import pinocchio_of, random_pose
from tests.reference.urdf import GP7, GP7_TOOL, LIMIT, UR5E, joint, random_rows, robot

RNG = np.random.default_rng(1)
TEXTS = {
    "gp7": robot(GP7, tool=GP7_TOOL),
    "ur5e": robot(UR5E, tool=((0, 0, 0), (0, 0, 0))),
    "random": robot(random_rows(RNG), tool=((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))),
    "backwards": robot([(xyz, rpy, np.negative(axis)) for xyz, rpy, axis in GP7]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_poses_and_torques_are_those_of_pinocchio(name):
    arm = parse_urdf(TEXTS[name], "arm.urdf")
    model = pinocchio.buildModelFromXML(TEXTS[name].decode())
    own = pinocchio_of(arm.chain)
    data, own_data = model.createData(), own.createData()
    for q in np.random.default_rng(2).uniform(-2.5, 2.5, (20, 6)):
        pinocchio.framesForwardKinematics(model, data, q)
        expected = data.oMf[model.getFrameId("tool0")].homogeneous
        np.testing.assert_allclose(forward_kinematics(arm.chain, q), expected, atol=1e-9)
        np.testing.assert_allclose(arm.flange(q), expected, atol=1e-9)
        qd, qdd = np.random.default_rng(3).normal(size=(2, 6))
        own.gravity, model.gravity = pinocchio.Motion.Zero(), pinocchio.Motion.Zero()
        torques = pinocchio.rnea(model, data, q, qd, qdd)
        np.testing.assert_allclose(pinocchio.rnea(own, own_data, q, qd, qdd), torques, atol=1e-9)
    assert [each.name for each in arm.joints] == [f"joint_{k}" for k in range(1, 7)]
    assert (arm.base, arm.tip, arm.name) == ("base_link", "tool0", "test arm")
    assert arm.mass_kg == pytest.approx(27.0)
    np.testing.assert_allclose(arm.velocity, 3.1)
    np.testing.assert_allclose(arm.effort, 100.0)
    np.testing.assert_allclose([arm.chain.q_min, arm.chain.q_max], np.outer((-2.9, 2.8), np.ones(6)))


def written(tmp_path, text):
    path = tmp_path / "arm.toml"
    result = arm_text(parse_urdf(text, "arm.urdf"), "arm.urdf", np.random.default_rng(0))
    path.write_text(result.text, encoding="utf-8")
    return path, result


def test_the_gp7_comes_out_as_the_bundled_one(tmp_path):
    path, result = written(tmp_path, TEXTS["gp7"])
    found, bundled = load_arm(path).chain, load_arm("gp7").chain
    for name in ("a1", "a2", "b", "c1", "c2", "c3", "c4", "offsets", "signs"):
        np.testing.assert_allclose(getattr(found, name), getattr(bundled, name), atol=1e-11)
    assert result.kind == "ortho-parallel base and spherical wrist (OPW), closed form"
    assert [what.split(":")[0] for what in result.missing] == [
        "payload and repeatability",
        "acceleration",
        "jerk",
        "link masses in the form of this kind of arm",
    ]
    assert tomllib.loads(result.text)["acceleration"]["mark"] == "E"


@pytest.mark.parametrize("name", ["ur5e", "random"])
def test_other_arms_come_back_with_their_masses(tmp_path, name):
    path, result = written(tmp_path, TEXTS[name])
    source, arm = parse_urdf(TEXTS[name], "arm.urdf"), load_serial_arm(path)
    q = np.random.default_rng(4).uniform(-3, 3, (20, 6))
    np.testing.assert_allclose(
        forward_kinematics(arm.chain, q), [source.flange(each) for each in q], atol=1e-9
    )
    assert isinstance(arm.chain, ParallelAxesChain) == (name == "ur5e") == ("UR" in result.kind)
    for key in ("mass", "com", "inertia"):
        np.testing.assert_allclose(
            getattr(arm.chain.bodies, key), getattr(source.chain.bodies, key), atol=1e-11
        )
    assert (arm.id, arm.name, arm.sources["serial"].mark) == ("arm", "test arm", "C")
    assert arm.mass_kg == pytest.approx(27.0)


def test_what_a_urdf_does_not_give_is_named(tmp_path):
    bare = robot(
        GP7, limit='<limit lower="-1" upper="1" effort="0" velocity="0"/>', masses=False, tool=GP7_TOOL
    )
    _, result = written(tmp_path, bare)
    assert [what.split(":")[0] for what in result.missing] == [
        "masses of all links that move",
        "payload and repeatability",
        "velocity",
        "acceleration",
        "jerk",
        "torque",
    ]
    endless = robot(UR5E).replace(b'type="revolute"', b'type="continuous"', 1)
    arm = parse_urdf(endless, "arm.urdf")
    assert arm.chain.q_max[0] == pytest.approx(2 * np.pi)
    assert arm.missing == (
        "limits of joint joint_1, which turns without end: 360 degrees both ways are taken",
    )


def test_an_opw_arm_in_another_base_frame_says_so(tmp_path):
    rows = [((0.1, 0.2, 0.33), (0.3, 0.0, 0.0), (0, 0, 1)), *GP7[1:]]
    _, result = written(tmp_path, robot(rows, tool=((0.0, 0.0, 0.1), (0.0, 0.3, 0.0))))
    assert any("the arm's base frame in base_link is [[" in what for what in result.missing)
    assert any("tool0 in its flange frame is [[" in what for what in result.missing)


def test_an_opw_arm_without_a_wrist_to_flange_distance_is_written_as_a_serial_one(tmp_path):
    rows = [*GP7[:5], ((0, 0, 0), (0, 0, 0), (-1, 0, 0))]
    path, result = written(tmp_path, robot(rows, tool=((0, 0, 0), GP7_TOOL[1])))
    assert load_serial_arm(path).chain.bodies is not None
    assert result.kind == "general, solved numerically"


def test_the_tip_is_chosen_or_asked_for():
    more = '<link name="camera"/>' + joint("mount", "fixed", "tool0", "camera", (0.1, 0, 0))
    assert parse_urdf(robot(GP7, more=more), "arm.urdf").tip == "tool0"
    assert parse_urdf(robot(GP7, more=more), "arm.urdf", "camera").tip == "camera"
    assert parse_urdf(robot(GP7, more=more).replace(b"tool0", b"end"), "arm.urdf").tip == "camera"
    with pytest.raises(
        CellError, match=r"tip: 'link_3': is not fixed to the last joint \(allowed: link_6, tool0"
    ):
        parse_urdf(robot(GP7, more=more), "arm.urdf", "link_3")
    two = more + '<link name="hand"/>' + joint("hand", "fixed", "tool0", "hand")
    with pytest.raises(CellError, match="several links may be the flange: name one"):
        parse_urdf(robot(GP7, more=two).replace(b"tool0", b"end"), "arm.urdf")


def test_a_base_link_below_a_world_is_the_base():
    more = '<link name="world"/>' + joint("stand", "fixed", "world", "base_link", (1.0, 2.0, 3.0))
    arm = parse_urdf(robot(GP7, tool=GP7_TOOL, more=more), "arm.urdf")
    assert arm.base == "base_link"
    expected = parse_urdf(TEXTS["gp7"], "arm.urdf")
    np.testing.assert_allclose(arm.chain.X_joint, expected.chain.X_joint)


def edited(old, new, count=1):
    text = TEXTS["gp7"]
    assert old.encode() in text
    return text.replace(old.encode(), new.encode(), count)


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
WRONG = {
    "not XML": (b"schema_version = 1", "is not XML: syntax error"),
    "empty": (b"", "is not XML: no element found"),
    "bytes": (bytes(range(256)), "is not XML"),
    "encoding": (b'<?xml version="1.0" encoding="klingon"?><robot/>', "is not XML: unknown encoding|can't be decoded"),
    "entities": (robot(GP7, prefix=BOMB), r"line 1: has a document type \(allowed: a URDF without entities\)"),
    "external": (b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><robot/>', "has a document type"),
    "other XML": (b"<html/>", r"'html': is not a robot description \(allowed: <robot>"),
    "xacro": (b'<robot xmlns:xacro="x"><xacro:macro/></robot>', "<xacro:macro>: is a xacro file"),
    "deep": (b"<robot>" + b"<a>" * 60 + b"</a>" * 60 + b"</robot>", r"is nested too deeply \(allowed: 50 levels\)"),
    "large": (b" " * 5_000_001, "is too large"),
    "many": (b"<robot>" + b"<link/>" * 1001 + b"</robot>", "has 1001 links, joints and the like"),
    "no joints": (b'<robot><link name="a"/></robot>', r"has 0 joints that move \(allowed: 6 revolute joints in a row\)"),
    "five joints": (edited('type="revolute"', 'type="fixed"'), "has 5 joints that move"),
    "prismatic": (edited('type="revolute"', 'type="prismatic"'), "joint 'joint_1': 'prismatic': can't be used"),
    "branch": (
        robot(GP7, more='<link name="x"/>' + joint("side", "revolute", "link_2", "x", axis=(0, 0, 1), limit=LIMIT)),
        r"joint 'side': branches off \(allowed: one row of joints\)",
    ),
    "cycle": (edited('<parent link="base_link"/>', '<parent link="link_6"/>'), "the joints form a cycle"),
    "two parents": (
        robot(GP7, more=joint("again", "fixed", "base_link", "link_4")),
        r"joint 'again': 'link_4': is moved by joint 'joint_4', too",
    ),
    "twice": (robot(GP7, more='<link name="link_2"/>'), "link 'link_2': is defined twice"),
    "unknown link": (edited('<child link="link_3"/>', '<child link="lnk_3"/>'), "'lnk_3': is not a link of this robot"),
    "no parent": (edited('<parent link="base_link"/>', ""), "joint 'joint_1': has no <parent>"),
    "no name": (edited('<link name="link_2">', "<link>"), "link: <link> has no name"),
    "axis": (edited('<axis xyz="0.0 0.0 1.0"/>', '<axis xyz="0 0 0"/>'), "joint 'joint_1'.axis: '0 0 0': has no direction"),
    "words": (edited('xyz="0.0 0.0 0.33"', 'xyz="0 0 up"'), r"joint_1'.origin.xyz: '0 0 up': is wrong \(allowed: 3 finite"),
    "few": (edited('xyz="0.0 0.0 0.33"', 'xyz="0 0"'), r"joint_1'.origin.xyz: '0 0': is wrong"),
    "infinite": (edited('xyz="0.0 0.0 0.33"', 'xyz="0 0 1e999"'), r"'0 0 1e999': is wrong"),
    "huge": (edited('lower="-2.9"', 'lower="-1e300"'), r"joint_1'.limit.lower: '-1e300': is wrong"),
    "range": (edited('lower="-2.9"', 'lower="2.9"'), r"joint_1'.limit: 2.9 to 2.8 rad: has no range"),
    "mass": (edited('value="2"', 'value="nan"'), "link 'link_1'.inertial.mass.value: 'nan': is wrong"),
    "inertia": (edited('ixx="0.03"', 'ixx="-3"'), "principal moment"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_wrong_and_hostile_files_are_refused_with_the_reason(what):
    text, message = WRONG[what]
    with pytest.raises(CellError, match=message) as caught:
        parse_urdf(text, "arm.urdf")
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith("arm.urdf: ")


@given(at=st.integers(0, len(TEXTS["gp7"]) - 1), cut=st.integers(0, 40), put=st.binary(max_size=12))
def test_a_damaged_file_is_an_arm_or_refused(at, cut, put):
    text = TEXTS["gp7"]
    refused, arm = None, None
    try:
        arm = parse_urdf(text[:at] + put + text[at + cut :], "arm.urdf")
    except CellError as error:
        refused = str(error)
    assert (
        refused.isprintable()
        if arm is None
        else np.isfinite(forward_kinematics(arm.chain, np.zeros(6))).all()
    )


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(CellError, match="is not a file that can be read"):
        load_urdf(tmp_path)
    path = tmp_path / "arm.urdf"
    path.write_bytes(TEXTS["gp7"])
    assert load_urdf(path).name == "test arm"


def test_quaternions_and_rotations_are_each_other():
    for _ in range(50):
        R = random_pose(RNG, 1.0)[:3, :3]
        np.testing.assert_allclose(rotation_of(quaternion_of(R)), R, atol=1e-12)
    half = np.diag([-1.0, 1.0, -1.0])
    np.testing.assert_allclose(rotation_of(quaternion_of(half)), half, atol=1e-12)


SERIAL_WRONG = (
    ("quaternions_wxyz = [[", "quaternions_wxyz = [[0.0, 0.0, 0.0, 0.0], [", "has 8 values"),
    ("q_min_deg = [-166", "q_min_deg = [300", "position.q_max_deg[0]: 160.428: the joint has no range"),
    ("mass_kg = 2.0", "mass_kg = -2.0", "links.link[0].mass_kg: -2"),
    ("[serial]", "[seriell]", "serial: is missing"),
)


@pytest.mark.parametrize(("old", "new", "message"), SERIAL_WRONG)
def test_serial_files_that_are_wrong_are_refused(tmp_path, old, new, message):
    path, _ = written(tmp_path, TEXTS["ur5e"])
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CellError) as caught:
        load_serial_arm(path)
    assert message in str(caught.value)


def test_a_quaternion_without_direction_is_refused(tmp_path):
    path, _ = written(tmp_path, TEXTS["ur5e"])
    text = path.read_text(encoding="utf-8").replace("[1.0, 0.0, 0.0, 0.0]", "[0.0, 0.0, 0.0, 0.0]")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CellError, match=r"serial: chain.X_joint.*nan, expected a finite number"):
        load_serial_arm(path)
