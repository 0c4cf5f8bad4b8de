"""What went over a line, as text: one line for each piece with time, direction and bytes in hex.

A capture shows in any editor, can be cut with any tool, and `read_capture` gives back exactly what was seen.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self, TextIO

HEAD = "# jointcell line capture 1: seconds, > to the arm or < from it, bytes"


class Capture:
    """A capture being written.

    Args:
        file: Where to.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._file.write(HEAD + "\n")

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file, written line by line."""
        return cls(path.open("w", encoding="ascii", buffering=1))

    def note(self, time_ns: int, direction: str, data: bytes) -> None:
        """Write down a piece."""
        if data:
            self._file.write(f"{time_ns / 1e9:.6f} {direction} {data.hex()}\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_capture(path: Path) -> Iterator[tuple[int, str, bytes]]:
    """Pieces of a capture: time [ns], ``>`` or ``<``, bytes.

    Raises:
        ValueError: When a line is none of a capture; with its number.
    """
    with path.open(encoding="ascii", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#") or not line.strip():
                continue
            try:
                seconds, direction, digits = line.split()
                if direction not in ("<", ">"):
                    raise ValueError(direction)
                yield round(float(seconds) * 1e9), direction, bytes.fromhex(digits)
            except (ValueError, OverflowError):
                text = (
                    f"{path}: line {number}: {line.rstrip()!r:.60} (allowed: seconds, < or >, bytes in hex)"
                )
                raise ValueError(text) from None
