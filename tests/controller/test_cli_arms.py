import tomllib

import pytest
from typer.testing import CliRunner

from cells import load_arm
from cells.serial_arm import load_serial_arm
from controller.checking import check_file
from controller.cli import app
from tests.reference.urdf import GP7, GP7_TOOL, UR5E, robot


@pytest.fixture
def urdf(tmp_path):
    path = tmp_path / "arm.urdf"
    path.write_bytes(robot(GP7, tool=GP7_TOOL))
    return path


def test_an_arm_file_is_written_and_what_is_missing_is_said(urdf, tmp_path):
    out = tmp_path / "arm.toml"
    result = CliRunner().invoke(app, ["arms", "--from-urdf", str(urdf), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "test arm, base_link to tool0: ortho-parallel base and spherical wrist (OPW)" in result.stderr
    assert "Missing: acceleration: an estimate, see the file." in result.stderr
    assert result.stdout == ""
    assert load_arm(out).chain.c2 == pytest.approx(0.445)


def test_without_a_file_it_goes_to_standard_output(urdf):
    result = CliRunner().invoke(app, ["arms", "--from-urdf", str(urdf)])
    assert result.exit_code == 0
    assert tomllib.loads(result.stdout)["opw"]["signs"] == [1, 1, -1, -1, -1, -1]


def test_serial_arms_are_checked_as_such(tmp_path):
    path, out = tmp_path / "ur.urdf", tmp_path / "ur.toml"
    path.write_bytes(robot(UR5E))
    result = CliRunner().invoke(app, ["arms", "--from-urdf", str(path), "--tip", "tool0", "--out", str(out)])
    assert result.exit_code == 0
    assert load_serial_arm(out).name == "test arm"
    assert check_file(out) == "arm test arm: payload 5 kg, mass 27 kg, of any geometry, for kinematics only"


def test_the_list_is_still_there():
    result = CliRunner().invoke(app, ["arms"])
    assert result.exit_code == 0
    assert "Yaskawa GP7" in result.stdout
