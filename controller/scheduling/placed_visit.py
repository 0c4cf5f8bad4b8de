"""A scheduled operation put into absolute time, as both verifiers look at it."""

from dataclasses import dataclass

from controller.scheduling.schedule import ScheduledOperation


@dataclass(frozen=True, slots=True)
class PlacedVisit:
    """One operation on one joint, in absolute ticks: the scheduled one, later by ``shift``."""

    item: ScheduledOperation
    joint: int
    shift: int

    @property
    def start(self) -> int:
        """When the arm begins."""
        return self.item.start + self.shift

    @property
    def enter(self) -> int:
        """When it enters the nest."""
        return self.item.enter + self.shift

    @property
    def leave(self) -> int:
        """When it has left the nest."""
        return self.item.leave + self.shift

    @property
    def end(self) -> int:
        """When the arm is free."""
        return self.item.end + self.shift

    def __str__(self) -> str:
        return f"{self.item.operation!r} of joint {self.joint}"
