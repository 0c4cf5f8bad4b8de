"""The 3D view: who sees it, what it may reach, and that nothing else is disturbed when it is blocked or killed."""

import asyncio
import contextlib
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Origin, Subprotocol

from controller.panel import CellFacts
from controller.panel import view3d as panel_side
from controller.panel.picture import moment
from controller.panel.stream import ENDED
from controller.panel.view3d import View3d
from controller.supervision.packml import State
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.conftest import Make
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.controller.panel.rig import ORIGIN
from tests.extras import need

need("viser", "view3d")

import viser  # noqa: E402

from controller.view3d.__main__ import _Viser  # noqa: E402
from controller.view3d.scene import Scene, turned_to  # noqa: E402

_COMING_S = 60.0  # the first who looks waits for the process
PROTOCOL = Subprotocol(f"viser-v{viser.__version__}")


@pytest.fixture
def served(facts: CellFacts, tmp_path: Path) -> Iterator[Served]:
    with ReplayedCell() as cell, serve(cell, facts, tmp_path) as panel:
        yield panel
        if panel.panel.view3d is not None:
            panel.panel.view3d.close()


def cookie(served: Served, name: str = "vera") -> str:
    user = next(user for user in served.panel.users.all() if user.name == name)
    return f"jointcell={served.panel.sessions.open(user)}"


def get(served: Served, path: str, login: str = "") -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(f"{served.url}{path}", headers={"cookie": login} if login else {})
    try:
        with urllib.request.urlopen(request, timeout=60.0) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(), dict(error.headers)


def looking(served: Served, login: str, origin: str = "") -> connect:
    return connect(
        f"ws{served.url.removeprefix('http')}/view3d",
        origin=Origin(origin or served.url),
        additional_headers={"cookie": login} if login else {},
        subprotocols=[PROTOCOL],
        max_size=None,
        open_timeout=_COMING_S,
        proxy=None,
    )


def process_of(served: Served) -> int:
    view = served.panel.view3d
    assert view is not None
    assert view._process is not None
    return view._process.pid


async def pictures_come(browser: ClientConnection, count: int = 5) -> None:
    async with asyncio.timeout(20.0):
        for _ in range(count):
            assert await browser.recv()


async def ends(browser: ClientConnection) -> None:
    """The server ends the stream soon; what is still under way arrives before."""
    async with asyncio.timeout(5.0):
        with contextlib.suppress(ConnectionClosed):
            async for _ in browser:
                pass


def moves(served: Served) -> None:
    """Start the recorded cell: only what changes is sent to browsers."""
    panel = served.panel
    for command in ("reset", "start"):
        request = urllib.request.Request(
            f"{served.url}/api/v1/cell/commands/{command}",
            method="POST",
            headers={"authorization": f"Bearer {panel.sessions.local()}"},
        )
        with urllib.request.urlopen(request, timeout=5.0) as answer:
            assert answer.status == 202
        time.sleep(0.4)


def test_the_page_is_behind_the_login_and_may_reach_its_own_stream_only(served: Served) -> None:
    assert get(served, "/view3d")[0] == 401
    status, content, headers = get(served, "/view3d", cookie(served))
    assert status == 200
    assert b"<canvas" in content or b"<script" in content
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    host = served.url.removeprefix("http://")
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == f"ws://{host}/view3d data: blob:"
    assert policy["frame-ancestors"] == "'self'"
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert get(served, "/")[2]["x-frame-options"] == "DENY"


def test_the_stream_is_behind_login_and_origin(served: Served) -> None:
    moves(served)

    async def study() -> None:
        async with looking(served, cookie(served)) as browser:
            assert browser.subprotocol == PROTOCOL
            await pictures_come(browser)
        async with looking(served, "") as nobody:
            with pytest.raises(ConnectionClosed):
                await nobody.recv()
            assert nobody.close_code == ENDED
        view = served.panel.view3d
        assert view is not None
        with pytest.raises(InvalidStatus, match="403"):
            await connect(f"ws://127.0.0.1:{view.port()}", origin=Origin(served.url), proxy=None)
        for origin in ("http://evil.example", "null"):
            with pytest.raises((InvalidHandshake, ConnectionClosed)):
                async with looking(served, cookie(served), origin) as stranger:
                    await stranger.recv()

    asyncio.run(study())


