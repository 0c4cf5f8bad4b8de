"""Faults, refusals and results of the protocol as the message table words them."""

from enum import IntEnum
from functools import cache

from firmware_bridge.message_table import load_table


def worded(code: IntEnum) -> str:
    """A code in words."""
    return _words()[type(code).__name__, code.value]


@cache
def _words() -> dict[tuple[str, int], str]:
    return {
        (entry.name, value.value): value.doc
        for entry in load_table().enums.values()
        for value in entry.values
    }
