"""Process parameters: what a cell's file says, and a copy of it that says something else."""

import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from cells.cell import cell_names, load_cell
from cells.errors import CellError
from controller.process_parameters import process_parameters, write_changed_cell

FILE = files("cells").joinpath("cells/six_arm.toml")


def test_parameters_are_those_of_the_file() -> None:
    document = tomllib.loads(FILE.read_text(encoding="utf-8"))
    for parameter in process_parameters("six_arm"):
        table, key = parameter["name"].split(".")
        assert parameter["value"] == document[table][key]
        assert parameter["lowest"] <= parameter["value"] <= parameter["highest"]


@pytest.mark.parametrize("name", cell_names())
def test_only_the_changed_lines_differ(tmp_path: Path, name: str) -> None:
    """Every parameter at once, in every bundled cell."""
    text = files("cells").joinpath(f"cells/{name}.toml").read_text(encoding="utf-8")
    changes = {each["name"]: each["value"] * 1.25 for each in process_parameters(name)}
    path = tmp_path / "changed.toml"
    write_changed_cell(name, changes, path)
    before, after = text.splitlines(), path.read_text(encoding="utf-8").splitlines()
    assert len(before) == len(after)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == len(changes)
    assert {each["name"]: each["value"] for each in process_parameters(str(path))} == changes
    assert load_cell(path).dial.index_s == changes["dial.index_s"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"motion.grip_s": -1.0}, "motion.grip_s"),
        ({"motion.insert_m_per_s": 40.0}, "motion.insert_m_per_s"),
        ({"work_height_m": 0.2}, "allowed: dial.index_s"),
    ],
)
def test_what_is_no_cell_is_refused_and_leaves_nothing(
    tmp_path: Path, changes: dict[str, float], said: str
) -> None:
    with pytest.raises(CellError, match=said):
        write_changed_cell("six_arm", changes, tmp_path / "changed.toml")
    assert list(tmp_path.iterdir()) == []


def test_a_key_without_a_line_of_its_own_is_said(tmp_path: Path) -> None:
    inline = FILE.read_text(encoding="utf-8").replace("[dial]", "[dial]\nindex_s = 1.0", 1)
    strange = tmp_path / "strange.toml"
    head, dial = inline.split("[dial]", 1)
    fields = [line for line in dial.split("[clearance]", 1)[0].splitlines() if "=" in line][1:]
    table = ", ".join(line.split("#")[0].strip() for line in fields)
    lines = f"{head}dial = {{ {table} }}\n[clearance]{dial.split('[clearance]', 1)[1]}"
    strange.write_text(lines, encoding="utf-8")
    with pytest.raises(CellError, match="has no line of its own"):
        write_changed_cell(str(strange), {"dial.index_s": 1.0}, tmp_path / "changed.toml")
