"""Records of fixed layout as bytes, little-endian: what the generated messages are made of.

A `Record` is a frozen dataclass of raw wire numbers; units stand beside its fields. Both directions check
every value against its type and its declared range: nothing is clipped.
"""

import dataclasses
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from firmware_bridge.armlink.codes import Class

_T = TypeVar("_T")
_Reader = Callable[[Any], Any]

_CODES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i8": "b", "i16": "h", "i32": "i"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How a field is written.

    Attributes:
        name: Attribute of the record.
        code: ``u8`` to ``u64``, ``i8`` to ``i32``, or ``bytes``.
        count: Values in the array, or bytes; 0 is a single number.
        low: Smallest value that is accepted.
        high: Largest value that is accepted.
        values: Enumeration or flags of the value.
    """

    name: str
    code: str
    count: int
    low: int
    high: int
    values: type[IntEnum] | type[IntFlag] | None

    @property
    def format(self) -> str:
        """For `struct`."""
        return f"{self.count}s" if self.code == "bytes" else f"{self.count or ''}{_CODES[self.code]}"

    @property
    def items(self) -> int:
        """Values that `struct` makes of it."""
        return self.count if self.count and self.code != "bytes" else 1

    @property
    def bounded(self) -> bool:
        """Whether its type alone does not bound it."""
        return self.code != "bytes" and (
            self.values is not None or (self.low, self.high) != _range(self.code)
        )


def _range(code: str) -> tuple[int, int]:
    """Smallest and largest number of a type; of a byte for ``bytes``."""
    bits = 8 * struct.calcsize(f"<{_CODES.get(code, 'B')}")
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if code[0] == "i" else (0, (1 << bits) - 1)


def wire(
    code: str,
    count: int = 0,
    low: int | None = None,
    high: int | None = None,
    values: type[IntEnum] | type[IntFlag] | None = None,
) -> Any:
    """Declare a field of a record; see `Wire`."""
    lowest, highest = _range(code)
    settings = {"code": code, "count": count, "values": values}
    settings |= {"low": lowest if low is None else low, "high": highest if high is None else high}
    return dataclasses.field(metadata={"wire": settings})


def repeat(kind: "type[Record]", most: int) -> Any:
    """Declare 1 to ``most`` copies of a group, up to the end of the record."""
    return dataclasses.field(metadata={"repeat": (kind, most)})


def tail() -> Any:
    """Declare bytes up to the end of the record."""
    return dataclasses.field(metadata={"tail": True})


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(wire, repeat, tail))
def record(kind: type[_T]) -> type[_T]:
    """Make a record of a class whose fields are declared with `wire`, `repeat` and `tail`."""
    return dataclass(frozen=True, slots=True, kw_only=True)(kind)


class Layout:
    """The fields of a record, and what may follow them."""

    def __init__(self, kind: "type[Record]") -> None:
        self.fields: list[Wire] = []
        self.repeat: type[Record] | None = None
        self.repeat_name, self.repeat_max, self.tail = "", 0, ""
        for field in dataclasses.fields(kind):  # type: ignore[arg-type]
            if settings := field.metadata.get("wire"):
                self.fields.append(Wire(name=field.name, **settings))
            elif repeated := field.metadata.get("repeat"):
                self.repeat_name, (self.repeat, self.repeat_max) = field.name, repeated
            else:
                self.tail = field.name
        self.struct = struct.Struct("<" + "".join(field.format for field in self.fields))
        # Of each field its place among the numbers, and what reads them; None when they are the value.
        self.places: list[tuple[str, int | slice, _Reader | None]] = []
        at = 0
        for entry in self.fields:
            array = entry.count and entry.code != "bytes"
            place = slice(at, at + entry.count) if array else at
            self.places.append((entry.name, place, _reader(kind, entry) if entry.bounded else None))
            at += entry.items


_LAYOUTS: "dict[type[Record], Layout]" = {}


def layout_of(kind: "type[Record]") -> Layout:
    """The layout of a class of records."""
    if (layout := _LAYOUTS.get(kind)) is None:
        layout = _LAYOUTS[kind] = Layout(kind)
    return layout


class Record:
    """A dataclass with a layout."""

    __slots__ = ()

    def encode(self) -> bytes:
        """The bytes on the wire.

        Raises:
            ValueError: When a value is out of its range.
        """
        layout, numbers = layout_of(type(self)), []
        for field in layout.fields:
            value = getattr(self, field.name)
            numbers += _checked(type(self), field, value)
        encoded = layout.struct.pack(*numbers)
        if layout.repeat is not None:
            group = getattr(self, layout.repeat_name)
            if not 1 <= len(group) <= layout.repeat_max:
                raise ValueError(
                    f"{type(self).__name__}.{layout.repeat_name}: {len(group)} (allowed: 1 to {layout.repeat_max})"
                )
            encoded += b"".join(record.encode() for record in group)
        if layout.tail:
            encoded += getattr(self, layout.tail)
        return encoded

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Read the bytes of a record.

        Raises:
            ValueError: When there are too few or too many bytes, or a value is out of its range.
        """
        layout = layout_of(cls)
        size = layout.struct.size
        rest = payload[size:]
        if len(payload) < size or (rest and layout.repeat is None and not layout.tail):
            raise ValueError(f"{cls.__name__}: {len(payload)} bytes (expected: {size})")
        numbers = layout.struct.unpack_from(payload)
        found: dict[str, Any] = {}
        for name, place, reader in layout.places:
            value = numbers[place]
            found[name] = value if reader is None else reader(value)
        if layout.repeat is not None:
            step = layout_of(layout.repeat).struct.size
            if len(rest) % step or not 1 <= len(rest) // step <= layout.repeat_max:
                raise ValueError(
                    f"{cls.__name__}: {len(rest)} bytes of {layout.repeat_name} (expected: 1 to "
                    f"{layout.repeat_max} times {step})"
                )
            pieces = (rest[k : k + step] for k in range(0, len(rest), step))
            found[layout.repeat_name] = tuple(layout.repeat.decode(piece) for piece in pieces)
        if layout.tail:
            found[layout.tail] = rest
        return cls(**found)


class Message(Record):
    """A record that is the payload of a frame."""

    __slots__ = ()
    ID: ClassVar[int]
    CLASS: ClassVar[Class]


def _checked(owner: type[Record], field: Wire, value: Any) -> list[Any]:
    """The numbers of a field for `struct`."""
    if field.code == "bytes":
        if len(value) != field.count:
            raise ValueError(f"{owner.__name__}.{field.name}: {len(value)} bytes (expected: {field.count})")
        return [value]
    values = list(value) if field.count else [value]
    if len(values) != field.items:
        raise ValueError(f"{owner.__name__}.{field.name}: {len(values)} values (expected: {field.items})")
    if min(values) < field.low or max(values) > field.high:
        number = next(number for number in values if not field.low <= number <= field.high)
        raise ValueError(f"{owner.__name__}.{field.name} = {number} (allowed: {field.low} to {field.high})")
    return values


def _reader(owner: type[Record], field: Wire) -> _Reader:
    """What reads a field that is bounded by more than its type."""
    kind, known = field.values, dict[int, Any]()

    def one(number: int) -> Any:
        if (value := known.get(number)) is None:
            _checked(owner, field, [number] * field.count if field.count else number)
            try:
                value = number if kind is None else kind(number)
            except ValueError as error:
                raise ValueError(f"{owner.__name__}.{field.name}: {error}") from None
            if kind is not None:
                known[number] = value  # few, and enumerations are slow to look up
        return value

    return (lambda numbers: tuple(map(one, numbers))) if field.count else one
