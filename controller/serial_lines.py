"""Real arms: the lines that a cell file names, and wall time."""

import time
from collections.abc import Iterable, Mapping

from cells.cell import Cell
from cells.errors import CellError, Finding
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.serial_arm import SerialArm
from firmware_bridge.armlink.transport import LineEntry
from firmware_bridge.armlink.transport_process import TransportProcess
from firmware_bridge.emulator import configuration
from firmware_bridge.emulator.emulated_cell import expectations

_PERIOD_S = 0.01


def line_entries(cell: Cell) -> dict[str, LineEntry]:
    """What the host needs to know of the line of each arm.

    Raises:
        CellError: Naming every arm without a line.
    """
    findings = [
        Finding(
            file=cell.file,
            where=f"arms[{index}].serial",
            value="",
            message=f"{arm.id} has no serial line",
            allowed='serial = { port = "/dev/...", uid = "24 hex digits" }; `jointcell bridge identify` finds both',
        )
        for index, arm in enumerate(cell.arms)
        if arm.serial is None
    ]
    if findings:
        raise CellError(findings)
    places = {arm.id: arm.serial for arm in cell.arms if arm.serial is not None}
    arms = {arm.id: (places[arm.id].uid, configuration(arm.arm, arm.id)) for arm in cell.arms}
    return {
        name: LineEntry(
            expected=expected,
            port=places[name].port,
            settings=LinkSettings(baud=places[name].baud),
        )
        for name, expected in expectations(arms).items()
    }


def link_figures(arms: Iterable[SerialArm]) -> Mapping[str, Mapping[str, float]]:
    """What is shown of every arm's line, by name with the unit in it."""
    return {
        arm.name: {
            "round_trip_ms": arm.health.round_trip_ns * 1e-6,
            "errors": float(arm.health.bad_here + arm.health.bad_there),
            "sent_again": float(arm.health.retransmits),
            "buffered_ms": arm.health.lead_ns * 1e-6,
        }
        for arm in arms
    }


class WallClock:
    """Time of a cell of real arms: it waits.

    Args:
        transport: What wakes it when an arm has something to report.

    Attributes:
        origin_ns: Host time (monotonic) at which the cell's was zero.
    """

    def __init__(self, transport: TransportProcess) -> None:
        self.origin_ns = time.monotonic_ns()
        self.now_ns = 0
        self._transport = transport

    def advance(self) -> None:
        """Wait for a control period, or until something has happened."""
        self._transport.wait(_PERIOD_S)
        self.now_ns = time.monotonic_ns() - self.origin_ns
