"""A panel on a real port in front of a cell that runs in real time, and browsers that look at it."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from controller.panel import CellFacts, PanelSettings, create_panel
from controller.panel.database import PanelDatabase
from controller.panel.process_store import ProcessStore
from controller.panel.serving import listening_socket, served
from controller.panel.state import PanelState
from controller.serve import with_process
from controller.supervision.settings import CellSettings
from controller.supervision.view import CellService
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.controller.panel.rig import PASSWORD, PEOPLE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESK, TABLET, PHONE = (1600, 1000), (1024, 768), (390, 844)
_PATIENCE_MS = 10_000


def need_chromium() -> str:
    """The browser's path; the test is skipped without one, and fails where tools are required."""
    if CHROMIUM is None:
        assert os.environ.get("REQUIRE_TOOLS") != "1", "chromium is missing"
        pytest.skip("chromium is missing")
    return CHROMIUM


@contextmanager
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    path = need_chromium()
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@dataclass
class Served:
    """A panel that is served; what browsers complained about."""

    cell: Any
    panel: PanelState
    url: str
    serving: ExitStack
    browser: Browser | None = None
    complaints: list[str] = field(default_factory=list)

    def page(
        self, name: str = "", path: str = "/", size: tuple[int, int] = DESK, *, bypass_csp: bool = False
    ) -> Page:
        """A page of somebody who has logged in, in a browser profile of its own."""
        assert self.browser is not None
        width, height = size
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, bypass_csp=bypass_csp, base_url=self.url
        )
        if name:
            user = next(user for user in self.panel.users.all() if user.name == name)
            secret = self.panel.sessions.open(user)
            context.add_cookies(
                [{"name": "jointcell", "value": secret, "url": self.url, "sameSite": "Strict"}]
            )
        page = context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on(
            "console",
            lambda line: (
                self.complaints.append(line.text)
                if line.type in ("error", "warning") and "Failed to load resource" not in line.text
                else None
            ),
        )
        page.goto(path)
        return page

    def end(self) -> None:
        """The server is gone; the cell goes on."""
        self.serving.close()


@contextmanager
def serve(
    cell: CellService, facts: CellFacts, folder: Path, *, people: bool = True, **settings: Any
) -> Iterator[Served]:
    """Serve a panel for a cell on a free port."""
    with ExitStack() as stack:
        options = PanelSettings(data=folder, port=0, scrypt_log2_n=4, **settings)
        listening = stack.enter_context(listening_socket(options))
        options = replace(options, port=listening.getsockname()[1])
        database = stack.enter_context(PanelDatabase(folder / "panel.db"))
        _, process = with_process(CellSettings(), folder, ProcessStore(database, time.time_ns))
        app = create_panel(cell, facts, options, database, process=process)
        panel: PanelState = app.state.panel
        if people:
            for name, role in PEOPLE.items():
                panel.users.add(name, role, PASSWORD)
            panel.setup = None
        serving = stack.enter_context(ExitStack())
        serving.enter_context(served(app, options, listening))
        yield Served(cell=cell, panel=panel, url=options.url, serving=serving)


@contextmanager
def replayed(facts: CellFacts, folder: Path, chromium: Browser, **settings: Any) -> Iterator[Served]:
    """A panel for the recorded cell."""
    with ReplayedCell() as cell, serve(cell, facts, folder, **settings) as panel:
        panel.browser = chromium
        yield panel
        for context in chromium.contexts:
            context.close()
    assert panel.complaints == [], "the browser complained"
