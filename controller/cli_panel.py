"""The panel on the command line: serve it, look at the cell, command it, add users."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from controller.cli_bridge import confirm_motion
from controller.cli_opcua import OpcUaPort, need_opcua, opcua_beside
from controller.console import FAULT, MISSED, UNREACHABLE, complain, progress, refuse, show
from controller.interrupts import Interrupts
from controller.outputs import reserved_stdout, say

users = typer.Typer(help="Users of the panel.", no_args_is_help=True)

_DATA = Path("cell-data")
_NOTE = "panel.json"
DataOption = Annotated[Path, typer.Option(help="Directory of the panel's files: users, audit, recordings.")]
UrlOption = Annotated[
    str, typer.Option(help="Where the panel is; without it, the one that runs from --data.")
]
TokenOption = Annotated[
    Path | None, typer.Option(help="File with a bearer token, for --url; made on the page System.")
]


class RoleName(StrEnum):
    """What a user may do."""

    viewer = "viewer"
    operator = "operator"
    engineer = "engineer"


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535, help="Port to listen on.")] = 8080,
    driver: Annotated[str, typer.Option(help="What executes the plan; sim by default.")] = "",
    emulate: Annotated[
        bool,
        typer.Option("--emulate", help="With --driver serial: emulated arms and lines."),
    ] = False,
    settings: Annotated[Path | None, typer.Option(help="Settings of the cell (TOML).")] = None,
    data: DataOption = _DATA,
    tls_cert: Annotated[Path | None, typer.Option(help="TLS certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    public_origin: Annotated[
        str, typer.Option(help="Origin under which browsers see the panel, such as https://cell.plant.")
    ] = "",
    insecure_lan: Annotated[
        bool, typer.Option("--insecure-lan", help="Listen beyond loopback without TLS.")
    ] = False,
    opcua: Annotated[
        bool, typer.Option("--opcua", help="Also run the OPC UA server, on loopback (the extra opcua).")
    ] = False,
    opcua_port: OpcUaPort = 4840,
) -> None:
    """Run the cell and its control panel until Ctrl-C; the cell is at rest in the beginning and at the end."""
    if (tls_cert is None) != (tls_key is None):
        refuse("--tls-cert", tls_cert or "", "together with --tls-key")
    need_opcua(opcua)
    with reserved_stdout():
        from controller.panel import PanelSettings, serve_panel
        from controller.panel.settings import ExposureError
        from controller.serve import cell_and_panel
        from controller.supervision.settings import CellSettings, SettingsError, load_settings
        from firmware_bridge.port import LinkError

        drivers = get_args(CellSettings.model_fields["driver"].annotation)
        if driver and driver not in drivers:
            refuse("--driver", driver, ", ".join(drivers))
        try:
            cell = load_settings(settings)
        except SettingsError as error:
            complain(str(error))
            raise typer.Exit(2) from None
        if driver:
            cell = cell.model_copy(update={"driver": driver})
        if emulate and cell.driver != "serial":
            refuse("--emulate", "", "only with --driver serial")
        if cell.driver == "serial" and cell.pace != "real":
            refuse("pace", cell.pace, "real, with serial lines")
        cell = cell.model_copy(update={"emulate": cell.driver == "serial" and (emulate or cell.emulate)})
        if "journal" not in cell.model_fields_set:
            cell = cell.model_copy(update={"journal": data / "journal"})
        if cell.driver == "serial" and not cell.emulate:
            confirm_motion(cell.cell)  # real arms will move
        panel = PanelSettings(
            data=data,
            host=host,
            port=port,
            certificate=tls_cert,
            key=tls_key,
            public_origin=public_origin.rstrip("/"),
            insecure_lan=insecure_lan,
        )
        try:
            with progress() as bars, cell_and_panel(cell, panel, bars.step) as serving:
                _welcome(serving.settings.url, serving.setup_url)
                beside = opcua_beside(opcua, serving.settings.url, tls_cert, serving.opcua_token, opcua_port)
                with Interrupts(), beside:
                    serve_panel(serving.app, serving.settings, serving.listening)
        except ExposureError as error:
            complain(str(error))
            raise typer.Exit(2) from None
        except LinkError as error:
            complain(str(error))
            raise typer.Exit(UNREACHABLE) from None
        except OSError as error:
            complain(f"{error.filename or data}: {error.strerror}")
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            complain("The panel has ended; the cell is at rest.")


def _welcome(url: str, setup_url: str) -> None:
    """Where to go; standard output is reserved, so on standard error."""
    complain(f"The panel is at {url}")
    if setup_url:
        complain(
            f"There are no users yet. This link makes the first one, once, within an hour:\n  {setup_url}"
        )
    complain("Ctrl-C ends it; the cell is brought to rest first.")


def status(
    url: UrlOption = "",
    token_file: TokenOption = None,
    data: DataOption = _DATA,
    json: Annotated[bool, typer.Option("--json", help="The whole picture as JSON.")] = False,
) -> None:
    """Show how the running cell is; exit code 3 when it is aborted."""
    picture = _asked(url, token_file, data, "")
    if json:
        from json import dumps

        say(dumps(picture) + "\n")
    else:
        _show(picture)
    if picture["moment"]["state"] in ("ABORTED", "ABORTING"):
        raise typer.Exit(FAULT)


def command_of(name: str, does: str) -> Any:
    """The command line's form of a PackML command."""

    def command(url: UrlOption = "", token_file: TokenOption = None, data: DataOption = _DATA) -> None:
        answer = _asked(url, token_file, data, name)
        say(f"{name}: accepted, state {answer['state']}\n")

    command.__doc__ = f"{does}: a process command, never a safety function."
    command.__name__ = name
    return command


