"""The result of scheduling a mix: one round of joints of several kinds, which repeats."""

from dataclasses import dataclass

from controller.scheduling.schedule import ScheduledOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """One link of a critical circuit: `event` keeps the next one waiting for `ticks`.

    Attributes:
        event: Name of an operation, or "index" for the dial's.
        joint: Number of the joint in the round; for the index that of the joint it brings to position 0.
        reason: Why the next event waits.
        ticks: How long it waits, counted from this event's entering its nest (the index: from its start).
    """

    event: str
    joint: int
    reason: str
    ticks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MixSchedule:
    """A repeating round.

    Attributes:
        release: Kind of each joint of the round, in the order in which they enter.
        round_ticks: Ticks after which everything repeats with the next joints.
        lower_bound: Ticks per joint that no schedule and no release order of the mix can beat.
        indices: Start of the index that brings joint j to position 0 [ticks]; the first is at 0.
        operations: For each joint its operations in the order of the problem, in ticks from the same zero. The
            window counts the cycles from the joint's own entry; on the dial it is the position.
        critical: A circuit of waits that forbids a shorter round; empty when nothing waits.
    """

    release: tuple[int, ...]
    round_ticks: int
    lower_bound: int
    indices: tuple[int, ...]
    operations: tuple[tuple[ScheduledOperation, ...], ...]
    critical: tuple[Wait, ...]

    @property
    def cycle_time(self) -> float:
        """Mean ticks between two finished joints."""
        return self.round_ticks / len(self.release)

    @property
    def gap(self) -> float:
        """Relative distance of the cycle time from the lower bound; 0 is proven optimal."""
        return self.cycle_time / self.lower_bound - 1.0
