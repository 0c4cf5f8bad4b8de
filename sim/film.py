"""A clock that takes pictures as time passes."""

from collections import deque
from collections.abc import Sequence

from cells.driver import Clock
from sim.snapshot import Snapshot
from sim.world import World

FRAME_S = 0.25  # of simulated time
_MOST_FRAMES = 240


class Film:
    """The clock of a run on a `World` that also keeps what there is to see, every ``FRAME_S`` of simulated time."""

    def __init__(self, clock: Clock, world: World) -> None:
        self._clock = clock
        self._world = world
        self._next_ns = 0
        self._frames: deque[Snapshot] = deque(maxlen=_MOST_FRAMES)

    @property
    def now_ns(self) -> int:
        """Simulated time [ns]."""
        return self._clock.now_ns

    def advance(self) -> None:
        """Let the clock advance; take a picture when one is due."""
        self._clock.advance()
        if self._clock.now_ns >= self._next_ns:
            self._next_ns = self._clock.now_ns + round(FRAME_S * 1e9)
            self._frames.append(Snapshot.of(self._world))

    def last(self, seconds: float) -> Sequence[Snapshot]:
        """The pictures of the last seconds of simulated time, at most a minute."""
        count = min(len(self._frames), max(1, round(seconds / FRAME_S)))
        return list(self._frames)[-count:]
