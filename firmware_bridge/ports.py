"""The serial ports of this machine."""

from dataclasses import dataclass

from serial.tools import list_ports


@dataclass(frozen=True, slots=True, kw_only=True)
class PortEntry:
    """A port as the operating system lists it."""

    path: str
    description: str
    serial_number: str


def ports() -> tuple[PortEntry, ...]:
    """All ports, sorted by path."""
    return tuple(
        PortEntry(path=port.device, description=port.description, serial_number=port.serial_number or "")
        for port in sorted(list_ports.comports(), key=lambda port: port.device)
    )
