"""Starts the process of the lines and gives every driver its channel to it."""

import contextlib
import multiprocessing
import select
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from firmware_bridge.armlink.orders import Failed, LinkUp, Order, Report
from firmware_bridge.armlink.transport import LineEntry, Reports, serve

_END_S = 3.0
_BEAT_S = 0.1


class TransportProcess:
    """The process, and the ways to the sessions in it.

    Args:
        entries: The lines by the names of their arms.
    """

    def __init__(self, entries: Mapping[str, LineEntry]) -> None:
        # Spawned, not forked: nothing of this program's threads, engines or files goes along.
        context = multiprocessing.get_context("spawn")
        self._connection, self._other_end = context.Pipe()
        self._process = context.Process(
            target=serve, args=(self._other_end, dict(entries)), name="jointcell lines", daemon=True
        )
        self.channels = {name: ProcessChannel(self, name) for name in entries}
        self._gone = False
        self._arriving = select.poll()  # a connection's own poll makes a new one at every call
        self._arriving.register(self._connection.fileno(), select.POLLIN)
        self._sending = threading.Lock()
        self._leaving = threading.Event()
        self._beats = threading.Thread(target=self._beat, name="signs of life", daemon=True)

    @property
    def pid(self) -> int:
        """Number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def __enter__(self) -> Self:
        """Start it."""
        self._process.start()
        self._other_end.close()
        self._beats.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let it bring the arms to rest and end."""
        self._leaving.set()
        self._beats.join()
        self._connection.close()
        self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def send(self, name: str, *orders: Order) -> None:
        """Give orders."""
        if self._gone:
            return
        try:
            with self._sending:
                self._connection.send([(name, order) for order in orders])
        except OSError:
            self._lost()

    def wait(self, seconds: float) -> bool:
        """Block until something was reported, at most for a time; whether it was."""
        return not self._gone and bool(self._arriving.poll(1000 * seconds))

    def connect(self, seconds: float) -> None:
        """Wait until every arm has answered or was refused, at most for a time; drivers say which it was."""
        end_s = time.monotonic() + seconds
        ended = (LinkUp, Failed)
        while time.monotonic() < end_s and not all(
            any(isinstance(report, ended) for report in channel.reports) for channel in self.channels.values()
        ):
            self.wait(_BEAT_S)
            self.pump()

    def pump(self) -> None:
        """Take in what was reported."""
        try:
            while not self._gone and self._arriving.poll(0):
                batch: Reports = self._connection.recv()
                for name, report in batch:
                    self.channels[name].reports.append(report)
        except (EOFError, OSError):
            self._lost()

    def _beat(self) -> None:
        """Show that this process lives, also while it computes something long; a stopped one does not."""
        while not self._leaving.wait(_BEAT_S):
            with self._sending, contextlib.suppress(OSError):
                self._connection.send([])

    def _lost(self) -> None:
        self._gone = True
        for channel in self.channels.values():
            channel.reports.append(Failed(reason="the process of the serial lines has ended"))


class ProcessChannel:
    """The way to one session."""

    def __init__(self, process: TransportProcess, name: str) -> None:
        self.reports: list[Report] = []
        self._process = process
        self._name = name

    def send(self, order: Order) -> None:
        """Give an order."""
        self._process.send(self._name, order)

    def receive(self) -> list[Report]:
        """What was reported since the last call."""
        self._process.pump()
        reports, self.reports = self.reports, []
        return reports

    def wait(self, seconds: float) -> None:
        """Block until there may be a report, at most for a time."""
        self._process.wait(seconds)
