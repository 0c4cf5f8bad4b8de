"""The thread that plans, beside the cell's own: one draft after the other, so that the planner has one owner.

From when on a draft is followed is a time of the cell, not of this machine. Simulated time waits there until the draft has
been made, so that a run is the same however busy the machine is; real arms take it whenever it is there.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from cells.driver import Clock
from controller.execution.draft import Draft

T = TypeVar("T")
_MOMENT_S = 0.005  # as long as a stop may wait in between


class PlanningThread:
    """Plans what it is asked to, in turn; the thread begins with the first thing and ends with this object.

    Args:
        clock: Time of the cell.
        simulated: Whether that time stands still unless the clock is advanced.

    Attributes:
        took_s: How long the draft taken last was being made.
    """

    def __init__(self, clock: Clock, *, simulated: bool) -> None:
        self._clock = clock
        self._simulated = simulated
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planning")
        self._draft: Future[tuple[Draft, float]] | None = None
        self._from_ns = 0
        self.took_s = 0.0

    @property
    def busy(self) -> bool:
        """Whether a draft was asked for and neither taken nor forgotten."""
        return self._draft is not None

    def ask(self, draft: Callable[[], Draft], lead_ns: int = 0) -> None:
        """Ask for a draft, which is to be followed so much later; one asked for before is forgotten."""
        self.forget()
        self._from_ns = self._clock.now_ns + lead_ns
        self._draft = self._thread.submit(_timed, draft)

    @property
    def ready(self) -> bool:
        """Whether the draft may be taken now."""
        return self._draft is not None and self._draft.done() and self._due

    def keeps_time(self) -> bool:
        """Whether the cell's time must not go on, for want of the draft; waits a moment for it."""
        if self._draft is None or not self._simulated or not self._due:
            return False
        wait((self._draft,), _MOMENT_S)
        return not self._draft.done()

    def take(self) -> Draft:
        """The draft.

        Raises:
            PlanError: When there is none; or whatever else kept it from being made.
        """
        assert self._draft is not None
        future, self._draft = self._draft, None
        draft, self.took_s = future.result()
        return draft

    def forget(self) -> None:
        """The draft is not wanted any more; what is being made is made to its end, before what is asked for next."""
        if self._draft is not None:
            self._draft.cancel()
            self._draft = None

    def in_turn(self, call: Callable[[], T]) -> T:
        """Have something done that needs the planner, and wait for it."""
        return self._thread.submit(call).result()

    @property
    def _due(self) -> bool:
        return not self._simulated or self._clock.now_ns >= self._from_ns


def _timed(draft: Callable[[], Draft]) -> tuple[Draft, float]:
    began = time.perf_counter()
    return draft(), time.perf_counter() - began
