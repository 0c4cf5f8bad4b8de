"""Arms built of bus servos: addresses, encoding and directions, as an arm's file gives them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from cells.errors import Finding
from cells.files import Six, Sourced, Whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Servos:
    """How an arm of bus servos is wired; its port and baud rate belong to where it stands.

    Attributes:
        protocol: ``dynamixel2`` or ``feetech_sts``.
        ids: Bus address of each joint's servo, in joint order.
        shadows: Servos that drive a joint together with its own: their address, and that of the leader.
        steps_per_turn: Resolution of the position encoding.
        zero_steps: Position of each servo where its joint is at zero.
        signs: Direction of each joint as its servo counts.
        reversed: Whether each servo itself is set up to count backwards.
    """

    protocol: Literal["dynamixel2", "feetech_sts"]
    ids: tuple[int, ...]
    shadows: tuple[tuple[int, int], ...]
    steps_per_turn: int
    zero_steps: tuple[int, ...]
    signs: tuple[int, ...]
    reversed: tuple[bool, ...]


_BusAddress = Annotated[Whole, Field(ge=0, le=252)]


class ServoTable(Sourced):
    """The table ``servos`` of an arm file."""

    protocol: Literal["dynamixel2", "feetech_sts"]
    ids: Six[_BusAddress]
    shadows: tuple[tuple[_BusAddress, _BusAddress], ...] = ()
    steps_per_turn: Annotated[Whole, Field(ge=256, le=1 << 20)]
    zero_steps: Six[Whole]
    signs: Six[Literal[-1, 1]]
    reversed: Six[bool]

    def wiring(self) -> Servos:
        """The record without its source."""
        return Servos(**self.model_dump(exclude={"source", "mark"}))

    def wrong_addresses(self, file: str) -> Iterator[Finding]:
        """Addresses that more than one servo has, and leaders that are no joint's servo."""
        addresses = [*self.ids, *(shadow for shadow, _ in self.shadows)]
        if twice := sorted({address for address in addresses if addresses.count(address) > 1}):
            yield Finding(
                file=file,
                where="servos.ids",
                value=", ".join(map(str, twice)),
                message="an address is given to more than one servo",
                allowed="an address of its own for each",
            )
        for index, (_, leader) in enumerate(self.shadows):
            if leader not in self.ids:
                yield Finding(
                    file=file,
                    where=f"servos.shadows[{index}]",
                    value=str(leader),
                    message="no joint has the servo that is shadowed",
                    allowed=", ".join(map(str, self.ids)),
                )
