"""An OPC UA client in front of the cell: what it reads, what it may command, what it sees when the panel is gone."""

import asyncio
import io
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from controller import cli
from controller.cli_opcua import opcua_beside
from controller.panel import CellFacts
from controller.panel.users import Role
from controller.panel_client import PanelClient, RefusedError, UnreachableError
from controller.supervision.packml import State
from tests.controller.panel.browser.served_panel import Served, serve
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.extras import need

need("asyncua", "opcua")

from asyncua import Client, Node, ua  # noqa: E402
from asyncua.crypto.cert_gen import setup_self_signed_certificate  # noqa: E402
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256  # noqa: E402
from asyncua.ua.uaerrors import BadUserAccessDenied  # noqa: E402
from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: E402

from controller.opcua.exposure import (  # noqa: E402
    APPLICATION_URI,
    ExposureError,
    OpcUaSettings,
    check_exposure,
)
from controller.opcua.server import NAMESPACE, opcua_server  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:asyncua", "ignore::DeprecationWarning:cryptography"
)
ROOT = Path(__file__).parents[3]
_PATIENCE_S = 10.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def panel_of(served: Served) -> PanelClient:
    return PanelClient(url=served.url, token=served.panel.sessions.local("opcua", Role.VIEWER))


def client(
    settings: OpcUaSettings, served: Served | None = None, name: str = "", role: Role = Role.OPERATOR
) -> Client:
    """A client; with a name, one that logs in with a new token of that user."""
    found = Client(settings.endpoint, timeout=_PATIENCE_S)
    if served is not None:
        found.set_user(name)
        found.set_password(served.panel.sessions.issue(name, role, "scada", 1))
    return found


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        while not await true():
            await asyncio.sleep(0.02)


async def node(at: Client, path: str) -> Node:
    return at.get_node(ua.NodeId(f"Cell/{path}", await at.get_namespace_index(NAMESPACE)))


async def shown(at: Client, path: str) -> ua.DataValue:
    return await (await node(at, path)).read_data_value(raise_on_bad_status=False)


async def is_shown(at: Client, path: str, value: object) -> None:
    async def there() -> bool:
        found = await shown(at, path)
        return bool(found.Value is not None and found.Value.Value == value)

    await until(there)


async def give(at: Client, command: str) -> ua.CallMethodResult:
    """Call a method and return all that comes back, also when it is bad."""
    request = ua.CallMethodRequest(
        ObjectId=(await node(at, "Commands")).nodeid, MethodId=(await node(at, f"Commands/{command}")).nodeid
    )
    (result,) = await at.uaclient.call([request])
    return result


def answer(result: ua.CallMethodResult) -> tuple[str, str]:
    return result.StatusCode.name, result.OutputArguments[0].Value


async def variables_below(folder: Node) -> list[Node]:
    found = []
    for child in await folder.get_children():
        kind = await child.read_node_class()
        if kind == ua.NodeClass.Variable:
            found.append(child)
        elif kind == ua.NodeClass.Object:
            found += await variables_below(child)
    return found


