"""Who calls a method: OPC UA users are the panel's users, and their password is a token of theirs."""

from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from asyncua import ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession

from controller.panel_client import PanelClient, RefusedError, UnreachableError


@dataclass
class PanelUser(User):
    """A user of the panel, or nobody in particular where anonymous clients may read.

    Attributes:
        token: With which commands are given; empty for nobody.
    """

    token: str = ""


ANONYMOUS = PanelUser(role=UserRole.User, name="anonymous")
_caller: ContextVar[PanelUser] = ContextVar("caller", default=ANONYMOUS)


def caller() -> PanelUser:
    """On whose behalf the present method runs."""
    return _caller.get()


class PanelUsers:
    """Lets in whom the panel knows by name and token.

    Args:
        panel: The panel.
        anonymous: Whether clients without a name may read.
    """

    def __init__(self, panel: PanelClient, *, anonymous: bool) -> None:
        self._panel = panel
        self._anonymous = anonymous

    def get_user(
        self,
        iserver: InternalServer,
        username: str | None = None,
        password: str | None = None,
        certificate: Any = None,
    ) -> PanelUser | None:
        """The user, None when there is no such user with that token; called by the OPC UA stack.

        A channel's certificate names a program and no person; who may command is a matter of the token alone.
        """
        if username is None:
            return ANONYMOUS if self._anonymous else None
        try:
            who = replace(self._panel, token=password or "", patience_s=1.0).me()
        except (RefusedError, UnreachableError):
            return None
        if who["name"] != username:
            return None
        return PanelUser(role=UserRole.User, name=username, token=password or "")


class CallerSession(InternalSession):
    """A session that says to methods who calls them."""

    async def call(self, params: list[ua.CallMethodRequest]) -> list[ua.CallMethodResult]:
        """Call methods."""
        _caller.set(self.user if isinstance(self.user, PanelUser) else ANONYMOUS)
        results: list[ua.CallMethodResult] = await super().call(params)
        return results


class CallerServer(InternalServer):
    """The inner server, with sessions that say who calls."""

    def create_session(self, name: str, user: User = ANONYMOUS, external: bool = False) -> InternalSession:
        """A session of a client."""
        return CallerSession(self, self.aspace, self.subscription_service, name, user=user, external=external)
