"""A serial port for a loop over many lines: nothing here waits, and everything that goes wrong is a `LinkError`.

Names of terminals are used again at once, so a stale link may lead to another arm: who is there is asked after
every opening (`opening`).
"""

import contextlib
import termios
from collections.abc import Iterator

import serial

from firmware_bridge.port import LinkError

_GONE = (serial.SerialException, OSError, termios.error)  # unrelated, and each of them means unplugged
_MOST = 4096


class NonblockingPort:
    """An open port, 8N1, for this program alone.

    Args:
        path: Device, or a symbolic link to one.
        baud: Bits per second.

    Raises:
        LinkError: When it can't be opened, or another program has it.
    """

    def __init__(self, path: str, baud: int) -> None:
        self._path = path
        self._unsent = b""
        with self._named("cannot be opened"):
            # No parity and no modem lines: pseudo-terminals and some converters refuse them.
            self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        with contextlib.suppress(ValueError, NotImplementedError, *_GONE):
            self._serial.set_low_latency_mode(
                True
            )  # FTDI would keep bytes back for 16 ms; others don't know it

    def fileno(self) -> int:
        """For selectors."""
        return int(self._serial.fileno())

    @property
    def writing(self) -> bool:
        """Whether bytes wait for room in the driver."""
        return bool(self._unsent)

    def read(self) -> bytes:
        """Everything that has arrived.

        Raises:
            LinkError: When the port is gone.
        """
        with self._named("is gone"):
            return bytes(self._serial.read(_MOST))

    def write(self, data: bytes) -> None:
        """Send, as far as the driver has room; the rest follows with the next call.

        Raises:
            LinkError: When the port is gone.
        """
        unsent = self._unsent + data
        with self._named("is gone"):
            self._unsent = unsent[self._serial.write(unsent) :] if unsent else b""

    def close(self) -> None:
        """Close, whatever state it is in."""
        with contextlib.suppress(*_GONE):
            self._serial.close()

    @contextlib.contextmanager
    def _named(self, what: str) -> Iterator[None]:
        try:
            yield
        except _GONE as error:
            raise LinkError(f"port {self._path} {what}: {error}") from error
