"""A serial port that does not block, through pyserial and round its traps.

An unplugged port shows as three unrelated exceptions, depending on the call. Names of terminals are used again
at once, so a stale link may lead to another arm: who is there is asked after every opening (`opening`).
"""

import contextlib
import termios

import serial

PORT_ERRORS = (serial.SerialException, OSError, termios.error)
_MOST = 4096


class SerialPort:
    """An open port.

    Args:
        path: Device, or a symbolic link to one.
        baud: Bits per second.

    Raises:
        One of `PORT_ERRORS`: When it can't be opened, or another program has it.
    """

    def __init__(self, path: str, baud: int) -> None:
        # No parity and no modem lines: pseudo-terminals and some converters refuse them.
        self._serial = serial.Serial(path, baud, timeout=0, write_timeout=0, exclusive=True)
        self._unsent = b""
        with contextlib.suppress(ValueError, NotImplementedError, *PORT_ERRORS):
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
            One of `PORT_ERRORS`: When the port is gone.
        """
        return bytes(self._serial.read(_MOST))

    def write(self, data: bytes) -> None:
        """Send, as far as the driver has room; the rest follows with the next call.

        Raises:
            One of `PORT_ERRORS`: When the port is gone.
        """
        unsent = self._unsent + data
        self._unsent = unsent[self._serial.write(unsent) :] if unsent else b""

    def close(self) -> None:
        """Close, whatever state it is in."""
        with contextlib.suppress(*PORT_ERRORS):
            self._serial.close()
