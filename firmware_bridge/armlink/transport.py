"""All lines of a cell in a process of their own, so that nothing else this program does can hold them up.

Here is all the input and output of the links; what to say is in the sessions (`session`). The process ends with
its parent, and when the parent is silent it brings the arms to rest: whoever plans must be alive.
"""

import contextlib
import gc
import random
import select
import selectors
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from firmware_bridge.armlink.capture import Capture
from firmware_bridge.armlink.link_settings import LinkSettings
from firmware_bridge.armlink.nonblocking_port import NonblockingPort
from firmware_bridge.armlink.opening import Expected
from firmware_bridge.armlink.orders import Health, Order, Report, State, Stop
from firmware_bridge.armlink.session import ArmSession
from firmware_bridge.port import LinkError
from firmware_bridge.priority import be_punctual

_REOPEN_NS = 200_000_000
_PARENT_NS = 1_000_000_000
_GOODBYE_NS = 1_500_000_000
_LONGEST_NAP_S = 0.02
_STATES_NS = 20_000_000
_GATHER_S = 0.010  # each waking costs as much as a frame; clock comparisons pick the trips that did not wait
_BACKLOG = 200  # reports; beyond, only the latest state of each arm is kept

Orders = list[tuple[str, Order]]
Reports = list[tuple[str, Report]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineEntry:
    """One line.

    Attributes:
        expected: The arm that is meant to be there.
        port: Path of the port.
        settings: How the line is used.
        capture: File that everything on the line is written to.
    """

    expected: Expected
    port: str
    settings: LinkSettings = field(default_factory=LinkSettings)
    capture: Path | None = None


class _Line:
    """A session and its port, opened whenever it is there."""

    def __init__(self, entry: LineEntry, selector: selectors.BaseSelector) -> None:
        nonces = random.SystemRandom()
        self.name = entry.expected.name
        self.session = ArmSession(entry.expected, entry.settings, lambda: nonces.getrandbits(32))
        self._entry = entry
        self._selector = selector
        self._port: NonblockingPort | None = None
        self._open_ns = 0
        self._due_ns = 0
        self._capture = Capture.create(entry.capture) if entry.capture is not None else None

    def read(self) -> None:
        """Take in what has arrived; something has."""
        if self._port is None:
            return
        try:
            data = self._port.read()
            if not data:
                raise LinkError(f"port {self._entry.port} is gone: nothing to read where there should be")
        except LinkError as error:
            self._lost(error)
            return
        now = time.monotonic_ns()
        if self._capture is not None:
            self._capture.note(now, "<", data)
        self.session.receive(data, now)
        self._due_ns = now

    def hurry(self) -> None:
        """Something was ordered."""
        self._due_ns = 0

    def write(self) -> int:
        """Send what is due; when to be called again [ns]."""
        now = time.monotonic_ns()
        if self._port is None and now >= self._open_ns:
            self._open(now)
        if now < self._due_ns:
            return self._due_ns
        data = self.session.transmit(now)
        if self._port is not None and (data or self._port.writing):
            if self._capture is not None:
                self._capture.note(now, ">", data)
            try:
                self._port.write(data)
            except LinkError as error:
                self._lost(error)
        self._due_ns = self.session.due_ns(now)
        return self._due_ns

    def close(self) -> None:
        """Let go of the port."""
        if self._port is not None:
            self._selector.unregister(self._port)
            self._port.close()
            self._port = None
        if self._capture is not None:
            self._capture.close()

    def _open(self, now: int) -> None:
        self._open_ns = now + _REOPEN_NS
        try:
            self._port = NonblockingPort(self._entry.port, self._entry.settings.baud)
            self._selector.register(self._port, selectors.EVENT_READ, self)
        except LinkError as error:
            self.session.closed(str(error))
            return
        self.session.opened(now)
        self._due_ns = 0

    def _lost(self, error: Exception) -> None:
        assert self._port is not None
        self._selector.unregister(self._port)
        self._port.close()
        self._port = None
        self._open_ns = time.monotonic_ns() + _REOPEN_NS
        self.session.closed(str(error))


def serve(connection: Connection, entries: Mapping[str, LineEntry]) -> None:
    """Run every line until the parent lets go of the connection.

    Args:
        connection: Carries `Orders` in, an empty list being a sign of life, and `Reports` out.
        entries: The lines by the names of their arms.
    """
    be_punctual()
    gc.freeze()  # nothing that there is now will ever be garbage; looking through it takes milliseconds
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ)
        lines = {name: _Line(entry, selector) for name, entry in entries.items()}
        outgoing = _Outgoing(connection)
        orders = select.poll()
        orders.register(connection.fileno(), select.POLLIN)
        heard_ns = time.monotonic_ns()
        leaving_ns: int | None = None
        while leaving_ns is None or time.monotonic_ns() < leaving_ns:
            due_ns = min(line.write() for line in lines.values())
            for line in lines.values():
                outgoing.add(line.name, line.session.reports())
            if leaving_ns is None:
                outgoing.send()
                _gather(orders, due_ns)
            nap_s = min(_LONGEST_NAP_S, max(0.0, (due_ns - time.monotonic_ns()) * 1e-9))
            for key, _ in selector.select(nap_s):
                if key.fileobj is not connection:
                    key.data.read()
                    continue
                heard_ns = time.monotonic_ns()
                if not _take_orders(connection, lines, heard_ns):
                    selector.unregister(connection)
                    leaving_ns = heard_ns + _GOODBYE_NS
                    _stop_all(lines, power_off=True)
            if leaving_ns is None and time.monotonic_ns() - heard_ns > _PARENT_NS:
                heard_ns = time.monotonic_ns()
                _stop_all(lines, power_off=False, reason="the program that plans has stopped answering")
        for line in lines.values():
            line.close()


