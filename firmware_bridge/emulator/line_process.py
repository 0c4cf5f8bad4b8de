"""Lines between terminals: where a cable and two converters would be, a process that behaves like them.

One process carries all lines of a cell: `LineModel` in both directions between an emulated arm's terminal and a
new one that the host opens. Its parent pulls and exchanges cables and changes what goes wrong.
"""

import multiprocessing
import os
import selectors
import time
import tty
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from firmware_bridge.emulator.line_model import LineFaults, LineModel
from firmware_bridge.priority import be_punctual

_SHORTEST_NAP_S = 0.0005  # bytes that the line is done with within this leave together
_LONGEST_NAP_S = 0.05
_MOST = 4096
_END_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEnds:
    """One line.

    Attributes:
        device: Terminal of the emulated arm.
        host: Symbolic link that the host opens, made anew whenever the line is plugged in.
        baud: Bits per second.
        faults: What goes wrong.
        seed: Of the faults.
    """

    device: str
    host: Path
    baud: int
    faults: LineFaults = field(default_factory=LineFaults)
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplug:
    """Pull the host's end: its terminal is gone, and so is everything under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plug:
    """Put it in again, into the port with this link."""

    host: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """The emulated arm was started anew and has another terminal."""

    device: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Misbehave:
    """Change what goes wrong."""

    faults: LineFaults


LineCommand = Unplug | Plug | Attach | Misbehave


class _Cable:
    """Both directions of one line, and its two terminals."""

    def __init__(self, ends: LineEnds) -> None:
        rng = np.random.default_rng(ends.seed)
        self._down = LineModel(ends.baud, ends.faults, rng)
        self._up = LineModel(ends.baud, ends.faults, rng)
        self._device: int | None = None
        self._host: int | None = None
        self._kept: int | None = None  # the host's own end: reading ours would fail while nobody has it open
        self._link = ends.host
        self.attach(ends.device)
        self.plug(ends.host)

    def obey(self, command: LineCommand) -> None:
        """Do what a test or an operator does to the cable."""
        match command:
            case Unplug():
                self.unplug()
            case Plug():
                self.plug(command.host)
            case Attach():
                self.attach(command.device)
            case Misbehave():
                self._down.faults = self._up.faults = command.faults

    def attach(self, device: str) -> None:
        """Connect to the arm's terminal."""
        if self._device is not None:
            os.close(self._device)
        self._device = os.open(device, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._device)

    def plug(self, link: Path) -> None:
        """Make a terminal for the host, and a link that leads to it at once or not at all."""
        self._host, self._kept = os.openpty()
        tty.setraw(self._kept)
        os.set_blocking(self._host, False)
        new = link.with_name(f"{link.name}.new")
        new.unlink(missing_ok=True)
        new.symlink_to(os.ttyname(self._kept))
        new.replace(link)
        self._link = link

    def unplug(self) -> None:
        """Close the host's terminal and remove its link."""
        if self._host is not None and self._kept is not None:
            self._link.unlink(missing_ok=True)
            os.close(self._host)
            os.close(self._kept)
        self._host = self._kept = None
        self._down.cut()
        self._up.cut()

    @property
    def readable(self) -> list[int]:
        """What to wait for."""
        return [end for end in (self._device, self._host) if end is not None]

    def carry(self) -> int | None:
        """Move bytes; when something will arrive next [ns]."""
        now = time.monotonic_ns()
        self._down.send(_read(self._host), now)
        self._up.send(_read(self._device), now)
        _write(self._device, self._down.arrived(now))
        _write(self._host, self._up.arrived(now))
        dues = [due for due in (self._down.due_ns(now), self._up.due_ns(now)) if due is not None]
        return min(dues, default=None)


def _read(end: int | None) -> bytes:
    """What a terminal has; nothing when its other end was just closed."""
    if end is None:
        return b""
    try:
        return os.read(end, _MOST)
    except (BlockingIOError, OSError):
        return b""


def _write(end: int | None, data: bytes) -> None:
    """Give bytes to a terminal; what it has no room for is lost, as on a line without flow control."""
    if end is not None and data:
        try:
            os.write(end, data)
        except (BlockingIOError, OSError):
            return


def carry_lines(connection: Connection, lines: Mapping[str, LineEnds]) -> None:
    """Carry bytes until the parent lets go of the connection."""
    be_punctual()
    cables = {name: _Cable(ends) for name, ends in lines.items()}
    dues: dict[str, int | None] = dict.fromkeys(cables)
    connection.send("")
    while True:
        with selectors.DefaultSelector() as selector:  # of the terminals there are now
            selector.register(connection, selectors.EVENT_READ)
            for name, cable in cables.items():
                for end in cable.readable:
                    selector.register(end, selectors.EVENT_READ, name)
            while not _carry(selector, connection, cables, dues):
                pass
        try:
            name, command = connection.recv()
        except (EOFError, OSError):
            return
        try:
            cables[name].obey(command)
            connection.send("")
        except OSError as error:
            connection.send(str(error))


def _carry(
    selector: selectors.BaseSelector,
    connection: Connection,
    cables: Mapping[str, _Cable],
    dues: dict[str, int | None],
) -> bool:
    """Wait, then carry what there is; whether the parent has something to say."""
    due_ns = min((due for due in dues.values() if due is not None), default=None)
    nap_s = _LONGEST_NAP_S if due_ns is None else (due_ns - time.monotonic_ns()) * 1e-9
    said = False
    moved = set()
    for key, _ in selector.select(min(_LONGEST_NAP_S, max(_SHORTEST_NAP_S, nap_s))):
        if key.fileobj is connection:
            said = True
        else:
            moved.add(key.data)
    now = time.monotonic_ns()
    moved.update(name for name, due in dues.items() if due is not None and due <= now)
    for name in moved:
        dues[name] = cables[name].carry()
    return said


class LineProcess:
    """The process, and the hands on its cables.

    Args:
        lines: The lines by name.
    """

    def __init__(self, lines: Mapping[str, LineEnds]) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, self._other_end = context.Pipe()
        self._process = context.Process(
            target=carry_lines, args=(self._other_end, dict(lines)), name="jointcell cables", daemon=True
        )

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def __enter__(self) -> Self:
        """Start it; returns when every line is plugged in."""
        self._process.start()
        self._other_end.close()
        self._answer()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._connection.close()
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def command(self, name: str, command: LineCommand) -> None:
        """Do something to a line; returns when it is done.

        Raises:
            RuntimeError: When it can't be done.
        """
        self._connection.send((name, command))
        self._answer()

    def _answer(self) -> None:
        if (trouble := self._connection.recv()) != "":
            raise RuntimeError(f"lines: {trouble}")
