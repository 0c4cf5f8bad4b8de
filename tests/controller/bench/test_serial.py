"""The rows of the serial side: what must hold does, and a missing tool is said and not passed over."""

import pytest

from controller.bench import serial_firmware, serial_line, serial_trials
from controller.bench.row import Figure, Options
from firmware_bridge.emulator import build
from firmware_bridge.emulator.build import MissingToolError

QUICK = Options(peers=False, quick=True, seed=3)


@pytest.fixture
def compiler():
    try:
        build.host_program()
    except MissingToolError as missing:
        pytest.skip(str(missing))


@pytest.mark.usefixtures("compiler")
def test_the_firmware_is_small_and_its_samples_are_the_same_everywhere():
    rows = list(serial_firmware.rows(QUICK))
    assert [row.goal for row in rows] == [200, 200, 16384, 16384]
    assert not any(row.wrong for row in rows)
    assert rows[0].value == 200


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("suite", [serial_line, serial_trials])
def test_what_must_hold_does(suite):
    rows = list(suite.rows(QUICK))
    assert not [row.name for row in rows if row.wrong]
    assert sum(row.goal is not None for row in rows) >= 3


def test_rows_without_their_tools_say_which(monkeypatch):
    def missing(*names):
        raise MissingToolError(f"{names[0]} is not installed")

    monkeypatch.setattr(build, "find_tool", missing)
    rows = list(serial_firmware.rows(QUICK))
    assert all(isinstance(row, Figure) for row in rows)
    without = [row for row in rows if row.value is None]
    assert len(without) >= 3
    assert all("is not installed" in row.note for row in without)
