"""The OPC UA server on the command line, by itself or beside the panel that `jointcell serve` runs."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from controller.console import MISSED, UNREACHABLE, USAGE, complain, refuse
from controller.outputs import reserved_stdout

OpcUaPort = Annotated[int, typer.Option(min=1, max=65_535, help="Port of the OPC UA server.")]
_FROM_STDIN = "-"
_ENDING_S = 10.0
_MISSING = "OPC UA needs the extra: pip install 'jointcell[opcua]'"


def opcua(
    panel: Annotated[str, typer.Option(help="Address of the panel.")] = "http://127.0.0.1:8080",
    token_file: Annotated[
        str,
        typer.Option(
            metavar="FILE|-",
            help="File with a viewer's token of the panel, made on its page System; '-' is standard input.",
        ),
    ] = _FROM_STDIN,
    panel_ca: Annotated[
        Path | None,
        typer.Option(help="Certificate (PEM) by which the panel is known; the machine's own without."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: OpcUaPort = 4840,
    certificate: Annotated[
        Path | None, typer.Option(help="The server's certificate (PEM or DER); needed beyond loopback.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    trusted: Annotated[
        Path | None,
        typer.Option(help="Directory of certificates of the clients that are let in; any without."),
    ] = None,
    until_stdin_ends: Annotated[
        bool, typer.Option("--until-stdin-ends", hidden=True, help="Started by a program: end with it.")
    ] = False,
) -> None:
    """Show the cell behind a panel as an OPC UA server until Ctrl-C: process commands, never a safety function."""
    if find_spec("asyncua") is None:
        complain(_MISSING)
        raise typer.Exit(USAGE)
    for option, path in (("--certificate", certificate), ("--key", key), ("--panel-ca", panel_ca)):
        if path is not None and not path.is_file():
            refuse(option, str(path), "an existing file")
    if trusted is not None and not trusted.is_dir():
        refuse("--trusted", str(trusted), "an existing directory")
    with reserved_stdout():
        from controller.opcua.exposure import ExposureError, OpcUaSettings
        from controller.opcua.serving import serve_opcua
        from controller.panel_client import PanelClient, RefusedError, UnreachableError

        settings = OpcUaSettings(host=host, port=port, certificate=certificate, key=key, trusted=trusted)
        client = PanelClient(url=panel.rstrip("/"), token=_token(token_file), ca=panel_ca)
        try:
            serve_opcua(client, settings, complain, sys.stdin.fileno() if until_stdin_ends else None)
        except ExposureError as error:
            complain(str(error))
            raise typer.Exit(USAGE) from None
        except RefusedError as error:
            complain(f"{client.url}: {error}")
            raise typer.Exit(MISSED) from None
        except UnreachableError as error:
            complain(str(error))
            raise typer.Exit(UNREACHABLE) from None
        except OSError as error:
            complain(f"{settings.endpoint}: cannot be listened on: {error.strerror or error}")
            raise typer.Exit(USAGE) from None


@contextmanager
def opcua_beside(
    wanted: bool, panel_url: str, panel_ca: Path | None, token: str, port: int
) -> Iterator[None]:
    """Run the server in a process of its own while the context lasts; what becomes of it is nothing to the panel.

    Args:
        wanted: Whether to run it at all.
        panel_url: Where the panel is.
        panel_ca: Its certificate; None over plain HTTP.
        token: A viewer's token; passed through a pipe, so that it is in no file and no list of processes.
        port: Port of the server, on loopback.
    """
    if not wanted:
        yield
        return
    command = [sys.executable, "-m", "controller.cli", "opcua", "--panel", panel_url, "--port", str(port)]
    command += ["--until-stdin-ends", *(["--panel-ca", str(panel_ca)] if panel_ca else [])]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    try:
        with suppress(OSError):  # it has ended already, and has said why
            process.stdin.write(f"{token}\n")
            process.stdin.flush()
        yield
    finally:
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def need_opcua(wanted: bool) -> None:
    """Refuse what needs the extra where it is not installed, before anything is started."""
    if wanted and find_spec("asyncua") is None:
        complain(_MISSING)
        raise typer.Exit(USAGE)


def _token(source: str) -> str:
    if source == _FROM_STDIN and sys.stdin.isatty():
        return str(typer.prompt("Token", hide_input=True, err=True)).strip()
    if source == _FROM_STDIN:
        return sys.stdin.readline().strip()
    try:
        return Path(source).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        refuse("--token-file", source, "a file with a token, made on the page System")
