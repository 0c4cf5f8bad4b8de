"""The firmware as a process on a pseudo-terminal: a serial port with an arm behind it."""

import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from numpy.typing import ArrayLike

from firmware_bridge.armlink.messages import Config
from firmware_bridge.emulator.build import host_program
from firmware_bridge.emulator.configuration import position_units
from firmware_bridge.emulator.plant import Plant


class FirmwareProcess:
    """One emulated arm; a context manager that starts and ends it. It also ends with this process.

    Args:
        config: Its configuration.
        uid: Its 12 bytes of identity.
        q: Where its joints are, (6,) [rad].
        boot_id: Of the first start; every further one counts up.
        link: Symbolic link to its port, made anew at each start as for a USB device plugged in again.

    Attributes:
        boot_id: Of the present start.
        port: Name of its terminal.
        plant: Its motors.
    """

    def __init__(
        self, config: Config, *, uid: bytes, q: ArrayLike, boot_id: int = 1, link: Path | None = None
    ) -> None:
        self.boot_id = boot_id
        self.port = ""
        self.plant: Plant
        self._arguments = (uid.hex(), config.encode().hex())
        self._positions = position_units(q)
        self._link = link
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        with tempfile.TemporaryDirectory() as folder:
            shared = Path(folder) / "plant"
            positions = ",".join(str(position) for position in self._positions)
            command = [str(host_program()), *self._arguments, str(self.boot_id), positions]
            command += [str(self._link or ""), str(shared)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert self._process.stdout is not None
            self.port = self._process.stdout.readline().strip()
            if not self.port:
                self._process.stdout.close()
                raise RuntimeError(f"the emulated firmware ended with code {self._process.wait()}")
            self.plant = Plant(shared)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End it at once, as when its power goes: where its joints were is kept for the next start."""
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        self._positions = tuple(self.plant.layout.pos)
        self.plant.close()

    def restart(self) -> None:
        """Power off and on."""
        self.kill()
        self.boot_id += 1
        self.__enter__()

    def reset(self) -> None:
        """Reset the firmware while its port stays open."""
        self.boot_id += 1
        self._signal(signal.SIGUSR1)

    def freeze(self) -> None:
        """Stop its processor."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let its processor go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError(f"emulated firmware: {number.name} to a process that does not run")
        self._process.send_signal(number)
