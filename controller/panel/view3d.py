"""The 3D view from the panel's side: a process that is started when somebody looks, fed with pictures, and not waited for.

Pictures go through a pipe by a thread of its own; when the process is blocked so is that thread, and nothing else. Browsers
reach it through the panel's own port, behind its login and its door.
"""

import asyncio
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from controller.panel.facts import CellFacts
from controller.panel.picture import moment
from controller.supervision.view import CellService

_PERIOD_S = 0.05
_COMING_S = 30.0  # until the process says its port
_ANSWER_S = 5.0
_IDLE_S = 60.0  # nobody has looked for so long: the process ends
_MOST = 8  # browsers at once
_LARGEST = 16_000_000
_THREADS = 4


class UnavailableError(Exception):
    """The view cannot be shown; says why."""


class View3d:
    """The process and its port.

    Args:
        cell: Whose pictures are drawn.
        facts: What does not change.
        command: How to start the process.
    """

    def __init__(
        self,
        cell: CellService,
        facts: CellFacts,
        command: Sequence[str] = (sys.executable, "-m", "controller.view3d"),
    ) -> None:
        self._cell = cell
        self._facts = facts
        self._command = tuple(command)
        self._threads = ThreadPoolExecutor(_THREADS, "view3d")  # of its own: nobody else waits for this view
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._port = 0
        self._ready = threading.Event()
        self._watching = 0
        self._watched_s = 0.0

    def close(self) -> None:
        """End the process."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def port(self) -> int:
        """The process's port on loopback; starts it when it does not run, and may wait for it.

        Raises:
            UnavailableError: When it does not come up.
        """
        with self._lock:
            self._watched_s = time.monotonic()
            if self._process is None or self._process.poll() is not None:
                self._ready = threading.Event()
                self._port = 0
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
                threading.Thread(
                    target=self._feed, args=(self._process, self._ready), name="view3d", daemon=True
                ).start()
            process, ready = self._process, self._ready
        if not ready.wait(_COMING_S) or not self._port:
            process.kill()
            raise UnavailableError("the 3D view did not come up")
        return self._port

    async def page(self) -> bytes:
        """The page that draws, as viser serves it.

        Raises:
            UnavailableError: When the process does not come up or does not answer.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._fetched)

    def _fetched(self) -> bytes:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}/", timeout=_ANSWER_S) as answer:
                return bytes(answer.read(_LARGEST))
        except OSError as error:
            raise UnavailableError(f"the 3D view does not answer: {error}") from None

    async def relay(self, socket: WebSocket) -> None:
        """Carry messages between a browser and the process until one of them leaves.

        Raises:
            UnavailableError: When there is no process, it does not answer, or too many look at it already.
        """
        if self._watching >= _MOST:
            raise UnavailableError(f"{_MOST} browsers look at the 3D view already")
        protocols = [Subprotocol(name) for name in socket.scope.get("subprotocols", [])]
        with self._watched():
            port = await asyncio.get_running_loop().run_in_executor(self._threads, self.port)
            try:
                async with connect(
                    f"ws://127.0.0.1:{port}",
                    subprotocols=protocols or None,
                    max_size=_LARGEST,
                    open_timeout=_ANSWER_S,
                    close_timeout=1.0,
                    compression=None,
                    proxy=None,
                ) as viser:
                    await socket.accept(subprotocol=viser.subprotocol)
                    await _first_to_end(_down(viser, socket), _up(socket, viser))
            except (OSError, WebSocketException, TimeoutError) as error:
                raise UnavailableError(f"the 3D view does not answer: {error}") from None

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._watching += 1
        try:
            yield
        finally:
            self._watching -= 1
            self._watched_s = time.monotonic()

    def _feed(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        """Write pictures into the process's input until it ends or nobody looks any more."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as pipe, process.stdout:
                pipe.write(json.dumps({"dial": self._facts.dial}) + "\n")
                number = self._write(process, -1)
                self._port = int(process.stdout.readline())
                ready.set()
                while process.poll() is None:
                    if not self._watching and time.monotonic() - self._watched_s > _IDLE_S:
                        break
                    time.sleep(_PERIOD_S)
                    number = self._write(process, number)
        except (OSError, ValueError):
            pass  # it has gone
        finally:
            process.kill()
            process.wait()
            ready.set()

    def _write(self, process: "subprocess.Popen[str]", before: int) -> int:
        """Write the newest picture when it is a new one; its number."""
        view = self._cell.view
        if view.number != before:
            assert process.stdin is not None
            process.stdin.write(json.dumps(moment(view, 0.0), separators=(",", ":")) + "\n")
            process.stdin.flush()
        return view.number


async def _down(viser: ClientConnection, socket: WebSocket) -> None:
    async for message in viser:
        if isinstance(message, str):
            await socket.send_text(message)
        else:
            await socket.send_bytes(message)


async def _up(socket: WebSocket, viser: ClientConnection) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        content = message.get("bytes") or message.get("text")
        if content:
            await viser.send(content)


async def _first_to_end(*ways: Coroutine[Any, Any, None]) -> None:
    """Wait for one of them, and end the others."""
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(
                result, WebSocketDisconnect | WebSocketException | RuntimeError
            ):
                raise result
