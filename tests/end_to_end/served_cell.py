"""`jointcell serve` in a process of its own, as people start it, and browsers that look at it."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from socket import create_server
from typing import Any, Self

from playwright.sync_api import Browser, Page

from tests.controller.panel.browser.served_panel import DESK
from tests.end_to_end.runs import JOINTCELL, ROOT

PASSWORD = "a long password"
_PLANNING_S = 500.0  # where no plan is kept from an earlier start
_END_S = 60.0
_RETRIES = 2  # the server closes a connection that was idle for a while, perhaps just when it is used again


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class ServedCell:
    """A cell and its panel in one process; a context manager that ends it as Ctrl-C does."""

    data: Path
    options: tuple[str, ...] = ("--driver", "sim")
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    opcua_port: int = 0
    browser: Browser | None = None
    pages: list[Page] = field(default_factory=list)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            assert self.process.wait(_END_S) == 0, self.said
            assert "the cell is at rest" in self.said
        finally:
            self.process.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def said(self) -> str:
        """What the terminal shows."""
        return (self.data / "terminal.txt").read_text(encoding="utf-8")

    @property
    def link(self) -> str:
        """The link for the first user; empty when there are users."""
        found = re.search(r"https?://\S+/setup#\S+", self.said)
        return found[0] if found else ""

    def start(self) -> None:
        """Start it, and wait until it says that it serves."""
        self.data.mkdir(exist_ok=True)
        ours = {name: value for name, value in os.environ.items() if not name.startswith("JOINTCELL_")}
        command = [*JOINTCELL, "serve", "--port", str(self.port), "--data", str(self.data), *self.options]
        with (self.data / "terminal.txt").open("wb") as terminal:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**ours, **self.environment}, stderr=terminal
            )
        deadline = time.monotonic() + _PLANNING_S
        while "Ctrl-C" not in self.said:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.1)

    def page(self, name: str, path: str = "/", size: tuple[int, int] = DESK) -> Page:
        """A page of somebody who has logged in, in a browser profile of its own."""
        assert self.browser is not None
        width, height = size
        context = self.browser.new_context(viewport={"width": width, "height": height}, base_url=self.url)
        page = context.new_page()
        answer = self.ask(page, "POST", "sessions", {"name": name, "password": PASSWORD})
        assert answer["name"] == name
        page.goto(path)
        self.pages.append(page)
        return page

    def leave(self) -> None:
        """Log out whoever has logged in, which ends their control, and close their pages."""
        while self.pages:
            page = self.pages.pop()
            page.request.delete(
                f"{self.url}/api/v1/sessions/me", headers={"origin": self.url}, max_retries=_RETRIES
            )
            page.context.close()

    def ask(self, page: Page, method: str, path: str, body: Any = None) -> Any:
        """A request with the login of a page; its answer."""
        answer = page.request.fetch(
            f"{self.url}/api/v1/{path}",
            method=method,
            data=body,
            headers={"origin": self.url},
            max_retries=_RETRIES,
        )
        assert answer.ok, answer.text()
        return None if answer.status == 204 else answer.json()
