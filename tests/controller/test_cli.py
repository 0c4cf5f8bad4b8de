"""What the command line says and returns when something is wrong: before anything is planned, and afterwards."""

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

import controller.app
from cells.errors import SCREEN_LINES
from controller import cli, console
from controller.report import ArmRecord, JointRecord, summarise
from controller.scheduling.build import InfeasibleCellError

ROOT = Path(__file__).parents[2]
Call = Callable[..., SimpleNamespace]


@pytest.fixture
def call(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Calls the command in this process and an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("DISPLAY", raising=False)

    def run(*arguments: str) -> SimpleNamespace:
        code = cli._guarded(lambda: cli.app(list(arguments)))
        captured = capfd.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


def outcome(out: Path, fault: str = "") -> SimpleNamespace:
    """What a run of two cycles hands back, without the run."""
    joints = [
        JointRecord(
            serial=f"J{n}", model="Pro-NE30-30", good=True, finished_s=28.0 * n, flow_time_s=200.0, eol={}
        )
        for n in range(5)
    ]
    summary = summarise(
        seed=0,
        driver="fake",
        cell="six_arm",
        models=["Pro-NE30-30"],
        target_s=30.0,
        joints=joints,
        warm_up=2,
        planned_cycle_time_s=28.0,
        lower_bound_s=20.0,
        collisions=0,
        min_clearance_m=None,
        part_pose_error_max_m=None,
        dropped_parts=0,
        arms=[ArmRecord(name="R1", model="GP7", busy=0.9, waiting_by_reason={})],
        simulated_s=150.0,
        wall_s=1.0,
        planning_s=1.0,
        trace_sha256="0" * 64,
    )
    return SimpleNamespace(summary=summary, state=SimpleNamespace(fault=fault), report=out / "report.html")


@pytest.fixture
def no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run itself takes no time and prints as native code does."""

    def run(options: Any, *_: object) -> SimpleNamespace:
        os.write(1, b"native chatter\n")
        return outcome(options.out)

    monkeypatch.setattr(controller.app, "run", run)


def edited(path: Path, old: str, new: str) -> Path:
    text = (ROOT / "cells" / "cells" / "six_arm.toml").read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--cell", "nowhere.toml"], ["nowhere.toml: does not exist", "a TOML file"]),
        (["--cell", "six_arms"], ["'six_arms'", "did you mean six_arm?"]),
        (
            ["--models", "Pro-PR60-50-9"],
            ["'Pro-PR60-50-9'", "did you mean Pro-PR60-50-90?", "Pro-NU80-160-110"],
        ),
        (["--models", ","], ["--models", "','", "allowed: 'mix'"]),
        (["--models", "Pro-NE30-30,Pro-NE30-30"], ["--models", "each once"]),
        (["--models", "mix,Pro-NE30-30"], ["--models", "allowed: 'mix'"]),
        (["--joints", "0"], ["--joints", "greater than or equal to 1"]),
        (["--joints", "1000000000000"], ["--joints", "less than or equal to 10000"]),
        (["--seed", "one"], ["--seed", "valid integer"]),
        (["--seed", "-1"], ["--seed", "greater than or equal to 0"]),
        (["--seed", str(2**63)], ["--seed", "less than or equal to 9223372036854775807"]),
        (["--target", "nan"], ["--target", "nan", "above 0"]),
        (["--target", "-3"], ["--target", "-3.0", "above 0"]),
        (["--target", "0"], ["--target", "0.0", "above 0"]),
        (["--target", "inf"], ["--target", "inf", "at most 86400"]),
        (["--target", "soon"], ["--target", "valid number"]),
        (["--driver", "magic"], ["--driver", "'sim', 'fake'"]),
        (["--out", "taken"], ["--out", "taken", "is not empty"]),
        (["--out", "file"], ["--out", "file", "File exists"]),
        (["--out", "file/below"], ["--out", "file/below", "Not a directory"]),
        (["--json", "nowhere/run.json"], ["--json", "nowhere/run.json", "No such file or directory"]),
        (["--json", "taken"], ["--json", "taken", "Is a directory"]),
        (["--junit", "file/cycles.xml"], ["--junit", "file/cycles.xml", "Not a directory"]),
        (["--gui"], ["--gui", "no display"]),
        (["--jonts", "3"], ["No such option: --jonts", "--joints"]),
    ],
)
def test_wrong_input_is_refused_before_any_work(
    call: Call, arguments: list[str], expected: list[str]
) -> None:
    Path("taken").mkdir()
    Path("taken/something").touch()
    Path("file").touch()
    result = call("run", *arguments)
    assert result.code == console.USAGE
    assert result.out == ""
    assert [text for text in expected if text not in result.err] == []
    assert len(result.err.splitlines()) <= SCREEN_LINES


def test_findings_of_cell_and_models_come_together(call: Call) -> None:
    result = call("run", "--cell", "nowhere.toml", "--models", "Pro-1,Pro-2")
    assert result.code == console.USAGE
    assert all(text in result.err for text in ("nowhere.toml", "'Pro-1'", "'Pro-2'"))


def test_an_unknown_key_in_a_cell_file(call: Call, tmp_path: Path) -> None:
    path = edited(tmp_path / "cell.toml", "work_height_m =", "work_hight_m =")
    result = call("run", "--cell", str(path))
    assert result.code == console.USAGE
    assert f"{path}: work_hight_m: 0.14: unknown key, did you mean work_height_m?" in result.err
    assert f"{path}: work_height_m: is missing" in result.err


def test_a_file_full_of_mistakes_fits_on_one_screen(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "cell.toml"
    path.write_text("\n".join(f"key_{n} = {n}" for n in range(100)) + "\n[dial]\n", encoding="utf-8")
    for arguments in (["run", "--cell", str(path)], ["check", str(path), str(path)]):
        result = call(*arguments)
        assert result.code in (console.USAGE, console.MISSED)
        assert len(result.err.splitlines()) == SCREEN_LINES
        assert "more" in result.err.splitlines()[-1]


def test_a_cell_that_cannot_do_it(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> NoReturn:
        raise InfeasibleCellError("six_arm: operation 90 can be done by no arm")

    monkeypatch.setattr(controller.app, "run", run)
    result = call("run")
    assert result.code == console.USAGE
    assert result.err == "This cell cannot do it: six_arm: operation 90 can be done by no arm\n"


def test_a_fault_of_the_program_is_not_hidden(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> NoReturn:
        raise RuntimeError("a bug")

    monkeypatch.setattr(controller.app, "run", run)
    with pytest.raises(RuntimeError, match="a bug"):
        call("run")


def test_a_full_disk_is_a_fault(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(controller.app, "run", run)
    result = call("run", "--out", "here")
    assert result.code == console.FAULT
    assert result.err == "Fault: here: cannot be written: No space left on device\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.usefixtures("no_work")
@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_full_disk_at_the_end_is_a_fault(call: Call, option: str) -> None:
    result = call("run", option, "/dev/full")
    assert result.code == console.FAULT
    assert "No space left on device" in result.err


@pytest.mark.parametrize("record", [False, True])
def test_interrupted(call: Call, monkeypatch: pytest.MonkeyPatch, record: bool) -> None:
    def run(options: Any, *_: object) -> NoReturn:
        if record:
            (options.out / "record.jsonl").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(controller.app, "run", run)
    result = call("run", "--out", "here")
    assert result.code == console.INTERRUPTED
    assert ("here/record.jsonl" if record else "before anything moved") in result.err


@pytest.mark.usefixtures("no_work")
def test_json_on_standard_output_is_nothing_but_json(call: Call) -> None:
    result = call("run", "--json", "-", "--out", "here")
    assert result.code == console.MET
    assert json.loads(result.out)["cycle_times_s"] == [28.0, 28.0, 28.0]
    assert result.err == "native chatter\n"


@pytest.mark.usefixtures("no_work")
def test_files_are_written_where_asked(call: Call) -> None:
    Path("run.json").write_text("old", encoding="utf-8")
    result = call("run", "--json", "run.json", "--junit", "cycles.xml")
    assert result.code == console.MET
    assert json.loads(Path("run.json").read_text(encoding="utf-8"))["met"]
    assert Path("cycles.xml").read_text(encoding="utf-8").startswith("<?xml")
    assert "Target of 30 s met" in result.out
    (directory,) = Path("runs").iterdir()
    assert f"Report: {directory}/report.html" in result.out.replace("\n", " ")


def test_checking_a_path_changes_nothing(call: Call) -> None:
    Path("run.json").write_text("old", encoding="utf-8")
    result = call("run", "--json", "run.json", "--junit", "cycles.xml", "--cell", "nowhere")
    assert result.code == console.USAGE
    assert Path("run.json").read_text(encoding="utf-8") == "old"
    assert not Path("cycles.xml").exists()


def test_a_fault_in_the_cell_is_exit_code_3(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        controller.app, "run", lambda options, *_: outcome(options.out, "R4: following error")
    )
    result = call("run")
    assert result.code == console.FAULT
    assert result.err.endswith("Fault: R4: following error\n")


def test_check_tells_what_files_are_and_what_is_wrong(call: Call, tmp_path: Path) -> None:
    good = str(ROOT / "cells" / "cells" / "six_arm.toml")
    result = call("check", good)
    assert (result.code, result.err) == (console.MET, "")
    assert "cell six_arm: 6 arms" in result.out
    wrong = edited(tmp_path / "cell.toml", "positions = 8", "positions = 0")
    result = call("check", str(wrong), good, "nowhere.toml")
    assert result.code == console.MISSED
    assert "dial.positions: 0" in result.err
    assert "nowhere.toml: does not exist" in result.err
    assert "cell six_arm" in result.out


def test_check_without_files_is_a_usage_error(call: Call) -> None:
    result = call("check")
    assert result.code == console.USAGE
    assert "Missing argument" in result.err


@pytest.mark.parametrize("command", ["replay", "report"])
def test_a_directory_without_a_run(call: Call, command: str) -> None:
    assert "'nowhere'" in call(command, "nowhere").err
    Path("empty").mkdir()
    result = call(command, "empty")
    assert result.code == console.USAGE
    assert result.err.startswith("empty/")
    assert len(result.err.splitlines()) == 1


def test_version(call: Call) -> None:
    result = call("--version")
    assert result.code == console.MET
    assert result.out.startswith("jointcell ")


def test_help_teaches_by_examples(call: Call) -> None:
    result = call("run", "--help")
    assert result.code == console.MET
    examples = [line.split()[1] for line in result.out.splitlines() if line.strip().startswith("jointcell ")]
    assert examples == ["run"] * 4
    assert "Exit codes: 0 target met, 1 target missed" in result.out


def test_help_loads_neither_compiler_nor_engine() -> None:
    program = "import sys, controller.cli as cli; cli._guarded(lambda: cli.app(['--help'])); " + (
        "print(sorted({'numba', 'numpy', 'pybullet', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_reader_that_has_gone_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "controller.cli", "models"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process:
        assert process.stderr.read() == ""
    assert process.returncode == console.MET
