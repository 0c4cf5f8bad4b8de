"""The control table of Feetech STS servos, as far as it is used here.

Numbers are little-endian; signed ones carry their sign in a bit of its own (sign and magnitude). Source: the
table of the STS and SMS series (doc.feetech.cn), as LeRobot has it in motors/feetech/tables.py; error bits and
the sign convention from feetech-servo-sdk 1.0.0. The unit of current and the meaning of the error bits as the
status register has them are those of that table as well, not confirmed on a servo.
"""

from dataclasses import dataclass

STEPS_PER_TURN = 4096
MODELS = {777: "STS3215", 2825: "STS3250"}
POSITION_CONTROL = 0
CURRENT_UNIT_A = 0.0065
VOLTAGE_UNIT_V = 0.1
EEPROM_END = 40

ERRORS = {
    0x01: "input voltage",
    0x02: "angle sensor",
    0x04: "overheating",
    0x08: "overcurrent",
    0x20: "overload",
}
"""Bits of the error in an answer, and of the status register."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A register: where it begins, how many bytes it has, and which bit is its sign, if any."""

    address: int
    size: int
    sign_bit: int | None = None
    writable: bool = True
    initial: int = 0

    def encode(self, value: int) -> bytes:
        """The value in bytes.

        Raises:
            ValueError: When the register cannot hold it.
        """
        bits = self.sign_bit if self.sign_bit is not None else 8 * self.size
        if abs(value) >= 1 << bits or (value < 0 and self.sign_bit is None):
            raise ValueError(f"register {self.address}: {value} (allowed: magnitude below {1 << bits})")
        return (abs(value) | (value < 0) << bits).to_bytes(self.size, "little")

    def decode(self, data: bytes) -> int:
        """The value in these bytes; bits above the sign are dropped."""
        raw = int.from_bytes(data, "little")
        if self.sign_bit is None:
            return raw
        magnitude = raw & (1 << self.sign_bit) - 1
        return -magnitude if raw >> self.sign_bit & 1 else magnitude


MODEL_NUMBER = Register(address=3, size=2, writable=False, initial=777)
ID = Register(address=5, size=1, initial=1)
MIN_POSITION_LIMIT = Register(address=9, size=2)
MAX_POSITION_LIMIT = Register(address=11, size=2, initial=4095)
HOMING_OFFSET = Register(address=31, size=2, sign_bit=11)
OPERATING_MODE = Register(address=33, size=1)
TORQUE_ENABLE = Register(address=40, size=1)
ACCELERATION = Register(address=41, size=1)
GOAL_POSITION = Register(address=42, size=2, sign_bit=15)
GOAL_TIME = Register(address=44, size=2)
GOAL_VELOCITY = Register(address=46, size=2, sign_bit=15)
PRESENT_POSITION = Register(address=56, size=2, sign_bit=15, writable=False)
PRESENT_VELOCITY = Register(address=58, size=2, sign_bit=15, writable=False)
PRESENT_LOAD = Register(address=60, size=2, sign_bit=10, writable=False)
PRESENT_VOLTAGE = Register(address=62, size=1, writable=False, initial=120)
PRESENT_TEMPERATURE = Register(address=63, size=1, writable=False, initial=30)
STATUS = Register(address=65, size=1, writable=False)
PRESENT_CURRENT = Register(address=69, size=2, sign_bit=15, writable=False)

TABLE = tuple(value for value in tuple(globals().values()) if isinstance(value, Register))
"""All of them, by address."""