COMMANDS = {
    "start": command_of("start", "Begin to work on the orders"),
    "hold": command_of("hold", "Slow down on the path and stay powered"),
    "unhold": command_of("unhold", "Go on after a hold"),
    "stop": command_of("stop", "Slow down on the path, then request drives off"),
    "abort": command_of("abort", "Slow down as fast as permitted, then request drives off"),
    "clear": command_of("clear", "Leave the state Aborted once its cause is gone"),
    "reset": command_of("reset", "Make the cell ready; nothing moves"),
}


@users.command("add")
def add_user(
    name: Annotated[str, typer.Argument(help="Small letters, digits, dots, - or _.")],
    role: Annotated[RoleName, typer.Option(help="What the user may do.")],
    data: DataOption = _DATA,
) -> None:
    """Add a user; the password is asked for, or read from standard input when that is no terminal."""
    from controller.panel.database import PanelDatabase
    from controller.panel.users import Role, UserError, UserStore

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    data.mkdir(parents=True, exist_ok=True)
    from time import time_ns

    with PanelDatabase(data / "panel.db") as database:
        try:
            UserStore(database, time_ns).add(name, Role(role.value), password)
        except UserError as error:
            complain(str(error))
            raise typer.Exit(2) from None
    say(f"{name} is added as {role.value}.\n")


def _asked(url: str, token_file: Path | None, data: Path, command: str) -> dict[str, Any]:
    from controller.panel_client import PanelClient, RefusedError, UnreachableError

    try:
        client = PanelClient.of_note(data / _NOTE)
    except UnreachableError as error:
        if not url or token_file is None:
            complain(str(error))
            raise typer.Exit(UNREACHABLE) from None
        client = PanelClient(url="", token="")
    if url:
        token = token_file.read_text(encoding="utf-8").strip() if token_file else client.token
        client = PanelClient(url=url.rstrip("/"), token=token)
    try:
        return client.command(command) if command else client.picture()
    except UnreachableError as error:
        complain(f"{error}{' NOT CONFIRMED' if command else ''}")
        raise typer.Exit(UNREACHABLE) from None
    except RefusedError as error:
        complain(str(error))
        raise typer.Exit(MISSED) from None


def _show(picture: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    moment, parts = picture["moment"], picture["parts"]
    figures = parts["figures"]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    arms = "simulation" if picture["simulated"] else "REAL ARMS"
    arms += " (emulated)" if "emulated" in picture["driver"] else ""
    since = f"for {moment['since_s']:.0f} s: {moment['cause']}"
    times = f"planned {figures['planned_cycle_s']:.1f} s, target {figures['target_s']:g} s"
    rows = [
        ("Cell", f"{picture['cell']}, {arms}"),
        ("State", f"{moment['state']}, mode {moment['mode']}, {since}"),
        ("Allowed", ", ".join(moment["allowed"]) or "nothing but to wait"),
        *([("Plan", moment["preparing"])] if moment["preparing"] else []),
        ("Cycle", f"p95 {_number(figures['p95_s'])} s, {times}"),
        ("Joints", f"{figures['good']} good, {figures['rejected']} rejected"),
        *(
            ("Alarm", f"{alarm['priority']} {alarm['source']}: {alarm['text']} {alarm['detail']}")
            for alarm in parts["alarms"]["alarms"]
        ),
        *((arm["id"], _arm(arm)) for arm in moment["arms"]),
    ]
    for name, text in rows:
        table.add_row(name, Text(text, overflow="fold"))
    show(table)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _arm(arm: dict[str, Any]) -> str:
    if arm["fault"]:
        return f"fault: {arm['fault']}"
    if arm["operation"]:
        return f"{arm['operation']} of {arm['serial']}, {arm['leg']}"
    return f"waits for {arm['waits_for']}" if arm["waits_for"] else str(arm["status"])
