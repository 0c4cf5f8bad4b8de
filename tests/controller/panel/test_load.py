"""Twenty pages that watch a cell that runs: what they cost, how old their pictures are, how soon a stop arrives."""

import asyncio
import http.client
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import websockets

from controller.panel import CellFacts
from controller.supervision.requests import GiveCommand
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.replayed_cell import ReplayedCell

CLIENTS = 20


@dataclass
class Watched:
    """What the clients saw: ages of the pictures when they arrived [s], and what serving cost [share of a core]."""

    ages_s: list[float]
    pictures: int
    serving_share: float


@contextmanager
def running(facts: CellFacts, folder: Path) -> Iterator[Served]:
    with ReplayedCell() as cell, serve(cell, facts, folder) as panel:
        yield panel


def logged_in(panel: Served, name: str) -> str:
    user = next(user for user in panel.panel.users.all() if user.name == name)
    return f"jointcell={panel.panel.sessions.open(user)}"


async def _watch(panel: Served, cookie: str, seconds: float, ages: list[float], reads: bool) -> int:
    headers = {"cookie": cookie, "origin": panel.url}
    address = panel.url.replace("http", "ws") + "/api/v1/stream"
    found = 0
    async with websockets.connect(
        address, additional_headers=headers, compression=None, max_queue=1
    ) as stream:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if not reads:
                await asyncio.sleep(0.2)
                continue
            message = json.loads(await asyncio.wait_for(stream.recv(), 5.0))
            if message["type"] == "state":
                found += 1
                ages.append(time.time() - message["value"]["utc_ms"] / 1000)
    return found


def watch(panel: Served, clients: int, seconds: float, silent: int = 0) -> Watched:
    """Let so many clients watch, in threads of this process; serving is measured in the server's own thread."""
    ages: list[float] = []
    counts: list[int] = []
    cookie = logged_in(panel, "vera")

    async def all_of_them() -> None:
        jobs = [_watch(panel, cookie, seconds, ages, k >= silent) for k in range(clients)]
        counts.extend(await asyncio.gather(*jobs))

    clock = time.pthread_getcpuclockid(server_thread().ident or 0)
    began_cpu, began = time.clock_gettime(clock), time.monotonic()
    asyncio.run(all_of_them())
    share = (time.clock_gettime(clock) - began_cpu) / (time.monotonic() - began)
    return Watched(ages_s=sorted(ages), pictures=sum(counts), serving_share=share)


def server_thread() -> threading.Thread:
    return next(thread for thread in threading.enumerate() if thread.name == "panel")


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def stops(panel: Served, count: int) -> list[float]:
    """Post stops and measure until the cell was asked [s]; each is refused or accepted, which does not matter here."""
    host, port = panel.url.removeprefix("http://").split(":")
    cookie = logged_in(panel, "otto")
    found = []
    for _ in range(count):
        connection = http.client.HTTPConnection(host, int(port), timeout=5.0)
        before = len(panel.cell.asked)
        began = time.perf_counter_ns()
        connection.request(
            "POST", "/api/v1/cell/commands/stop", headers={"origin": panel.url, "cookie": cookie}
        )
        connection.getresponse().read()
        connection.close()
        at_ns, request, _ = panel.cell.asked[before]
        assert isinstance(request, GiveCommand)
        found.append((at_ns - began) * 1e-9)
        time.sleep(0.02)
    return found


def test_clients_that_watch_get_fresh_pictures(facts: CellFacts, tmp_path: Path) -> None:
    """A bounded form; ages are those of a machine that others use too, so the limit here is a second."""
    with running(facts, tmp_path) as panel:
        seen = watch(panel, 6, 2.5)
        assert seen.pictures > 6 * 10
        assert quantile(seen.ages_s, 0.5) < 0.5
        assert seen.serving_share < 0.5


def test_clients_that_do_not_read_cost_nothing(facts: CellFacts, tmp_path: Path) -> None:
    with running(facts, tmp_path) as panel:
        kept = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        seen = watch(panel, 6, 2.5, silent=4)
        assert seen.pictures > 2 * 10, "the others go on"
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - kept < 30_000, "kB"


def test_a_blocked_panel_does_not_disturb_the_cell(facts: CellFacts, tmp_path: Path) -> None:
    """Its loop hangs for a while: the cell makes its rounds, and the panel is back afterwards."""
    with running(facts, tmp_path) as panel:
        loop_hangs: threading.Event = threading.Event()

        def hang() -> dict[str, str]:
            if not loop_hangs.is_set():
                loop_hangs.set()
                time.sleep(0.8)
            return {"control": "", "control_key": ""}

        before = panel.cell.view.number
        panel.panel.hub._extra = hang
        ages: list[float] = []
        thread = threading.Thread(
            target=lambda: asyncio.run(_watch(panel, logged_in(panel, "vera"), 2.0, ages, True))
        )
        thread.start()
        assert loop_hangs.wait(5.0)
        time.sleep(0.6)
        assert panel.cell.view.number > before + 8
        thread.join()
        assert ages


def test_a_crash_of_the_panel_does_not_disturb_the_cell(facts: CellFacts, tmp_path: Path) -> None:
    with running(facts, tmp_path) as panel:

        def crash(*_: Any) -> None:
            raise RuntimeError("the panel is broken")

        panel.panel.hub._watched = crash
        time.sleep(0.3)
        before = panel.cell.view.number
        time.sleep(0.4)
        assert panel.cell.view.number > before
        with socket.create_connection(("127.0.0.1", int(panel.url.rsplit(":", 1)[1]))) as connection:
            connection.sendall(f"GET /healthz HTTP/1.1\r\nhost: {panel.url[7:]}\r\n\r\n".encode())
            connection.settimeout(3.0)
            assert b"200" in connection.recv(100)


def test_a_stop_arrives_soon(facts: CellFacts, tmp_path: Path) -> None:
    with running(facts, tmp_path) as panel:
        assert quantile(stops(panel, 15), 0.5) < 0.25


@pytest.mark.slow
def test_twenty_clients_at_twenty_pictures_a_second(facts: CellFacts, tmp_path: Path) -> None:
    """The figures that the panel promises, on a machine that has nothing else to do."""
    with running(facts, tmp_path) as panel:
        found: list[float] = []
        posting = threading.Thread(target=lambda: found.extend(stops(panel, 200)))
        posting.start()
        seen = watch(panel, CLIENTS, 12.0, silent=1)
        posting.join()
        print(
            f"serving {100 * seen.serving_share:.1f} % of a core; age p50 {1e3 * quantile(seen.ages_s, 0.5):.0f} ms, "
            f"p99 {1e3 * quantile(seen.ages_s, 0.99):.0f} ms; stop p50 {1e3 * quantile(found, 0.5):.1f} ms, "
            f"p99 {1e3 * quantile(found, 0.99):.1f} ms"
        )
        assert seen.serving_share <= 0.10
        assert quantile(seen.ages_s, 0.99) <= 0.1
        assert quantile(found, 0.99) <= 0.05
