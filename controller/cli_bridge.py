"""The serial side on the command line: `jointcell bridge`."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from controller.console import FAULT, MISSED, UNREACHABLE, complain, fault, progress, refuse, show
from controller.outputs import check_writable, say

bridge = typer.Typer(
    help="Serial lines to arms: who is there, how is the line, what went over it.", no_args_is_help=True
)

_BAUD = 921_600
PortArgument = Annotated[str, typer.Argument(metavar="PORT", help="A serial port, such as /dev/ttyUSB0.")]
BaudOption = Annotated[int, typer.Option(min=9_600, max=4_000_000, help="Bits per second.")]
CONFIRMATION = "move"


def confirm_motion(cell: str) -> None:
    """Let someone who stands at a terminal say that real arms may move."""
    if not sys.stdin.isatty():
        refuse(
            "--driver", "serial", "real arms move only when someone confirms it in a terminal, or --emulate"
        )
    say(
        f"The real arms of {cell} will move. This program is no safety device: the emergency stop must be wired,\n"
        "and nobody may be within reach. What the arms carry is not driven: processes take their planned time.\n"
    )
    if typer.prompt(f"Type '{CONFIRMATION}' to go on", default="", show_default=False) != CONFIRMATION:
        raise typer.Abort


@bridge.command("list")
def list_ports() -> None:
    """List the serial ports of this machine."""
    from controller.bridge_tables import ports_table

    table = ports_table()
    if not table.row_count:
        complain("No serial ports. With nothing to plug in, `jointcell bridge emulate` makes some.")
        raise typer.Exit(UNREACHABLE)
    show(table)


@bridge.command()
def identify(
    ports: Annotated[list[str], typer.Argument(metavar="PORT...")], baud: BaudOption = _BAUD
) -> None:
    """Ask who is at the other end; nothing moves and no session is disturbed."""
    from controller.bridge_tables import identity_table
    from firmware_bridge.armlink.looking import Look
    from firmware_bridge.armlink.nonblocking_port import NonblockingPort
    from firmware_bridge.port import LinkError

    found = {}
    for port in ports:
        try:
            opened = NonblockingPort(port, baud)
            try:
                found[port] = Look(opened).identify()
            finally:
                opened.close()
        except LinkError as error:
            complain(str(error))
            found[port] = None
    show(identity_table(found))
    if None in found.values():
        raise typer.Exit(UNREACHABLE)


@bridge.command()
def monitor(
    port: PortArgument,
    baud: BaudOption = _BAUD,
    seconds: Annotated[float, typer.Option(min=0.0, help="How long; 0 until Ctrl-C.")] = 0.0,
) -> None:
    """Watch an arm and its line from outside of any session."""
    from controller.bridge_tables import status_line
    from firmware_bridge.armlink.looking import Look
    from firmware_bridge.armlink.nonblocking_port import NonblockingPort
    from firmware_bridge.port import LinkError

    try:
        opened = NonblockingPort(port, baud)
    except LinkError as error:
        complain(str(error))
        raise typer.Exit(UNREACHABLE) from None
    try:
        look, end = Look(opened), time.monotonic() + (seconds or float("inf"))
        with progress() as bars:
            while time.monotonic() < end:
                bars.step(port, 0, 1)
                status, telemetry = look.status(), look.telemetry()
                say(status_line(status, telemetry, look.inbox) + "\n")
                if status is None:
                    raise typer.Exit(UNREACHABLE)
                time.sleep(0.5)
    except LinkError:
        fault(f"{port} is gone")
    finally:
        opened.close()


@bridge.command()
def capture(
    port: PortArgument,
    out: Annotated[Path, typer.Option(help="New file for the capture.")],
    baud: BaudOption = _BAUD,
    seconds: Annotated[float, typer.Option(min=0.1, help="How long.")] = 10.0,
) -> None:
    """Write down what an arm sends, as text with times."""
    from firmware_bridge.armlink.capture import Capture
    from firmware_bridge.armlink.nonblocking_port import NonblockingPort
    from firmware_bridge.port import LinkError

    check_writable(out, "--out")
    try:
        opened = NonblockingPort(port, baud)
    except LinkError as error:
        complain(str(error))
        raise typer.Exit(UNREACHABLE) from None
    pieces, written, end = 0, Capture.create(out), time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            data = opened.read()
            pieces += bool(data)
            written.note(time.monotonic_ns(), "<", data)
            time.sleep(0.002)
    except LinkError:
        complain(f"{port} is gone")
        raise typer.Exit(FAULT) from None
    finally:
        written.close()
        opened.close()
    say(f"{pieces} pieces: {out}\n")


@bridge.command()
def replay(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, metavar="CAPTURE")],
) -> None:
    """Show the messages of a capture in words."""
    from firmware_bridge.armlink.capture import read_capture
    from firmware_bridge.armlink.decoding import Decoder

    decoder = Decoder()
    try:
        for time_ns, direction, data in read_capture(file):
            for line in decoder.feed(direction, data):
                say(f"{time_ns / 1e9:14.6f} {direction} {line}\n")
    except ValueError as error:
        complain(str(error))
        raise typer.Exit(MISSED) from None
    say(f"{decoder.good} frames, {decoder.bad} damaged\n")
    if decoder.bad:
        raise typer.Exit(MISSED)


@bridge.command()
def emulate(
    cell: Annotated[str, typer.Option(help="A bundled cell or the path of a cell file.")] = "six_arm",
    seconds: Annotated[float, typer.Option(min=0.0, help="How long; 0 until Ctrl-C.")] = 0.0,
    baud: BaudOption = _BAUD,
    flip: Annotated[float, typer.Option(min=0.0, max=0.1, help="Probability of a wrong bit per byte.")] = 0.0,
    drop: Annotated[float, typer.Option(min=0.0, max=0.1, help="Probability of losing a byte.")] = 0.0,
) -> None:
    """Start emulated arms with the reference firmware, on ports like those of real ones."""
    import numpy as np

    from cells.cell import load_cell
    from firmware_bridge.armlink.link_settings import LinkSettings
    from firmware_bridge.emulator.emulated_cell import EmulatedCell
    from firmware_bridge.emulator.line_model import LineFaults

    loaded = load_cell(cell)
    start = {arm.id: np.zeros(6) for arm in loaded.arms}
    faults = LineFaults(flip=flip, drop=drop)
    with EmulatedCell(loaded, start, LinkSettings(baud=baud), faults) as arms, progress() as bars:
        for arm in loaded.arms:
            say(f"{arm.id}: {arms.port(arm.id)}\n")
        end = time.monotonic() + (seconds or float("inf"))
        while time.monotonic() < end:
            bars.step("emulating", 0, 1)  # where Ctrl-C is noticed
            time.sleep(0.1)
