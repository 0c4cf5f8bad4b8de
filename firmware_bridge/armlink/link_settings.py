"""How a line is used."""

from dataclasses import dataclass

LONGEST_FRAME = 168  # of those the host sends: two quintic knots
_BITS_PER_BYTE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How a line is used.

    Attributes:
        baud: Bits per second.
        lead_s: Motion kept buffered on the device beyond what it needs to stop in [s].
        lease_s: Silence after which the device holds [s]: a stall of 200 ms and some lost heartbeats.
        status_s: Period of the device's status [s].
        window_s: Line time that may be under way, so that a stop never waits longer [s].
    """

    baud: int = 921_600
    lead_s: float = 0.250
    lease_s: float = 0.350
    status_s: float = 0.020
    window_s: float = 0.004

    @property
    def longest_frame_s(self) -> float:
        """Line time of the longest frame [s]."""
        return LONGEST_FRAME * _BITS_PER_BYTE / self.baud
