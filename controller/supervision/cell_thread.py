"""The cell's own thread: runs the loop, answers requests from any thread, keeps the newest picture."""

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from controller.supervision.deciding import decide
from controller.supervision.packml import Command
from controller.supervision.picture import Painter
from controller.supervision.requests import Answer, GiveCommand, Request
from controller.supervision.supervisor import Supervisor
from controller.supervision.view import CellView

_PICTURE_EVERY_S = 0.02
_FIRST = frozenset({Command.STOP, Command.ABORT})


class CellThread:
    """A `CellService`; use it as a context manager. Leaving it brings the cell to rest.

    Args:
        make: Makes the supervisor; called in the cell's thread, as everything of the cell is.
    """

    def __init__(self, make: Callable[[], Supervisor]) -> None:
        self._make = make
        self._asked: deque[tuple[Request, str, Future[Answer]]] = deque()
        self._ends = threading.Event()
        self._begun: Future[CellView] = Future()
        self._thread = threading.Thread(target=self._run, name="cell")
        self._view: CellView
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Begin; returns when there is a first picture.

        Raises:
            Exception: Whatever kept the cell from beginning.
        """
        self._thread.start()
        self._begun.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Bring the cell to rest and end.

        Raises:
            Exception: Whatever kept the cell from ending well.
        """
        self._ends.set()
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
        if not self._thread.is_alive():
            return Answer(accepted=False, reason="the cell's loop has ended")
        answer: Future[Answer] = Future()
        entry = (request, by, answer)
        if isinstance(request, GiveCommand) and request.command in _FIRST:
            self._asked.appendleft(entry)
        else:
            self._asked.append(entry)
        return answer.result(timeout_s)

    def _run(self) -> None:
        try:
            cell = self._make()
            painter = Painter(cell)
            self._view = painter.picture()
            self._begun.set_result(self._view)
        except BaseException as error:
            self._begun.set_exception(error)
            return
        try:
            self._loop(cell, painter)
            cell.close()
            self._view = painter.picture()
        except BaseException as error:
            self._error = error
        finally:
            while self._asked:
                self._asked.popleft()[2].set_result(
                    Answer(accepted=False, reason="the cell's loop has ended")
                )

    def _loop(self, cell: Supervisor, painter: Painter) -> None:
        painted = time.monotonic()
        while not self._ends.is_set():
            decided = bool(self._asked)
            while self._asked:
                request, by, answer = self._asked.popleft()
                cell.waiting_requests = len(self._asked)
                answer.set_result(decide(cell, request, by))
            if decided or time.monotonic() - painted >= _PICTURE_EVERY_S:
                self._view = painter.picture()
                painted = time.monotonic()
            cell.round()
