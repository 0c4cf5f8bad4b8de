"""The result of scheduling a shop: what is done when and by whom."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledOperation:
    """One operation with its mode and times.

    Attributes:
        job: Number of the job.
        operation: Number of the operation within the job.
        mode: Number of the mode within the operation.
        start: It begins [ticks].
        end: It ends [ticks].
    """

    job: int
    operation: int
    mode: int
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSchedule:
    """Times of all operations.

    Attributes:
        operations: In an order in which they can be begun one after the other; it tells who goes first when two begin at
            the same moment.
        makespan: The latest end [ticks].
        lower_bound: Ticks that no schedule of the problem can beat.
    """

    operations: tuple[ScheduledOperation, ...]
    makespan: int
    lower_bound: int

    @property
    def optimal(self) -> bool:
        """Whether nothing better exists."""
        return self.makespan == self.lower_bound

    @property
    def gap(self) -> float:
        """Relative distance of the makespan from the lower bound; 0 is proven optimal."""
        return self.makespan / self.lower_bound - 1.0 if self.lower_bound else float(self.makespan)
