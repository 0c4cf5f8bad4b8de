"""Every arm of a cell without hardware: firmware processes behind lines that behave like cables.

What a user plugs together with real arms is here done by `EmulatedCell`: one firmware process for each arm with
its unit and configuration, one process for all cables, and the ports that the host opens.
"""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from firmware_bridge.armlink.frame import crc32c
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.messages import Config
from firmware_bridge.armlink.opening import Expected
from firmware_bridge.armlink.transport import LineEntry
from firmware_bridge.emulator import FirmwareProcess, configuration
from firmware_bridge.emulator.line_model import LineFaults
from firmware_bridge.emulator.line_process import Attach, LineEnds, LineProcess

FloatArray = NDArray[np.float64]


def emulated_uid(arm: CellArm) -> bytes:
    """The unit of an emulated arm."""
    return f"emu-{arm.id}".encode()[:12].ljust(12, b"\0")


def expectations(arms: Mapping[str, tuple[bytes, Config]]) -> dict[str, Expected]:
    """What to expect on the line of each arm, from its unit and configuration."""
    known = tuple((uid, name) for name, (uid, _) in arms.items())
    return {
        name: Expected(
            name=name,
            uid=uid,
            config_crc=crc32c(config.encode()),
            stop_max_ms=config.stop_max_ms,
            known=known,
        )
        for name, (uid, config) in arms.items()
    }


class EmulatedCell:
    """The emulated arms of a cell; a context manager that starts and ends their processes.

    Args:
        cell: The cell.
        start: Joints (6,) of each arm by name [rad].
        settings: How the lines are used.
        faults: What goes wrong on each line.
        seed: Of the faults.

    Attributes:
        folder: Where the links to the ports are.
        firmware: The processes by arm.
        lines: The cables.
        entries: What the host needs to know of each line.
    """

    def __init__(
        self,
        cell: Cell,
        start: Mapping[str, FloatArray],
        settings: LinkSettings,
        faults: LineFaults | None = None,
        seed: int = 0,
    ) -> None:
        self._cell = cell
        self._start = start
        self._settings = settings
        self._faults = faults or LineFaults()
        self._seed = seed
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jointcell-ports-")))
            arms = {arm.id: (emulated_uid(arm), configuration(arm.arm, arm.id)) for arm in self._cell.arms}
            self.firmware = {
                name: stack.enter_context(FirmwareProcess(config, uid=uid, q=self._start[name]))
                for name, (uid, config) in arms.items()
            }
            ends = {
                name: LineEnds(
                    device=firmware.port,
                    host=self.port(name),
                    baud=self._settings.baud,
                    faults=self._faults,
                    seed=self._seed + index,
                )
                for index, (name, firmware) in enumerate(self.firmware.items())
            }
            self.lines = stack.enter_context(LineProcess(ends))
            self.entries = {
                name: LineEntry(expected=expected, port=str(self.port(name)), settings=self._settings)
                for name, expected in expectations(arms).items()
            }
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def port(self, name: str) -> Path:
        """The link to the port of an arm's line."""
        return self.folder / name

    def restart(self, name: str) -> None:
        """Take an arm's power away and give it back."""
        self.firmware[name].restart()
        self.lines.command(name, Attach(device=self.firmware[name].port))
