"""A session and the real firmware at the two ends of a bad line, in virtual time."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cells.arm import load_arm
from firmware_bridge.armlink.frame import crc32c
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.opening import Expected
from firmware_bridge.armlink.orders import Order, Report
from firmware_bridge.armlink.session import ArmSession
from firmware_bridge.emulator import VirtualFirmware, configuration, position_units
from firmware_bridge.emulator.line_model import LineFaults, LineModel

UID = bytes(range(12))
BEGIN_NS = 7_000_000_000
BEGIN_US = (1 << 32) - 3_000_000  # the device's counter wraps after three seconds
ARM = load_arm("gp7")
CONFIG = configuration(ARM, "test")
EXPECTED = Expected(
    name="R1",
    uid=UID,
    config_crc=crc32c(CONFIG.encode()),
    stop_max_ms=CONFIG.stop_max_ms,
    known=((UID, "R1"), (bytes(12), "R2")),
)


class VirtualLine:
    """Steps of 1 ms; ``frozen`` stops the host, ``unplugged`` loses every byte."""

    def __init__(
        self,
        start: Sequence[float] | NDArray[np.float64] = (0.0,) * 6,
        *,
        faults: LineFaults = LineFaults(),  # noqa: B008
        settings: LinkSettings = LinkSettings(),  # noqa: B008
        expected: Expected = EXPECTED,
        seed: int = 0,
    ) -> None:
        rng = np.random.default_rng(seed)
        self.now_ns = BEGIN_NS
        self.firmware = VirtualFirmware(CONFIG, uid=UID, position=position_units(start), now_us=BEGIN_US)
        self.down = LineModel(settings.baud, faults, rng)
        self.up = LineModel(settings.baud, faults, rng)
        self.session = ArmSession(expected, settings, lambda: int(rng.integers(1, 1 << 32)))
        self.session.opened(self.now_ns)
        self.frozen = self.unplugged = False
        self.reports: list[Report] = []
        self.rows: list[NDArray[np.void]] = []

    def step(self) -> None:
        """Let a millisecond pass."""
        self.now_ns += 1_000_000
        if self.unplugged:
            self.down.cut()
            self.up.cut()
        self.firmware.feed(self.down.arrived(self.now_ns))
        self.rows.append(self.firmware.run(1000))
        self.up.send(self.firmware.sent(), self.now_ns)
        if not self.frozen:
            self.session.receive(self.up.arrived(self.now_ns), self.now_ns)
            self.down.send(self.session.transmit(self.now_ns), self.now_ns)
            self.reports += self.session.reports()

    def order(self, *orders: Order) -> None:
        """Give orders now."""
        for order in orders:
            self.session.order(order, self.now_ns)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds * 1000)):
            self.step()

    def until(self, done: Callable[[], bool], seconds: float = 10.0) -> None:
        """Let time pass until something holds."""
        for _ in range(round(seconds * 1000)):
            if done():
                return
            self.step()
        raise AssertionError(f"it did not come to that; last reports: {self.reports[-5:]}")

    def wait_for(self, *kinds: type, seconds: float = 10.0) -> Report:
        """Let time pass until a report of a kind; the reports before it are kept too."""
        seen = len(self.reports)
        self.until(lambda: any(isinstance(report, kinds) for report in self.reports[seen:]), seconds)
        return next(report for report in self.reports[seen:] if isinstance(report, kinds))

    def trace(self) -> NDArray[np.void]:
        """A row for each millisecond so far."""
        return np.concatenate(self.rows)
