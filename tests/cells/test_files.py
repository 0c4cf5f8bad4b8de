"""Files that are not what they should be: every one gives findings, none gives a traceback."""

import os
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field

from cells.errors import SCREEN_LINES, CellError, Finding, shown
from cells.files import (
    MAX_BYTES,
    Angle,
    Number,
    Positive,
    Record,
    Six,
    Text,
    Whole,
    bundled,
    load_record,
    locate,
)


class _Part(Record):
    mass_kg: Positive
    turn: Angle = Field(alias="turn_deg", default=0.0)


class _Document(Record):
    count: Annotated[Whole, Field(ge=1, le=6)]
    part: tuple[_Part, ...] = ()
    spot: Six[Number] | None = None
    named: dict[str, _Part] | None = None
    label: Annotated[str, Field(pattern="^[A-Z]+$")] = "A"
    text: Text = "a"
    flag: Annotated[bool, Field(strict=True)] = False


def load(path: Path) -> _Document:
    return load_record(_Document, path, path.name)


def write(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "a.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def message(path: Path) -> str:
    with pytest.raises(CellError) as caught:
        load(path)
    return str(caught.value)


def test_a_right_file_loads_with_degrees_as_radians(tmp_path: Path) -> None:
    document = load(write(tmp_path, "count = 2\n[[part]]\nmass_kg = 1\nturn_deg = 180\n"))
    assert (document.count, document.part[0].mass_kg) == (2, 1.0)
    assert document.part[0].turn == pytest.approx(3.141592653589793, abs=0.0)


def test_radians_under_the_bare_name_are_refused(tmp_path: Path) -> None:
    text = message(write(tmp_path, "count = 2\n[[part]]\nmass_kg = 1\nturn = 3\n"))
    assert text == "a.toml: part[0].turn: 3: unknown key, did you mean turn_deg? (allowed: mass_kg, turn_deg)"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("count = ", "a.toml: is not TOML: "),
        ("count = 1\ncount = 2\n", "(at line 2, column 10)"),
        (b"count = 1\n# \xff", "a.toml: line 2 is not UTF-8 (allowed: UTF-8 text)"),
        ("", "a.toml: count: is missing (allowed: a whole number >= 1 and <= 6)"),
        ("count = 7", "must be less than or equal to 6 (allowed: a whole number >= 1 and <= 6)"),
        (
            "count = 2.0",
            "a.toml: count: 2.0: must be a valid integer (allowed: a whole number >= 1 and <= 6)",
        ),
        (
            "count = true",
            "a.toml: count: True: must be a valid integer (allowed: a whole number >= 1 and <= 6)",
        ),
        (
            "count = 2\npart = 3",
            "a.toml: part: 3: must be a list (allowed: a list, each a table with ",
        ),
        (
            "count = 2\n[[part]]\nmass_kg = nan",
            "a.toml: part[0].mass_kg: nan: must be a finite number (allowed: ",
        ),
        (
            "count = 2\n[[part]]\nmass_kg = -1",
            "a.toml: part[0].mass_kg: -1: must be greater than 0 (allowed: ",
        ),
        (
            "count = 2\nlabel = 'a'",
            "'a': String should match pattern '^[A-Z]+$' (allowed: text matching ^[A-Z]+$)",
        ),
        ("count = 2\ntext = 3", "a.toml: text: 3: must be a valid string (allowed: text)"),
        ("count = 2\nflag = 1", "a.toml: flag: 1: must be a valid boolean (allowed: true or false)"),
        (
            "count = 2\n[named.x]\nmass_kg = 0",
            "a.toml: named.x.mass_kg: 0: must be greater than 0 (allowed: ",
        ),
        (
            "count = 2\nspot = [1, 2]",
            "a.toml: spot: [1, 2]: has 2 values (allowed: 6 values, each a finite number)",
        ),
        (
            "count = 2\nnamed = 3",
            "a.toml: named: 3: must be a table (allowed: a table with any keys)",
        ),
        (
            "count = 2\nspot = [1, 2, 3, 4, 5, inf]",
            "a.toml: spot[5]: inf: must be a finite number (allowed: ",
        ),
    ],
)
def test_wrong_content(tmp_path: Path, content: str | bytes, expected: str) -> None:
    assert expected in message(write(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        b"count = " + b"9" * 5000,
        b"count = 2\n[[part]]\nmass_kg = 1" + b"0" * 400,
        b"count = " + b"[" * 20000,
        b"count = 2\n'a\\u001b[31m' = 1\n",
        b'"\\u001b[31m\\n" = 1\n',
        b"count = '" + b"x" * 5000 + b"'",
        b"\x00",
        b"\xef\xbb\xbfcount = 1",
    ],
)
def test_hostile_content_gives_short_printable_lines(tmp_path: Path, content: bytes) -> None:
    text = message(write(tmp_path, content))
    assert text.startswith("a.toml: ")
    assert all(line.isprintable() and len(line) < 400 for line in text.split("\n"))


def test_too_large_missing_directory_and_device(tmp_path: Path) -> None:
    assert message(write(tmp_path, b"#" * (MAX_BYTES + 1))) == (
        f"a.toml: is too large (allowed: at most {MAX_BYTES} bytes)"
    )
    assert message(tmp_path / "none.toml") == "none.toml: does not exist (allowed: a TOML file)"
    (tmp_path / "folder.toml").mkdir()
    assert message(tmp_path / "folder.toml") == (
        "folder.toml: is not a file that can be read (allowed: a TOML file)"
    )
    os.mkfifo(tmp_path / "pipe.toml")  # opening it would wait for ever
    assert message(tmp_path / "pipe.toml").startswith("pipe.toml: is not a file that can be read")


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = write(tmp_path, "count = 1")
    monkeypatch.setattr(Path, "open", refuse)
    assert message(path) == "a.toml: cannot be read: Permission denied"


def test_all_findings_are_reported_but_no_more_than_a_screen(tmp_path: Path) -> None:
    path = write(tmp_path, "count = 2\n" + "[[part]]\nmass_kg = -1\n" * 100)
    with pytest.raises(CellError) as caught:
        load(path)
    assert len(caught.value.findings) == 100
    lines = str(caught.value).split("\n")
    assert len(lines) == SCREEN_LINES
    assert lines[-1] == "and 77 more"


def test_a_finding_prints_as_one_line() -> None:
    finding = Finding(
        file="cells/six_arm.toml",
        where="arms[2].base.x_m",
        value="9.5",
        message="is too far",
        allowed="-2 to 2",
    )
    assert str(finding) == "cells/six_arm.toml: arms[2].base.x_m: 9.5: is too far (allowed: -2 to 2)"
    assert shown(10**5000) == "a number too long to print"
    assert shown("x" * 100) == "'" + "x" * 56 + "..."


def test_names_and_paths() -> None:
    assert next(iter(bundled("arms"))) == "gp7"
    assert locate("gp7", "arms")[1] == "cells/arms/gp7.toml"
    assert locate("gp7.toml", "arms") == (Path("gp7.toml"), "gp7.toml")
    assert locate(Path("gp7"), "arms") == (Path("gp7"), "gp7")
    with pytest.raises(
        CellError, match=r"^cells/arms: 'gp77': unknown name, did you mean gp7\? \(allowed: gp7, gp8, "
    ):
        locate("gp77", "arms")
