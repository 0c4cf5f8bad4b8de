"""A panel in front of a recorded cell, with clocks that tests turn, and clients with every role."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient

from controller.panel.state import PanelState
from controller.panel.users import Role
from tests.controller.panel.replayed_cell import ReplayedCell

ORIGIN = "http://127.0.0.1:8080"
PASSWORD = "a long password"
PEOPLE = {"vera": Role.VIEWER, "otto": Role.OPERATOR, "olga": Role.OPERATOR, "anna": Role.ENGINEER}


@dataclass
class Times:
    """Clocks that tests turn forward."""

    utc_ns: int = 1_764_150_000_000_000_000
    s: float = 1000.0

    def pass_s(self, seconds: float) -> None:
        self.utc_ns += int(seconds * 1e9)
        self.s += seconds


@dataclass
class Rig:
    """A panel, its cell, its clocks."""

    cell: ReplayedCell
    panel: PanelState
    app: Any
    times: Times
    stack: ExitStack
    clients: dict[str, TestClient] = field(default_factory=dict)

    def client(self, name: str = "", **headers: str) -> TestClient:
        """A client that has logged in; nobody's without a name. The first one starts the panel."""
        key = f"{name} {headers}"
        if key not in self.clients:
            client = TestClient(self.app, base_url=ORIGIN, headers={"origin": ORIGIN, **headers})
            if self.clients:
                client.portal = next(iter(self.clients.values())).portal
            else:
                self.stack.enter_context(client)
            self.clients[key] = client
            if name:
                answer = client.post("/api/v1/sessions", json={"name": name, "password": PASSWORD})
                assert answer.status_code == 201, answer.text
        return self.clients[key]

    def stream(self, name: str, query: str = "") -> Any:
        """A live stream of somebody who has logged in."""
        client = self.client(name)
        headers = {"host": ORIGIN.split("//")[1], "cookie": f"jointcell={client.cookies['jointcell']}"}
        return client.websocket_connect(f"/api/v1/stream{query}", headers=headers)

    def tick(self) -> None:
        """Let the panel look at the cell now."""
        self.client().portal.call(self._tick)  # type: ignore[union-attr]

    async def _tick(self) -> None:
        self.panel.hub.tick()
