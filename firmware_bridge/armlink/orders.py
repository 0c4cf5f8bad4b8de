"""What a driver asks of the session of its arm, and what that reports back; both cross between processes."""

from dataclasses import dataclass
from typing import NamedTuple

from firmware_bridge.armlink.codes import Drive, Motion
from firmware_bridge.armlink.link_health import LinkHealth
from firmware_bridge.armlink.messages import QuinticKnot

# ------------------------------------------------------------------------------------------------------ orders


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterLast:
    """Start when the motion before has ended, and so much later [ns], in the time that passes at the feed."""

    delay_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AtTime:
    """Start so much later [ns] than a host time [ns], in the time that passes at the feed; at once when that is over."""

    host_ns: int
    delay_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """Start when a `Go` says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enable:
    """Power up where the arm stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Follow knots after everything ordered before."""

    id: int
    knots: tuple[QuinticKnot, ...]
    start: AfterLast | AtTime | OnCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Start a move that waits for it, at a host time [ns]; at once when it has passed."""

    id: int
    host_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Come to rest on the path and forget every motion; with ``power_off`` as fast as limits allow."""

    power_off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """After a fault: open the session anew, reset the device's fault by its name, drop what was buffered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Follow the path at so much of its planned speed [%], until told otherwise or enabled again."""

    percent: int


Order = Enable | Move | Go | Stop | Recover | Feed

# ----------------------------------------------------------------------------------------------------- reports


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUp:
    """The right arm is there, at rest and without power."""


class State(NamedTuple):
    """A status of the device: host time of its measurement [ns], joints in wire units, share of the speed [%].

    A tuple, since it crosses between processes fifty times a second for every arm.
    """

    time_ns: int
    pos: tuple[int, ...]
    vel: tuple[int, ...]
    drive: Drive
    motion: Motion
    speed_pct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Enabled:
    """The arm follows motions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A move has started, at a host time [ns]."""

    id: int
    host_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A move has ended; ``lost_ns`` is how much longer it took than planned."""

    id: int
    host_ns: int
    lost_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """A stop has been carried out: at rest, nothing buffered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Something that nobody ordered: the arm stops on its path, if it can hear us or not."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """The arm is as after `LinkUp`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the link is."""

    health: LinkHealth


Report = LinkUp | State | Enabled | Started | Ended | Halted | Failed | Recovered | Health
