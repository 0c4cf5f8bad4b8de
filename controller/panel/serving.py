"""Serving a panel: a socket, a thread or a process to serve from, and an orderly end."""

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import uvicorn

from controller.panel.application import Panel
from controller.panel.settings import PanelSettings

_PING_S = 10.0
_MOST_MESSAGE = 4096  # nothing that clients send on the stream is read


def listening_socket(settings: PanelSettings) -> socket.socket:
    """A socket that listens where the panel is to be: whoever comes before the panel serves waits for it.

    Raises:
        OSError: When the address cannot be listened on; it names the address.
    """
    where = f"{settings.host}:{settings.port}"
    try:
        family, _, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        raise OSError(error.errno, f"cannot be listened on: {error.strerror}", where) from None


def serve_panel(app: Panel, settings: PanelSettings, listening: socket.socket) -> None:
    """Serve until the process is asked to end."""
    uvicorn.Server(_config(app, settings)).run([listening])


@contextlib.contextmanager
def served(app: Panel, settings: PanelSettings, listening: socket.socket | None = None) -> Iterator[None]:
    """Serve from a thread of this process while the context lasts.

    Args:
        app: The panel.
        settings: How it is reached.
        listening: A socket that listens already; one is made otherwise.
    """
    server = uvicorn.Server(_config(app, settings))
    sockets = None if listening is None else [listening]
    thread = threading.Thread(target=server.run, args=(sockets,), name="panel", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise OSError(0, "cannot be listened on", f"{settings.host}:{settings.port}")
            thread.join(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(5.0)


def _config(app: Panel, settings: PanelSettings) -> uvicorn.Config:
    extra: dict[str, Any] = {}
    if settings.certificate is not None:
        extra = {"ssl_certfile": settings.certificate, "ssl_keyfile": settings.key}
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level=logging.WARNING,
        access_log=False,
        loop="asyncio",
        http="h11",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        ws_max_size=_MOST_MESSAGE,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PING_S,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=2,
        **extra,
    )
