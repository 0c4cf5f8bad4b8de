"""The best solutions found so far, and new ones between two of them."""

from dataclasses import dataclass, field

import numpy as np

from controller.scheduling.shop.graph import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A solution: an order of the operations, their modes, and what comes of it [ticks]."""

    late: int
    makespan: int
    order: Int64Array
    mode: Int64Array
    start: Int64Array

    @property
    def value(self) -> tuple[int, int]:
        """What makes it good: less is better."""
        return self.late, self.makespan

    def is_like(self, other: "Candidate") -> bool:
        """Whether it is the same schedule."""
        return (
            self.value == other.value
            and np.array_equal(self.mode, other.mode)
            and np.array_equal(self.start, other.start)
        )


@dataclass(slots=True, kw_only=True)
class Elite:
    """Solutions, the best first; at most `size` of them, all different."""

    size: int
    members: list[Candidate] = field(default_factory=list)

    def add(self, candidate: Candidate) -> bool:
        """Take a solution in, unless it is there already or no better than the worst of a full set; whether it did."""
        full = len(self.members) == self.size
        if full and candidate.value >= self.members[-1].value:
            return False
        if any(candidate.is_like(member) for member in self.members):
            return False
        self.members.append(candidate)
        self.members.sort(key=lambda member: member.value)
        del self.members[self.size :]
        return True


def between(
    a: Candidate, b: Candidate, share: float, rng: np.random.Generator
) -> tuple[Int64Array, Int64Array]:
    """Order and modes on the way from a (share 0) to b (share 1).

    Operations are sorted by a weighted mean of their places. Whatever the two agree on stays: if v is before w in
    both, it is in the result, so the precedences hold.
    """
    key = (1.0 - share) * np.argsort(a.order) + share * np.argsort(b.order)
    mode = np.where(rng.random(len(key)) < share, b.mode, a.mode)
    return np.argsort(key, kind="stable"), mode
