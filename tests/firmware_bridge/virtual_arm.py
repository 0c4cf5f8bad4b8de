"""A `SerialArm` on a virtual line: the driver with the real firmware behind it, in virtual time."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cells.cell import CellArm
from firmware_bridge.armlink.orders import Order, Report
from firmware_bridge.armlink.serial_arm import SerialArm
from firmware_bridge.armlink.tool import TimedTool
from firmware_bridge.emulator.line_model import LineFaults
from firmware_bridge.trials.virtual_line import BEGIN_NS, VirtualLine


class VirtualClock:
    """Time of a cell whose lines are virtual; an advance is four steps of 1 ms."""

    def __init__(self, *lines: VirtualLine) -> None:
        self._lines = lines
        self.now_ns = lines[0].now_ns - BEGIN_NS

    def advance(self) -> None:
        for line in self._lines:
            line.run(0.004)
        self.now_ns = self._lines[0].now_ns - BEGIN_NS


class VirtualChannel:
    """The way to the session of a virtual line."""

    def __init__(self, line: VirtualLine) -> None:
        self._line = line

    def send(self, order: Order) -> None:
        self._line.order(order)

    def receive(self) -> list[Report]:
        reports, self._line.reports = self._line.reports, []
        return reports

    def wait(self, seconds: float) -> None:
        self._line.run(min(seconds, 0.01))


def virtual_arm(
    cell_arm: CellArm,
    start: Sequence[float] | NDArray[np.float64],
    faults: LineFaults = LineFaults(),  # noqa: B008
    seed: int = 0,
) -> tuple[SerialArm, VirtualClock, VirtualLine]:
    """A connected arm at rest."""
    line = VirtualLine(start, faults=faults, seed=seed)
    clock = VirtualClock(line)
    arm = SerialArm(cell_arm, VirtualChannel(line), clock, BEGIN_NS, TimedTool())
    arm.__enter__()
    clock.advance()
    return arm, clock, line
