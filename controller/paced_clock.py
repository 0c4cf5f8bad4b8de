"""Simulated time that passes as time does."""

import time
from collections.abc import Callable

from cells.driver import Clock

_SOON_NS = 1_000_000  # sleeping is no more exact than that
_LATE_NS = 1_000_000_000  # a simulation that is later than this goes on from where it is


class PacedClock:
    """A clock of a simulation that waits until its time has come.

    A simulation that was late for a while (it planned) catches up, unless it was later than a second.

    Args:
        clock: The simulation's own.
        monotonic_ns: Time that it keeps step with.
        sleep: Waits for so many seconds, or less when something else has to be done first.
    """

    def __init__(
        self,
        clock: Clock,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._clock = clock
        self._monotonic_ns = monotonic_ns
        self._sleep = sleep
        self._origin_ns = monotonic_ns() - clock.now_ns

    @property
    def now_ns(self) -> int:
        """Simulated time [ns]."""
        return self._clock.now_ns

    def advance(self) -> None:
        """Wait for the time that the simulation has reached, then let it go on; not yet when the wait was cut short."""
        if (ahead_ns := self._ahead_ns()) > 0:
            self._sleep(ahead_ns * 1e-9)
            ahead_ns = self._ahead_ns()
        if ahead_ns < -_LATE_NS:
            self._origin_ns -= ahead_ns
        if ahead_ns <= _SOON_NS:
            self._clock.advance()

    def _ahead_ns(self) -> int:
        return self._clock.now_ns - (self._monotonic_ns() - self._origin_ns)
