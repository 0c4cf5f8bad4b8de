"""The same register of six servos at once: written by sync write, read by sync read."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from cells.arm import Arm
from cells.servos import Servos
from firmware_bridge.port import LinkError
from firmware_bridge.servos.chain import ServoError
from firmware_bridge.servos.exchange import patiently
from firmware_bridge.servos.scale import Scale


class Register(Protocol):
    """A register of a control table."""

    @property
    def address(self) -> int:
        """Where it begins."""
        ...

    @property
    def size(self) -> int:
        """How many bytes it has."""
        ...

    def encode(self, value: int) -> bytes:
        """The value in bytes."""
        ...

    def decode(self, data: bytes) -> int:
        """The value in these bytes."""
        ...


class GroupBus(Protocol):
    """A bus with group instructions."""

    def sync_write(self, address: int, data: Mapping[int, bytes]) -> None:
        """Write the same span of several servos."""
        ...

    def sync_read(self, ids: Iterable[int], address: int, size: int) -> dict[int, bytes]:
        """The same span of several servos."""
        ...


class Group:
    """An arm's six servos, in joint order.

    Args:
        bus: Their bus.
        arm: The arm.
        servos: Its wiring.
        state: Addresses that `states` reads.
    """

    def __init__(self, bus: GroupBus, arm: Arm, servos: Servos, state: range) -> None:
        self.ids = servos.ids
        self.scale = Scale(servos)
        self._bus = bus
        self._lowest = self.scale.steps(arm.chain.q_min)
        self._highest = self.scale.steps(arm.chain.q_max)
        self._state = state

    def write(self, register: Register, values: list[int]) -> None:
        """Set a register of all; nothing answers.

        Raises:
            LinkError: When the port has gone.
        """
        data = {id_: register.encode(value) for id_, value in zip(self.ids, values, strict=True)}
        self._bus.sync_write(register.address, data)

    def read(self, register: Register) -> list[int]:
        """A register of all; asked again when an answer does not come.

        Raises:
            LinkError: When a servo does not answer.
            ServoError: When a servo refuses.
        """
        return patiently(lambda: self._read_once(register))

    def set(self, register: Register, values: list[int]) -> None:
        """Set a register of all and read it back.

        Raises:
            LinkError: When it was not taken.
            ServoError: When a servo refuses.
        """

        def write_and_look() -> None:
            self.write(register, values)
            if (there := self._read_once(register)) != values:
                raise LinkError(f"register {register.address}: {there}, must be {values}")

        patiently(write_and_look)

    def states(self) -> "States":
        """The state of all by one sync read.

        Raises:
            LinkError: When a servo does not answer.
            ServoError: When a servo refuses.
        """
        there = self._bus.sync_read(self.ids, self._state.start, len(self._state))
        return States([there[id_] for id_ in self.ids], self._state.start)

    def _read_once(self, register: Register) -> list[int]:
        there = self._bus.sync_read(self.ids, register.address, register.size)
        return [register.decode(there[id_]) for id_ in self.ids]

    def check_limits(self, joint: int, low: int, high: int) -> None:
        """Whether a servo's own position limits [steps] leave the joint its range.

        Raises:
            ServoError: When they do not.
        """
        ends = sorted((self._lowest[joint], self._highest[joint]))
        if ends[0] < low or ends[1] > high:
            raise ServoError(
                f"servo {self.ids[joint]}: position limits {low} to {high}, the arm needs {ends[0]} to {ends[1]}"
            )


class States:
    """One span of the control table of each servo."""

    def __init__(self, spans: list[bytes], start: int) -> None:
        self._spans = spans
        self._start = start

    def __getitem__(self, register: Register) -> list[int]:
        begin = register.address - self._start
        return [register.decode(span[begin : begin + register.size]) for span in self._spans]
