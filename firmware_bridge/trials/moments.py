"""Frozen and killed hosts, restarted firmware, pulled and exchanged cables, at random moments of a motion.

Each takes a seed and raises `AssertionError` where the arm is not at rest on its path within the lease and a ramp, where
something of before is executed, or where recovery does not lead back to motion.
"""

import numpy as np

from firmware_bridge.armlink.knots import POS_UNIT, knots_of
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.opening import Expected
from firmware_bridge.armlink.orders import (
    AfterLast,
    Enable,
    Enabled,
    Ended,
    Failed,
    LinkUp,
    Move,
    Recover,
    Recovered,
)
from firmware_bridge.armlink.session import ArmSession
from firmware_bridge.trials.noisy_line import ON_PATH_RAD, enabled, jumps, moves, off_path
from firmware_bridge.trials.virtual_line import ARM, EXPECTED, VirtualLine
from kinematics import rest_to_rest

LEASE_S = LinkSettings().lease_s
RAMP_S = 0.6  # the slowest stop of this motion at its highest speed; usually 0.15 s


def moving(seed: int) -> VirtualLine:
    """A line whose arm is somewhere on its way there and back."""
    line = enabled(VirtualLine(seed=seed))
    line.order(*moves(6))
    line.run(np.random.default_rng(seed).uniform(0.05, 2.5))
    return line


def assert_at_rest_on_path(line: VirtualLine) -> None:
    """No joint moves, and none left the path."""
    rows = line.trace()
    assert not rows["vel"][-1].any()
    assert off_path(rows) < ON_PATH_RAD
    assert jumps(rows) <= 1.0


def assert_recovers(line: VirtualLine) -> None:
    """What a driver does for an operator who has mended the cause."""
    line.order(Recover())
    report = line.wait_for(Recovered, Failed)
    assert isinstance(report, Recovered), report
    line.order(Enable())
    assert isinstance(line.wait_for(Enabled, Failed), Enabled)
    here = np.array(line.firmware.plant.pos[:]) * POS_UNIT
    there = here + 0.1
    way = knots_of(rest_to_rest(here, there, ARM.limits))
    line.order(Move(id=99, knots=way, start=AfterLast()))
    report = line.wait_for(Ended, Failed)
    assert isinstance(report, Ended), report
    line.run(0.2)
    assert np.abs(np.array(line.firmware.plant.pos[:]) * POS_UNIT - there).max() < 1e-5


def frozen_host(seed: int) -> None:
    """A stopped host finds its arm held, and nothing of before moves it."""
    line = moving(seed)
    line.frozen = True
    line.run(LEASE_S + RAMP_S)
    assert_at_rest_on_path(line)
    line.run(np.random.default_rng(seed).choice([0.05, 1.0, 3.0]))  # held, or the host counts as lost
    rested = line.firmware.plant.pos[:]
    line.frozen = False
    failed = line.wait_for(Failed)
    assert isinstance(failed, Failed)
    line.run(1.0)
    assert np.abs(np.array(line.firmware.plant.pos[:]) - rested).max() <= 100
    assert_recovers(line)


def killed_host(seed: int) -> None:
    """The next host takes over an arm at rest, and old bytes do nothing."""
    line = moving(seed)
    old: list[bytes] = []
    original = line.session.transmit

    def overheard(now_ns: int) -> bytes:
        data = original(now_ns)
        old.append(data)
        return data

    line.session.transmit = overheard  # type: ignore[method-assign]
    line.run(0.2)
    rng = np.random.default_rng(1000 + seed)  # not the nonce of the killed one
    line.session = ArmSession(EXPECTED, LinkSettings(), lambda: int(rng.integers(1, 1 << 32)))
    line.session.opened(line.now_ns)
    assert isinstance(line.wait_for(LinkUp, Failed), LinkUp)  # once the lease of the killed one is over
    assert_at_rest_on_path(line)
    line.order(Enable())
    line.wait_for(Enabled)
    rested = line.firmware.plant.pos[:]
    for data in old:
        line.down.send(data, line.now_ns)
    line.run(1.5)
    assert np.abs(np.array(line.firmware.plant.pos[:]) - rested).max() <= 100


def restarted_firmware(seed: int) -> None:
    """A reset is noticed, and the arm moves only after recovery."""
    line = moving(seed)
    line.firmware.reset(line.now_ns // 1000 % (1 << 32))
    failed = line.wait_for(Failed)
    assert isinstance(failed, Failed)
    assert "started anew" in failed.reason
    rested = line.firmware.plant.pos[:]
    line.run(1.0)
    assert line.firmware.plant.pos[:] == rested
    assert_recovers(line)


def pulled_cable(seed: int) -> None:
    """A cable pulled and put back leaves the arm at rest until recovery."""
    line = moving(seed)
    line.unplugged = True
    line.session.closed("port ttyUSB0 is gone")
    failed = line.reports[-1] if line.reports else line.session.reports()[-1]
    line.run(LEASE_S + RAMP_S)
    assert any(isinstance(report, Failed) and "gone" in report.reason for report in [failed, *line.reports])
    assert_at_rest_on_path(line)
    line.run(np.random.default_rng(seed).uniform(0.0, 2.0))
    rested = line.firmware.plant.pos[:]
    line.unplugged = False
    line.session.opened(line.now_ns)
    line.run(1.0)
    assert np.abs(np.array(line.firmware.plant.pos[:]) - rested).max() <= 100
    assert_recovers(line)


def exchanged_ports(seed: int) -> None:
    """Another arm at the port is refused by name and not touched."""
    line = moving(seed)
    other = Expected(name="R2", uid=bytes(12), config_crc=1, stop_max_ms=500, known=EXPECTED.known)
    line.session = ArmSession(other, LinkSettings(), lambda: 5)
    line.session.opened(line.now_ns)
    failed = line.wait_for(Failed, LinkUp)
    assert isinstance(failed, Failed)
    assert "which is R1" in failed.reason
    line.run(LEASE_S + RAMP_S)
    assert_at_rest_on_path(line)
    line.order(Recover(), Enable())
    line.run(1.0)
    assert not line.trace()["vel"][-1].any()


MOMENTS = {
    "host frozen": frozen_host,
    "host killed": killed_host,
    "firmware reset": restarted_firmware,
    "cable out and in": pulled_cable,
    "ports exchanged": exchanged_ports,
}
"""What can happen, by name."""
