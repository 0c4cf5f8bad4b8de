"""A serial port as the buses of this package see it: bytes out, bytes in before a deadline, one kind of error.

pyserial reports a port that has gone by three kinds of exception, `serial.SerialException`, `OSError` (from
``in_waiting``) and `termios.error`, which is neither; all of them become `LinkError` here.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Protocol

import serial
from serial.tools.list_ports import comports

try:
    import termios
except ImportError:  # Windows has none
    _GONE: tuple[type[Exception], ...] = (serial.SerialException, OSError)
else:
    _GONE = (serial.SerialException, OSError, termios.error)
_WAIT_S = 0.002  # one blocking read; the grain of every deadline


class LinkError(Exception):
    """The line did not carry what it should: no answer, a damaged one, or the port has gone."""


def port_names() -> list[str]:
    """Serial ports of this machine, as they can be opened."""
    return sorted(port.device for port in comports())


class Port(Protocol):
    """A line to devices. Calls come from one thread at a time."""

    @property
    def baud(self) -> int:
        """Bits per second; ten of them carry a byte."""
        ...

    def open(self) -> None:
        """Open it; opening an open port changes nothing.

        Raises:
            LinkError: When there is no such port or another program has it.
        """
        ...

    def close(self) -> None:
        """Close it; never raises."""
        ...

    def write(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            LinkError: When the port is closed or has gone.
        """
        ...

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting for the first byte; nothing only when the time is up.

        Raises:
            LinkError: When the port is closed or has gone.
        """
        ...

    def discard(self) -> None:
        """Forget what has arrived.

        Raises:
            LinkError: When the port is closed or has gone.
        """
        ...


class SerialPort:
    """A port of this machine, 8N1, for this program alone.

    Args:
        path: ``/dev/ttyUSB0``, ``COM3``, a pseudo terminal.
        baud: Bits per second.
    """

    def __init__(self, path: str, baud: int) -> None:
        self.path = path
        self.baud = baud
        self._serial: serial.Serial | None = None

    def open(self) -> None:
        """Open it and forget what came before.

        Raises:
            LinkError: When there is no such port or another program has it.
        """
        if self._serial is not None:
            return
        with self._named("cannot be opened"):
            self._serial = serial.Serial(
                self.path, self.baud, timeout=_WAIT_S, write_timeout=0.5, exclusive=True
            )

    def close(self) -> None:
        """Close it; a port that has gone is closed as well."""
        port, self._serial = self._serial, None
        if port is not None:
            with suppress(*_GONE):
                port.close()

    def write(self, data: bytes) -> None:
        """Send bytes; blocks while the operating system's buffer is full, at most half a second.

        Raises:
            LinkError: When the port is closed, has gone, or takes nothing more.
        """
        port = self._opened()
        with self._named("write failed"):
            port.write(data)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived, waiting for the first byte; nothing only when the time is up.

        Raises:
            LinkError: When the port is closed or has gone.
        """
        port = self._opened()
        end = time.monotonic() + timeout_s
        with self._named("read failed"):
            while True:
                received = bytes(port.read(max(1, port.in_waiting)))
                if received or time.monotonic() >= end:
                    return received

    def discard(self) -> None:
        """Forget what has arrived.

        Raises:
            LinkError: When the port is closed or has gone.
        """
        port = self._opened()
        with self._named("reset failed"):
            port.reset_input_buffer()

    def _opened(self) -> serial.Serial:
        if self._serial is None:
            raise LinkError(f"port {self.path}: is closed")
        return self._serial

    @contextmanager
    def _named(self, what: str) -> Iterator[None]:
        """Errors of pyserial as ours; the port is closed, so that it can be opened again."""
        try:
            yield
        except _GONE as error:
            self.close()
            raise LinkError(f"port {self.path}: {what}: {error}") from error
