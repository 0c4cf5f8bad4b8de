"""How many bytes may be under way on the line.

Nobody says how many bytes wait in a driver or in a converter (``out_waiting`` is 0 on many systems), and a stop
would have to wait behind all of them. So the host counts what the line can have carried at its baud rate.
"""

_BITS_PER_BYTE = 10  # 8N1


class LineBudget:
    """A bucket that the line empties.

    Args:
        baud: Bits per second.
        window_s: Line time that may be under way [s]; one frame always may.
    """

    def __init__(self, baud: int, window_s: float) -> None:
        self._ns_per_byte = _BITS_PER_BYTE * 1e9 / baud
        self._window_ns = window_s * 1e9
        self._free_ns = 0.0  # when the line will have carried everything

    def waiting_ns(self, now_ns: int) -> int:
        """Line time of what is under way."""
        return max(0, round(self._free_ns - now_ns))

    def admits(self, size: int, now_ns: int) -> bool:
        """Whether a frame of so many bytes may follow now."""
        waiting = self.waiting_ns(now_ns)
        return waiting == 0 or waiting + size * self._ns_per_byte <= self._window_ns

    def spend(self, size: int, now_ns: int) -> None:
        """Bytes are sent."""
        self._free_ns = max(self._free_ns, now_ns) + size * self._ns_per_byte
