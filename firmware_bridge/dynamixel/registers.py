"""The control table of Dynamixel X-series servos, as far as it is used here.

Source: ROBOTIS e-Manual, XM540-W270 and XM430-W350, control tables of the EEPROM and RAM areas
(emanual.robotis.com/docs/en/dxl/x/xm540-w270). Both tables agree in everything listed here.
"""

from dataclasses import dataclass

EEPROM_END = 64
"""Registers below can only be written while torque is off."""

STEPS_PER_TURN = 4096
VELOCITY_UNIT_RPM = 0.229
VOLTAGE_UNIT_V = 0.1
WATCHDOG_UNIT_S = 0.020
WATCHDOG_TRIPPED = 0xFF
"""Bus Watchdog reads -1 when it has tripped; goals are read-only then until 0 is written."""
POSITION_CONTROL = 3
REVERSED = 0x01
"""Bit of the drive mode: the servo counts backwards."""
TIME_BASED = 0x04
"""Bit of the drive mode: profiles are given by their duration [ms] (firmware 42 and above)."""
TIME_BASED_SINCE = 42
NO_SECONDARY_ID = 253
"""Secondary ids from here on mean none."""

CURRENT_UNIT_A = {1020: 0.00269, 1030: 0.00269, 1120: 0.00269, 1130: 0.00269}
"""By model number: XM430-W350, XM430-W210, XM540-W270, XM540-W150."""

HARDWARE_ERRORS = {
    0x01: "input voltage",
    0x04: "overheating",
    0x08: "motor encoder",
    0x10: "electrical shock",
    0x20: "overload",
}
"""Bits of Hardware Error Status."""

ALERT = 0x80
"""Bit of a status packet's error: there is a hardware error."""
STATUS_ERRORS = {
    1: "result fail",
    2: "instruction error",
    3: "CRC error",
    4: "data range error",
    5: "data length error",
    6: "data limit error",
    7: "access error",
}
"""Numbers in the other bits of a status packet's error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A register: where it begins, how many bytes it has, and whether it is signed or can be written."""

    address: int
    size: int
    signed: bool = False
    writable: bool = True
    initial: int = 0

    def encode(self, value: int) -> bytes:
        """The value in little-endian bytes.

        Raises:
            ValueError: When the register cannot hold it.
        """
        try:
            return value.to_bytes(self.size, "little", signed=self.signed)
        except OverflowError:
            raise ValueError(f"register {self.address}: {value} does not fit {self.size} bytes") from None

    def decode(self, data: bytes) -> int:
        """The value in these bytes."""
        return int.from_bytes(data, "little", signed=self.signed)


MODEL_NUMBER = Register(address=0, size=2, writable=False)
FIRMWARE_VERSION = Register(address=6, size=1, writable=False, initial=46)
ID = Register(address=7, size=1, initial=1)
BAUD_RATE = Register(address=8, size=1, initial=1)
RETURN_DELAY_TIME = Register(address=9, size=1, initial=250)
DRIVE_MODE = Register(address=10, size=1)
OPERATING_MODE = Register(address=11, size=1, initial=POSITION_CONTROL)
SECONDARY_ID = Register(address=12, size=1, initial=255)
MAX_POSITION_LIMIT = Register(address=48, size=4, initial=4095)
MIN_POSITION_LIMIT = Register(address=52, size=4)
TORQUE_ENABLE = Register(address=64, size=1)
LED = Register(address=65, size=1)
STATUS_RETURN_LEVEL = Register(address=68, size=1, initial=2)
HARDWARE_ERROR_STATUS = Register(address=70, size=1, writable=False)
BUS_WATCHDOG = Register(address=98, size=1)
PROFILE_ACCELERATION = Register(address=108, size=4)
PROFILE_VELOCITY = Register(address=112, size=4)
GOAL_POSITION = Register(address=116, size=4, signed=True)
PRESENT_CURRENT = Register(address=126, size=2, signed=True, writable=False)
PRESENT_VELOCITY = Register(address=128, size=4, signed=True, writable=False)
PRESENT_POSITION = Register(address=132, size=4, signed=True, writable=False)
PRESENT_INPUT_VOLTAGE = Register(address=144, size=2, writable=False, initial=120)
PRESENT_TEMPERATURE = Register(address=146, size=1, writable=False, initial=30)

TABLE = tuple(value for value in tuple(globals().values()) if isinstance(value, Register))
"""All of them, by address."""
