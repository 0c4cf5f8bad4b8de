"""`jointcell bridge` at its door: what it lists, refuses, and says when nobody answers."""

import os
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from controller.cli import app
from controller.console import MISSED, UNREACHABLE, USAGE
from firmware_bridge.armlink.capture import Capture
from firmware_bridge.armlink.frame import frame_of
from firmware_bridge.armlink.messages import Heartbeat


@pytest.fixture
def silent_port() -> Iterator[str]:
    """A port at whose other end nobody answers."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    yield os.ttyname(theirs)
    os.close(ours)
    os.close(theirs)


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_nobody_answers(silent_port: str) -> None:
    code, output = run("bridge", "identify", silent_port)
    assert (code, "no answer" in output) == (UNREACHABLE, True)
    code, output = run("bridge", "monitor", silent_port, "--seconds", "1")
    assert (code, "no answer" in output) == (UNREACHABLE, True)


def test_a_port_that_is_not_there() -> None:
    for command in (("identify",), ("monitor",)):
        code, _ = run("bridge", *command, "/dev/no-such-port")
        assert code == UNREACHABLE


def test_a_capture_is_written_and_shown(tmp_path: Path, silent_port: str) -> None:
    out = tmp_path / "line.txt"
    code, output = run("bridge", "capture", silent_port, "--out", str(out), "--seconds", "0.1")
    assert (code, "0 pieces" in output) == (0, True)
    written = Capture.create(out)
    frame = frame_of(Heartbeat(host_ms=5, lease_10ms=35, status_ms=20), session=9, seq=3).encode()
    written.note(1_000_000, ">", frame)
    written.close()
    code, output = run("bridge", "replay", str(out))
    assert code == 0
    assert "Heartbeat(host_ms=5" in output
    assert "1 frames, 0 damaged" in output
    out.write_text("nonsense\n")
    assert run("bridge", "replay", str(out))[0] == MISSED


def test_real_arms_move_only_when_someone_confirms_it_in_a_terminal() -> None:
    code, output = run("run", "--driver", "serial", "--joints", "1")
    assert code == USAGE
    assert "confirms it in a terminal" in " ".join(output.split())


def test_emulate_is_for_serial_only() -> None:
    code, output = run("run", "--driver", "sim", "--emulate")
    assert code == USAGE
    assert "--driver serial" in output
