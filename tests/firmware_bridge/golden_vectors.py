"""Reads tests/golden/wire/messages.txt: the frames that both codecs must read and write."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATH = Path(__file__).parents[1] / "golden" / "wire" / "messages.txt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """A frame: name of its message, header, values in the order of the fields, bytes on the wire."""

    name: str
    session: int
    seq: int
    values: list[Any]
    wire: bytes


def vectors() -> list[Vector]:
    lines = [line for line in PATH.read_text(encoding="utf-8").splitlines() if line][2:]
    found = []
    for comment, encoded in zip(lines[::2], lines[1::2], strict=True):
        _, name, session, seq, values = comment.split(" ", 4)
        found.append(
            Vector(
                name=name,
                session=int(session),
                seq=int(seq),
                values=json.loads(values),
                wire=bytes.fromhex(encoded),
            )
        )
    return found
