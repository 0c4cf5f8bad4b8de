"""Faults, refusals and results of the protocol as the message table words them."""

from enum import IntEnum
from functools import cache

from firmware_bridge.armlink.message_table import load_table
from firmware_bridge.armlink.reports import Status


def worded(code: IntEnum) -> str:
    """A code in words."""
    return _words()[type(code).__name__, code.value]


def fault_words(status: Status) -> str:
    """The latched fault of a status."""
    joint = f" (joint {status.fault_joint + 1})" if status.fault_joint < len(status.pos) else ""
    return f"fault {status.fault.value:04X}{joint}: {worded(status.fault)}"


@cache
def _words() -> dict[tuple[str, int], str]:
    return {
        (entry.name, value.value): value.doc
        for entry in load_table().enums.values()
        for value in entry.values
    }
