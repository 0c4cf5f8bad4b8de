"""The firmware without hardware: in this process with virtual time, and as a process on a pseudo-terminal."""

from firmware_bridge.emulator.build import MissingToolError
from firmware_bridge.emulator.configuration import configuration, position_units
from firmware_bridge.emulator.plant import Plant
from firmware_bridge.emulator.process import FirmwareProcess
from firmware_bridge.emulator.virtual_firmware import TRACE, VirtualFirmware

__all__ = (
    "TRACE",
    "FirmwareProcess",
    "MissingToolError",
    "Plant",
    "VirtualFirmware",
    "configuration",
    "position_units",
)
