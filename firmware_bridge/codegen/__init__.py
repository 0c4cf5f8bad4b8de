"""What is made from the message table: `python -m firmware_bridge.codegen` in a checkout writes it anew."""

from pathlib import Path

from firmware_bridge.armlink.message_table import load_table
from firmware_bridge.codegen.c_header import c_header, codec_check
from firmware_bridge.codegen.golden import golden_vectors
from firmware_bridge.codegen.page import protocol_page
from firmware_bridge.codegen.python_codec import codes_module, messages_module, reports_module

__all__ = ("ROOT", "generated")

ROOT = Path(__file__).parents[2]
"""The checkout."""


def generated() -> dict[Path, str]:
    """Text of every generated file, by its path.

    Golden vectors are encoded by the Python codec as it stands: after a change of the table, generate twice.
    """
    table = load_table()
    return {
        ROOT / "firmware_bridge" / "armlink" / "codes.py": codes_module(table),
        ROOT / "firmware_bridge" / "armlink" / "messages.py": messages_module(table),
        ROOT / "firmware_bridge" / "armlink" / "reports.py": reports_module(table),
        ROOT / "firmware_bridge" / "firmware" / "messages.h": c_header(table),
        ROOT / "firmware_bridge" / "firmware" / "boards" / "codec_check.c": codec_check(table),
        ROOT / "docs" / "serial-protocol.md": protocol_page(table),
        ROOT / "tests" / "golden" / "wire" / "messages.txt": golden_vectors(table),
    }