def test_a_login_that_ends_ends_the_stream(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("controller.panel.routes_view3d._CHECK_S", 0.1)
    login = cookie(served)

    async def study() -> None:
        async with looking(served, login) as browser:
            await browser.recv()
            served.panel.sessions.close(login.partition("=")[2])
            await ends(browser)
            assert browser.close_code == ENDED

    asyncio.run(study())


def test_a_killed_view_comes_back_and_disturbs_nothing(served: Served) -> None:
    moves(served)

    async def study() -> None:
        async with looking(served, cookie(served)) as browser:
            await pictures_come(browser)
            killed = process_of(served)
            os.kill(killed, signal.SIGKILL)
            await ends(browser)
        async with looking(served, cookie(served)) as browser:
            await pictures_come(browser)
            assert process_of(served) != killed

    asyncio.run(study())
    assert served.cell.view.state is State.EXECUTE
    assert get(served, "/readyz")[0] == 200


def test_a_blocked_view_disturbs_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    moves(served)
    login = cookie(served)
    assert get(served, "/view3d", login)[0] == 200
    monkeypatch.setattr(panel_side, "_ANSWER_S", 1.0)
    os.kill(process_of(served), signal.SIGSTOP)
    try:

        async def study() -> None:
            headers = {"cookie": login}
            address = f"ws{served.url.removeprefix('http')}/api/v1/stream?rate=20"
            async with connect(
                address, origin=Origin(served.url), additional_headers=headers, proxy=None, max_size=None
            ) as stream:
                ages, until = [], time.monotonic() + 3.0  # long enough to fill the pipe
                while time.monotonic() < until:
                    message = json.loads(await stream.recv())
                    if message["type"] == "state":
                        ages.append(message["value"]["age_s"])
                assert len(ages) > 10
                assert max(ages) < 1.0, "the cell goes on, and so does the panel"

        asyncio.run(study())
        status, content, _ = get(served, "/view3d", login)
        assert status == 503
        assert "does not answer" in json.loads(content)["detail"]
        assert get(served, "/readyz")[0] == 200
    finally:
        os.kill(process_of(served), signal.SIGCONT)
    monkeypatch.undo()
    assert get(served, "/view3d", login)[0] == 200


def test_a_view_that_nobody_looks_at_ends(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panel_side, "_IDLE_S", 0.3)
    view = served.panel.view3d
    assert view is not None
    view.port()
    assert view._process is not None
    assert view._process.wait(10.0) is not None


def test_a_view_that_does_not_come_up_is_said(facts: CellFacts) -> None:
    view = View3d(ReplayedCell(), facts, ("false",))
    with pytest.raises(panel_side.UnavailableError, match="did not come up"):
        view.port()


def test_without_the_extra_there_is_no_view(
    make: Make, facts: CellFacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.controller.panel.conftest.create_panel", _without(facts))
    rig = make()
    vera = rig.client("vera")
    assert vera.get("/api/v1/facts").json()["view3d"] is False
    answer = vera.get("/view3d")
    assert answer.status_code == 404
    assert "jointcell[view3d]" in answer.json()["detail"]
    headers = {"host": ORIGIN.split("//")[1], "cookie": f"jointcell={vera.cookies['jointcell']}"}
    with vera.websocket_connect("/view3d", headers=headers) as stream, pytest.raises(WebSocketDisconnect):
        stream.receive_text()


def _without(facts: CellFacts) -> Callable[..., object]:
    from controller.panel import create_panel

    return lambda cell, _, *rest, **more: create_panel(cell, replace(facts, view3d=False), *rest, **more)


directions = st.lists(st.floats(-1.0, 1.0), min_size=3, max_size=3).filter(lambda d: np.linalg.norm(d) > 1e-3)


@given(directions)
def test_links_are_turned_to_where_they_point(direction: list[float]) -> None:
    w, x, y, z = turned_to(direction)
    assert np.linalg.norm([w, x, y, z]) == pytest.approx(1.0)
    third_column = [2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)]
    assert third_column == pytest.approx(np.array(direction) / np.linalg.norm(direction), abs=1e-6)


def test_what_is_drawn_is_where_the_picture_says(facts: CellFacts) -> None:
    cell = ReplayedCell()
    now = moment(cell.view, 0.0)
    server = _Viser(host="127.0.0.1", port=0, verbose=False)
    try:
        scene = Scene(server, {"dial": facts.dial}, now)
        assert set(scene._arms) == {f"R{k}" for k in range(1, 7)}
        later = json.loads(json.dumps(now))
        later["arms"][2]["points_mm"] = [value + 100 for value in later["arms"][2]["points_mm"]]
        later["arms"][2]["holds"] = "rotor"
        later["arms"][3]["fault"] = "no pressure"
        station = next(each for each in later["stations"] if each["id"] == "P0")
        station["serial"] = "J0001"
        scene.show(later)
        points = np.array(later["arms"][2]["points_mm"]).reshape(-1, 3) / 1000.0
        arm = scene._arms["R3"]
        for k, link in arm._links.items():
            assert link.position == pytest.approx((points[k] + points[k + 1]) / 2.0)
        assert arm._part.visible
        assert arm._part.position == pytest.approx(points[-1])
        assert tuple(scene._arms["R4"]._links[3].color) != tuple(arm._links[3].color)
        assert scene._stations["P0"]._joint.visible
        scene.lose()
        assert scene._lost.visible
        scene.show(later)
        assert not scene._lost.visible
        assert server.request_share_url() is None, "no tunnel to the outside"
    finally:
        server.stop()
