"""Progress of planning and running, shown on standard error and only on a terminal."""

import sys
from collections.abc import Callable
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn


class ProgressBars:
    """One bar for each thing that is done, in the order in which they begin; use it as a context manager.

    ``check`` is called before every step of the preparations and may end them by an exception.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._progress = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
        )
        self._current = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def step(self, what: str, done: int, of: int) -> None:
        """Show how far a step of the preparations is."""
        self._check()
        self._show(what, done, of)

    def joints(self, done: int, of: int) -> None:
        """Show how many joints have left the cell; never raises, since arms are moving."""
        self._show("assembling joints", done, of)

    def _show(self, what: str, done: int, of: int) -> None:
        """Move the bar of something; what came before is finished."""
        tasks = self._progress.tasks
        if what != self._current:
            if tasks:
                self._progress.update(tasks[-1].id, completed=tasks[-1].total or 0)
            self._progress.add_task(what, total=of)
            self._current = what
        self._progress.update(self._progress.tasks[-1].id, completed=done, total=of)