def test_a_client_reads_the_cell_and_commands_it(served: Served) -> None:
    settings = OpcUaSettings(port=free_port())

    async def study() -> None:
        async with opcua_server(panel_of(served), settings), client(settings, served, "otto") as otto:
            await is_shown(otto, "Status/CurrentState", "STOPPED")
            namespace = await otto.get_namespace_index(NAMESPACE)
            found = await variables_below(otto.get_node(ua.NodeId("Cell", namespace)))
            values = [await each.read_data_value() for each in found]
            assert len(values) >= 50
            assert all(value.StatusCode.is_good() for value in values)
            arm = await shown(otto, "Arms/R4/ActualPosition_rad")
            assert arm.Value.Value == pytest.approx(served.cell.view.arms[3].q, abs=1e-4)
            assert (await shown(otto, "Status/CurrentStateNumber")).Value.Value == State.STOPPED
            before = arm.Value.Value
            for command, state in (
                ("Reset", "IDLE"),
                ("Start", "EXECUTE"),
                ("Hold", "HELD"),
                ("Unhold", "EXECUTE"),
                ("Stop", "STOPPED"),
                ("Abort", "ABORTED"),
                ("Clear", "STOPPED"),
            ):
                status, words = answer(await give(otto, command))
                assert (status, words.split(",")[0]) == ("Good", "accepted")
                await is_shown(otto, "Status/CurrentState", state)
            assert (await shown(otto, "Arms/R4/ActualPosition_rad")).Value.Value != before
            served.cell.fault("R2", "no pressure")
            await is_shown(otto, "Arms/R2/Fault", "no pressure")
            await is_shown(otto, "Alarms/ActiveCount", 1)
            assert "no pressure" in (await shown(otto, "Alarms/Texts")).Value.Value[0]
            assert "not a safety function" in (await shown(otto, "Commands/About")).Value.Value

    asyncio.run(study())
    assert {by for _, _, by in served.cell.asked} == {"otto"}
    assert {row.name for row in served.panel.audit.rows(2**53, 100) if row.action == "GiveCommand"} == {
        "otto"
    }


def test_what_is_refused_and_why(served: Served) -> None:
    settings = OpcUaSettings(port=free_port())

    async def study() -> None:
        async with opcua_server(panel_of(served), settings):
            async with client(settings, served, "otto") as otto:
                status, words = answer(await give(otto, "Start"))
                assert status == "BadInvalidState"
                assert "START in state STOPPED" in words
                assert "allowed: RESET, ABORT" in words
                assert (await shown(otto, "Commands/LastRefusal")).Value.Value == f"Start by otto: {words}"
                with pytest.raises(ua.uaerrors.BadInvalidState):
                    await (await node(otto, "Commands")).call_method(await node(otto, "Commands/Start"))
                assert answer(await give(otto, "Reset"))[0] == "Good", "otto is in control from here on"
                async with client(settings, served, "olga") as olga:
                    status, words = answer(await give(olga, "Start"))
                    assert (status, words.split(" (")[0]) == ("BadInvalidState", "otto is in control")
                    assert answer(await give(olga, "Stop"))[0] == "Good", "stop needs no control"
                served.panel.sessions.revoke(served.panel.sessions.tokens()[0].id)
                assert answer(await give(otto, "Abort"))[0] == "BadUserAccessDenied", (
                    "otto's token was revoked"
                )
            async with client(settings, served, "vera", Role.VIEWER) as vera:
                status, words = answer(await give(vera, "Stop"))
                assert (status, words) == ("BadUserAccessDenied", "vera is viewer (needed: operator)")
            async with client(settings) as anybody:
                await is_shown(anybody, "Status/UnitMode", "PRODUCTION")
                status, words = answer(await give(anybody, "Abort"))
                assert status == "BadUserAccessDenied"
                assert words.startswith("log in first")

    asyncio.run(study())
    assert State.ABORTED is not served.cell.view.state


def test_who_does_not_get_in_and_what_nobody_can_write(served: Served) -> None:
    settings = OpcUaSettings(port=free_port())

    async def study() -> None:
        async with opcua_server(panel_of(served), settings):
            token = served.panel.sessions.issue("otto", Role.OPERATOR, "scada", 1)
            for name, password in (("otto", "wrong"), ("olga", token), ("admin", ""), ("otto", "")):
                stranger = Client(settings.endpoint, timeout=_PATIENCE_S)
                stranger.set_user(name)
                stranger.set_password(password)
                with pytest.raises((BadUserAccessDenied, ConnectionError)):
                    await stranger.connect()
            async with client(settings, served, "anna", Role.ENGINEER) as anna:
                await is_shown(anna, "Status/CurrentState", "STOPPED")
                for path in ("Status/CurrentState", "Arms/R1/ActualPosition_rad", "Commands/LastRefusal"):
                    with pytest.raises(ua.UaError):
                        await (await node(anna, path)).write_value("EXECUTE")
                with pytest.raises(ua.UaError):
                    await (await node(anna, "Commands")).add_variable(ua.NodeId("x", 2), "2:x", 1)

    asyncio.run(study())


