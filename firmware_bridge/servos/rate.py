"""How fast the time of a path runs: 1 as planned, 0 at rest on it; changes are smooth.

At the rate r(t) joints have r v and r² a + r' v, so a change by d within T adds at most 1.5 d v / T to the planned
acceleration.
"""

from dataclasses import dataclass

_NS = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A rate that goes from one value to another along a cubic, level at both ends, and stays there.

    Attributes:
        since_ns: When the change begins.
        before: Rate until then.
        after: Rate when it has ended.
        seconds: How long the change takes; 0 when there is none.
    """

    since_ns: int
    before: float = 1.0
    after: float = 1.0
    seconds: float = 0.0

    def at(self, now_ns: int) -> float:
        """The rate at a time."""
        if self.ended(now_ns):
            return self.after  # not even a rounding off
        u = self._share((now_ns - self.since_ns) * _NS)
        return self.before + (self.after - self.before) * u * u * (3.0 - 2.0 * u)

    def path_s(self, now_ns: int) -> float:
        """Path time that has passed since the change began [s]."""
        return self._path_s((now_ns - self.since_ns) * _NS)

    def ended(self, now_ns: int) -> bool:
        """Whether the change is over."""
        return (now_ns - self.since_ns) * _NS >= self.seconds

    def when(self, path_s: float, latest_ns: int) -> int:
        """When so much path time has passed; by ``latest_ns`` it has [ns]."""
        early, late = 0.0, (latest_ns - self.since_ns) * _NS
        changing = self._path_s(self.seconds)
        if path_s >= changing and self.after > 0.0:
            late = self.seconds + (path_s - changing) / self.after
        else:
            while late - early > _NS:
                middle = 0.5 * (early + late)
                early, late = (middle, late) if self._path_s(middle) < path_s else (early, middle)
        return min(latest_ns, self.since_ns + round(late / _NS))

    def _path_s(self, elapsed_s: float) -> float:
        u = self._share(elapsed_s)
        changing = self.before * u + (self.after - self.before) * u**3 * (1.0 - 0.5 * u)
        return self.seconds * changing + (elapsed_s - u * self.seconds) * self.after

    def _share(self, elapsed_s: float) -> float:
        return min(1.0, elapsed_s / self.seconds) if self.seconds else 1.0
