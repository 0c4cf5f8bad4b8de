"""What a bad line may do to a moving arm: slow it down or stop it on its path, and nothing else."""

import numpy as np
import pytest

from firmware_bridge.armlink.codes import Drive, Motion
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.orders import Failed, Halted, Stop
from firmware_bridge.emulator.line_model import LineFaults
from firmware_bridge.trials.noisy_line import (
    NOISY,
    NOISY_WITH_STALLS,
    ON_PATH_RAD,
    cross,
    enabled,
    moves,
    off_path,
)
from firmware_bridge.trials.virtual_line import VirtualLine


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("faults", [NOISY, NOISY_WITH_STALLS], ids=["noisy", "with stalls"])
def test_a_noisy_line_costs_nothing_but_repetitions(faults: LineFaults, seed: int) -> None:
    crossing = cross(faults, seed, 10)
    assert crossing.fault == ""
    assert crossing.ended == crossing.moves
    assert crossing.lost_s == 0.0
    assert crossing.underruns == 0
    assert crossing.damaged > 0
    assert not crossing.wrong_knots


@pytest.mark.parametrize("seed", range(2))
def test_a_worse_line_holds_the_arm_on_its_path_and_says_why(seed: int) -> None:
    line = enabled(VirtualLine(seed=seed))
    line.order(*moves(10))
    line.run(0.4)
    line.down.faults = line.up.faults = LineFaults(flip=2e-2, drop=5e-3)
    failed = line.wait_for(Failed, seconds=12.0)
    assert isinstance(failed, Failed)
    assert "damaged" in failed.reason or "again" in failed.reason or "bad" in failed.reason, failed
    line.run(2.0)
    rows = line.trace()
    assert not np.abs(rows["vel"][-1]).any()
    assert off_path(rows) < ON_PATH_RAD


@pytest.mark.parametrize("baud", [115_200, 921_600])
def test_a_stop_is_on_the_wire_within_ten_milliseconds_behind_a_full_line(baud: int) -> None:
    """Whatever was handed to the line before the stop may at most take so long to leave."""
    settings = LinkSettings(baud=baud)
    line = enabled(VirtualLine(settings=settings))
    line.order(*moves(8))
    worst_ns = 0
    for _ in range(300):
        line.step()
        under_way_ns = sum(len(piece) for _, piece in line.down._pieces) * 10e9 / baud
        worst_ns = max(worst_ns, round(under_way_ns))
    assert worst_ns < 10e6


@pytest.mark.parametrize("seed", range(8))
def test_nothing_moves_after_a_stop_whatever_is_under_way(seed: int) -> None:
    rng = np.random.default_rng(seed)
    line = enabled(VirtualLine(faults=NOISY, seed=seed))
    line.order(*moves(6))
    line.run(rng.uniform(0.0, 1.5))
    line.order(Stop(power_off=bool(seed % 2)))
    line.wait_for(Halted)
    stopped = line.firmware.plant.pos[:]
    line.run(1.0)
    assert np.abs(np.array(line.firmware.plant.pos[:]) - stopped).max() <= 100  # 10 urad: the servo settles
    row = line.trace()[-1]
    assert row["motion"] == Motion.IDLE
    assert row["state"] == (Drive.SWITCH_ON_DISABLED if seed % 2 else Drive.OPERATION_ENABLED)
    assert off_path(line.trace()) < ON_PATH_RAD
