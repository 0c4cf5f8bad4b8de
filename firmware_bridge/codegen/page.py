"""The protocol page, docs/serial-protocol.md."""

from firmware_bridge.armlink.message_table import FieldEntry, Group, MessageEntry, MessageTable

_HEAD = """\
# ARMLINK {major}.{minor}: the protocol between host and arm

Made from `firmware_bridge/armlink/messages.toml` by `python -m firmware_bridge.codegen`; do not edit. Hash of this table:
`0x{hash:08X}`.

A frame is `COBS(type u8, flags u8, session u16, seq u16, payload of at most {max_payload} bytes, crc u32) 00`:
little-endian, 8N1, the CRC a CRC-32C over everything before it. The upper four bits of `flags` are the major version.
A zero byte ends a frame and occurs nowhere inside.

* The host opens a session with HELLO. Frames of any other session are never executed.
* **Reliable** messages carry consecutive numbers from 0, at most {window} in flight. The device executes them in order and
  once, keeps those that come early, and acknowledges with its next expected number, a bitmap of what lies beyond it and
  the results of the last eight.
* **Express** messages are acted on as they arrive, their number is ignored; all of them may be repeated.
* Motion is a sequence of trajectories. A trajectory begins and ends at rest; its knots are relative to its start; all of
  one trajectory are cubic or all quintic. The device takes knots it can prove to be within its limits, from which it can
  stop in time, and rejects all others: nothing is clipped. The proof uses the Bezier control points of position,
  velocity, acceleration and jerk, which enclose the curves.
* When less motion is buffered than the arm needs to stop in, it stops on its path by itself (STARVED).

Payloads below are in bytes; a frame has {overhead} more on the wire.
"""


def protocol_page(table: MessageTable) -> str:
    """Text of the page."""
    text = [_HEAD.format(**table.numbers, hash=table.hash, overhead=12)]
    for to, title in (("device", "To the device"), ("host", "To the host")):
        text += [f"## {title}", ""]
        for message in table.messages:
            if message.to == to:
                text += _message(message, table)
    text += ["## Groups", ""]
    for group in table.groups.values():
        text += [f"### {group.name} ({group.size})", "", group.doc, "", *_fields(group)]
    text += ["## Enumerations", ""]
    for enum in table.enums.values():
        text += [
            f"### {enum.name} ({enum.type})",
            "",
            enum.doc,
            "",
            "| value | name | meaning |",
            "|---|---|---|",
        ]
        text += [f"| {v.value:#x} | {v.name} | {v.doc} |" for v in enum.values]
        text += [""]
    return "\n".join(text)


def _message(message: MessageEntry, table: MessageTable) -> list[str]:
    smallest = message.size + (table.groups[message.repeat].size if message.repeat else 0)
    largest = table.largest(message)
    size = str(smallest) if smallest == largest else f"{smallest} to {largest}"
    kind = message.delivery.lower()
    lines = [f"### {message.id:02X} {message.name} ({kind}, {size})", "", message.doc, "", *_fields(message)]
    if message.repeat:
        lines += [f"Then 1 to {message.repeat_max} of {message.repeat}.", ""]
    if message.tail:
        lines += [f"Then `{message.tail}` to the end.", ""]
    return lines


def _fields(group: Group) -> list[str]:
    rows = [
        f"| {field.name} | {_type(field)} | {field.unit} | {_allowed(field)} | {field.doc} |"
        for field in group.fields
    ]
    return ["| field | type | unit | allowed | meaning |", "|---|---|---|---|---|", *rows, ""]


def _type(field: FieldEntry) -> str:
    return f"{field.type}[{field.count}]" if field.count else field.type


def _allowed(field: FieldEntry) -> str:
    if field.enum or field.flags:
        return field.enum or field.flags
    bounds = ((">=", field.min), ("<=", field.max))
    return ", ".join(f"{sign} {bound}" for sign, bound in bounds if bound is not None)