def test_a_cell_without_pictures_and_a_lost_panel_make_every_value_bad(served: Served) -> None:
    settings = OpcUaSettings(port=free_port())

    async def study() -> None:
        async with opcua_server(panel_of(served), settings), client(settings, served, "otto") as otto:
            await is_shown(otto, "Status/CurrentState", "STOPPED")
            served.cell.frozen.set()
            await _all_bad(otto)
            served.cell.frozen.clear()
            await is_shown(otto, "Status/CurrentState", "STOPPED")
            served.end()
            await _all_bad(otto)
            status, words = answer(await give(otto, "Stop"))
            assert status == "BadNoCommunication"
            assert words.startswith("NOT CONFIRMED")

    asyncio.run(study())


async def _all_bad(at: Client) -> None:
    """Within a little more than a second no variable of the cell has a value any more."""
    namespace = await at.get_namespace_index(NAMESPACE)
    nodes = await variables_below(at.get_node(ua.NodeId("Cell", namespace)))
    mirrored = [each for each in nodes if "/Commands/" not in str(each.nodeid.Identifier)]

    async def bad() -> bool:
        found = [await each.read_data_value(raise_on_bad_status=False) for each in mirrored]
        return all(
            value.StatusCode.name == "BadNoCommunication" and value.Value.Value is None for value in found
        )

    async with asyncio.timeout(3.0):
        await until(bad)


def test_a_panel_that_is_not_there_or_knows_no_such_token(served: Served) -> None:
    async def study(panel: PanelClient) -> None:
        async with opcua_server(panel, OpcUaSettings(port=free_port(), coming_s=0.5)):
            raise AssertionError("it came up")

    with pytest.raises(UnreachableError):
        asyncio.run(study(PanelClient(url="http://127.0.0.1:9", token="x")))
    with pytest.raises(RefusedError, match="log in first"):
        asyncio.run(study(PanelClient(url=served.url, token="x")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"host": "192.168.7.20"}, "in the clear"),
        ({"host": "cell.plant"}, "in the clear"),
        ({"host": "0.0.0.0"}, "in the clear"),
        ({"certificate": Path("x.pem")}, "go together"),
        ({"key": Path("x.pem")}, "go together"),
        ({"trusted": Path("x")}, "one of its own"),
    ],
)
def test_exposure_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ExposureError, match=said):
        check_exposure(replace(OpcUaSettings(), **changes))


async def certified(folder: Path, name: str, uri: str) -> tuple[Path, Path]:
    key, certificate = folder / f"{name}.key.pem", folder / f"{name}.der"
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
    await setup_self_signed_certificate(
        key, certificate, uri, "localhost", uses, {"organizationName": "Plant"}
    )
    return certificate, key


def test_beyond_loopback_clients_encrypt_and_log_in(served: Served, tmp_path: Path) -> None:
    """What settings beyond loopback make of a server, tried on loopback under another name for it."""

    async def study() -> None:
        certificate, key = await certified(tmp_path, "server", APPLICATION_URI)
        trusted = tmp_path / "trusted"
        trusted.mkdir()
        known, known_key = await certified(tmp_path, "known", "urn:plant:scada")
        (trusted / "known.der").write_bytes(known.read_bytes())
        stranger, stranger_key = await certified(tmp_path, "stranger", "urn:plant:stranger")
        settings = OpcUaSettings(
            host="0.0.0.0", port=free_port(), certificate=certificate, key=key, trusted=trusted
        )
        check_exposure(settings)
        reached = replace(settings, host="127.0.0.1")
        async with opcua_server(panel_of(served), settings):
            with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
                await client(reached).connect()
            for own, own_key, uri, name, lets_in in (
                (known, known_key, "urn:plant:scada", "otto", True),
                (known, known_key, "urn:plant:scada", "", False),
                (stranger, stranger_key, "urn:plant:stranger", "otto", False),
            ):
                at = client(reached, served if name else None, name)
                at.application_uri = uri
                await at.set_security(
                    SecurityPolicyBasic256Sha256, own, own_key, server_certificate=certificate
                )
                if not lets_in:
                    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
                        await at.connect()
                    continue
                async with at:
                    assert answer(await give(at, "Reset"))[0] == "Good"

    asyncio.run(study())


