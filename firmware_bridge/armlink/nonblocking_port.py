"""A serial port for a loop over many lines: nothing here waits, and everything that goes wrong is a `LinkError`.

Names of terminals are used again at once, so a stale link may lead to another arm: who is there is asked after
every opening (`opening`).
"""

import contextlib
import os
import termios

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
        try:
            # No parity and no modem lines: pseudo-terminals and some converters refuse them.
            self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        except _GONE as error:
            raise LinkError(f"port {path} cannot be opened: {error}") from error
        self._file = int(self._serial.fileno())
        with contextlib.suppress(ValueError, NotImplementedError, *_GONE):
            # FTDI would keep bytes back for 16 ms; others don't know it.
            self._serial.set_low_latency_mode(True)

    def fileno(self) -> int:
        """For selectors."""
        return self._file

    @property
    def writing(self) -> bool:
        """Whether bytes wait for room in the driver."""
        return bool(self._unsent)

    def read(self) -> bytes:
        """What has arrived.

        Raises:
            LinkError: When the port is gone. Some ports that are gone are readable for ever, with nothing in them:
                whoever waits for them has to tell.
        """
        # Past pyserial's own reading and writing, which ask the system twice for what this loop already knows.
        try:
            return os.read(self._file, _MOST)
        except BlockingIOError:
            return b""
        except _GONE as error:
            raise self._gone(error) from error

    def write(self, data: bytes) -> None:
        """Send, as far as the driver has room; the rest follows with the next call.

        Raises:
            LinkError: When the port is gone.
        """
        unsent = self._unsent + data
        try:
            self._unsent = unsent[os.write(self._file, unsent) :] if unsent else b""
        except BlockingIOError:
            self._unsent = unsent
        except _GONE as error:
            raise self._gone(error) from error

    def close(self) -> None:
        """Close, whatever state it is in."""
        with contextlib.suppress(*_GONE):
            self._serial.close()

    def _gone(self, error: Exception) -> LinkError:
        return LinkError(f"port {self._path} is gone: {error}")
