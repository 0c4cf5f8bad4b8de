"""Where a command writes: checked before anything else is done, and what to do when the reader has gone."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cells.errors import CellError

_PROBE_BYTES = 65_536


def new_directory(wanted: Path | None) -> Path:
    """An empty directory that can be written; ``runs/<UTC time>`` when none is asked for.

    Raises:
        CellError: When it cannot be made or written, is no directory, or has something in it.
    """
    directory = wanted or _unused(Path("runs") / datetime.now(UTC).strftime("%Y%m%d-%H%M%S"))
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise _refusal("--out", directory, "is not empty", "a new or an empty directory")
        probe = directory / ".probe"
        try:
            probe.write_bytes(bytes(_PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        reason = f"cannot be written: {error.strerror}"
        raise _refusal("--out", directory, reason, "a directory that can be written") from error
    return directory


def check_writable(path: Path, option: str) -> None:
    """Find out whether a file can be written, without changing it.

    Raises:
        CellError: When it cannot.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        return  # a device or a pipe: opening it may block or be noticed
    existed = path.exists()
    try:
        with path.open("ab"):
            pass
        if not existed:
            path.unlink()
    except OSError as error:
        reason = f"cannot be written: {error.strerror}"
        raise _refusal(option, path, reason, "a file in a directory that can be written") from error


@contextmanager
def reserved_stdout() -> Iterator[None]:
    """Send what native code prints to standard error meanwhile: standard output is for results alone."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


def say(text: str) -> None:
    """Write to standard output at once; that a reader has gone (``| head``) changes no exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still buffered must go somewhere, or the interpreter complains when it exits.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _unused(directory: Path) -> Path:
    names = (directory if n == 1 else directory.with_name(f"{directory.name}-{n}") for n in count(1))
    return next(name for name in names if not name.exists())


def _refusal(option: str, path: Path, message: str, allowed: str) -> "CellError":
    from cells.errors import CellError, Finding  # brings the compiler along, see controller.cli

    return CellError([Finding(file=option, where=str(path), value="", message=message, allowed=allowed)])
