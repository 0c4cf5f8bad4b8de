"""The controller watches itself: silent drivers, a late loop, little disk, a clock that jumps, queues that grow."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from cells.driver import ArmState
from controller.supervision.alarms import Key
from controller.supervision.shift import CELL

_SILENT_NS = 500_000_000
_LOST_NS = 1_000_000_000
_JUMP_NS = 1_000_000_000
_JUMP_SHOWN_NS = 60_000_000_000
_SLOW_ROUND_NS = 250_000_000
_SLOW_SHOWN_NS = 10_000_000_000
_DISK_EVERY_NS = 10_000_000_000
_DEEP = 50  # requests or events that wait


class Watch:
    """What is not well with the controller itself.

    Args:
        directory: Of the journal.
        monotonic_ns: A clock that never jumps.
        utc_ns: Time of day.
        disk_low_bytes: Free space below which there is an alarm.
        free_bytes: Free space of a directory.
    """

    def __init__(
        self,
        directory: Path,
        monotonic_ns: Callable[[], int],
        utc_ns: Callable[[], int],
        *,
        disk_low_bytes: int,
        free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
    ) -> None:
        self._directory = directory
        self._monotonic_ns = monotonic_ns
        self._utc_ns = utc_ns
        self._disk_low_bytes = disk_low_bytes
        self._free_bytes = free_bytes
        self._offset_ns = utc_ns() - monotonic_ns()
        self._last_ns = monotonic_ns()
        self._disk_ns: int | None = None
        self._free = 0
        self._jumped_ns: int | None = None
        self._slow_ns: int | None = None
        self._jump_s = self._slow_s = 0.0

    def look(self) -> float:
        """Once in a round; returns by how much the clock of the machine jumped since the last time [s], mostly 0."""
        now = self._monotonic_ns()
        offset = self._utc_ns() - now
        jump, self._offset_ns = offset - self._offset_ns, offset
        took, self._last_ns = now - self._last_ns, now
        if took > _SLOW_ROUND_NS:
            self._slow_ns, self._slow_s = now, took * 1e-9
        if self._disk_ns is None or now - self._disk_ns >= _DISK_EVERY_NS:
            self._disk_ns, self._free = now, self._free_bytes(self._directory)
        if abs(jump) <= _JUMP_NS:
            return 0.0
        self._jumped_ns, self._jump_s = now, jump * 1e-9
        return self._jump_s

    def conditions(self) -> dict[Key, str]:
        """Alarms that hold."""
        if self._free >= self._disk_low_bytes:
            return {}
        detail = (
            f"{self._free / 1e9:.2f} GB free in {self._directory}, wanted {self._disk_low_bytes / 1e9:.2f} GB"
        )
        return {Key("disk_low", CELL): detail}

    def health(self, silent: Mapping[str, float], requests: int, pending: int) -> tuple[str, ...]:
        """Reasons why the controller is not well.

        Args:
            silent: Arms that have not been heard of, and for how long [s].
            requests: Requests that wait.
            pending: Events that wait to be written.
        """
        now = self._last_ns
        found = [f"{arm} has not been heard of for {seconds:.1f} s" for arm, seconds in silent.items()]
        if self._slow_ns is not None and now - self._slow_ns < _SLOW_SHOWN_NS:
            found.append(f"a round of the cell's loop took {self._slow_s:.2f} s")
        if self._jumped_ns is not None and now - self._jumped_ns < _JUMP_SHOWN_NS:
            found.append(f"the clock of the machine jumped by {self._jump_s:+.1f} s")
        if self._free < self._disk_low_bytes:
            found.append(f"{self._free / 1e9:.2f} GB are free for the journal")
        if requests > _DEEP:
            found.append(f"{requests} requests wait")
        if pending > _DEEP:
            found.append(f"{pending} events wait to be written")
        return tuple(found)


def silent_arms(readings: Mapping[str, ArmState], now_ns: int) -> dict[str, float]:
    """Arms whose last reading is old, and how old [s]."""
    ages = {name: now_ns - reading.time_ns for name, reading in readings.items()}
    return {name: age * 1e-9 for name, age in ages.items() if age > _SILENT_NS}


def lost_arms(readings: Mapping[str, ArmState], now_ns: int) -> dict[Key, str]:
    """Alarms for arms whose last reading is so old that they have to count as lost."""
    return {
        Key("arm_lost", name): f"not heard of for {age:.1f} s"
        for name, age in silent_arms(readings, now_ns).items()
        if age > _LOST_NS * 1e-9
    }
