"""Logging in and out, the first user, who is in control, users and tokens."""

import asyncio
import math
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from controller.panel.access import Engineer, Operator, ThePanel, Viewer, address_of, need_confirmation
from controller.panel.picture import utc_text
from controller.panel.problems import ProblemError, documented
from controller.panel.sessions import Identity
from controller.panel.state import PanelState
from controller.panel.users import NAME, PASSWORD_LENGTHS, Role, User, UserError

router = APIRouter(prefix="/api/v1")
_LONGEST_TOKEN_DAYS = 365
_one_hash = asyncio.Semaphore(1)  # however many knock, one core at most computes hashes

Name = Annotated[str, Field(pattern=NAME, examples=["m.keller"])]
Password = Annotated[str, Field(min_length=1, max_length=PASSWORD_LENGTHS[1])]
NewPassword = Annotated[str, Field(min_length=PASSWORD_LENGTHS[0], max_length=PASSWORD_LENGTHS[1])]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Login(_Body):
    """A name and its password."""

    name: Annotated[str, Field(max_length=100)]
    password: Password


class FirstUser(_Body):
    """The first engineer, with the secret of the set-up link."""

    secret: Annotated[str, Field(max_length=100)]
    name: Name
    password: NewPassword


class NewUser(_Body):
    """A user to add."""

    name: Name
    role: Role
    password: NewPassword


class Confirmation(_Body):
    """The password once more."""

    password: Password


class Takeover(_Body):
    """Take control; from somebody by naming them."""

    instead_of: Annotated[str, Field(max_length=100)] = ""


class NewToken(_Body):
    """A token to make."""

    label: Annotated[str, Field(min_length=1, max_length=100)]
    role: Role
    days: Annotated[int, Field(ge=1, le=_LONGEST_TOKEN_DAYS)] = 90


class Who(BaseModel):
    """Who you are to the panel."""

    name: str
    role: Role
    via: str
    in_control: bool


class UserRow(BaseModel):
    """A user."""

    name: str
    role: Role
    created_utc: str


class TokenEntry(BaseModel):
    """A token; its secret is not kept."""

    id: int
    user: str
    label: str
    role: Role
    expires_utc: str


class TokenSecret(BaseModel):
    """A new token: shown this once."""

    token: str


class Ticket(BaseModel):
    """Opens the stream once within ten seconds: `?ticket=`."""

    ticket: str


class Holder(BaseModel):
    """Who is in control; empty when nobody is."""

    name: str


@router.post("/sessions", status_code=201, responses=documented(400, 401, 403, 408, 413, 422, 429))
async def log_in(body: Login, request: Request, response: Response, panel: ThePanel) -> Who:
    """Log in: sets the cookie of a session."""
    address = address_of(request)
    _throttled(panel, body.name, address)
    async with _one_hash:
        user = await run_in_threadpool(panel.users.verified, body.name, body.password)
    if user is None:
        panel.throttle.failed(body.name, address)
        panel.audit.write(None, address, "login", {"name": body.name[:40]}, "refused")
        raise ProblemError(401, "name or password is wrong")
    return _logged_in(panel, user, response, address)


@router.post("/setup", status_code=201, responses=documented(400, 401, 403, 408, 409, 413, 422, 429))
async def set_up(body: FirstUser, request: Request, response: Response, panel: ThePanel) -> Who:
    """Make the first engineer with the one-time link that the terminal shows, and log in."""
    address = address_of(request)
    _throttled(panel, "setup", address)
    if panel.setup is None or panel.users.all():
        raise ProblemError(409, "there are users already: log in")
    if not panel.setup.accepts(body.secret):
        panel.throttle.failed("setup", address)
        raise ProblemError(401, "this link is not valid any more: start the panel again for a new one")
    try:
        await run_in_threadpool(panel.users.add, body.name, Role.ENGINEER, body.password)
    except UserError as error:
        raise ProblemError(422, str(error)) from None
    panel.setup.spend()
    panel.setup = None
    user = next(user for user in panel.users.all() if user.name == body.name)
    return _logged_in(panel, user, response, address)


@router.get("/sessions/me", responses=documented(400, 401, 403))
async def who_am_i(who: Viewer, panel: ThePanel) -> Who:
    """Who you are."""
    return _who(panel, who)


@router.delete("/sessions/me", status_code=204, responses=documented(400, 401, 403, 408, 413))
async def log_out(who: Viewer, request: Request, response: Response, panel: ThePanel) -> None:
    """Log out; control is given back."""
    panel.control.release(who)
    panel.sessions.close(request.cookies.get(panel.cookie, ""))
    response.delete_cookie(
        panel.cookie, path="/", secure=panel.settings.secure, httponly=True, samesite="strict"
    )


@router.post("/sessions/me/confirm", status_code=204, responses=documented(400, 401, 403, 408, 413, 422, 429))
async def confirm(body: Confirmation, who: Viewer, request: Request, panel: ThePanel) -> None:
    """Type the password again, before what engineers do deliberately."""
    address = address_of(request)
    _throttled(panel, who.name, address)
    if who.via != "session":
        raise ProblemError(403, "a token cannot confirm anything")
    async with _one_hash:
        user = await run_in_threadpool(panel.users.verified, who.name, body.password)
    if user is None:
        panel.throttle.failed(who.name, address)
        raise ProblemError(401, "the password is wrong")
    panel.sessions.confirm(request.cookies.get(panel.cookie, ""))


@router.post("/stream-tickets", status_code=201, responses=documented(400, 401, 403, 408, 413))
async def stream_ticket(who: Viewer, panel: ThePanel) -> Ticket:
    """A one-shot ticket for clients of the stream that have no cookie."""
    return Ticket(ticket=panel.sessions.ticket(who))


