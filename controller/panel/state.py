"""Everything one panel is made of, put together once and handed to its routes."""

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from controller.panel.audit import Audit
from controller.panel.control import Control
from controller.panel.cycles import CycleStore
from controller.panel.database import PanelDatabase
from controller.panel.desk import Desk
from controller.panel.dry_run import DryRuns
from controller.panel.facts import CellFacts, Process
from controller.panel.log_lines import LogLines
from controller.panel.process_store import ProcessStore
from controller.panel.recorder import Recorder
from controller.panel.sessions import Identity, SessionStore
from controller.panel.settings import PanelSettings
from controller.panel.setup_link import SetupLink
from controller.panel.stream import Hub
from controller.panel.throttle import LoginThrottle
from controller.panel.users import UserStore
from controller.panel.view3d import View3d
from controller.supervision.metrics import PanelMetrics
from controller.supervision.view import CellService, CellView

SESSION_COOKIE = "jointcell"


@dataclass(kw_only=True)
class PanelState:
    """The parts of a panel.

    Args:
        cell: The running cell.
        facts: What does not change.
        settings: How the panel is reached.
        database: The panel's own file.
        now_ns: Time of day (UTC).
        now_s: A monotonic clock.
        registry: The cell's figures for Prometheus, to which the panel adds its own.
        process: The cell's process parameters; None where they cannot be changed.
    """

    cell: CellService
    facts: CellFacts
    settings: PanelSettings
    database: PanelDatabase
    now_ns: Callable[[], int] = time.time_ns
    now_s: Callable[[], float] = time.monotonic
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    process: Process | None = None
    started_ns: int = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self.started_ns = self.now_ns()
        self.users = UserStore(self.database, self.now_ns, settings.scrypt_log2_n)
        self.sessions = SessionStore(self.database, self.now_ns, settings.session_s, settings.idle_s)
        self.throttle = LoginThrottle(self.now_s)
        self.setup = None if self.users.all() else SetupLink(self.now_s)
        self.audit = Audit(self.database, self.now_ns)
        self.control = Control(self.is_alive)
        self.cycles = CycleStore(self.database)
        self.recorder = None if settings.recordings is None else Recorder(settings.recordings, self.facts)
        self.hub = Hub(self.cell, settings.rate_hz, self.panel_part, self._watched)
        if self.recorder is not None:
            self.hub.events.also = self.recorder.event
        self.metrics = PanelMetrics(self.registry, lambda: self.hub.clients, lambda: self.hub.age_s)
        self.desk = Desk(
            self.cell, self.control, self.audit, self.metrics, self.hub.events, self.now_ns, settings.answer_s
        )
        self.dry_runs = DryRuns(settings.data / "dry-runs", self.facts.source)
        self.process_versions = ProcessStore(self.database, self.now_ns)
        self.view3d = View3d(self.cell, self.facts) if self.facts.view3d else None
        self.log = LogLines()
        logging.getLogger("jointcell").addHandler(self.log)
        self._secrets: dict[str, str] = {}

    def close(self) -> None:
        """Let go of what outlives the web application; the cell is not the panel's to stop."""
        logging.getLogger("jointcell").removeHandler(self.log)
        self.dry_runs.close()
        if self.view3d is not None:
            self.view3d.close()
        if self.recorder is not None:
            self.recorder.close()

    @property
    def cookie(self) -> str:
        """Name of the cookie; under TLS one that no other host and no plain page can set."""
        return f"__Host-{SESSION_COOKIE}" if self.settings.secure else SESSION_COOKIE

    @property
    def setup_url(self) -> str:
        """The one-time link for the first user; empty when there is one."""
        return "" if self.setup is None else f"{self.settings.url}/setup#{self.setup.fragment}"

    def remember(self, who: Identity, secret: str) -> None:
        """Keep what is needed to find out later whether a login still holds."""
        if len(self._secrets) > 1000:
            self._secrets.clear()
        self._secrets[who.key] = secret

    def is_alive(self, who: Identity) -> bool:
        """Whether a login or token is still valid."""
        secret = self._secrets.get(who.key)
        if secret is None:
            return False
        return (self.sessions.of_token if who.via == "token" else self.sessions.of_session)(
            secret
        ) is not None

    def panel_part(self) -> dict[str, str]:
        """What the panel adds to the picture: who is in control."""
        holder = self.control.holder
        return (
            {"control": holder.name, "control_key": holder.key}
            if holder
            else {"control": "", "control_key": ""}
        )

    def _watched(self, before: CellView, after: CellView) -> None:
        self.cycles.compare(before, after)
        if self.recorder is not None:
            self.recorder.picture(after)


def new_secret() -> str:
    """A random name for something that is asked for later."""
    return secrets.token_urlsafe(12)
