"""What a benchmark says: a time beside a peer's time, or a plain figure, each with its goal."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is asked of a benchmark.

    Attributes:
        peers: Measure the peers too.
        quick: Small inputs and few repeats: a form that CI can afford.
        seed: Seed of the inputs.
        each: Instances measured of each family of ten in studies of an hour; all by default.
    """

    peers: bool
    quick: bool
    seed: int
    each: int = 10


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds for one item, one sample for each repeat."""

    samples_s: tuple[float, ...]

    @property
    def median_s(self) -> float:
        """The middle sample."""
        return median(self.samples_s)

    @property
    def spread(self) -> float:
        """Half the distance between the quartiles, as a share of the median."""
        if len(self.samples_s) < 2:
            return 0.0
        low, _, high = quantiles(self.samples_s, n=4, method="inclusive")
        return (high - low) / 2 / self.median_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Our time for one item beside a peer's.

    Attributes:
        name: What is done, to how many items.
        ours: Our time.
        peer: Name of the peer and of what it does.
        theirs: The peer's time; None when it was not asked for.
        goal: Ratio theirs / ours to reach; None without a goal.
        error: Largest difference between the results, in ``error_unit``; None when nothing was compared.
        error_limit: Largest difference that is still agreement.
        error_unit: Unit of both.
        note: What a reader has to know.
    """

    name: str
    ours: Timing
    peer: str = ""
    theirs: Timing | None = None
    goal: float | None = None
    error: float | None = None
    error_limit: float = 0.0
    error_unit: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times faster than the peer."""
        return None if self.theirs is None else self.theirs.median_s / self.ours.median_s

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal or a peer."""
        return None if self.ratio is None or self.goal is None else self.ratio >= self.goal

    @property
    def wrong(self) -> bool:
        """Whether the results disagree, NaN included."""
        return self.error is not None and not self.error <= self.error_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A plain figure: a share, a gap, a count, a time.

    Attributes:
        name: What was measured, on how much.
        value: The figure; None when it could not be measured here, for the reason in ``note``.
        unit: Its unit.
        goal: What it has to keep; None without a goal.
        at_least: The goal is a least value, else a largest.
        must_hold: A missed goal means that something is wrong (agreement), not merely slow.
        note: What a reader has to know.
    """

    name: str
    value: float | None = None
    unit: str = ""
    goal: float | None = None
    at_least: bool = False
    must_hold: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is kept; None without one."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    @property
    def wrong(self) -> bool:
        """Whether something that must hold does not."""
        return self.must_hold and self.met is False


Row = Comparison | Figure


def measure(
    call: Callable[[], object],
    *,
    items: int = 1,
    repeats: int = 9,
    clock: Callable[[], float] = time.thread_time,
) -> Timing:
    """Time a call, after one that warms up.

    Args:
        call: What is timed.
        items: How many items one call does.
        repeats: Number of samples.
        clock: CPU time of this thread by default, since others use the machine too; `time.perf_counter` for what
            uses several threads.
    """
    call()
    samples = []
    for _ in range(repeats):
        began = clock()
        call()
        samples.append((clock() - began) / items)
    return Timing(tuple(samples))
