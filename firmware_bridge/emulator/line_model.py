"""A serial line that misbehaves, one direction of it: bytes and time in, bytes out.

Pseudo-terminals and emulated processors have no baud rate and lose nothing; this gives them both. The same
model serves tests in virtual time and the process between two terminals (`line_process`).
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

_BITS_PER_BYTE = 10  # 8N1


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFaults:
    """What goes wrong on a line.

    Attributes:
        flip: Probability that one bit of a byte is wrong.
        drop: Probability that a byte is lost.
        stall_every_s: Mean time between stalls beyond the length of one; 0 for none.
        stall_s: How long nothing comes through [s]; what was sent arrives afterwards, all at once.
        ragged_s: Bytes are handed on together after up to this time: frames arrive merged and split.
    """

    flip: float = 0.0
    drop: float = 0.0
    stall_every_s: float = 0.0
    stall_s: float = 0.2
    ragged_s: float = 0.0


class LineModel:
    """One direction of a line.

    Args:
        baud: Bits per second.
        faults: What goes wrong.
        rng: Draws the faults.

    Attributes:
        faults: May be changed at any time.
        flipped: Bytes damaged so far.
        dropped: Bytes lost so far.
    """

    def __init__(self, baud: int, faults: LineFaults, rng: np.random.Generator) -> None:
        self.faults = faults
        self.flipped = self.dropped = 0
        self._ns_per_byte = _BITS_PER_BYTE * 1e9 / baud
        self._rng = rng
        self._pieces: deque[tuple[float, bytes]] = deque()  # when the line begins with it
        self._free_ns = 0.0
        self._quiet_until_ns = 0.0
        self._next_stall_ns: float | None = None

    def send(self, data: bytes, now_ns: int) -> None:
        """Bytes enter the line."""
        if data:
            begins = max(float(now_ns), self._free_ns)
            self._free_ns = begins + len(data) * self._ns_per_byte
            self._pieces.append((begins, self._damaged(data)))

    def arrived(self, now_ns: int) -> bytes:
        """Bytes that leave the line now."""
        self._hold_back(now_ns)
        if now_ns < self._quiet_until_ns or not self._pieces:
            return b""
        out = bytearray()
        while self._pieces:
            begins, piece = self._pieces[0]
            through = int((now_ns - begins) / self._ns_per_byte)
            if through < len(piece):
                if through > 0:
                    out += piece[:through]
                    self._pieces[0] = (begins + through * self._ns_per_byte, piece[through:])
                break
            out += piece
            self._pieces.popleft()
        if out and self.faults.ragged_s:
            self._quiet_until_ns = now_ns + self._rng.uniform(0.0, self.faults.ragged_s) * 1e9
        return bytes(out)

    def due_ns(self, now_ns: int) -> int | None:
        """When the first of the bytes under way can leave; None when the line is empty."""
        if not self._pieces:
            return None
        return round(max(self._quiet_until_ns, self._pieces[0][0] + self._ns_per_byte, now_ns))

    def cut(self) -> None:
        """Everything under way is lost."""
        self._pieces.clear()
        self._free_ns = 0.0

    def _hold_back(self, now_ns: int) -> None:
        """Begin a stall when its time has come."""
        faults = self.faults
        if not faults.stall_every_s:
            self._next_stall_ns = None
            return
        if self._next_stall_ns is None:
            self._next_stall_ns = now_ns + self._rng.exponential(faults.stall_every_s) * 1e9
        if now_ns >= self._next_stall_ns:
            self._quiet_until_ns = now_ns + faults.stall_s * 1e9
            pause_s = faults.stall_s + self._rng.exponential(faults.stall_every_s)
            self._next_stall_ns = self._quiet_until_ns + pause_s * 1e9

    def _damaged(self, data: bytes) -> bytes:
        faults = self.faults
        if faults.flip == faults.drop == 0.0:
            return data
        draws = self._rng.random((2, len(data)))
        flips = draws[0] < faults.flip
        kept = draws[1] >= faults.drop
        values = np.frombuffer(data, dtype=np.uint8).copy()
        if flips.any():
            bits = self._rng.integers(0, 8, size=int(flips.sum()), dtype=np.uint8)
            values[flips] ^= np.left_shift(np.uint8(1), bits)
        self.flipped += int(flips.sum())
        self.dropped += len(data) - int(kept.sum())
        return bytes(values[kept])
