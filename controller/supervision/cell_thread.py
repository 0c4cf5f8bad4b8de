"""The cell's own thread: runs the loop, answers requests from any thread, keeps the newest picture."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Self

from controller.supervision.deciding import decide
from controller.supervision.metrics import CellMetrics
from controller.supervision.packml import Command
from controller.supervision.picture import Painter
from controller.supervision.requests import Answer, GiveCommand, Request
from controller.supervision.supervisor import Supervisor
from controller.supervision.view import CellView

_PICTURE_EVERY_S = 0.02
_FIRST = frozenset({Command.STOP, Command.ABORT})
_ENDED = Answer(accepted=False, reason="the cell's loop has ended")


class CellThread:
    """A `CellService`; use it as a context manager. Leaving it brings the cell to rest.

    Attributes:
        metrics: Figures for Prometheus.

    Args:
        make: Makes the supervisor and all that it needs, and ends it; called in the cell's thread, as everything is.
        wake: Set when something is asked, so that a clock that waits can be cut short.
    """

    def __init__(
        self,
        make: Callable[[], AbstractContextManager[Supervisor]],
        wake: threading.Event | None = None,
    ) -> None:
        self._make = make
        self._wake = wake or threading.Event()
        self._asked: deque[tuple[Request, str, Future[Answer]]] = deque()
        self._ends = threading.Event()
        self._begun: Future[None] = Future()
        self._over = False
        self._thread = threading.Thread(target=self._run, name="cell")
        self._view: CellView
        self.metrics: CellMetrics
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin; returns when there is a first picture.

        Raises:
            Exception: Whatever kept the cell from beginning.
        """
        self._thread.start()
        try:
            self._begun.result()
        except BaseException:
            self._thread.join()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Bring the cell to rest and end.

        Raises:
            Exception: Whatever kept the cell from ending well.
        """
        self._ends.set()
        self._wake.set()
        self._thread.join()
        if self._error is not None and kind is None:
            raise self._error

    @property
    def view(self) -> CellView:
        """The newest picture; never blocks."""
        return self._view

    def ask(self, request: Request, by: str, timeout_s: float = 2.0) -> Answer:
        """Ask for something and wait until the cell has decided.

        Raises:
            TimeoutError: When the cell has not decided in time; it may still act on the request.
        """
        if self._over:
            return _ENDED
        answer: Future[Answer] = Future()
        entry = (request, by, answer)
        if isinstance(request, GiveCommand) and request.command in _FIRST:
            self._asked.appendleft(entry)
        else:
            self._asked.append(entry)
        self._wake.set()
        return answer.result(timeout_s)

    def _run(self) -> None:
        try:
            with self._make() as cell:
                painter = Painter(cell)
                self._view = painter.picture()
                cell.outside.metrics.watch(lambda: self._view)
                self.metrics = cell.outside.metrics
                self._begun.set_result(None)
                self._loop(cell, painter)
                cell.close()
                self._view = painter.picture()
        except BaseException as error:
            self._error = error
            if not self._begun.done():
                self._begun.set_exception(error)
        finally:
            self._over = True
            while self._asked:
                self._asked.popleft()[2].set_result(_ENDED)

    def _loop(self, cell: Supervisor, painter: Painter) -> None:
        painted = time.monotonic()
        while not self._ends.is_set():
            self._wake.clear()
            decided = bool(self._asked)
            while self._asked:
                request, by, answer = self._asked.popleft()
                cell.waiting_requests = len(self._asked)
                answer.set_result(decide(cell, request, by))
            if decided or time.monotonic() - painted >= _PICTURE_EVERY_S:
                self._view = painter.picture()
                painted = time.monotonic()
            cell.round()
