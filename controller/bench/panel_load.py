"""What the panel costs: twenty streams at twenty pictures a second, and how soon a stop reaches the cell meanwhile.

The cell runs in simulation in this process, as `jointcell serve` has it; the clients are a process of their own.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from controller.bench.row import Figure, Options, Row
from controller.panel import PanelSettings
from controller.panel.pages import page_bytes
from controller.panel.serving import served
from controller.panel.state import PanelState
from controller.panel.users import Role
from controller.serve import cell_and_panel
from controller.supervision.packml import Command, State
from controller.supervision.requests import GiveCommand, QueueOrder
from controller.supervision.settings import CellSettings

CLIENTS, RATE_HZ = 20, 20
_PASSWORD = "of the benchmark only"
_STOPS = 100
_START_S = 300.0

# One process of clients: prints the ages of all pictures [s] as JSON when it ends.
_CLIENTS = """
import asyncio, json, sys, time
import websockets
address, origin, cookie, clients, seconds = sys.argv[1:4] + [int(sys.argv[4]), float(sys.argv[5])]
ages = []
async def watch():
    headers = {"cookie": cookie, "origin": origin}
    async with websockets.connect(address, additional_headers=headers, compression=None) as stream:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            message = json.loads(await stream.recv())
            if message["type"] == "state":
                ages.append(time.time() - message["value"]["utc_ms"] / 1000)
async def main():
    await asyncio.gather(*(watch() for _ in range(clients)))
asyncio.run(main())
print(json.dumps(ages))
"""


def rows(options: Options) -> Iterator[Row]:
    """Serving, age of pictures, stop to the cell, weight of the page."""
    seconds = 4.0 if options.quick else 20.0
    yield Figure(name="weight of the page, all modules", value=page_bytes() / 1000, unit="kB", goal=150.0)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        cell = CellSettings(driver="fake" if options.quick else "sim", journal=folder / "journal")
        anywhere = PanelSettings(data=folder, port=0)
        serving = stack.enter_context(cell_and_panel(cell, anywhere, lambda *_: None))
        settings, port = serving.settings, serving.settings.port
        stack.enter_context(served(serving.app, settings, serving.listening))
        panel: PanelState = serving.app.state.panel
        panel.users.add("bench", Role.OPERATOR, _PASSWORD)
        user = panel.users.verified("bench", _PASSWORD)
        assert user is not None
        cookie = f"{panel.cookie}={panel.sessions.open(user)}"
        _start(panel)
        where = f"{CLIENTS} clients at {RATE_HZ} Hz, driver {cell.driver}"
        thread = next(each for each in threading.enumerate() if each.name == "panel")
        clock = time.pthread_getcpuclockid(thread.ident or 0)
        address = f"ws://127.0.0.1:{port}/api/v1/stream?rate={RATE_HZ}"
        arguments = [address, settings.url, cookie, str(CLIENTS), str(seconds)]
        clients = subprocess.Popen(
            [sys.executable, "-c", _CLIENTS, *arguments], stdout=subprocess.PIPE, text=True
        )
        time.sleep(1.5)
        cpu, wall = time.clock_gettime(clock), time.monotonic()
        stops = _stops(port, settings.url, cookie, 10 if options.quick else _STOPS)
        text, _ = clients.communicate()
        share = (time.clock_gettime(clock) - cpu) / (time.monotonic() - wall)
        ages = sorted(json.loads(text))
        note = f"{len(ages) / seconds:.0f} pictures a second arrived"
        yield Figure(name=f"serving, {where}", value=100 * share, unit="% of a core", goal=10.0, note=note)
        yield Figure(name=f"age of pictures p99, {where}", value=1e3 * _p99(ages), unit="ms", goal=100.0)
        yield Figure(
            name=f"stop to the cell's decision p99, {where}", value=1e3 * _p99(stops), unit="ms", goal=50.0
        )
        yield Figure(name="the same, median", value=1e3 * statistics.median(stops), unit="ms")


def _start(panel: PanelState) -> None:
    """Let the cell run, with something to do."""
    cell = panel.cell
    cell.ask(QueueOrder(order="bench", lines={panel.facts.models[0]["name"]: 50}), "bench")
    for command, after in ((Command.RESET, State.IDLE), (Command.START, State.EXECUTE)):
        cell.ask(GiveCommand(command=command), "bench", timeout_s=30.0)
        deadline = time.monotonic() + _START_S
        while cell.view.state is not after:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the cell is {cell.view.state.name} and does not get to {after.name}")
            time.sleep(0.05)


def _stops(port: int, origin: str, cookie: str, count: int) -> list[float]:
    """Post stops until each is decided on [s]; the first stops the cell, the others are refused by it all the same."""
    found = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
        began = time.perf_counter()
        headers = {"origin": origin, "cookie": cookie}
        connection.request("POST", "/api/v1/cell/commands/stop", headers=headers)
        connection.getresponse().read()
        found.append(time.perf_counter() - began)
        connection.close()
        time.sleep(0.03)
    return found


def _p99(values: list[float]) -> float:
    rising = sorted(values)
    return rising[min(len(rising) - 1, int(0.99 * len(rising)))]
