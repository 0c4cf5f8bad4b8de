"""What somebody may try from outside: refused, each with its reason, and the cell goes on undisturbed."""

import json
import socket
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from controller.panel.pages import SHELL_PATHS
from controller.panel.routes_access import router as access_routes
from controller.panel.routes_cell import router as cell_routes
from controller.panel.routes_history import router as history_routes
from controller.panel.routes_system import router as system_routes
from controller.panel.serving import served
from controller.supervision.packml import State
from tests.controller.panel.rig import ORIGIN, PASSWORD, Rig

API = "/api/v1"
ROUTES = [
    (method, route.path)
    for router in (access_routes, cell_routes, history_routes, system_routes)
    for route in router.routes
    for method in sorted(getattr(route, "methods", None) or ())
]
OPEN = {f"{API}/sessions", f"{API}/setup"}
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'"


@pytest.fixture(autouse=True)
def undisturbed(rig: Rig) -> Iterator[None]:
    """Nothing of this reaches the cell."""
    yield
    assert rig.cell.asked == []
    assert rig.cell.view.state is State.STOPPED


def filled(path: str) -> str:
    for name, value in {
        "command": "stop",
        "number": "1",
        "name": "otto",
        "arm": "R1",
        "order": "x",
        "serial": "x",
    }.items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}:path}}", value)
    return path


@pytest.mark.parametrize(
    "origin",
    [
        None,
        "http://evil.example",
        "http://127.0.0.1:8081",
        "null",
        ORIGIN + ".evil.example",
        "https://127.0.0.1:8080",
    ],
)
def test_foreign_origins_change_nothing(rig: Rig, origin: str | None) -> None:
    rig.client("otto")
    client = rig.client("otto")
    for method, path in ROUTES:
        if method not in ("GET", "HEAD"):
            headers = {} if origin is None else {"origin": origin}
            request = client.build_request(method, filled(path), json={}, headers=headers)
            if origin is None:
                del request.headers["origin"]
            assert client.send(request).status_code == 403, (method, path)


def test_nobody_gets_anywhere(rig: Rig) -> None:
    """Neither without a login nor with a token that was guessed."""
    for client in (
        rig.client(),
        rig.client(authorization="Bearer jointcell_guess"),
        rig.client(authorization="Basic eDp5"),
    ):
        for method, path in ROUTES:
            if path in OPEN or path in ("/healthz", "/readyz"):
                continue
            answer = client.request(method, filled(path))
            # What is asked for is looked at before who asks: 422 says nothing that the description does not.
            assert answer.status_code == 401 or (answer.status_code == 422 and method != "GET"), (
                method,
                path,
            )
    rig.panel.users.remove("vera")
    assert rig.client().get(f"{API}/cell").headers["www-authenticate"] == "Bearer"


def test_viewers_change_nothing(rig: Rig) -> None:
    """Whatever is not reading is for operators, but for one's own login."""
    own = {
        f"{API}/sessions",
        f"{API}/sessions/me",
        f"{API}/sessions/me/confirm",
        f"{API}/setup",
        f"{API}/stream-tickets",
    }
    bodies: dict[str, Any] = {
        "control/take": {},
        "users": {"name": "eve", "role": "engineer", "password": PASSWORD},
        "tokens": {"label": "x", "role": "viewer"},
        "mode": {"mode": "production"},
        "feed": {"share": 1.0},
        "single-step": {"on": True},
        "orders": {"order": "x", "lines": {"Pro-NE30-30": 1}},
        "acknowledge": {"kind": "x", "source": "y"},
        "shelve": {"kind": "x", "source": "y", "for_s": 1},
        "answer": {"serial": "x", "operation": "1", "found": "done"},
        "jog": {"arm": "R1", "joint": 0, "share": 0.1},
        "feeders": {"feeder": "x", "batch": "y", "count": 1},
        "dry-runs": {"lines": {"Pro-NE30-30": 1}},
    }
    tried = 0
    for method, path in ROUTES:
        if method in ("GET", "HEAD") or path in own:
            continue
        body = next((value for end, value in bodies.items() if path.endswith(end)), None)
        assert rig.client("vera").request(method, filled(path), json=body).status_code == 403, (method, path)
        tried += 1
    assert tried == len([1 for method, path in ROUTES if method not in ("GET", "HEAD") and path not in own])
    assert tried > 15


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:8081", ""])
def test_other_names_for_this_address_are_not_answered(rig: Rig, host: str) -> None:
    for path in ("/", f"{API}/cell", "/healthz"):
        assert rig.client("otto").get(path, headers={"host": host}).status_code == 400


@pytest.mark.parametrize("origin", ["http://evil.example", "null", ""])
def test_a_stream_from_elsewhere_is_refused(rig: Rig, origin: str) -> None:
    client = rig.client("otto")
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect(f"{API}/stream", headers={"origin": origin}),
    ):
        pass


def test_a_stream_without_login_ends(rig: Rig) -> None:
    with rig.client().websocket_connect(f"{API}/stream", headers={"host": "127.0.0.1:8080"}) as stream:
        assert stream.receive()["code"] == 4401