@router.get("/control", responses=documented(400, 401, 403))
async def control(_: Viewer, panel: ThePanel) -> Holder:
    """Who is in control."""
    holder = panel.control.holder
    return Holder(name=holder.name if holder else "")


@router.post("/control/take", responses=documented(400, 401, 403, 408, 409, 413, 422))
async def take_control(body: Takeover, who: Operator, request: Request, panel: ThePanel) -> Holder:
    """Take control of the cell; from somebody else only by naming them."""
    before = panel.control.holder
    if not panel.control.take(who, body.instead_of):
        holder = before.name if before else ""
        raise ProblemError(
            409, f"{holder} is in control (to take over, name them in instead_of)", control=holder
        )
    _tell_control(panel, who, request, f"taken from {before.name}" if before else "taken")
    return Holder(name=who.name)


@router.post("/control/release", responses=documented(400, 401, 403, 408, 413))
async def release_control(who: Operator, request: Request, panel: ThePanel) -> Holder:
    """Give control back."""
    if panel.control.release(who):
        _tell_control(panel, who, request, "given back")
    holder = panel.control.holder
    return Holder(name=holder.name if holder else "")


@router.get("/users", responses=documented(400, 401, 403))
async def users(_: Engineer, panel: ThePanel) -> list[UserRow]:
    """Everybody who may log in."""
    return [
        UserRow(name=user.name, role=user.role, created_utc=utc_text(user.created_ns))
        for user in panel.users.all()
    ]


@router.post("/users", status_code=201, responses=documented(400, 401, 403, 408, 409, 413, 422))
async def add_user(body: NewUser, who: Engineer, request: Request, panel: ThePanel) -> UserRow:
    """Add a user."""
    need_confirmation(panel, who)
    try:
        await run_in_threadpool(panel.users.add, body.name, body.role, body.password)
    except UserError as error:
        raise ProblemError(409, str(error)) from None
    panel.audit.write(who, address_of(request), "add user", {"name": body.name, "role": body.role}, "done")
    return next(
        UserRow(name=user.name, role=user.role, created_utc=utc_text(user.created_ns))
        for user in panel.users.all()
        if user.name == body.name
    )


@router.delete("/users/{name}", status_code=204, responses=documented(400, 401, 403, 408, 409, 413, 422))
async def remove_user(
    name: Annotated[str, Path(pattern=NAME)], who: Engineer, request: Request, panel: ThePanel
) -> None:
    """Remove a user with all logins and tokens."""
    need_confirmation(panel, who)
    try:
        panel.users.remove(name)
    except UserError as error:
        raise ProblemError(409, str(error)) from None
    panel.audit.write(who, address_of(request), "remove user", {"name": name}, "done")


@router.get("/tokens", responses=documented(400, 401, 403))
async def tokens(_: Engineer, panel: ThePanel) -> list[TokenEntry]:
    """Tokens of scripts, without their secrets."""
    return [
        TokenEntry(
            id=row.id, user=row.user, label=row.label, role=row.role, expires_utc=utc_text(row.expires_ns)
        )
        for row in panel.sessions.tokens()
    ]


@router.post("/tokens", status_code=201, responses=documented(400, 401, 403, 408, 409, 413, 422))
async def issue_token(body: NewToken, who: Engineer, request: Request, panel: ThePanel) -> TokenSecret:
    """Make a token for a script; its secret is shown this once."""
    need_confirmation(panel, who)
    try:
        secret = panel.sessions.issue(who.name, body.role, body.label, body.days)
    except UserError as error:
        raise ProblemError(409, str(error)) from None
    detail = {"label": body.label, "role": body.role, "days": body.days}
    panel.audit.write(who, address_of(request), "issue token", detail, "done")
    return TokenSecret(token=secret)


@router.delete("/tokens/{number}", status_code=204, responses=documented(400, 401, 403, 404, 408, 413, 422))
async def revoke_token(
    number: Annotated[int, Path(ge=1, le=2**31)], who: Engineer, request: Request, panel: ThePanel
) -> None:
    """Make a token worthless."""
    if not panel.sessions.revoke(number):
        raise ProblemError(404, f"there is no token {number}")
    panel.audit.write(who, address_of(request), "revoke token", {"id": number}, "done")


def _throttled(panel: PanelState, name: str, address: str) -> None:
    wait_s = panel.throttle.wait_s(name, address)
    if wait_s > 0.0:
        seconds = math.ceil(wait_s)
        raise ProblemError(
            429, f"too many failed logins: wait {seconds} s", {"retry-after": str(seconds)}, wait_s=seconds
        )


def _logged_in(panel: PanelState, user: User, response: Response, address: str) -> Who:
    secret = panel.sessions.open(user)
    response.set_cookie(
        panel.cookie,
        secret,
        max_age=int(panel.settings.session_s),
        path="/",
        secure=panel.settings.secure,
        httponly=True,
        samesite="strict",
    )
    who = panel.sessions.of_session(secret)
    assert who is not None, "it was opened just now"
    panel.remember(who, secret)
    panel.audit.write(who, address, "login", {}, "accepted")
    return _who(panel, who)


def _who(panel: PanelState, who: Identity) -> Who:
    return Who(name=who.name, role=who.role, via=who.via, in_control=panel.control.is_held_by(who))


def _tell_control(panel: PanelState, who: Identity, request: Request, what: str) -> None:
    panel.audit.write(who, address_of(request), "control", {}, what)
    words = f"{who.name}: control {what}"
    panel.hub.events.tell("control", panel.now_ns() // 1_000_000, words, {"by": who.name})
