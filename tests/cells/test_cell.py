"""Cell files: the bundled ones, and wrong ones refused with file, field, value and what is allowed."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import cells
from cells.arm import arm_names, load_arm
from cells.cell import cell_names, load_cell
from cells.cell_file import REQUIRED_STATIONS
from cells.errors import CellError
from cells.joint_model import joint_model_names, load_joint_model

FOLDER = Path(cells.__file__).parent / "cells"
TEXT = (FOLDER / "six_arm.toml").read_text(encoding="utf-8")


def write(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def findings(path: Path) -> list[str]:
    with pytest.raises(CellError) as caught:
        load_cell(path)
    assert all(str(finding).startswith(f"{path}: ") for finding in caught.value.findings)
    return [str(finding).removeprefix(f"{path}: ") for finding in caught.value.findings]


def test_bundled_cells() -> None:
    assert cell_names() == ("four_types", "six_arm")
    kinds = {name: Counter(arm.arm.id for arm in load_cell(name).arms) for name in cell_names()}
    assert kinds == {
        "six_arm": {"gp7": 6},
        "four_types": {"gp7": 2, "kr6_r900_2": 2, "irb1200_5_90": 1, "lrmate200id_7l": 1},
    }


def test_the_two_bundled_cells_differ_in_their_arms_only() -> None:
    one, two = load_cell("six_arm"), load_cell("four_types")
    assert (one.dial, one.work_height_m, one.clearance, one.motion) == (
        two.dial,
        two.work_height_m,
        two.clearance,
        two.motion,
    )
    assert list(one.stations) == list(two.stations)
    for name, station in one.stations.items():
        assert (station.X_WS == two.stations[name].X_WS).all()
    for a, b in zip(one.arms, two.arms, strict=True):
        assert (a.id, a.tool) == (b.id, b.tool)
        assert (a.X_WB == b.X_WB).all()


@pytest.mark.parametrize("name", cell_names())
def test_every_arm_may_carry_its_tool_with_every_joint(name: str) -> None:
    cell = load_cell(name)
    for model in map(load_joint_model, joint_model_names()):
        for arm in cell.arms:
            assert arm.tool.mass_kg + model.mass_kg <= arm.arm.payload_kg


@pytest.mark.parametrize("name", cell_names())
def test_angles_of_the_file_are_degrees(name: str) -> None:
    cell = load_cell(name)
    for arm in cell.arms:  # all look at the dial's axis
        to_axis = np.array([*cell.dial.center_m, 0.0]) - arm.X_WB[:3, 3]
        assert arm.X_WB[:3, 0] == pytest.approx(to_axis / np.linalg.norm(to_axis), abs=1e-3)
    press = cell.stations["press"].X_WS
    assert np.degrees(np.arctan2(press[1, 0], press[0, 0])) == pytest.approx(30.0)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "index_s = 1.2",
            "index_s = -1.2",
            "dial.index_s: -1.2: must be greater than 0 (allowed: a finite number > 0 ",
        ),
        (
            "index_s = 1.2",
            "index_s = 0",
            "dial.index_s: 0: must be greater than 0 (allowed: a finite number > 0 ",
        ),
        (
            "index_s = 1.2",
            "index_s = 1200",
            "dial.index_s: 1200: must be less than or equal to 60 (allowed: ",
        ),
        (
            "grip_s = 0.25",
            "grip_s = -0.25",
            "motion.grip_s: -0.25: must be greater than or equal to 0 (allowed: ",
        ),
        ("present_s = 1.0", "present_s = nan", "motion.present_s: nan: must be a finite number (allowed: "),
        ("x_m = 0.763", "x_m = nan", "stations[0].x_m: nan: must be a finite number (allowed: "),
        ("x_m = 0.763", "x_m = 763", "stations[0].x_m: 763: must be less than or equal to 10 (allowed: "),
        ("yaw_deg = 180.0", "yaw_deg = inf", "arms[0].base.yaw_deg: inf: must be a finite number (allowed: "),
        ("yaw_deg = 180.0", "yaw = 3.14", "arms[0].base.yaw_deg: is missing (allowed: a finite number)"),
        ("radius_m = 0.40", "radius_m = nan", "dial.radius_m: nan: must be a finite number (allowed: "),
        ("radius_m = 0.40", "radius_m = '0.4'", "dial.radius_m: '0.4': must be a valid number (allowed: "),
        (
            "arms_m = 0.020",
            "arms_m = 0",
            "clearance.arms_m: 0: must be greater than or equal to 0.01 (allowed: ",
        ),
        (
            "work_height_m = 0.14",
            "work_height_m = nan",
            "work_height_m: nan: must be a finite number (allowed: ",
        ),
        (
            "positions = 8",
            "positions = 8.0",
            "dial.positions: 8.0: must be a valid integer (allowed: a whole ",
        ),
        (
            "positions = 8",
            "positions = true",
            "dial.positions: True: must be a valid integer (allowed: a whole ",
        ),
        ("flip_after = 3", "flip_after = 7", "dial.flip_after: 7: leaves no rear position (allowed: 0 to 6)"),
        (
            "spindles = true",
            "spindles = 1",
            "tools[1].spindles: 1: must be a valid boolean (allowed: true or false)",
        ),
        (
            "mass_kg = 2.4",
            "mass_kg = 0",
            "tools[1].mass_kg: 0: must be greater than 0 (allowed: a finite number > 0",
        ),
        (
            "lift_m = 0.11",
            "lift = 0.11",
            "clearance.lift_m: is missing (allowed: a finite number >= 0.05 and <= 0.3)",
        ),
        (
            'kind = "press"',
            'kind = "oven"',
            "stations[4].kind: 'oven': must be 'feeder', 'nozzle', 'press', ",
        ),
        (
            'kind = "press"',
            'kind = "bench"',
            "stations[4].kind: 'bench': is the wrong kind for press (allowed: press)",
        ),
        ("schema_version = 1", "schema_version = 2", "schema_version: 2: must be 1 (allowed: 1)"),
        ('id = "R1"', 'id = "R2"', "arms[1].id: 'R2': is used twice (allowed: each id once)"),
        (
            'id = "R1"',
            'id = "press"',
            "arms[0].id: 'press': is the name of a station (allowed: a name of its own)",
        ),
        ('id = "R1"', 'id = "P3"', "arms[0].id: 'P3': is the name of a station (allowed: a name of its own)"),
        ('id = "R1"', 'id = "R 1"', "arms[0].id: 'R 1': String should match pattern"),
        ('id = "hybrid"', 'id = "gripper"', "tools[1].id: 'gripper': is used twice (allowed: each id once)"),
        (
            'tool = "hybrid"',
            'tool = "hybird"',
            "arms[0].tool: 'hybird': unknown name, did you mean hybrid? (allowed: gripper, hybrid)",
        ),
        (
            'model = "gp7"',
            'model = "gp77"',
            "arms[0].model: 'gp77': unknown name, did you mean gp7? (allowed: gp7, gp8, ",
        ),
        (
            'id = "feeder_cap"',
            'id = "feeder_cup"',
            "stations: feeder_cap is missing (allowed: a station of kind feeder)",
        ),
    ],
)
def test_a_wrong_value_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    lines = findings(write(tmp_path, (old, new)))
    assert any(line.startswith(expected) for line in lines), lines


def test_an_unknown_key_an_unknown_station_and_a_missing_file(tmp_path: Path) -> None:
    (line,) = findings(write(tmp_path, ("index_s = 1.2", "index_s = 1.2\nspeed = 3")))
    assert line.startswith("dial.speed: 3: unknown key (allowed: x_m, y_m, radius_m, positions, ")
    lines = findings(write(tmp_path, ('id = "feeder_cap"', 'id = "feeder_cup"')))
    assert len(lines) == 2
    assert lines[1].startswith(
        "stations[11].id: 'feeder_cup': unknown name, did you mean feeder_cap? (allowed: "
    )
    assert findings(tmp_path / "none.toml") == ["does not exist (allowed: a TOML file)"]
    with pytest.raises(CellError, match=r"^cells/cells: 'six_arms': unknown name, did you mean six_arm\?"):
        load_cell("six_arms")


def test_a_missing_station_is_one_finding_each(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TEXT[: TEXT.index("[[stations]]")] + "[[stations]]\n" + TEXT.split("[[stations]]\n")[1])
    assert len(findings(path)) == len(REQUIRED_STATIONS) - 1


def test_an_arm_file_that_is_wrong_speaks_for_itself(tmp_path: Path) -> None:
    arm = tmp_path / "arm.toml"
    arm.write_text(
        (FOLDER.parent / "arms" / "gp7.toml").read_text().replace("payload_kg = 7", "payload_kg = nan")
    )
    path = write(tmp_path, ('model = "gp7"', f'model = "{arm}"'))
    with pytest.raises(CellError) as caught:
        load_cell(path)
    assert [str(finding) for finding in caught.value.findings] == [
        f"{arm}: ratings.payload_kg: nan: must be a finite number (allowed: a finite number > 0)"
    ]


def test_an_arm_that_is_too_weak_is_named_with_tool_and_workpiece(tmp_path: Path) -> None:
    (line,) = findings(write(tmp_path, ('model = "gp7"', 'model = "vs060"')))
    assert line == (
        "arms[0].tool: 'hybrid': R1 would carry 4.1 kg: its tool of 2.4 kg and, as the heaviest workpiece, "
        "Pro-NU80-50-110 of 1.7 kg (allowed: at most 4 kg, the payload of vs060)"
    )
    load_cell(write(tmp_path, ('model = "gp7"\ntool = "hybrid"', 'model = "vs060"\ntool = "gripper"')))


@pytest.mark.parametrize("name", arm_names())
def test_payload_decides_exactly(tmp_path: Path, name: str) -> None:
    heaviest = max(load_joint_model(model).mass_kg for model in joint_model_names())
    allowed = load_arm(name).payload_kg - heaviest
    if allowed <= 0.0:
        pytest.skip("carries no joint at all")
    edits = (('model = "gp7"\ntool = "hybrid"', f'model = "{name}"\ntool = "gripper"'),)
    load_cell(write(tmp_path, *edits, ("mass_kg = 1.2", f"mass_kg = {allowed - 1e-6}")))
    (line,) = findings(write(tmp_path, *edits, ("mass_kg = 1.2", f"mass_kg = {allowed + 1e-6}")))
    assert line.startswith("arms[0].tool: 'gripper': R1 would carry ")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        # Squares of 0.11 m, corner to corner: further apart than 0.11 m, and still in one another.
        (
            "x_m = 0.140\ny_m = -0.660",
            "x_m = 0.06\ny_m = -0.72",
            "stations.feeder_circular_spline: (0.140, -0.800) m: overlaps stations.out_tray by 0.030 m (",
        ),
        (
            "x_m = 0.763\ny_m = 0.279",
            "x_m = 1.087\ny_m = 0.627",
            "stations.feeder_rotor: (1.087, 0.627) m: overlaps stations.press by ",
        ),
        (
            "x_m = 0.763\ny_m = 0.279",
            "x_m = 0.80\ny_m = 0.05",
            "stations.feeder_rotor: (0.800, 0.050) m: overlaps arms.R1 by ",
        ),
        (
            "x_m = 0.763\ny_m = 0.279",
            "x_m = 0.40\ny_m = 0.05",
            "stations.feeder_rotor: (0.400, 0.050) m: overlaps dial position 0 by ",
        ),
        (
            "x_m = 0.62\ny_m = -0.33",
            "x_m = 0.0\ny_m = 0.0",
            "stations.nozzle_adhesive: (0.000, 0.000) m: overlaps dial by ",
        ),
        (
            "x_m = 0.45, y_m = 0.779",
            "x_m = 0.85, y_m = 0.05",
            "arms.R1: (0.900, 0.000) m: overlaps arms.R2 by ",
        ),
        (
            "positions = 8",
            "positions = 24",
            "dial position 0: (0.400, 0.000) m: overlaps dial position 1 by ",
        ),
    ],
)
def test_things_in_one_anothers_place(tmp_path: Path, old: str, new: str, expected: str) -> None:
    lines = findings(write(tmp_path, (old, new)))
    assert any(line.startswith(expected) for line in lines), lines


def test_things_beside_each_other_do_not_overlap(tmp_path: Path) -> None:
    load_cell(write(tmp_path, ("x_m = 0.140\ny_m = -0.660", "x_m = 0.140\ny_m = -0.6899")))
    assert findings(write(tmp_path, ("x_m = 0.140\ny_m = -0.660", "x_m = 0.140\ny_m = -0.6901")))


BYTES = TEXT.encode()


@given(
    at=st.integers(0, len(BYTES) - 1), cut=st.integers(0, 60), put=st.binary(max_size=20) | st.just(b"-9e999")
)
def test_a_damaged_file_loads_or_gives_findings(
    tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, put: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_bytes(BYTES[:at] + put + BYTES[at + cut :])
    refused = None
    try:
        cell = load_cell(path)
    except CellError as error:
        refused = error
    if refused:
        assert refused.findings
        assert all(line.isprintable() for line in str(refused).split("\n"))
    else:
        assert all(np.isfinite(station.X_WS).all() for station in cell.stations.values())
