"""Arms against their makers' public models, and the estimates against physics."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.spatial.transform import Rotation

import cells
from cells.arm import arm_names, cylinder_links, load_arm, opw_capsules
from cells.errors import CellError
from kinematics import Chain, forward_kinematics, link_frames

Vector = npt.NDArray[np.float64]

AXES = {"x": (1, 0, 0), "-x": (-1, 0, 0), "y": (0, 1, 0), "-y": (0, -1, 0), "z": (0, 0, 1), "-z": (0, 0, -1)}
ABB, FANUC, KUKA, UPRIGHT = "z y y x y x", "z y -y -x -y -x", "-z y y -x y -x", "z y y z y z"
TOOL0 = {  # roll, pitch and yaw of the tool frame
    ABB: (0.0, np.pi / 2.0, 0.0),
    FANUC: (np.pi, -np.pi / 2.0, 0.0),
    KUKA: (0.0, np.pi / 2.0, 0.0),
    UPRIGHT: (0.0, 0.0, 0.0),
}

# Axes, joint origins in their parents [m] and flange, copied from the URDF that the arm's file names.
URDF = {
    "irb1200_5_90": (ABB, ".3991z 0 .448z .042z .451x .082x", "0"),
    "irb1200_7_70": (ABB, ".3991z 0 .350z .042z .351x .082x", "0"),
    "lrmate200id_7l": (FANUC, ".330z .050x .440z .035z .420x .080x", "0"),
    "lrmate200id": (FANUC, ".330z .050x .330z .035z .335x .080x", "0"),
    "kr6_r900_2": (KUKA, ".400z .025x .455x .025z .420x .090x", "0"),
    "kr6_r900_sixx": (KUKA, ".400z .025x .455x .035z .420x .080x", "0"),
    "gp7": (FANUC, ".330z .040x .445z .440x+.040z 0 0", ".080x"),
    "gp8": (FANUC, ".330z .040x .345z .340x+.040z 0 0", ".080x"),
    "tx2_60l": (UPRIGHT, ".375z 0 .02y+.40z 0 .45z .07z", "0"),
    "tx2_60": (UPRIGHT, ".375z 0 .02y+.29z 0 .31z .07z", "0"),
    "vx300s": (ABB, ".079z .04805z .05955x+.3z .2x .1x .069744x", ".042825x"),
    "vs060": (UPRIGHT, ".1815z .1635z .305z -.010x+.1645z .1355z .070z", "0"),
}

# Wrist centre from joint 1's axis, arm stretched level [m].
REACH = {
    "irb1200_5_90": 0.901,
    "irb1200_7_70": 0.704,
    "lrmate200id_7l": 0.911,
    "lrmate200id": 0.717,
    "kr6_r900_2": 0.901,
    "kr6_r900_sixx": 0.901,
    "gp7": 0.927,
    "gp8": 0.727,
    "tx2_60l": 0.850,
    "tx2_60": 0.600,
    "vs060": 0.605,
    "vx300s": 0.606,
}

INDUSTRIAL = [name for name in arm_names() if load_arm(name).servos is None]


def vector(text: str) -> Vector:
    """``.440x+.040z`` as a vector."""
    total = np.zeros(3)
    for term in text.split("+"):
        if term != "0":
            total += float(term[:-1]) * np.array(AXES[term[-1]], dtype=float)
    return total


def urdf_tool0(name: str, q: Vector) -> tuple[Vector, Vector]:
    axes, origins, flange = URDF[name]
    position, rotation = np.zeros(3), Rotation.identity()
    for axis, origin, angle in zip(axes.split(), origins.split(), q, strict=True):
        position = position + rotation.apply(vector(origin))
        rotation = rotation * Rotation.from_rotvec(angle * np.array(AXES[axis]))
    tool = Rotation.from_euler("xyz", TOOL0[axes])
    return position + rotation.apply(vector(flange)), (rotation * tool).as_matrix()


def straight_up(chain: Chain) -> Vector:
    return chain.offsets * chain.signs


def test_every_arm_of_the_table_is_bundled() -> None:
    assert set(arm_names()) == set(URDF)


@pytest.mark.parametrize("name", arm_names())
def test_flange_is_tool0_of_the_makers_model(name: str) -> None:
    chain = load_arm(name).chain
    rng = np.random.default_rng(7)
    for q in rng.uniform(chain.q_min, chain.q_max, (50, 6)):
        X_BF = forward_kinematics(chain, q)
        position, rotation = urdf_tool0(name, q)
        assert X_BF[:3, 3] == pytest.approx(position, abs=1e-14)
        assert X_BF[:3, :3] == pytest.approx(rotation, abs=1e-14)


@pytest.mark.parametrize("name", arm_names())
def test_reach(name: str) -> None:
    chain = load_arm(name).chain
    assert chain.a1 + chain.c2 + np.hypot(chain.a2, chain.c3) == pytest.approx(REACH[name], abs=5e-4)


@pytest.mark.parametrize("name", INDUSTRIAL)
def test_every_group_of_figures_has_source_and_mark(name: str) -> None:
    sources = load_arm(name).sources
    assert set(sources) == {
        *("opw", "position", "velocity", "acceleration", "jerk", "torque", "ratings", "links", "capsules")
    }
    assert all(len(source.text) > 10 for source in sources.values())
    marks = {group: source.mark for group, source in sources.items() if group != "torque"}
    assert marks == {
        "opw": "C",
        "position": "V",
        "velocity": "V",
        "acceleration": "E",
        "jerk": "E",
        "ratings": "R",
        "links": "E",
        "capsules": "E",
    }
    assert sources["torque"].mark == ("V" if name in ("gp7", "gp8", "tx2_60", "tx2_60l") else "E")


@pytest.mark.parametrize("name", INDUSTRIAL)
def test_limits_are_radians_and_estimates_follow_their_rule(name: str) -> None:
    arm, gp7 = load_arm(name), load_arm("gp7")
    assert np.abs([arm.chain.q_min, arm.chain.q_max]).max() <= np.radians(361.0)
    assert arm.limits.velocity.max() <= np.radians(1445.0)
    assert arm.limits.acceleration == pytest.approx(np.radians([900.0] * 3 + [2250.0] * 3))
    assert arm.limits.jerk == pytest.approx(10.0 * arm.limits.acceleration)
    if arm.sources["torque"].mark == "E":
        assert arm.torque_nm == pytest.approx(gp7.torque_nm * arm.mass_kg / gp7.mass_kg, abs=0.05)


def test_the_arm_of_servos() -> None:
    arm = load_arm("vx300s")
    assert [name for name in arm_names() if name != "vx300s"] == INDUSTRIAL
    assert arm.servos is not None
    assert arm.servos.protocol == "dynamixel2"
    assert (arm.servos.ids, arm.servos.shadows) == ((1, 2, 4, 6, 7, 8), ((3, 2), (5, 4)))
    assert arm.sources["servos"].mark == "V"
    # Min and Max Position Limit of vx300s.yaml
    registers = [(0, 4095), (841, 2867), (898, 3094), (0, 4095), (830, 3504), (0, 4095)]
    steps = 2048 + np.stack([arm.chain.q_min, arm.chain.q_max], axis=1) * 4096 / (2 * np.pi)
    for (low, high), (least, most) in zip(registers, np.rint(steps), strict=True):
        assert low <= least <= low + 2
        assert high - 2 <= most <= high


def test_forward_kinematics_are_the_makers_product_of_exponentials() -> None:
    # interbotix_xsarms_docs, docs/specifications/vx300s.rst: home pose of the gripper link, and the screws
    home = np.eye(4)
    home[:3, 3] = 0.536494, 0.0, 0.42705
    screws = [
        (0, 0, 1, 0, 0, 0),
        (0, 1, 0, -0.12705, 0, 0),
        (0, 1, 0, -0.42705, 0, 0.05955),
        (1, 0, 0, 0, 0.42705, 0),
        (0, 1, 0, -0.42705, 0, 0.35955),
        (1, 0, 0, 0, 0.42705, 0),
    ]
    chain = load_arm("vx300s").chain
    flange = np.linalg.inv(forward_kinematics(chain, np.zeros(6))) @ home
    for q in np.random.default_rng(5).uniform(chain.q_min, chain.q_max, (50, 6)):
        X = np.eye(4)
        for (wx, wy, wz, *v), angle in zip(screws, q, strict=True):
            twist = np.array([[0, -wz, wy, v[0]], [wz, 0, -wx, v[1]], [-wy, wx, 0, v[2]], [0, 0, 0, 0]])
            X = X @ expm(twist * angle)
        assert forward_kinematics(chain, q) @ flange == pytest.approx(X @ home, abs=1e-12)


def test_a_bus_address_belongs_to_one_servo(tmp_path: Path) -> None:
    text = (Path(cells.__file__).parent / "arms" / "vx300s.toml").read_text(encoding="utf-8")
    path = tmp_path / "arm.toml"
    path.write_text(text.replace("[[3, 2], [5, 4]]", "[[3, 2], [7, 9]]"), encoding="utf-8")
    with pytest.raises(CellError) as caught:
        load_arm(path)
    shared, unknown = map(str, caught.value.findings)
    assert "servos.ids: 7: an address is given to more than one servo" in shared
    assert (
        "servos.shadows[1]: 9: no joint has the servo that is shadowed (allowed: 1, 2, 4, 6, 7, 8)" in unknown
    )


def test_figures_of_one_arm() -> None:
    arm = load_arm("gp7")
    assert (arm.id, arm.name, arm.payload_kg, arm.mass_kg) == ("gp7", "Yaskawa GP7", 7.0, 34.0)
    assert np.degrees(arm.chain.q_min) == pytest.approx([-170, -65, -70, -190, -135, -360])
    assert np.degrees(arm.limits.velocity) == pytest.approx([375, 315, 410, 550, 550, 1000])
    assert arm.repeatability_m == 3e-5


@pytest.mark.parametrize("name", arm_names())
def test_link_masses_add_up_and_are_physical(name: str) -> None:
    arm = load_arm(name)
    assert sum(link.mass_kg for link in arm.links) == pytest.approx(arm.mass_kg, rel=1e-12)
    for link in arm.links:
        a, b, c = sorted(link.inertia_kgm2)
        assert a > 0.0
        assert c < a + b  # a rigid body of volume obeys the triangle inequality


def test_link_inertia_is_that_of_a_cylinder_of_the_capsules_volume() -> None:
    capsules = opw_capsules(load_arm("gp7").chain)
    upper = cylinder_links(34.0, capsules)[2]
    radius, segment = capsules.radius[2], capsules.b[2, 2] - capsules.a[2, 2]
    capsule_volume = np.pi * radius**2 * segment + 4.0 / 3.0 * np.pi * radius**3
    length = capsule_volume / (np.pi * radius**2)
    # Sum over a grid of points: no formula of the moments of inertia.
    x, y, z = np.meshgrid(*[(np.arange(120) + 0.5) / 60.0 - 1.0] * 3)
    inside = x**2 + y**2 < 1.0
    x, y, z = radius * x[inside], radius * y[inside], length / 2.0 * z[inside]
    expected = upper.mass_kg * np.array([np.mean(y**2 + z**2), np.mean(x**2 + z**2), np.mean(x**2 + y**2)])
    assert upper.inertia_kgm2 == pytest.approx(expected, rel=2e-3)
    assert upper.com_m == pytest.approx([0.0, 0.0, segment / 2.0])


@pytest.mark.parametrize("name", [name for name in arm_names() if not name.startswith("tx2")])
def test_torque_holds_the_stretched_arm_with_its_payload(name: str) -> None:
    """Not the TX2-60 and TX2-60L: their published torques are smaller than this (see their files)."""
    arm = load_arm(name)
    q = straight_up(arm.chain)
    q[1] += arm.chain.signs[1] * np.pi / 2.0
    frames = link_frames(arm.chain, q)
    masses = [*(link.mass_kg for link in arm.links), arm.payload_kg]
    centres = [X[:3, :3] @ link.com_m + X[:3, 3] for X, link in zip(frames, arm.links, strict=True)]
    centres.append(frames[6][:3, 3])
    for joint in (1, 2):
        moved = range(joint + 1, 8)
        moment = sum(9.81 * masses[k] * (centres[k][0] - frames[joint + 1][0, 3]) for k in moved)
        assert 0.0 < moment < arm.torque_nm[joint]


@pytest.mark.parametrize("name", arm_names())
def test_capsules_follow_the_arm(name: str) -> None:
    arm = load_arm(name)
    chain, capsules = arm.chain, arm.capsules
    assert list(capsules.link) == list(range(7))
    frames = link_frames(chain, straight_up(chain))
    ends = [
        [frames[link][:3, :3] @ point + frames[link][:3, 3] for point in (a, b)]
        for link, a, b in zip(capsules.link, capsules.a, capsules.b, strict=True)
    ]
    wrist = np.array([chain.a1 + chain.a2, chain.b, chain.c1 + chain.c2 + chain.c3])
    elbow_height = chain.c1 + chain.c2
    assert ends[2][1][2] == pytest.approx(elbow_height)
    assert ends[4] == [pytest.approx(wrist - [0, 0, chain.c3]), pytest.approx(wrist)]
    assert np.mean(ends[5], axis=0) == pytest.approx(wrist)
    tops = [max(a[2], b[2]) + r for (a, b), r in zip(ends, capsules.radius, strict=True)]
    bottoms = [min(a[2], b[2]) - r for (a, b), r in zip(ends, capsules.radius, strict=True)]
    assert min(bottoms) == pytest.approx(0.0, abs=1e-12)  # stands on the base plane
    assert tops[6] == pytest.approx(wrist[2] + chain.c4)  # ends at the flange face
    assert ((capsules.radius >= 0.04) & (capsules.radius <= 0.09)).all()


@pytest.mark.parametrize("name", arm_names())
def test_arrays_cannot_be_changed(name: str) -> None:
    arm = load_arm(name)
    arrays = [arm.torque_nm, arm.capsules.a, arm.capsules.b, arm.capsules.radius, arm.chain.q_min]
    assert not any(array.flags.writeable for array in [*arrays, *(link.com_m for link in arm.links)])


def edited(tmp_path: Path, *edits: tuple[str, str], more: str = "") -> Path:
    """A copy of the GP7's file with some text replaced and some appended."""
    text = (Path(cells.__file__).parent / "arms" / "gp7.toml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "my_arm.toml"
    path.write_text(text + more, encoding="utf-8")
    return path


def findings(path: Path) -> list[str]:
    with pytest.raises(CellError) as caught:
        load_arm(path)
    return [str(finding).removeprefix(f"{path}: ") for finding in caught.value.findings]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "a1_m = 0.04",
            "a1_m = nan",
            "opw.a1_m: nan: must be a finite number (allowed: a finite number >= -1 and <= 1)",
        ),
        (
            "c2_m = 0.445",
            "c2_m = inf",
            "opw.c2_m: inf: must be a finite number (allowed: a finite number >= 0.01 and <= 5)",
        ),
        (
            "c2_m = 0.445",
            "c2_m = 445",
            "opw.c2_m: 445: must be less than or equal to 5 (allowed: a finite number >= 0.01 and <= 5)",
        ),
        (
            "c2_m = 0.445",
            "c2_m = true",
            "opw.c2_m: True: must be a valid number (allowed: a finite number >= 0.01 and <= 5)",
        ),
        (
            "c2_m = 0.445",
            "c2_m = '1'",
            "opw.c2_m: '1': must be a valid number (allowed: a finite number >= 0.01 and <= 5)",
        ),
        ("c2_m = 0.445", "", "opw.c2_m: is missing (allowed: a finite number >= 0.01 and <= 5)"),
        (
            "mass_kg = 34",
            "mass_kg = -34",
            "ratings.mass_kg: -34: must be greater than 0 (allowed: a finite number > 0)",
        ),
        (
            'mark = "R"',
            'mark = "X"',
            "ratings.mark: 'X': must be 'V', 'C', 'R' or 'E' (allowed: 'V', 'C', 'R', 'E')",
        ),
        ("schema_version = 1", "schema_version = 2", "schema_version: 2: must be 1 (allowed: 1)"),
        (
            "q_max_deg = [170, 145,",
            "q_max_deg = [170, -65,",
            "position.q_max_deg[1]: -65: the joint has no range (allowed: > -65)",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert findings(edited(tmp_path, (old, new))) == [expected]


def test_a_misspelt_key_suggests_the_right_one(tmp_path: Path) -> None:
    first, second = findings(edited(tmp_path, ("payload_kg", "payloadkg")))
    assert first == "ratings.payload_kg: is missing (allowed: a finite number > 0)"
    assert second.startswith(
        "ratings.payloadkg: 7: unknown key, did you mean payload_kg? (allowed: source, mark, "
    )


def test_a_list_of_wrong_length(tmp_path: Path) -> None:
    (line,) = findings(edited(tmp_path, ("signs = [1, 1, -1, -1, -1, -1]", "signs = [1, 1]")))
    assert line == "opw.signs: [1, 1]: has 2 values (allowed: 6 values, each -1, 1)"


def test_all_findings_come_at_once(tmp_path: Path) -> None:
    lines = findings(edited(tmp_path, ("a1_m = 0.04", "a1_m = nan"), ("payload_kg = 7", "payload_kg = 0")))
    assert [line.split(":")[0] for line in lines] == ["opw.a1_m", "ratings.payload_kg"]


LINK = "[[links.link]]\nmass_kg = {}\ncom_m = [0, 0, 0.1]\ninertia_kgm2 = [0.1, 0.1, 0.05]\n"


def test_a_file_may_give_links_and_capsules(tmp_path: Path) -> None:
    more = '[links]\nsource = "weighed"\nmark = "V"\n' + "".join(
        LINK.format(m) for m in (4, 5, 5, 5, 5, 5, 5)
    )
    more += '[capsules]\nsource = "drawn"\nmark = "E"\n'
    more += "[[capsules.capsule]]\nlink = 3\na_m = [0, 0, 0]\nb_m = [0, 0, 0.1]\nradius_m = 0.05\n"
    arm = load_arm(edited(tmp_path, more=more))
    assert arm.id == "my_arm"
    assert [link.mass_kg for link in arm.links] == [4, 5, 5, 5, 5, 5, 5]
    assert arm.links[6].com_m == pytest.approx([0, 0, 0.1])
    assert (list(arm.capsules.link), arm.capsules.b.tolist(), arm.capsules.radius.tolist()) == (
        [3],
        [[0, 0, 0.1]],
        [0.05],
    )
    assert (arm.sources["links"].mark, arm.sources["capsules"].text) == ("V", "drawn")


def test_given_link_masses_must_add_up(tmp_path: Path) -> None:
    more = '[links]\nsource = "weighed"\nmark = "V"\n' + LINK.format(5) * 7
    (line,) = findings(edited(tmp_path, more=more))
    assert line.startswith("links.link: 35 kg in all: the links' masses do not add up to ratings.mass_kg")


GP7 = (Path(cells.__file__).parent / "arms" / "gp7.toml").read_bytes()


@given(
    at=st.integers(0, len(GP7) - 1), cut=st.integers(0, 40), put=st.binary(max_size=20) | st.just(b"-9e999")
)
def test_a_damaged_file_loads_or_gives_findings(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, put: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes(GP7[:at] + put + GP7[at + cut :])
    refused = None
    try:
        arm = load_arm(path)
    except CellError as error:
        refused = error
    if refused:
        assert refused.findings
        assert all(line.isprintable() for line in str(refused).split("\n"))
    else:
        assert np.isfinite(forward_kinematics(arm.chain, np.zeros(6))).all()