def test_a_panel_with_a_certificate_of_its_own(facts: CellFacts, tmp_path: Path) -> None:
    """Known by its certificate alone, and not at all by another one."""
    asyncio.run(certified(tmp_path, "panel", "urn:plant:panel"))
    chain, key = tmp_path / "panel.pem", tmp_path / "panel.key.pem"
    chain.write_text(ssl.DER_cert_to_PEM_cert((tmp_path / "panel.der").read_bytes()))
    with ReplayedCell() as cell, serve(cell, facts, tmp_path, certificate=chain, key=key) as served:
        at = PanelClient(url=f"https://localhost:{served.panel.settings.port}", token=panel_of(served).token)
        with pytest.raises(UnreachableError, match="certificate"):
            at.picture()
        settings = OpcUaSettings(port=free_port())

        async def study() -> None:
            async with (
                opcua_server(replace(at, ca=chain), settings),
                client(settings, served, "otto") as otto,
            ):
                await is_shown(otto, "Status/CurrentState", "STOPPED")
                assert answer(await give(otto, "Reset"))[0] == "Good"

        asyncio.run(study())


@pytest.mark.parametrize(
    ("options", "said", "code"),
    [
        (["--host", "192.168.7.20"], "in the clear", 2),
        (["--certificate", "nowhere.pem"], "an existing file", 2),
        (["--trusted", "nowhere"], "an existing directory", 2),
        (["--token-file", "nowhere"], "a file with a token", 2),
    ],
)
def test_what_the_command_refuses(
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    said: str,
    code: int,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("token\n"))
    assert cli._guarded(lambda: cli.app(["opcua", *options])) == code
    assert said in capfd.readouterr().err


def test_files_that_are_no_certificate(served: Served, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")

    async def study() -> None:
        async with opcua_server(
            panel_of(served), OpcUaSettings(port=free_port(), certificate=junk, key=junk)
        ):
            raise AssertionError("it came up")

    with pytest.raises(ExposureError, match=r"junk\.pem"):
        asyncio.run(study())


def test_a_server_that_does_not_come_up_is_nothing_to_the_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", shutil.which("false"))
    with opcua_beside(True, "http://127.0.0.1:9", None, "token", free_port()):
        time.sleep(0.2)
    with opcua_beside(False, "", None, "", 0):
        pass


def test_the_server_beside_a_panel_lives_as_long_as_its_pipe(served: Served) -> None:
    """As `jointcell serve --opcua` starts it: in a process of its own, that ends when the one that started it has gone."""
    settings = OpcUaSettings(port=free_port())
    command = [sys.executable, "-m", "controller.cli", "opcua", "--until-stdin-ends"]
    command += ["--panel", served.url, "--port", str(settings.port)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    )
    with process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(f"{panel_of(served).token}\n")
        process.stdin.flush()
        assert "not a safety function" in next(line for line in process.stderr if settings.endpoint in line)

        async def study() -> None:
            async with client(settings) as anybody:
                await is_shown(anybody, "Status/CurrentState", "STOPPED")

        asyncio.run(study())
        process.stdin.close()
        assert process.wait(_PATIENCE_S) == 0
        assert "has ended" in process.stderr.read()
