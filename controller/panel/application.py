"""The web application: routes, errors, the door in front of them, and the loop that feeds the stream."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from prometheus_client import CollectorRegistry

from controller.panel import (
    pages,
    problems,
    routes_access,
    routes_cell,
    routes_history,
    routes_process,
    routes_system,
    routes_view3d,
)
from controller.panel.database import PanelDatabase
from controller.panel.facts import CellFacts, Process
from controller.panel.gate import Gate
from controller.panel.problems import ProblemDetails
from controller.panel.settings import PanelSettings
from controller.panel.state import PanelState
from controller.supervision.view import CellService

Panel = FastAPI

_ABOUT = (
    "Interface of the control panel. Everything that changes something is a process command and not a safety function. "
    "Browsers log in (cookie), scripts send a bearer token. The live stream is a WebSocket at /api/v1/stream: "
    "messages `snapshot`, `state`, `part` and `event`, each with `v`."
)


def create_panel(
    cell: CellService,
    facts: CellFacts,
    settings: PanelSettings,
    database: PanelDatabase,
    *,
    now_ns: Callable[[], int] = time.time_ns,
    now_s: Callable[[], float] = time.monotonic,
    registry: CollectorRegistry | None = None,
    process: Process | None = None,
) -> Panel:
    """A panel for a running cell.

    Args:
        cell: The cell.
        facts: What does not change while it runs.
        settings: How the panel is reached.
        database: Users, audit, cycles; stays open until the application has ended.
        now_ns: Time of day (UTC).
        now_s: A monotonic clock.
        registry: The cell's figures for Prometheus, to which the panel adds its own.
        process: The cell's process parameters; None where they cannot be changed.

    Returns:
        The application; its ``state.panel`` holds the parts.
    """
    panel = PanelState(
        cell=cell,
        facts=facts,
        settings=settings,
        database=database,
        now_ns=now_ns,
        now_s=now_s,
        registry=CollectorRegistry() if registry is None else registry,
        process=process,
    )

    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        ticking = asyncio.create_task(panel.hub.run())
        try:
            yield
        finally:
            ticking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await ticking
            panel.desk.close()
            panel.close()

    app = FastAPI(
        title="jointcell panel",
        description=_ABOUT,
        version=version("jointcell"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        lifespan=life,
        redirect_slashes=False,
    )
    app.state.panel = panel
    problems.install(app)
    for router in (
        routes_access.router,
        routes_cell.router,
        routes_history.router,
        routes_process.router,
        routes_system.router,
        routes_system.bare,
        routes_view3d.router,
        pages.router,
    ):
        app.include_router(router)
    app.add_middleware(Gate, settings=settings, refused=panel.metrics.refused)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The description of the interface, with the problem document that all errors are."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = document["components"]["schemas"]
        schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        app.openapi_schema = document
    return app.openapi_schema
