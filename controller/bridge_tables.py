"""What `jointcell bridge` shows."""

from collections.abc import Mapping

from rich.table import Table

from firmware_bridge.armlink.codes import TABLE_HASH
from firmware_bridge.armlink.looking import Found
from firmware_bridge.armlink.mailboxes import Inbox
from firmware_bridge.armlink.reports import Status, Telem
from firmware_bridge.armlink.words import fault_words, worded
from firmware_bridge.ports import ports


def ports_table() -> Table:
    """Serial ports of this machine."""
    table = Table("port", "what it is", "serial number")
    for port in ports():
        table.add_row(port.path, port.description, port.serial_number)
    return table


def identity_table(found: Mapping[str, Found | None]) -> Table:
    """Who answered on which port."""
    table = Table("port", "unit (uid)", "model and serial number", "configuration", "firmware", "last start")
    for port, arm in found.items():
        if arm is None:
            table.add_row(port, "no answer", "", "", "", "")
            continue
        hello = arm.hello
        same = "" if hello.table_hash == TABLE_HASH else ", another message table"
        table.add_row(
            port,
            hello.uid.hex(),
            arm.model or "not told",
            f"{hello.config_crc:08X}",
            f"{hello.fw_rev}{same}",
            worded(hello.reset_cause),
        )
    return table


def status_line(status: Status | None, telemetry: Telem | None, inbox: Inbox) -> str:
    """State of an arm and of its line in one line."""
    if status is None:
        damaged = f"; {inbox.bad} damaged frames" if inbox.bad else ""
        return f"no answer{damaged}"
    joints = " ".join(f"{value * 1e-7:8.4f}" for value in status.pos)
    what = fault_words(status) if status.fault else f"{worded(status.drive)}; {worded(status.motion)}"
    line = f"{joints} rad  {status.buffered_ms} ms buffered  {what}"
    if telemetry is not None:
        bad = telemetry.crc_errors + telemetry.framing_errors
        line += f"  {telemetry.frames} frames, {bad} damaged, {telemetry.starved} times starved"
    return line
