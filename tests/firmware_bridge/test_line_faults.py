"""What a bad line may do to a moving arm: slow it down or stop it on its path, and nothing else."""

from itertools import cycle

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_bridge.armlink.codes import Drive, Motion
from firmware_bridge.armlink.knots import knots_of
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.orders import (
    AfterLast,
    Enable,
    Enabled,
    Ended,
    Failed,
    Halted,
    LinkUp,
    Move,
    Stop,
)
from firmware_bridge.emulator.line_model import LineFaults
from firmware_bridge.trials.virtual_line import ARM, VirtualLine
from kinematics import rest_to_rest

HERE = np.zeros(6)
THERE = np.array([0.8, 0.3, -0.4, 0.5, 0.6, 1.0])
OUT = rest_to_rest(HERE, THERE, ARM.limits)
BACK = rest_to_rest(THERE, HERE, ARM.limits)
NOISY = LineFaults(flip=1e-3, drop=3e-4, ragged_s=0.008)
NOISY_WITH_STALLS = LineFaults(flip=1e-3, drop=3e-4, ragged_s=0.008, stall_every_s=2.0, stall_s=0.2)
_MOVES = 10
ON_PATH_RAD = 2e-5  # knots every 20 ms, single precision on the device


def moves(count: int) -> list[Move]:
    """There and back, again and again, without a pause."""
    sides = cycle((knots_of(OUT), knots_of(BACK)))
    return [Move(id=index, knots=next(sides), start=AfterLast()) for index in range(count)]


def enabled(line: VirtualLine) -> VirtualLine:
    report = line.wait_for(LinkUp, Failed)
    assert isinstance(report, LinkUp), report
    line.order(Enable())
    report = line.wait_for(Enabled, Failed)
    assert isinstance(report, Enabled), report
    return line


def off_path(rows: NDArray[np.void]) -> float:
    """How far a commanded setpoint was from the straight path of all moves [rad]."""
    places = rows["setpoint"][rows["power"] == 1] * 1e-7
    share = np.clip(places @ THERE / (THERE @ THERE), 0.0, 1.0)
    return float(np.abs(places - share[:, None] * THERE).max())


def jumps(rows: NDArray[np.void]) -> float:
    """Largest step of a setpoint in a tick against the fastest joint's [share]."""
    places = rows["setpoint"][rows["power"] == 1] * 1e-7
    return float((np.abs(np.diff(places, axis=0)) / (ARM.limits.velocity * 1.02e-3)).max())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("faults", [NOISY, NOISY_WITH_STALLS], ids=["noisy", "with stalls"])
def test_a_noisy_line_costs_nothing_but_repetitions(faults: LineFaults, seed: int) -> None:
    line = enabled(VirtualLine(faults=faults, seed=seed))
    ordered = moves(_MOVES)
    line.order(*ordered)
    line.run(_MOVES * OUT.duration + 1.0)
    assert not [report for report in line.reports if isinstance(report, Failed)]
    assert [report.id for report in line.reports if isinstance(report, Ended)] == list(range(_MOVES))
    assert all(report.lost_ns == 0 for report in line.reports if isinstance(report, Ended))
    health = line.session.health(line.now_ns)
    assert health.starved == 0
    assert health.bad_here > 0
    assert off_path(line.trace()) < ON_PATH_RAD
    assert jumps(line.trace()) <= 1.0


@pytest.mark.parametrize("seed", range(2))
def test_a_worse_line_holds_the_arm_on_its_path_and_says_why(seed: int) -> None:
    line = enabled(VirtualLine(seed=seed))
    line.order(*moves(_MOVES))
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
