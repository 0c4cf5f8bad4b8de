"""Who asks: what routes depend on to know that somebody may do what they ask for."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from fastapi.security.utils import get_authorization_scheme_param
from starlette.requests import HTTPConnection

from controller.panel.problems import ProblemError
from controller.panel.sessions import Identity
from controller.panel.state import SESSION_COOKIE, PanelState
from controller.panel.users import Role

_cookie = APIKeyCookie(name=SESSION_COOKIE, scheme_name="login", auto_error=False)
_bearer = HTTPBearer(scheme_name="token", auto_error=False)
_CHALLENGE = {"www-authenticate": "Bearer"}


def panel_of(connection: HTTPConnection) -> PanelState:
    """The panel that a request is for."""
    state: PanelState = connection.app.state.panel
    return state


def address_of(connection: HTTPConnection) -> str:
    """Where a request came from; for the audit and the throttle, never for trust."""
    return connection.client.host if connection.client else ""


def identity_of(connection: HTTPConnection) -> Identity | None:
    """Who asks, by bearer token or else by login; None when neither holds."""
    panel = panel_of(connection)
    scheme, token = get_authorization_scheme_param(connection.headers.get("authorization"))
    if scheme:
        secret, found = token, panel.sessions.of_token(token) if scheme.lower() == "bearer" else None
    else:
        secret = connection.cookies.get(panel.cookie, "")
        found = panel.sessions.of_session(secret) if secret else None
    if found is not None:
        panel.remember(found, secret)
    return found


def at_least(role: Role) -> Callable[..., Awaitable[Identity]]:
    """A dependency: somebody with at least this role."""

    async def dependency(
        request: Request, _login: str | None = Security(_cookie), _token: object = Security(_bearer)
    ) -> Identity:
        who = identity_of(request)
        if who is None:
            raise ProblemError(401, "log in first", _CHALLENGE)
        if not who.role.includes(role):
            raise ProblemError(403, f"{who.name} is {who.role} (needed: {role})")
        return who

    return dependency


def _panel_of_request(request: Request) -> PanelState:
    return panel_of(request)


Viewer = Annotated[Identity, Depends(at_least(Role.VIEWER))]
Operator = Annotated[Identity, Depends(at_least(Role.OPERATOR))]
Engineer = Annotated[Identity, Depends(at_least(Role.ENGINEER))]
ThePanel = Annotated[PanelState, Depends(_panel_of_request)]


def need_confirmation(panel: PanelState, who: Identity) -> None:
    """For what an engineer does deliberately: the password was typed within the last minutes.

    Raises:
        ProblemError: 403 that asks for it.
    """
    if panel.now_ns() - who.confirmed_ns > panel.settings.confirmed_s * 1e9:
        raise ProblemError(
            403, "type your password again first (POST /api/v1/sessions/me/confirm)", confirm=True
        )
