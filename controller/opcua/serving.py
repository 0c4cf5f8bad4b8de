"""Running the server until somebody ends it."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable

from controller.opcua.exposure import OpcUaSettings
from controller.opcua.server import opcua_server
from controller.panel_client import PanelClient

_BLOCK = 4096


def serve_opcua(
    panel: PanelClient, settings: OpcUaSettings, say: Callable[[str], None], until_eof_of: int | None = None
) -> None:
    """Serve until SIGINT or SIGTERM, or until a pipe ends because the process that started this one has gone.

    Args:
        panel: The panel, with a viewer's token.
        settings: How the server is reached.
        say: Told where the server is, and that it has ended.
        until_eof_of: File descriptor of the pipe; None without.

    Raises:
        ExposureError, UnreachableError, RefusedError, OSError: See `controller.opcua.server.opcua_server`.
    """
    # The stack warns of what is meant, such as tokens in the clear on loopback, and shows where an error was raised.
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    asyncio.run(_serve(panel, settings, say, until_eof_of))


async def _serve(
    panel: PanelClient, settings: OpcUaSettings, say: Callable[[str], None], until_eof_of: int | None
) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises instead
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, ended.set)
    if until_eof_of is not None:
        loop.add_reader(until_eof_of, lambda: None if os.read(until_eof_of, _BLOCK) else ended.set())
    try:
        async with opcua_server(panel, settings):
            say(f"The OPC UA server is at {settings.endpoint}: process commands, not a safety function")
            await ended.wait()
    finally:
        if until_eof_of is not None:
            loop.remove_reader(until_eof_of)
    say("The OPC UA server has ended.")
