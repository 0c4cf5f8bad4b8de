"""What was: cycles, joints and their stories, recordings, events, the audit."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import FileResponse, HTMLResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from controller.panel.access import Engineer, ThePanel, Viewer
from controller.panel.cycles import CycleDetail, CycleRow
from controller.panel.events import Event
from controller.panel.genealogy import JointLine, JointStory, joint_rows, joint_story
from controller.panel.joint_report import joint_report
from controller.panel.picture import utc_text
from controller.panel.problems import ProblemError, documented
from controller.panel.recordings import Recording, recording_file, recordings
from controller.panel.routes_cell import PathText
from controller.panel.state import PanelState

router = APIRouter(prefix="/api/v1")
_MOST = 500
_NS = 10**9

Since = Annotated[int, Query(ge=0, le=2**32, description="From this moment on [s since 1970, UTC].")]
Until = Annotated[int, Query(ge=0, le=2**33, description="Up to this moment [s since 1970, UTC].")]
Most = Annotated[int, Query(ge=1, le=_MOST)]
ModelName = Annotated[str, Query(max_length=100)]


class EventPage(BaseModel):
    """Events after a number; ``complete`` is False when older ones are not kept any more."""

    events: list[Event]
    complete: bool


class AuditEntry(BaseModel):
    """A row of the audit."""

    seq: int
    time_utc: str
    name: str
    role: str
    via: str
    address: str
    action: str
    detail: str
    outcome: str


@router.get("/cycles", responses=documented(400, 401, 403, 422))
async def cycles(
    _: Viewer,
    panel: ThePanel,
    model: ModelName = "",
    since: Since = 0,
    until: Until = 2**33,
    good: bool | None = None,
    over_s: Annotated[float, Query(ge=0, le=86_400)] = 0.0,
    most: Most = 100,
) -> list[CycleRow]:
    """Cycles that ended within a time, the last first."""
    return panel.cycles.rows(
        model=model,
        since_utc_ns=since * _NS,
        until_utc_ns=until * _NS,
        good=good,
        over_s=over_s,
        most=most,
    )


@router.get("/cycles/{number}", responses=documented(400, 401, 403, 404, 422))
async def cycle(number: Annotated[int, Path(ge=1, le=2**31)], _: Viewer, panel: ThePanel) -> CycleDetail:
    """One cycle with what every resource did, planned and actual."""
    found = panel.cycles.detail(number)
    if found is None:
        raise ProblemError(404, f"no cycle {number} is kept")
    return found


@router.get("/joints", responses=documented(400, 401, 403, 422, 503))
async def joints(
    _: Viewer,
    panel: ThePanel,
    model: ModelName = "",
    since: Since = 0,
    until: Until = 2**33,
    most: Most = 100,
) -> list[JointLine]:
    """Joints that left the cell, the last first, from the cell's journal."""
    return await run_in_threadpool(joint_rows, panel.settings.journal, model, since * _NS, until * _NS, most)


@router.get(
    "/joints/{serial:path}/report.html",
    response_class=HTMLResponse,
    responses=documented(400, 401, 403, 404, 422, 503),
)
async def report(serial: PathText, _: Viewer, panel: ThePanel) -> HTMLResponse:
    """The story of a joint as a page that opens offline."""
    name = "".join(sign if sign.isascii() and sign.isalnum() else "-" for sign in serial)
    page = joint_report(await _story(panel, serial), panel.facts.cell)
    return HTMLResponse(
        page,
        headers={
            "content-disposition": f'attachment; filename="joint-{name}.html"',
            "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        },
    )


@router.get("/joints/{serial:path}", responses=documented(400, 401, 403, 404, 422, 503))
async def joint(serial: PathText, _: Viewer, panel: ThePanel) -> JointStory:
    """Everything that happened to one joint, with what was measured."""
    return await _story(panel, serial)


@router.get("/recordings", responses=documented(400, 401, 403))
async def recording_list(_: Viewer, panel: ThePanel) -> list[Recording]:
    """Recordings (MCAP), the last first."""
    return await run_in_threadpool(recordings, panel.settings.recordings)


@router.get(
    "/recordings/{name}",
    response_class=FileResponse,
    responses={
        200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
        **documented(400, 401, 403, 404, 422),
    },
)
async def recording(
    name: Annotated[str, Path(pattern=r"^[0-9A-Za-z_-]{1,80}\.mcap$")], _: Viewer, panel: ThePanel
) -> FileResponse:
    """One recording."""
    path = recording_file(panel.settings.recordings, name)
    if path is None:
        raise ProblemError(404, f"there is no recording {name}")
    return FileResponse(path, media_type="application/octet-stream", filename=name)


@router.get("/events", responses=documented(400, 401, 403, 422))
async def events(_: Viewer, panel: ThePanel, after: Annotated[int, Query(ge=0, le=2**53)] = 0) -> EventPage:
    """Events after a number, for clients of the stream that have missed some."""
    log = panel.hub.events
    return EventPage(events=log.after(after), complete=log.oldest <= after + 1)


@router.get("/audit", responses=documented(400, 401, 403, 422))
async def audit(
    _: Engineer, panel: ThePanel, before: Annotated[int, Query(ge=1, le=2**53)] = 2**53, most: Most = 100
) -> list[AuditEntry]:
    """Who asked for what, newest first."""
    return [
        AuditEntry(
            seq=row.seq,
            time_utc=utc_text(row.utc_ns),
            name=row.name,
            role=row.role,
            via=row.via,
            address=row.address,
            action=row.action,
            detail=row.detail,
            outcome=row.outcome,
        )
        for row in panel.audit.rows(before, most)
    ]


async def _story(panel: PanelState, serial: str) -> JointStory:
    story = await run_in_threadpool(joint_story, panel.settings.journal, serial)
    if story is None:
        raise ProblemError(404, f"no joint {serial!r} is in the journal")
    return story
