"""The 3D view behind the panel's login: viser's own page with a policy of its own, and its stream, relayed."""

import asyncio

from fastapi import APIRouter, Request, Response, WebSocket

from controller.panel.access import ThePanel, Viewer, identity_of, panel_of
from controller.panel.problems import ProblemError
from controller.panel.state import PanelState
from controller.panel.stream import ENDED
from controller.panel.view3d import UnavailableError

router = APIRouter(include_in_schema=False)
PATH = "/view3d"
UNAVAILABLE = 4503  # close code of the stream
_CHECK_S = 5.0


def _policy(panel: PanelState, host: str) -> str:
    """Viser's page is one file with everything inside; it may talk to its own stream and to nothing else of the panel."""
    stream = f"{'wss' if panel.settings.secure else 'ws'}://{host}{PATH}"
    return (
        "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; worker-src blob:; "
        "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
        f"connect-src {stream} data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )


@router.get(PATH)
async def page(_: Viewer, request: Request, panel: ThePanel) -> Response:
    """The page that draws; starts the process when nobody has looked before."""
    if panel.view3d is None:
        raise ProblemError(404, "the 3D view needs the extra: pip install 'jointcell[view3d]'")
    try:
        content = await panel.view3d.page()
    except UnavailableError as error:
        raise ProblemError(503, str(error)) from None
    headers = {
        "content-security-policy": _policy(panel, request.headers["host"]),
        "x-frame-options": "SAMEORIGIN",
        "cache-control": "no-store",
    }
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


@router.websocket(PATH)
async def stream(socket: WebSocket) -> None:
    """What viser's page and its process say to each other, for as long as the login lasts."""
    panel = panel_of(socket)
    who = identity_of(socket)
    if who is None or panel.view3d is None:
        await socket.accept()
        await socket.close(
            ENDED if who is None else UNAVAILABLE, "log in first" if who is None else "not installed"
        )
        return

    async def login() -> None:
        while panel.is_alive(who):
            await asyncio.sleep(_CHECK_S)

    relaying = asyncio.create_task(panel.view3d.relay(socket))
    watching = asyncio.create_task(login())
    try:
        await asyncio.wait((relaying, watching), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (relaying, watching):
            task.cancel()
        results = await asyncio.gather(relaying, watching, return_exceptions=True)
    await _close(socket, results[0])


async def _close(socket: WebSocket, result: object) -> None:
    """End the browser's side, whatever became of the other one."""
    if socket.application_state.name == "CONNECTING":
        await socket.accept()
    if "DISCONNECTED" not in (socket.client_state.name, socket.application_state.name):
        reason = str(result) if isinstance(result, UnavailableError) else ""
        await socket.close(UNAVAILABLE if reason else ENDED, reason[:100])
