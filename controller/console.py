"""What every command shares: exit codes, refusals, complaints, tables on standard output, progress.

Exit codes: 0 met, 1 target missed or check failed, 2 usage or configuration, 3 fault in simulation or cell,
4 not reachable, 130 interrupted.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import typer
from rich.console import Console, RenderableType

from controller.interrupts import Interrupts
from controller.outputs import say
from controller.progress_bars import ProgressBars

MET, MISSED, USAGE, FAULT, UNREACHABLE, INTERRUPTED = 0, 1, 2, 3, 4, 130
_PIPED_WIDTH = 100  # columns of a table that no terminal shows


@contextmanager
def progress() -> Iterator[ProgressBars]:
    """Bars of something long that Ctrl-C ends, and SIGTERM too: CI cancels with it."""
    with Interrupts() as interrupts, ProgressBars(interrupts.check) as bars:
        yield bars


def refuse(option: str, value: object, allowed: str) -> NoReturn:
    """End the command because of a value on its command line."""
    raise typer.BadParameter(f"{value!r} (allowed: {allowed})", param_hint=option)


def existing_directory(directory: Path, option: str) -> Path:
    """The directory itself; refused when it does not exist."""
    if not directory.is_dir():
        refuse(option, str(directory), "an existing directory, such as runs/...")
    return directory


def fault(reason: str) -> NoReturn:
    """End the command because something in simulation or cell went wrong."""
    complain(f"Fault: {reason}")
    raise typer.Exit(FAULT)


def complain(text: str) -> None:
    """Say on standard error what went wrong."""
    print(text, file=sys.stderr)


def show(what: RenderableType, piped_width: int = _PIPED_WIDTH) -> None:
    """Print a table or the like on standard output, that many columns wide where no terminal says how many there are."""
    console = Console() if sys.stdout.isatty() else Console(width=piped_width)
    with console.capture() as capture:
        console.print(what)
    say(capture.get())
