"""`jointcell serve` with the real cell behind it, from the first link to the last stop, in a real browser."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.controller.panel.browser.served_panel import browser
from tests.end_to_end.runs import JOINTCELL, ROOT
from tests.extras import need

PASSWORD = "a long password"
_PLANNING_S = 500.0


@dataclass
class Process:
    """A served cell and the link for the first user."""

    url: str
    link: str
    data: Path
    process: subprocess.Popen[str]
    opcua: str


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Process]:
    need("asyncua", "opcua")
    with socket.create_server(("127.0.0.1", 0)) as probe, socket.create_server(("127.0.0.1", 0)) as other:
        port, opcua_port = probe.getsockname()[1], other.getsockname()[1]
    data = tmp_path / "data"
    options = ["--driver", "fake", "--port", str(port), "--data", str(data)]
    options += ["--opcua", "--opcua-port", str(opcua_port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JOINTCELL_")}
    with subprocess.Popen(
        [*JOINTCELL, "serve", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        deadline = time.monotonic() + _PLANNING_S
        link = ""
        for line in process.stderr:
            if found := re.search(r"http://\S+/setup#\S+", line):
                link = found[0]
            if "Ctrl-C" in line or time.monotonic() > deadline:
                break
        assert link, "it did not come up"
        opcua = f"opc.tcp://127.0.0.1:{opcua_port}/cell"
        yield Process(url=f"http://127.0.0.1:{port}", link=link, data=data, process=process, opcua=opcua)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
        assert process.wait(60) == 0
        assert "the cell is at rest" in said


async def state_by_opcua(address: str) -> str:
    """What an OPC UA client reads that need not log in."""
    from asyncua import Client

    async with Client(address, timeout=20.0) as client:
        namespace = await client.get_namespace_index("urn:jointcell:cell")
        return str(await client.get_node(f"ns={namespace};s=Cell/Status/CurrentState").read_value())


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_the_first_link_to_the_last_stop(serving: Process) -> None:
    with browser() as chromium:
        page = chromium.new_page(viewport={"width": 1600, "height": 1000})
        page.set_default_timeout(60_000)
        state = page.locator(".unit")
        page.goto(serving.link)
        page.get_by_label("Name").fill("anna")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Make the first user").click()
        expect(state).to_have_text("Stopped", timeout=60_000)
        page.get_by_role("link", name="Orders").click()
        page.get_by_label("Name of the order").fill("o-1")
        page.get_by_label("queue without trying it").check()
        page.get_by_role("button", name="Queue", exact=True).click()
        expect(page.get_by_role("row", name="o-1")).to_be_visible()
        page.get_by_role("link", name="Run", exact=True).click()
        for command, after in (
            ("Reset", "Idle"),
            ("Start", "Running"),
            ("Hold", "Held"),
            ("Unhold", "Running"),
        ):
            page.get_by_role("button", name=command, exact=True).click()
            expect(state).to_have_text(after, timeout=120_000)
        expect(page.locator(".arm.working").first).to_be_visible(timeout=60_000)
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(state).to_have_text("Stopped", timeout=60_000)
        page.get_by_role("link", name="System").click()
        expect(page.get_by_text("EXECUTE, mode PRODUCTION").first).to_be_visible()
        shown = subprocess.run(
            [*JOINTCELL, "status", "--data", str(serving.data)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        assert "STOPPED" in shown.stdout
    assert asyncio.run(state_by_opcua(serving.opcua)) == "STOPPED"
    (recording,) = (serving.data / "recordings").glob("*.mcap")
    replayed = subprocess.run(
        [*JOINTCELL, "replay", str(recording)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (replayed.returncode, replayed.stderr) == (0, "")
    assert "HELD" in replayed.stdout
    assert list((serving.data / "journal").glob("cell-*.db"))
