"""What `jointcell check` makes of bundled, damaged and foreign files."""

from pathlib import Path

import pytest

from cells.errors import CellError
from controller.checking import check_file

CELLS = Path(__file__).parents[2] / "cells"
JOINTS = (CELLS / "joints" / "pro.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(CELLS.glob("*/*.toml")), ids=lambda path: path.name)
def test_every_bundled_file_is_what_its_folder_says(path: Path) -> None:
    starts = {"cells": "cell ", "arms": "arm ", "joints": "16 joint models: "}
    assert check_file(path).startswith(starts[path.parent.name])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "is empty (allowed: tables of cell: arms,"),
        ("[tool]\nx = 1\n", "'tool': holds no cell, arm or joint models (allowed:"),
        ("[dial]\nx_m = 0\n", "tools: is missing"),  # a cell, though most of it lacks
        ("[opw]\na1_m = 0\n", "torque: is missing"),
        ("[dial\n", "is not TOML"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "file.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CellError) as caught:
        check_file(path)
    assert any(expected in str(finding) for finding in caught.value.findings)
    assert all(finding.file == str(path) for finding in caught.value.findings)


def test_joint_models_that_lack_a_part_cannot_be_assembled(tmp_path: Path) -> None:
    path = tmp_path / "joints.toml"
    path.write_text(JOINTS.replace("stator = 190\n", ""), encoding="utf-8")
    with pytest.raises(CellError) as caught:
        check_file(path)
    assert len(caught.value.findings) == 16
    assert "parts.share.stator: is missing: Pro-NE30-30 cannot be assembled" in str(caught.value.findings[0])
