"""Lines to emulated devices: in memory, or a pseudo terminal that any program can open as a serial port.

Neither has a baud rate. Replies can be damaged on the way, by seed.
"""

import os
import select
import threading
import time
import tty
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from firmware_bridge.port import LinkError

_CHUNK = 4096
_POLL_S = 0.05


class Device(Protocol):
    """Whatever hangs on a line: bytes in, replies out, each reply for itself."""

    def receive(self, data: bytes, now_s: float) -> list[bytes]:
        """Take in bytes that arrive at a time; replies in order."""
        ...


Damage = Callable[[bytes], bytes]


class Damaged:
    """Damages a share of the replies: one flipped bit, or the end cut off.

    Args:
        rng: Where chance comes from.
        share: Of replies that are damaged, 0 to 1.

    Attributes:
        count: Replies damaged so far.
    """

    def __init__(self, rng: np.random.Generator, share: float) -> None:
        self.count = 0
        self._rng = rng
        self._share = share

    def __call__(self, reply: bytes) -> bytes:
        """The reply as it arrives."""
        if self._rng.random() >= self._share:
            return reply
        self.count += 1
        at = int(self._rng.integers(len(reply)))
        if self._rng.random() < 0.5:
            return reply[:at]
        return reply[:at] + bytes((reply[at] ^ 1 << int(self._rng.integers(8)),)) + reply[at + 1 :]


def undamaged(reply: bytes) -> bytes:
    """A good line."""
    return reply


class MemoryLine:
    """A `firmware_bridge.port.Port` straight into a device, without an operating system in between.

    What has not been answered when it is written never will be: reads do not wait.

    Args:
        device: The device.
        now_s: Its clock [s].
        damage: What happens to replies on the way.

    Attributes:
        cut: Set it to break the line: every call raises `LinkError`.
    """

    baud = 1_000_000

    def __init__(self, device: Device, now_s: Callable[[], float], damage: Damage = undamaged) -> None:
        self.cut = False
        self._device = device
        self._now_s = now_s
        self._damage = damage
        self._arrived = bytearray()

    def open(self) -> None:
        """Open it."""
        self._check()

    def close(self) -> None:
        """Close it."""

    def write(self, data: bytes) -> None:
        """Send bytes; the device answers at once."""
        self._check()
        for reply in self._device.receive(data, self._now_s()):
            self._arrived += self._damage(reply)

    def read(self, timeout_s: float) -> bytes:
        """What has arrived; never waits."""
        self._check()
        arrived = bytes(self._arrived)
        self._arrived.clear()
        return arrived

    def discard(self) -> None:
        """Forget what has arrived."""
        self.read(0.0)

    def _check(self) -> None:
        if self.cut:
            raise LinkError("line: is cut")


class PseudoTerminal:
    """A device behind a pseudo terminal, served by a thread of its own while the context is open.

    Args:
        device: The device; its time is that of ``time.monotonic``.
        damage: What happens to replies on the way.

    Attributes:
        path: Name to open as a serial port, ``/dev/pts/4``.
    """

    def __init__(self, device: Device, damage: Damage = undamaged) -> None:
        self.path = ""
        self._device = device
        self._damage = damage
        self._ours = self._theirs = -1
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="emulator", daemon=True)

    def __enter__(self) -> Self:
        """Create the terminal and serve it."""
        self._ours, self._theirs = os.openpty()
        tty.setraw(self._theirs)  # kept open here: reading would fail whenever nobody has it open
        self.path = os.ttyname(self._theirs)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving and pull the plug."""
        self.unplug()

    def unplug(self) -> None:
        """Close the terminal, as when an adapter is pulled out; who has it open sees errors from then on."""
        if not self._done.is_set():
            self._done.set()
            self._thread.join()
            os.close(self._ours)
            os.close(self._theirs)

    def _serve(self) -> None:
        while not self._done.is_set():
            ready, _, _ = select.select([self._ours], [], [], _POLL_S)
            if ready:
                received = os.read(self._ours, _CHUNK)
                for reply in self._device.receive(received, time.monotonic()):
                    os.write(self._ours, self._damage(reply))
