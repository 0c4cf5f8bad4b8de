"""Frozen and killed hosts, restarted firmware, pulled and exchanged cables, at random moments of a motion."""

import pytest

from firmware_bridge.armlink.codes import Fault
from firmware_bridge.armlink.opening import Expected
from firmware_bridge.armlink.orders import Failed, LinkUp
from firmware_bridge.trials.moments import MOMENTS, assert_recovers, moving
from firmware_bridge.trials.virtual_line import EXPECTED, VirtualLine

SEEDS = [*range(6), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(6, 100))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("what", MOMENTS)
def test_the_arm_rests_on_its_path_and_moves_only_after_recovery(what: str, seed: int) -> None:
    MOMENTS[what](seed)


def test_a_configuration_that_is_not_the_cell_files_is_refused() -> None:
    expected = Expected(name="R1", uid=EXPECTED.uid, config_crc=EXPECTED.config_crc ^ 1, stop_max_ms=500)
    failed = VirtualLine(expected=expected).wait_for(Failed, LinkUp)
    assert isinstance(failed, Failed)
    assert "configuration" in failed.reason
    assert "cell file" in failed.reason


def test_recovery_resets_the_fault_by_its_name() -> None:
    line = moving(3)
    line.firmware.plant.fault, line.firmware.plant.fault_joint = Fault.OVERTEMPERATURE, 2
    failed = line.wait_for(Failed)
    assert isinstance(failed, Failed)
    assert failed.reason.startswith("fault 0302 (joint 3): a drive is too hot")
    line.run(1.0)
    line.firmware.plant.fault = 0
    line.run(0.5)
    assert_recovers(line)
