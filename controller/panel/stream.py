"""The live stream: one encoding for all, one mailbox for each client, where the newest picture replaces the one before.

A client that stops reading keeps its own mailbox full and nothing else: pictures are replaced, events are limited, and when
those are too many the client is let go and comes back with the number of the last event it saw.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from controller.panel.events import Event, EventLog
from controller.panel.picture import (
    alarms_part,
    cycle_picture,
    figures_part,
    moment,
    orders_part,
    plan_part,
    snapshot,
    supplies_part,
)
from controller.panel.sessions import Identity
from controller.supervision.view import CellService, CellView

VERSION = 1
TOO_SLOW, ENDED = 4408, 4401  # close codes of the stream
_MOST_EVENTS = 500
_CHECK_S = 5.0  # how often a stream's login is looked at
_LOW, _HIGH = 1.0, 20.0
_log = logging.getLogger("jointcell.panel")


class Mailbox:
    """What waits for one client."""

    def __init__(self, every: int) -> None:
        self.every = every  # of the server's ticks
        self.picture: bytes = b""
        self.parts: dict[str, bytes] = {}
        self.events: deque[bytes] = deque()
        self.too_slow = False
        self.something = asyncio.Event()

    def take(self) -> list[bytes]:
        """Everything that waits, events first."""
        found = [*self.events, *self.parts.values(), *([self.picture] if self.picture else [])]
        self.events.clear()
        self.parts.clear()
        self.picture = b""
        self.something.clear()
        return found


class Hub:
    """Looks at the cell in every tick and fills the mailboxes.

    Args:
        cell: The cell.
        rate_hz: Ticks a second.
        extra: The panel's own part of the picture (who is in control), sent when it changes.
        watched: Called with the picture before and the new one whenever there is a new one.
    """

    def __init__(
        self,
        cell: CellService,
        rate_hz: float,
        extra: Callable[[], Mapping[str, Any]],
        watched: Callable[[CellView, CellView], None],
    ) -> None:
        self._cell = cell
        self._period_s = 1.0 / rate_hz
        self._rate_hz = rate_hz
        self._extra = extra
        self._watched = watched
        self._mailboxes: set[Mailbox] = set()
        self._view = cell.view
        self._fresh_s = time.monotonic()
        self._sent: dict[str, Any] = {}
        self._tick = 0
        self.lag_s = 0.0  # how late the last tick was
        self.events = EventLog(self._tell)

    @property
    def clients(self) -> int:
        """Streams that are open."""
        return len(self._mailboxes)

    @property
    def age_s(self) -> float:
        """How long the newest picture has been the newest."""
        self._look()
        return time.monotonic() - self._fresh_s

    async def run(self) -> None:
        """Tick until cancelled; whatever goes wrong in one tick is logged and the next one comes."""
        due = time.monotonic()
        while True:
            due = max(due + self._period_s, time.monotonic() - self._period_s)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.lag_s = max(0.0, time.monotonic() - due)
            try:
                self.tick()
            except Exception:
                _log.exception("a picture could not be sent")

    def tick(self) -> None:
        """Look at the cell and put what is new into the mailboxes."""
        self._tick += 1
        self._look()
        view = self._view
        changed = self._changed_parts(view) if self._mailboxes else {}
        picture = b""
        for box in self._mailboxes:
            if changed:
                box.parts.update(changed)
            if self._tick % box.every == 0:
                picture = picture or _encoded("state", value=moment(view, time.monotonic() - self._fresh_s))
                box.picture = picture
            if box.parts or box.picture:
                box.something.set()

    def _look(self) -> None:
        view = self._cell.view
        if view.number != self._view.number:
            before, self._view = self._view, view
            self._fresh_s = time.monotonic()
            self.events.compare(before, view)
            self._watched(before, view)

    def _changed_parts(self, view: CellView) -> dict[str, bytes]:
        """Parts that differ from what was sent last, encoded once for all."""
        due: dict[str, Any] = {}
        for name, source, build in (
            ("alarms", (view.alarms, view.questions, view.consequences), alarms_part),
            ("orders", view.orders, orders_part),
            ("cycles", view.cycles, lambda view: [cycle_picture(cycle) for cycle in view.cycles]),
        ):
            if self._sent.get(f"{name} of") != source:
                self._sent[f"{name} of"] = source
                due[name] = build(view)
        second = max(1, round(self._rate_hz))
        if self._tick % second == 0:
            due["figures"] = figures_part(view)
            due["supplies"] = supplies_part(view)
        if self._tick % second == second // 2:
            due["plan"] = plan_part(view)
        due["panel"] = dict(self._extra())
        changed = {name: value for name, value in due.items() if self._sent.get(name) != value}
        self._sent.update(changed)
        return {name: _encoded("part", name=name, value=value) for name, value in changed.items()}

    def _tell(self, event: Event) -> None:
        if not self._mailboxes:
            return
        line = _encoded("event", value=event)
        for box in self._mailboxes:
            if len(box.events) >= _MOST_EVENTS:
                box.too_slow = True
            else:
                box.events.append(line)
            box.something.set()

    async def serve(
        self, socket: WebSocket, who: Identity, rate_hz: float, after: int | None, alive: Callable[[], bool]
    ) -> None:
        """Send to one client until it leaves, is too slow, or its login ends.

        Args:
            socket: Accepted.
            who: Whose it is.
            rate_hz: Pictures a second that it wants.
            after: Number of the last event it saw; None to begin with the next one.
            alive: Whether the login is still valid.
        """
        rate_hz = min(max(rate_hz, _LOW), _HIGH)
        box = Mailbox(max(1, round(self._rate_hz / rate_hz)))
        watching = asyncio.create_task(_gone(socket))
        self._mailboxes.add(box)
        try:
            self._look()
            value = {
                **snapshot(self._view, self.age_s),
                "panel": dict(self._extra()),
                "seq": self.events.seq,
                "you": {"name": who.name, "role": str(who.role), "key": who.key},
            }
            await socket.send_bytes(_encoded("snapshot", value=value))
            if after is not None:
                box.events.extendleft(
                    _encoded("event", value=event) for event in reversed(self.events.after(after))
                )
            await self._deliver(socket, box, watching, alive)
        except (WebSocketDisconnect, RuntimeError):  # it left while something was being sent
            pass
        finally:
            self._mailboxes.discard(box)
            watching.cancel()

    async def _deliver(
        self, socket: WebSocket, box: Mailbox, watching: "asyncio.Task[None]", alive: Callable[[], bool]
    ) -> None:
        checked = time.monotonic()
        while not watching.done():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(box.something.wait(), _CHECK_S)
            if box.too_slow:
                await socket.close(TOO_SLOW, "too slow: come back with the last event's number")
                return
            if time.monotonic() - checked > _CHECK_S:
                checked = time.monotonic()
                if not alive():
                    await socket.close(ENDED, "the login has ended")
                    return
            for line in box.take():
                await socket.send_bytes(line)


async def _gone(socket: WebSocket) -> None:
    """Ends when the client has left; what it says is not listened to: commands are posted."""
    try:
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
    except (WebSocketDisconnect, RuntimeError):
        return


def _encoded(kind: str, **members: Any) -> bytes:
    return json.dumps(
        {"type": kind, "v": VERSION, **members}, separators=(",", ":"), allow_nan=False
    ).encode()
