"""The controller itself: health, versions, log, recipes, dry runs, metrics, and the live stream."""

import resource
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response, WebSocket
from prometheus_client import generate_latest
from pydantic import BaseModel, ConfigDict, Field

from controller.panel.access import Engineer, Operator, ThePanel, Viewer, identity_of, panel_of
from controller.panel.dry_run import BusyError, DryRun
from controller.panel.facts import CellFacts, ModelFacts
from controller.panel.log_lines import LogLine
from controller.panel.picture import utc_text
from controller.panel.problems import ProblemError, documented, problem_response
from controller.panel.routes_cell import PathText
from controller.panel.state import new_secret
from controller.panel.stream import ENDED

router = APIRouter(prefix="/api/v1")
bare = APIRouter()
_OLD_S = 1.0
_SCRAPE_RATE = 20.0
_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class System(BaseModel):
    """How the controller is."""

    cell: str
    driver: str
    simulated: bool
    versions: dict[str, str]
    started_utc: str
    health: list[str]
    stream_clients: int
    tick_lag_s: float
    picture_age_s: float
    memory_mb: float


class DryRunOrder(BaseModel):
    """What to try: the models of an order."""

    model_config = ConfigDict(extra="forbid")

    lines: Annotated[dict[str, Annotated[int, Field(ge=1, le=100_000)]], Field(min_length=1, max_length=64)]


class Health(BaseModel):
    """Alive, or ready with the reasons why not."""

    status: str
    reasons: list[str]


@router.get("/system", responses=documented(400, 401, 403))
async def system(_: Viewer, panel: ThePanel) -> System:
    """Health and versions."""
    return System(
        cell=panel.facts.cell,
        driver=panel.facts.driver,
        simulated=panel.facts.simulated,
        versions=panel.facts.versions,
        started_utc=utc_text(panel.started_ns),
        health=[*panel.cell.view.health, *([panel.audit.failure] if panel.audit.failure else [])],
        stream_clients=panel.hub.clients,
        tick_lag_s=panel.hub.lag_s,
        picture_age_s=panel.hub.age_s,
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


@router.get("/facts", responses=documented(400, 401, 403))
async def facts(_: Viewer, panel: ThePanel) -> CellFacts:
    """What does not change while the cell runs: arms with their limits, the dial, models."""
    return panel.facts


@router.get("/recipes", responses=documented(400, 401, 403))
async def recipes(_: Viewer, panel: ThePanel) -> list[ModelFacts]:
    """Joint models with their operations."""
    return list(panel.facts.models)


@router.get("/log", responses=documented(400, 401, 403))
async def log(_: Engineer, panel: ThePanel) -> list[LogLine]:
    """The last lines of the log, newest first."""
    return panel.log.lines()


@router.post("/dry-runs", status_code=202, responses=documented(400, 401, 403, 408, 409, 413, 422))
async def start_dry_run(body: DryRunOrder, _: Operator, panel: ThePanel) -> DryRun:
    """Plan and run the models of an order without physics, in a process of its own; takes about a minute."""
    unknown = sorted(set(body.lines) - {model["name"] for model in panel.facts.models})
    if unknown:
        raise ProblemError(409, f"no joint model is called {unknown[0][:100]!r}")
    try:
        return panel.dry_runs.start(new_secret(), body.lines, panel.cell.view.target_s)
    except BusyError as error:
        raise ProblemError(409, str(error)) from None


@router.get("/dry-runs/{number}", responses=documented(400, 401, 403, 404, 422))
async def dry_run(number: PathText, _: Viewer, panel: ThePanel) -> DryRun:
    """What became of a dry run."""
    run = panel.dry_runs.get(number)
    if run is None:
        raise ProblemError(404, f"there is no dry run {number!r}")
    return run


@router.websocket("/stream")
async def stream(
    socket: WebSocket,
    ticket: Annotated[str, Query(max_length=100)] = "",
    rate: Annotated[float, Query(ge=1, le=20)] = _SCRAPE_RATE,
    after: Annotated[int | None, Query(ge=0)] = None,
) -> None:
    """The live stream: a snapshot, then pictures (newest wins), parts and numbered events."""
    panel = panel_of(socket)
    who = panel.sessions.redeem(ticket) if ticket else identity_of(socket)
    if who is None:
        await socket.accept()  # only then can the page tell a login that has ended from a lost server
        await socket.close(ENDED, "log in first")
        return
    await socket.accept()
    await panel.hub.serve(socket, who, rate, after, lambda: panel.is_alive(who))


@bare.get("/healthz", responses=documented(400))
async def healthz() -> Health:
    """The panel answers."""
    return Health(status="alive", reasons=[])


@bare.get("/readyz", response_model=Health, responses=documented(400, 503))
async def readyz(panel: ThePanel) -> Any:
    """The cell's loop runs and makes new pictures."""
    if panel.hub.age_s > _OLD_S:
        return problem_response(503, f"the cell has made no picture for {panel.hub.age_s:.1f} s")
    return Health(status="ready", reasons=[])


@bare.get(
    "/metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **documented(400, 401, 403),
    },
)
async def metrics(_: Viewer, panel: ThePanel) -> Response:
    """Figures for Prometheus; scrape it with a viewer's token."""
    return Response(generate_latest(panel.registry), media_type=_METRICS_TYPE)
