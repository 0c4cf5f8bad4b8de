"""The time of segments that wait on this side: it passes at the feed that the device has reached.

Motion is slowed down by the device itself. A dwell is no motion, so how long one lasts is worked out from the
speeds that statuses report, here for the driver and in the session for the start of the next move alike.
Between two statuses the speed counts as that of the earlier one.
"""

from collections import deque
from itertools import pairwise


class SegmentTime:
    """What share of the planned speed there was when: in whole percent and whole nanoseconds, so without rounding."""

    def __init__(self) -> None:
        # From when on which percent; the first one from ever.
        self._changes: deque[tuple[int, int]] = deque([(0, 100)])

    def note(self, time_ns: int, percent: int) -> None:
        """The speed from a time on; times only rise."""
        if percent != self._changes[-1][1]:
            self._changes.append((max(time_ns, self._changes[-1][0]), percent))

    def end(self, since_ns: int, lasts_ns: int) -> int | None:
        """When so much of it has passed since a time, if the feed stays as it is; None: not while it does."""
        at_ns, left = since_ns, 100 * lasts_ns
        for (_, percent), (until_ns, _) in pairwise(self._changes):
            passes = percent * max(0, until_ns - at_ns)
            if passes >= left:
                return at_ns + _quotient(left, percent)
            at_ns, left = max(at_ns, until_ns), left - passes
        percent = self._changes[-1][1]
        return at_ns + _quotient(left, percent) if percent or not left else None

    def forget(self, before_ns: int) -> None:
        """Drop what nobody will ask for."""
        while len(self._changes) > 1 and self._changes[1][0] <= before_ns:
            self._changes.popleft()


def _quotient(left: int, percent: int) -> int:
    """Rounded up; nothing takes no time, however slow."""
    return -(-left // percent) if left else 0
