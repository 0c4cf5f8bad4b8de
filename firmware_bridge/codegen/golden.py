"""Golden vectors: every message with small, large and random values, as bytes on the wire."""

from typing import Any

import numpy as np

from firmware_bridge.armlink.frame import Frame
from firmware_bridge.armlink.message_table import MessageTable
from firmware_bridge.armlink.messages import MESSAGES
from firmware_bridge.armlink.record_codec import Record, Wire, layout_of
from firmware_bridge.armlink.reports import REPORTS

_HEAD = """\
# Frames of every message: name, session, seq, values as JSON would write them; then the bytes on the wire.
# Made by `python -m firmware_bridge.codegen`; the C and the Python codec must both read and write exactly these.
"""


def golden_vectors(table: MessageTable) -> str:
    """Text of tests/golden/wire/messages.txt."""
    rng = np.random.default_rng(table.numbers["major"])
    lines = [_HEAD]
    for message in table.messages:
        for which in ("low", "high", "random"):
            session, seq = (int(number) for number in rng.integers(1, 1 << 16, 2))
            kind = (MESSAGES | REPORTS)[message.id]
            record = _example(kind, which, rng)
            encoded = Frame(type=kind.ID, session=session, seq=seq, payload=record.encode()).encode()
            lines += [f"# {message.name} {session} {seq} {_values(record)}", encoded.hex(), ""]
    return "\n".join(lines)


def _example(kind: type[Record], which: str, rng: np.random.Generator) -> Record:
    layout = layout_of(kind)
    values: dict[str, Any] = {field.name: _value(field, which, rng) for field in layout.fields}
    if layout.repeat is not None:
        drawn = int(rng.integers(1, layout.repeat_max, endpoint=True))
        count = {"low": 1, "high": layout.repeat_max}.get(which, drawn)
        values[layout.repeat_name] = tuple(_example(layout.repeat, which, rng) for _ in range(count))
    if layout.tail:
        values[layout.tail] = rng.bytes({"low": 0, "high": 224}.get(which, 17))
    return kind(**values)


def _value(field: Wire, which: str, rng: np.random.Generator) -> Any:
    if field.code == "bytes":
        return {"low": bytes(field.count), "high": b"\xff" * field.count}.get(which) or rng.bytes(field.count)
    low, high = field.low, field.high

    def number() -> int:
        if field.values is not None:
            allowed = sorted(int(value) for value in field.values)
            drawn = allowed[rng.integers(len(allowed))]
            return {"low": allowed[0], "high": allowed[-1]}.get(which, drawn)
        drawn = int(rng.integers(low, high, endpoint=True, dtype=np.uint64 if high >= 1 << 63 else np.int64))
        return {"low": low, "high": high}.get(which, drawn)

    numbers = tuple(number() for _ in range(field.items))
    return numbers if field.count else numbers[0]


def _values(record: Record) -> str:
    """Values in the order of the fields, as nested lists of numbers and hex strings."""
    layout = layout_of(type(record))

    def text(value: Any) -> str:
        if isinstance(value, bytes):
            return f'"{value.hex()}"'
        return f"[{', '.join(text(item) for item in value)}]" if isinstance(value, tuple) else str(int(value))

    pieces = [text(getattr(record, field.name)) for field in layout.fields]
    if layout.repeat is not None:
        pieces += [f"[{', '.join(_values(item) for item in getattr(record, layout.repeat_name))}]"]
    if layout.tail:
        pieces += [text(getattr(record, layout.tail))]
    return f"[{', '.join(pieces)}]"