def test_a_ticket_opens_one_stream_for_ten_seconds(rig: Rig) -> None:
    def ticket() -> str:
        return str(rig.client("vera").post(f"{API}/stream-tickets").json()["ticket"])

    def opened(value: str) -> bool:
        host = {"host": "127.0.0.1:8080"}
        with rig.client().websocket_connect(f"{API}/stream?ticket={value}", headers=host) as stream:
            return stream.receive().get("bytes") is not None

    first = ticket()
    assert opened(first)
    assert not opened(first), "a replayed ticket"
    late = ticket()
    rig.times.pass_s(11)
    assert not opened(late)


@pytest.mark.parametrize(
    "path",
    ["/static/../settings.py", "/static/%2e%2e/settings.py", "/static/..%2fsettings.py", "/static//etc/passwd",
     "/static/....//settings.py", f"{API}/recordings/..%2fpanel.db", f"{API}/recordings/%2e%2e%2fpanel.db",
     f"{API}/recordings/panel.db", f"{API}/recordings/x.mcap%00", f"{API}/joints/..%2f..%2fpanel.db",
     "/..%2f..%2fetc%2fpasswd"],
)  # fmt: skip
def test_paths_lead_nowhere(rig: Rig, tmp_path: Path, path: str) -> None:
    answer = rig.client("anna").get(path)
    assert answer.status_code in (404, 422), answer.text
    assert "SQLite" not in answer.text


def test_large_bodies_are_refused(rig: Rig) -> None:
    client = rig.client("otto")
    order = {"order": "x" * 70_000, "lines": {}}
    assert client.post(f"{API}/orders", json=order).status_code == 413

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * 10_000

    assert client.post(f"{API}/orders", content=endless()).status_code == 413


def test_deep_and_odd_json_is_refused(rig: Rig) -> None:
    client = rig.client("otto")
    kind = {"content-type": "application/json"}
    for content in ("[" * 30_000, '{"order": NaN', "\x00", '{"a":' * 5_000, b"\xff\xfe{}", "null", "1e999"):
        answer = client.post(f"{API}/orders", content=content, headers=kind)
        assert answer.status_code in (400, 422), content[:20]
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_thousand_bad_logins(rig: Rig) -> None:
    """Most are not even looked at; somebody who is logged in stops the cell all the same."""
    otto = rig.client("otto")
    client = rig.client()
    began = time.process_time()
    codes = [
        client.post(f"{API}/sessions", json={"name": f"user{k % 7}", "password": f"guess {k}"}).status_code
        for k in range(1000)
    ]
    assert codes.count(401) == 30
    assert codes.count(429) == 970
    assert time.process_time() - began < 30
    answer = client.post(f"{API}/sessions", json={"name": "anna", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert otto.post(f"{API}/cell/commands/stop").status_code == 409, "not throttled: the cell itself refuses"
    assert len(rig.cell.asked) == 1
    rig.cell.asked.clear()
    rig.times.pass_s(61)
    assert client.post(f"{API}/sessions", json={"name": "anna", "password": PASSWORD}).status_code == 201


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.found += [str(values[name]) for name in ("src", "href") if values.get(name)]
        self.inline += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag == "script" and "src" not in values:
            self.inline.append("script")


def test_pages_load_nothing_from_outside_and_run_no_inline_script(rig: Rig) -> None:
    pages = {rig.client().get(filled(path)).text for path in SHELL_PATHS}
    assert len(pages) == 1, "one shell for all"
    answer = rig.client().get("/")
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    links = _Links()
    links.feed(answer.text)
    assert links.inline == []
    assert all(link.startswith(("/static/", "#", "/")) and not link.startswith("//") for link in links.found)


@pytest.mark.parametrize("body", [
    {"order": SCRIPT, "lines": {SCRIPT: 1}}, {"order": "x\u0000", "lines": {"Pro-NE30-30": 1}},
    {"order": "x\r\nset-cookie: a=b", "lines": {"Pro-NE30-30": 1}},
])  # fmt: skip
def test_scripts_in_orders_come_back_as_text(rig: Rig, body: dict[str, Any]) -> None:
    answer = rig.client("otto").post(f"{API}/orders", json=body)
    assert answer.status_code in (409, 422)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    json.loads(answer.text)


def test_slow_bodies_are_cut_off(make, rig: Rig) -> None:  # type: ignore[no-untyped-def]
    """A body that trickles in is given up on, and others are served meanwhile."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        host = f"{address[0]}:{address[1]}"
        slow: Rig = make(people=False, port=address[1], body_s=1.5)
        head = [
            f"POST {API}/sessions HTTP/1.1",
            f"host: {host}",
            f"origin: http://{host}",
            "content-type: application/json",
            "content-length: 50",
        ]
        with (
            served(slow.app, slow.panel.settings, listening),
            socket.create_connection(address) as trickle,
            socket.create_connection(address) as half,
            socket.create_connection(address) as other,
        ):
            half.sendall(b"POST / HT")  # and nothing more
            trickle.sendall("\r\n".join([*head, "", "{"]).encode())
            began = time.monotonic()
            other.sendall(f"GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\n".encode())
            other.settimeout(1.2)
            assert b"200 OK" in other.recv(4096)
            trickle.settimeout(5.0)
            assert b"408" in trickle.recv(4096)
            assert 1.0 < time.monotonic() - began < 4.0
