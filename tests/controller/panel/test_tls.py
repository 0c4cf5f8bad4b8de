"""The panel over TLS, on a socket, with certificates of an authority made here; and what is refused beyond loopback."""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from controller import cli
from controller.panel import CellFacts
from controller.panel.database import PanelDatabase
from controller.panel.users import Role, UserStore
from controller.panel_client import PanelClient, UnreachableError
from controller.serve import NOTE, note_of
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.controller.panel.rig import PASSWORD

API = "/api/v1"


@dataclass
class Secure:
    """A panel over TLS and the authority that vouches for it."""

    panel: Served
    authority: trustme.CA

    @property
    def address(self) -> tuple[str, int]:
        found = urlsplit(self.panel.url)
        assert found.hostname is not None
        assert found.port is not None
        return found.hostname, found.port

    def trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context

    def connection(self, context: ssl.SSLContext) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(*self.address, context=context, timeout=5.0)


def other_address() -> str:
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            pytest.skip("this machine has no network interface")
        return str(probe.getsockname()[0])


@pytest.fixture(params=["loopback", "beyond"])
def secure(request: pytest.FixtureRequest, facts: CellFacts, tmp_path: Path) -> Iterator[Secure]:
    host = "127.0.0.1" if request.param == "loopback" else other_address()
    authority = trustme.CA()
    ours = authority.issue_cert(host)
    certificate, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    for blob in ours.cert_chain_pems:
        blob.write_to_path(certificate, append=True)
    ours.private_key_pem.write_to_path(key)
    with (
        ReplayedCell() as cell,
        serve(cell, facts, tmp_path, host=host, certificate=certificate, key=key) as panel,
    ):
        yield Secure(panel=panel, authority=authority)


def test_login_command_and_stream_over_tls(secure: Secure) -> None:
    """A real handshake, verified; the cookie is one that no plain page can set; the stream runs over it too."""
    connection = secure.connection(secure.trust())
    headers = {"origin": secure.panel.url, "content-type": "application/json"}
    body = json.dumps({"name": "otto", "password": PASSWORD})
    connection.request("POST", f"{API}/sessions", body, headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 201
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-jointcell=")
    assert "Secure" in cookie
    assert "max-age=" in answer.headers["strict-transport-security"]
    login = cookie.split(";")[0]
    connection.request("POST", f"{API}/cell/commands/reset", headers=headers | {"cookie": login})
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["state"]) == (202, "RESETTING")
    connection.close()
    stream = f"{secure.panel.url.replace('https', 'wss')}{API}/stream"
    more = {"cookie": login}
    with connect(stream, ssl=secure.trust(), origin=secure.panel.url, additional_headers=more) as live:  # type: ignore[arg-type]
        assert json.loads(live.recv(5.0))["type"] == "snapshot"
    with (
        pytest.raises(InvalidStatus),
        connect(stream, ssl=secure.trust(), origin="https://evil.example", additional_headers=more),  # type: ignore[arg-type]
    ):
        pass


def test_whoever_does_not_trust_the_certificate_says_so(secure: Secure) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        secure.connection(ssl.create_default_context()).request("GET", "/healthz")


def test_old_protocols_and_plain_http_get_nothing(secure: Secure) -> None:
    context = secure.trust()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context.maximum_version = version
        connection = secure.connection(context)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        connection.close()
    with socket.create_connection(secure.address, 5.0) as plain:
        plain.sendall(f"GET /healthz HTTP/1.1\r\nhost: {secure.address[0]}\r\n\r\n".encode())
        assert b"HTTP/1.1 200" not in _all(plain)


def test_the_command_line_of_this_machine_trusts_this_certificate_and_no_other(
    secure: Secure, tmp_path: Path
) -> None:
    settings = secure.panel.panel.settings
    (tmp_path / NOTE).write_text(note_of(settings, secure.panel.panel.sessions.local()))
    client = PanelClient.of_note(tmp_path / NOTE)
    assert client.picture()["moment"]["state"] == "STOPPED"
    other = tmp_path / "other.pem"
    secure.authority.issue_cert(secure.address[0]).cert_chain_pems[0].write_to_path(other)
    with pytest.raises(UnreachableError, match="certificate verify failed"):
        PanelClient(url=client.url, token=client.token, ca=other).picture()


@pytest.mark.parametrize(
    ("users", "said"),
    [(False, "there are no users yet"), (True, "passwords would cross the network in the clear")],
)
def test_serve_refuses_beyond_loopback_before_anything_starts(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], users: bool, said: str
) -> None:
    if users:
        with PanelDatabase(tmp_path / "panel.db") as database:
            UserStore(database, lambda: 1, log2_n=4).add("anna", Role.ENGINEER, PASSWORD)
    code, told = serving(capfd, "--host", other_address(), "--data", str(tmp_path))
    assert code == 2
    assert said in told
    assert "panel is at" not in told


def test_serve_says_what_listens_already(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, told = serving(capfd, "--port", str(port), "--data", str(tmp_path))
    assert code == 2
    assert f"127.0.0.1:{port}: cannot be listened on" in told


def serving(capfd: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Exit code of `jointcell serve`, and what it said."""
    code = cli._guarded(lambda: cli.app(["serve", "--driver", "fake", *options]))
    return code, capfd.readouterr().err


def _all(connection: socket.socket) -> bytes:
    found = b""
    try:
        while part := connection.recv(4096):
            found += part
    except OSError:
        pass
    return found
