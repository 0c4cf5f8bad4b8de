"""The cell: its picture, and everything that may be asked of it."""

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Path, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from controller.panel.access import Engineer, Operator, ThePanel, Viewer, address_of, need_confirmation
from controller.panel.facts import ArmFacts
from controller.panel.picture import ArmPicture, OrderPicture, Snapshot, moment, orders_part, snapshot
from controller.panel.problems import ProblemError, documented
from controller.panel.sessions import Identity
from controller.panel.state import PanelState
from controller.panel.users import Role
from controller.supervision.alarms import Key
from controller.supervision.packml import Command, Mode
from controller.supervision.requests import (
    EVERY_ARM,
    AcknowledgeAlarm,
    ConfirmPlace,
    EmptyTray,
    GiveCommand,
    Jog,
    LoadFeeder,
    QueueOrder,
    ScrapJoint,
    SetFeed,
    SetMode,
    SetSingleStep,
    ShelveAlarm,
    Step,
    TakeOut,
    WithdrawOrder,
)
from controller.supervision.requests import (
    Request as CellRequest,
)

router = APIRouter(prefix="/api/v1")
_ASKING = documented(400, 401, 403, 408, 409, 413, 422, 504)
_MOST_SHELF_S = 8 * 3600

Text = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
Words = Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
PathText = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]+$")]
CommandName = Literal[
    "reset", "start", "stop", "hold", "unhold", "suspend", "unsuspend", "abort", "clear", "complete"
]
ModeName = Literal["production", "maintenance", "manual"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ModeChange(_Body):
    """A PackML mode."""

    mode: ModeName


class Feed(_Body):
    """Speed override; of every arm when ``arm`` is empty."""

    share: Annotated[float, Field(ge=0.01, le=1.0)]
    arm: Words = EVERY_ARM


class SingleStep(_Body):
    """Whether every arm waits at the end of each leg."""

    on: bool


class NewOrder(_Body):
    """An order: joints by model; a lower priority number goes first, then the earlier due date."""

    order: Text
    lines: Annotated[dict[str, Annotated[int, Field(ge=1, le=100_000)]], Field(min_length=1, max_length=64)]
    priority: Annotated[int, Field(ge=1, le=9)] = 5
    due: Words = ""


class AlarmName(_Body):
    """Which alarm."""

    kind: Text
    source: Text


class Shelf(AlarmName):
    """Hide an alarm for a time; 0 takes it off the shelf."""

    for_s: Annotated[float, Field(ge=0, le=_MOST_SHELF_S)]


class Finding(_Body):
    """What somebody saw at a place that the cell cannot know."""

    serial: Text
    operation: Text
    found: Literal["done", "not_done", "scrap"]


class FeederLoad(_Body):
    """A feeder was filled: it holds so many parts of this batch now."""

    feeder: Text
    batch: Text
    count: Annotated[int, Field(ge=1, le=1_000_000)]


class JogBody(_Body):
    """Hold-to-run: send it every 100 ms; 250 ms without one stops the arm. ``press`` names one press of a button."""

    arm: Text
    joint: Annotated[int, Field(ge=0, le=5)]
    share: Annotated[float, Field(ge=-0.1, le=0.1)]
    press: Words = ""


class Accepted(BaseModel):
    """The cell acts on it; ``allowed`` is of the decision, ``state`` of the newest picture, which may be a round older."""

    state: str
    allowed: list[str]


class ArmDetail(BaseModel):
    """An arm: what it is, what it does, and where its time went [s] since the journal began."""

    facts: ArmFacts
    now: ArmPicture
    times_s: dict[str, float]


@router.get("/cell", responses=documented(400, 401, 403))
async def cell(_: Viewer, panel: ThePanel) -> Snapshot:
    """The whole picture, as the stream's snapshot has it."""
    return snapshot(panel.cell.view, panel.hub.age_s)


@router.post("/cell/commands/{command}", status_code=202, responses=_ASKING)
async def command(
    command: CommandName,
    who: Operator,
    request: Request,
    panel: ThePanel,
    idempotency_key: Annotated[str, Header(max_length=100)] = "",
) -> Accepted:
    """Give a PackML command: a process command, never a safety function. Stop and abort need no control."""
    wanted = GiveCommand(command=Command[command.upper()])
    return await _asked(panel, wanted, who, request, idempotency_key)


@router.put("/cell/mode", responses=_ASKING)
async def set_mode(body: ModeChange, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Change the mode; into maintenance or manual only engineers, with the password typed just now."""
    if body.mode != "production":
        if not who.role.includes(Role.ENGINEER):
            raise ProblemError(403, f"{who.name} is {who.role} (needed for mode {body.mode}: engineer)")
        need_confirmation(panel, who)
    return await _asked(panel, SetMode(mode=Mode[body.mode.upper()]), who, request)


@router.put("/cell/feed", responses=_ASKING)
async def set_feed(body: Feed, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Set the speed override."""
    return await _asked(panel, SetFeed(share=body.share, arm=body.arm), who, request)


@router.put("/cell/single-step", responses=_ASKING)
async def set_single_step(body: SingleStep, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Switch single-step on or off."""
    return await _asked(panel, SetSingleStep(on=body.on), who, request)


@router.post("/cell/step", status_code=202, responses=_ASKING)
async def step(who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Let every arm do one more leg."""
    return await _asked(panel, Step(), who, request)


@router.get("/orders", responses=documented(400, 401, 403))
async def orders(_: Viewer, panel: ThePanel) -> list[OrderPicture]:
    """Orders as they are worked on."""
    return orders_part(panel.cell.view)


@router.post("/orders", status_code=202, responses=_ASKING)
async def queue_order(body: NewOrder, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Queue an order; it takes effect when the next joint enters the cell."""
    unknown = sorted(set(body.lines) - {model["name"] for model in panel.facts.models})
    if unknown:
        raise ProblemError(
            409, f"no joint model is called {unknown[0][:100]!r} (allowed: see GET /api/v1/recipes)"
        )
    order = QueueOrder(order=body.order, lines=dict(body.lines), priority=body.priority, due=body.due)
    return await _asked(panel, order, who, request)


@router.delete("/orders/{order:path}", status_code=202, responses=_ASKING)
async def withdraw_order(order: PathText, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Begin no more joints of an order; those in work are finished."""
    return await _asked(panel, WithdrawOrder(order=order), who, request)


@router.post("/alarms/acknowledge", status_code=202, responses=_ASKING)
async def acknowledge(body: AlarmName, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Say that an alarm has been seen."""
    return await _asked(panel, AcknowledgeAlarm(key=Key(body.kind, body.source)), who, request)


@router.post("/alarms/shelve", status_code=202, responses=_ASKING)
async def shelve(body: Shelf, who: Engineer, request: Request, panel: ThePanel) -> Accepted:
    """Hide an alarm for a time."""
    return await _asked(panel, ShelveAlarm(key=Key(body.kind, body.source), for_s=body.for_s), who, request)


@router.post("/questions/answer", status_code=202, responses=_ASKING)
async def answer(body: Finding, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Answer what the cell cannot know, having looked."""
    found = ConfirmPlace(serial=body.serial, operation=body.operation, found=body.found)
    return await _asked(panel, found, who, request)


@router.post("/supplies/feeders", status_code=202, responses=_ASKING)
async def load_feeder(body: FeederLoad, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Say that a feeder was filled; its parts are counted from here on."""
    load = LoadFeeder(feeder=body.feeder, batch=body.batch, count=body.count)
    return await _asked(panel, load, who, request)


@router.post("/supplies/tray/empty", status_code=202, responses=_ASKING)
async def empty_tray(who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Say that the out tray was emptied."""
    return await _asked(panel, EmptyTray(), who, request)


@router.get("/arms", responses=documented(400, 401, 403))
async def arms(_: Viewer, panel: ThePanel) -> list[ArmDetail]:
    """All arms."""
    return [detail for facts in panel.facts.arms if (detail := _detail(panel, facts["id"])) is not None]


@router.get("/arms/{arm}", responses=documented(400, 401, 403, 404, 422))
async def arm(arm: PathText, _: Viewer, panel: ThePanel) -> ArmDetail:
    """One arm."""
    detail = _detail(panel, arm)
    if detail is None:
        known = ", ".join(facts["id"] for facts in panel.facts.arms)
        raise ProblemError(404, f"there is no arm {arm!r} (allowed: {known})")
    return detail


@router.post("/arms/{arm}/take-out", status_code=202, responses={**_ASKING, **documented(404)})
async def take_out(arm: PathText, who: Engineer, request: Request, panel: ThePanel) -> Accepted:
    """Go on without an arm; the others take over its work."""
    if arm not in {facts["id"] for facts in panel.facts.arms}:
        raise ProblemError(404, f"there is no arm {arm!r}")
    need_confirmation(panel, who)
    return await _asked(panel, TakeOut(arm=arm), who, request)


@router.post("/joints/{serial:path}/take-out", status_code=202, responses=_ASKING)
async def take_out_joint(serial: PathText, who: Operator, request: Request, panel: ThePanel) -> Accepted:
    """Say that a joint was taken out of the cell with all its parts: it is rejected, and made again for its order."""
    return await _asked(panel, ScrapJoint(serial=serial), who, request)


@router.post("/maintenance/jog", status_code=202, responses=_ASKING)
async def jog(body: JogBody, who: Engineer, request: Request, panel: ThePanel) -> Accepted:
    """Turn one joint slowly for as long as this keeps coming, in maintenance mode only."""
    if panel.cell.view.mode is not Mode.MAINTENANCE:
        raise ProblemError(409, "jogging needs mode maintenance", state=panel.cell.view.state.name)
    wanted = Jog(arm=body.arm, joint=body.joint, share=body.share)
    answer = await panel.desk.jog(wanted, who, address_of(request), press=body.press)
    return Accepted(
        state=panel.cell.view.state.name, allowed=[command.name.lower() for command in answer.allowed]
    )


def _detail(panel: PanelState, arm: str) -> ArmDetail | None:
    view = panel.cell.view
    for facts, seen, now in zip(panel.facts.arms, view.arms, moment(view, 0.0)["arms"], strict=True):
        if facts["id"] == arm:
            return ArmDetail(facts=facts, now=now, times_s=dict(seen.times_s))
    return None


async def _asked(
    panel: PanelState, wanted: CellRequest, who: Identity, request: Request, once: str = ""
) -> Accepted:
    answer = await panel.desk.ask(wanted, who, address_of(request), once=once)
    return Accepted(
        state=panel.cell.view.state.name, allowed=[command.name.lower() for command in answer.allowed]
    )