def _gather(orders: select.poll, due_ns: int) -> None:
    """Let bytes gather for a moment: pieces of a frame cost as much as all of it. An order ends it."""
    left_s = (due_ns - time.monotonic_ns()) * 1e-9
    if left_s > 0.0:
        orders.poll(1000 * min(_GATHER_S, left_s))


def _take_orders(connection: Connection, lines: Mapping[str, _Line], now_ns: int) -> bool:
    """Pass orders on; whether the parent is still there."""
    try:
        while connection.poll():
            for name, order in connection.recv():
                lines[name].session.order(order, now_ns)
                lines[name].hurry()
    except (EOFError, OSError):
        return False
    return True


def _stop_all(lines: Mapping[str, _Line], *, power_off: bool, reason: str = "") -> None:
    now = time.monotonic_ns()
    for line in lines.values():
        if reason:
            line.session.give_up(reason, now)
        else:
            line.session.order(Stop(power_off=power_off), now)
        line.hurry()


class _Outgoing:
    """Reports on their way to the parent, which may be too busy to take them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pending: Reports = []
        self._due_ns = 0
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLOUT)

    def add(self, name: str, reports: list[Report]) -> None:
        """Reports of one session."""
        if reports:
            self._pending += [(name, report) for report in reports]
            if not all(isinstance(report, State | Health) for report in reports):
                self._due_ns = 0

    def send(self) -> None:
        """Send at once what something happens with, and states now and then."""
        now = time.monotonic_ns()
        if not self._pending or now < self._due_ns:
            return
        if self._poll.poll(0):
            with contextlib.suppress(OSError):
                self._connection.send(self._pending)
            self._pending = []
            self._due_ns = now + _STATES_NS
        elif len(self._pending) > _BACKLOG:
            latest = {name: report for name, report in self._pending if isinstance(report, State)}
            self._pending = [item for item in self._pending if not isinstance(item[1], State)]
            self._pending += latest.items()
