"""The panel's live stream as whole pictures, and None when there is nothing to be believed any more."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from controller.opcua.variables import Picture
from controller.panel_client import PanelClient

_log = logging.getLogger("jointcell.opcua")
_AGAIN_S = 0.5  # between attempts
_LARGEST = 16_000_000


async def pictures(panel: PanelClient, rate_hz: float, patience_s: float) -> AsyncIterator[Picture | None]:
    """Follow a panel for ever.

    Args:
        panel: The panel, with a viewer's token.
        rate_hz: Pictures a second to ask for.
        patience_s: A panel without a message for so long, or a picture as old as that, counts as lost.

    Yields:
        The whole picture whenever something in it is new; None when the panel was lost or the cell makes no pictures.
    """
    while True:
        try:
            async with aclosing(_connected(panel, rate_hz, patience_s)) as messages:
                picture: Picture = {}
                async for message in messages:
                    picture = _merged(picture, message)
                    if message["type"] == "state" or message["type"] == "snapshot":
                        yield picture if picture["moment"]["age_s"] <= patience_s else None
        except (OSError, WebSocketException, TimeoutError, ValueError, KeyError, TypeError) as error:
            _log.info("%s: %r", panel.url, error)  # lost, refused, or no panel at all
        yield None
        await asyncio.sleep(_AGAIN_S)


async def _connected(
    panel: PanelClient, rate_hz: float, patience_s: float
) -> AsyncGenerator[dict[str, Any], None]:
    address = f"ws{panel.url.removeprefix('http')}/api/v1/stream?rate={rate_hz:g}"
    headers = {"Authorization": f"Bearer {panel.token}"}
    async with connect(
        address,
        ssl=panel.tls,
        additional_headers=headers,
        max_size=_LARGEST,
        open_timeout=panel.patience_s,
        close_timeout=1.0,
        proxy=None,
    ) as socket:
        while True:
            async with asyncio.timeout(patience_s):
                message = await socket.recv()
            yield json.loads(message)


def _merged(picture: Picture, message: dict[str, Any]) -> Picture:
    """The picture after a message of the stream; what it replaces is replaced as a whole."""
    match message["type"]:
        case "snapshot":
            return dict(message["value"])
        case "state":
            return picture | {"moment": message["value"]}
        case "part" if message["name"] == "panel":
            return picture | {"panel": message["value"]}
        case "part":
            return picture | {"parts": picture["parts"] | {message["name"]: message["value"]}}
        case _:
            return picture
