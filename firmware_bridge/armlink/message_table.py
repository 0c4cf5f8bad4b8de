"""The message table: what `messages.toml` declares, checked, for the generators.

The table's hash covers what both ends must agree on (names, numbers, types, bounds) and nothing else: the
handshake compares it, so that two builds with different tables never talk past each other.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).with_name("messages.toml")
SIZES = {"u8": 1, "u16": 2, "u32": 4, "u64": 8, "i8": 1, "i16": 2, "i32": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A named number."""

    name: str
    value: int
    doc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Enumeration:
    """Named numbers; of ``flags`` each is a bit."""

    name: str
    type: str
    doc: str
    values: tuple[Value, ...]
    flags: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldEntry:
    """A field: a number, an array of ``count`` numbers, or ``count`` bytes."""

    name: str
    type: str
    doc: str
    unit: str = ""
    count: int = 0
    min: int | None = None
    max: int | None = None
    enum: str = ""
    flags: str = ""

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return self.count if self.type == "bytes" else SIZES[self.type] * max(1, self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Fields that belong together."""

    name: str
    doc: str
    fields: tuple[FieldEntry, ...]

    @property
    def size(self) -> int:
        """Bytes on the wire."""
        return sum(field.size for field in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEntry(Group):
    """A message; see the head of the table for ``repeat`` and ``tail``."""

    id: int
    to: str
    delivery: str
    repeat: str = ""
    repeat_max: int = 0
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTable:
    """Everything `messages.toml` says.

    Attributes:
        name: Name of the protocol.
        numbers: Version, sizes and capacities.
        enums: Enumerations and flags by name.
        groups: Groups by name.
        messages: Messages in the order of the table.
        hash: First four bytes of the SHA-256 of all that both ends must agree on.
    """

    name: str
    numbers: dict[str, int]
    enums: dict[str, Enumeration]
    groups: dict[str, Group]
    messages: tuple[MessageEntry, ...]
    hash: int

    def largest(self, message: MessageEntry) -> int:
        """Longest payload [bytes]."""
        if message.tail:
            return self.numbers["max_payload"]
        group = self.groups[message.repeat].size if message.repeat else 0
        return message.size + group * message.repeat_max


def load_table(path: Path = PATH) -> MessageTable:
    """Read and check the table.

    Raises:
        ValueError: Naming the message, when the table contradicts itself.
    """
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    enums = {
        name: Enumeration(name=name, **(entry | {"values": tuple(Value(**v) for v in entry["values"])}))
        for name, entry in raw["enum"].items()
    }
    groups = {
        name: Group(name=name, doc=entry["doc"], fields=_fields(entry))
        for name, entry in raw["group"].items()
    }
    messages = tuple(
        MessageEntry(**(entry | {"fields": _fields(entry), "delivery": entry.pop("class")}))
        for entry in raw["message"]
    )
    numbers = {key: value for key, value in raw["protocol"].items() if key != "name"}
    table = MessageTable(
        name=raw["protocol"]["name"],
        numbers=numbers,
        enums=enums,
        groups=groups,
        messages=messages,
        hash=_hash(tomllib.loads(path.read_text(encoding="utf-8"))),
    )
    _check(table)
    return table


def _fields(entry: dict[str, Any]) -> tuple[FieldEntry, ...]:
    return tuple(FieldEntry(**field) for field in entry["fields"])


def _hash(raw: Any) -> int:
    def agreed(entry: Any) -> Any:
        if isinstance(entry, dict):
            return {key: agreed(value) for key, value in entry.items() if key not in ("doc", "unit")}
        return [agreed(value) for value in entry] if isinstance(entry, list) else entry

    text = json.dumps(agreed(raw), sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def _check(table: MessageTable) -> None:
    for kind in ("id", "name"):
        seen = [getattr(message, kind) for message in table.messages]
        if doubled := {value for value in seen if seen.count(value) > 1}:
            raise ValueError(f"messages.toml: {kind} used twice: {sorted(doubled)}")
    classes = {value.name for value in table.enums["Class"].values}
    for message in table.messages:
        if message.delivery not in classes or message.to not in ("device", "host"):
            raise ValueError(f"messages.toml: {message.name}: class {message.delivery}, to {message.to}")
        if (size := table.largest(message)) > (allowed := table.numbers["max_payload"]):
            raise ValueError(f"messages.toml: {message.name}: {size} bytes (allowed: at most {allowed})")
        for field in message.fields:
            for name in (field.enum, field.flags):
                if name and table.enums[name].type != field.type:
                    raise ValueError(f"messages.toml: {message.name}.{field.name}: {name} is no {field.type}")
