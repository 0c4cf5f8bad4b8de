"""Process parameters: looked at, changed in versions, tried in simulation, and chosen for the next start of the cell.

A running cell keeps the parameters that it began with: its plan, its drivers and its joints in work follow from them. So a
version that was chosen is active from the next start of the cell, and everything here says so.
"""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, ConfigDict, Field

from controller.panel.access import Engineer, ThePanel, Viewer, address_of, need_confirmation
from controller.panel.dry_run import BusyError, DryRun
from controller.panel.facts import Process, ProcessParameter
from controller.panel.picture import utc_text
from controller.panel.problems import ProblemError, documented
from controller.panel.process_store import Version
from controller.panel.routes_cell import Text
from controller.panel.state import PanelState, new_secret

router = APIRouter(prefix="/api/v1/process")
Number = Annotated[int, InPath(ge=1, le=2**31)]
_CHANGING = documented(400, 401, 403, 404, 408, 409, 413, 422)


class TrialRow(BaseModel):
    """How a version did in a dry run."""

    utc: str
    met: bool
    cycle_p95_s: float | None
    cycle_mean_s: float | None
    lower_bound_s: float | None
    reason: str


class VersionRow(BaseModel):
    """A version: its values that differ from the cell's file, and whether and how it was tried."""

    number: int
    utc: str
    author: str
    note: str
    changes: dict[str, float]
    trial: TrialRow | None


class ProcessPicture(BaseModel):
    """The parameters of the cell's file, the version the cell runs with, and the one that its next start takes."""

    parameters: list[ProcessParameter]
    running: int
    next_start: int
    versions: list[VersionRow]


class NewVersion(BaseModel):
    """Values that are to differ from the cell's file, and why."""

    model_config = ConfigDict(extra="forbid")

    changes: Annotated[
        dict[Text, Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]],
        Field(min_length=1, max_length=64),
    ]
    note: Text


class Choice(BaseModel):
    """Which version the next start of the cell takes; 0 for the cell's file as it is."""

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=0, le=2**31)]


@router.get("", responses=documented(400, 401, 403, 409))
async def process(_: Viewer, panel: ThePanel) -> ProcessPicture:
    """Parameters and versions."""
    return _picture(panel, _process_of(panel))


@router.post("/versions", status_code=201, responses=_CHANGING)
async def add_version(body: NewVersion, who: Engineer, request: Request, panel: ThePanel) -> ProcessPicture:
    """Make a version. Nothing about the running cell changes."""
    known = _process_of(panel)
    try:
        await run_in_threadpool(known.write, body.changes, panel.settings.data / "process" / "checked.toml")
    except ValueError as error:
        raise ProblemError(409, str(error)) from None
    number = panel.process_versions.add(body.changes, body.note, who.name)
    facts = {"version": number, "changes": body.changes, "note": body.note}
    panel.audit.write(who, address_of(request), "process version", facts, "made")
    return _picture(panel, known)


@router.post("/versions/{number}/trial", status_code=202, responses=_CHANGING)
async def try_version(number: Number, who: Engineer, request: Request, panel: ThePanel) -> DryRun:
    """Plan and run all models with this version, without physics, in a process of its own; takes about a minute."""
    known, version = _process_of(panel), _version_of(panel, number)
    path = file_of(panel.settings.data, number)
    try:
        await run_in_threadpool(known.write, version.changes, path)
        run = panel.dry_runs.start(
            new_secret(),
            [model["name"] for model in panel.facts.models],
            panel.cell.view.target_s,
            cell=str(path),
            ended=lambda run: panel.process_versions.tried(number, run),
        )
    except (BusyError, ValueError) as error:
        raise ProblemError(409, str(error)) from None
    panel.audit.write(who, address_of(request), "process trial", {"version": number}, "begun")
    return run


@router.put("/next-start", responses=_CHANGING)
async def choose_version(body: Choice, who: Engineer, request: Request, panel: ThePanel) -> ProcessPicture:
    """Choose what the next start of the cell takes: a version that keeps the target in its trial, or the file as it is."""
    known = _process_of(panel)
    if body.version:
        trial = _version_of(panel, body.version).trial
        if trial is None or not trial.met:
            found = (
                "was not tried"
                if trial is None
                else f"failed its trial: {trial.reason or 'it misses the target'}"
            )
            raise ProblemError(
                409, f"version {body.version} {found} (allowed: a version that kept the target)"
            )
    need_confirmation(panel, who)
    panel.process_versions.choose(body.version, who.name)
    panel.audit.write(
        who, address_of(request), "process choice", {"version": body.version}, "active from the next start"
    )
    return _picture(panel, known)


def file_of(data: Path, number: int) -> Path:
    """The cell file of a version, among the panel's own files."""
    return data / "process" / f"version-{number}.toml"


def _process_of(panel: PanelState) -> Process:
    if panel.process is None:
        raise ProblemError(409, "the parameters of this cell cannot be changed here")
    return panel.process


def _version_of(panel: PanelState, number: int) -> Version:
    version = panel.process_versions.version(number)
    if version is None:
        raise ProblemError(404, f"there is no version {number}")
    return version


def _picture(panel: PanelState, known: Process) -> ProcessPicture:
    return ProcessPicture(
        parameters=list(known.parameters),
        running=known.running,
        next_start=panel.process_versions.chosen,
        versions=[_row(version) for version in panel.process_versions.versions()],
    )


def _row(version: Version) -> VersionRow:
    trial = version.trial
    return VersionRow(
        number=version.number,
        utc=utc_text(version.utc_ns),
        author=version.author,
        note=version.note,
        changes=dict(version.changes),
        trial=None
        if trial is None
        else TrialRow(
            utc=utc_text(trial.utc_ns),
            met=trial.met,
            cycle_p95_s=trial.cycle_p95_s,
            cycle_mean_s=trial.cycle_mean_s,
            lower_bound_s=trial.lower_bound_s,
            reason=trial.reason,
        ),
    )
