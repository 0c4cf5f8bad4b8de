"""The Python side: enumerations and message classes as source text, formatted as `ruff format` would."""

from firmware_bridge.armlink.message_table import FieldEntry, Group, MessageEntry, MessageTable

_GENERATED = "Made from messages.toml by `python -m firmware_bridge.codegen`; do not edit."


def class_name(name: str) -> str:
    """``HELLO_ACK`` as ``HelloAck``."""
    return "".join(word.capitalize() for word in name.split("_"))


def repeat_name(group: str) -> str:
    """Attribute that holds the copies of a group: ``CubicKnot`` as ``knots``."""
    return ("knot" if group.endswith("Knot") else group.lower()) + "s"


def codes_module(table: MessageTable) -> str:
    """Text of codes.py: the protocol's numbers and enumerations."""
    lines = [
        '"""Numbers and enumerations of the protocol between host and arm.',
        "",
        _GENERATED,
        '"""',
        "",
        "from enum import IntEnum, IntFlag",
        "",
        f"TABLE_HASH = 0x{table.hash:08X}",
    ]
    lines += [f"{name.upper()} = {value}" for name, value in table.numbers.items()]
    for enum in table.enums.values():
        base, width = ("IntFlag" if enum.flags else "IntEnum"), (4 if enum.type == "u16" else 0)
        lines += ["", "", f"class {enum.name}({base}):", f'    """{enum.doc}"""', ""]
        for value in enum.values:
            number = f"0x{value.value:0{width}X}" if width and value.value > 9 else str(value.value)
            lines += [f"    {value.name} = {number}  # {value.doc}"]
    return "\n".join(lines) + "\n"


def messages_module(table: MessageTable) -> str:
    """Text of messages.py: the groups, and the messages to the device."""
    messages = [message for message in table.messages if message.to == "device"]
    title = "Messages from the host to the arm, as raw numbers; units in brackets."
    return _module(title, "MESSAGES", list(table.groups.values()), messages)


def reports_module(table: MessageTable) -> str:
    """Text of reports.py: the messages to the host."""
    messages = [message for message in table.messages if message.to == "host"]
    return _module(
        "Messages from the arm to the host, as raw numbers; units in brackets.", "REPORTS", [], messages
    )


def _module(title: str, registry: str, groups: list[Group], messages: list[MessageEntry]) -> str:
    entries = [*groups, *messages]
    codes = {field.enum or field.flags for entry in entries for field in entry.fields} - {""} | {"Class"}
    codec = {"Message", "record", "wire"} | ({"Record"} if groups else set())
    codec |= {"repeat"} if any(message.repeat for message in messages) else set()
    codec |= {"tail"} if any(message.tail for message in messages) else set()
    lines = [f'"""{title}', "", _GENERATED, '"""', "", "from typing import ClassVar", ""]
    lines += [f"from firmware_bridge.armlink.codes import {', '.join(sorted(codes))}"]
    lines += [f"from firmware_bridge.armlink.record_codec import {', '.join(sorted(codec))}"]
    for entry in entries:
        lines += ["", "", *_class_of(entry)]
    lines += ["", "", f"{registry}: dict[int, type[Message]] = {{"]
    lines += [f"    0x{message.id:02X}: {class_name(message.name)}," for message in messages]
    lines += ["}", '"""Classes by id."""']
    return "\n".join(lines) + "\n"


def _class_of(entry: Group) -> list[str]:
    message = entry if isinstance(entry, MessageEntry) else None
    name = class_name(entry.name) if message else entry.name
    lines = ["@record", f"class {name}({'Message' if message else 'Record'}):", f'    """{entry.doc}"""', ""]
    if message:
        lines += [f"    ID: ClassVar[int] = 0x{message.id:02X}"]
        lines += [f"    CLASS: ClassVar[Class] = Class.{message.delivery}"]
    lines += [_attribute(field) for field in entry.fields]
    if message and message.repeat:
        group = f"{message.repeat}, {message.repeat_max}"
        lines += [f"    {repeat_name(message.repeat)}: tuple[{message.repeat}, ...] = repeat({group})"]
    if message and message.tail:
        lines += [f"    {message.tail}: bytes = tail()"]
    return lines


def _attribute(field: FieldEntry) -> str:
    values = field.enum or field.flags
    kind = "bytes" if field.type == "bytes" else values or "int"
    if field.count and field.type != "bytes":
        kind = f"tuple[{kind}, ...]"
    arguments = [f'"{field.type}"', *([str(field.count)] if field.count else [])]
    arguments += [f"low={field.min}"] if field.min is not None else []
    arguments += [f"high={field.max}"] if field.max is not None else []
    arguments += [f"values={values}"] if values else []
    unit = f" [{field.unit}]" if field.unit else ""
    return f"    {field.name}: {kind} = wire({', '.join(arguments)})  # {field.doc}{unit}"
