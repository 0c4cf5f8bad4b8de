"""The best solutions found so far, and new ones between two of them."""

from dataclasses import dataclass, field

import numpy as np

from controller.scheduling.shop.graph import Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """A solution: an order of the operations, their modes, and what comes of it [ticks].

    Attributes:
        late: Total lateness.
        makespan: The latest end.
        order: (n,) operations, each behind its predecessors.
        mode: (n,) the mode of each operation.
        start: (n,) when each starts.
        turn: (n,) its number on its resource.
    """

    late: int
    makespan: int
    order: Int64Array
    mode: Int64Array
    start: Int64Array
    turn: Int64Array

    @property
    def value(self) -> tuple[int, int]:
        """What makes it good: less is better."""
        return self.late, self.makespan

    def distance(self, other: "Candidate") -> float:
        """By how many places an operation stands elsewhere on its resource, on average; another mode counts as one more."""
        return float(np.mean(np.abs(self.turn - other.turn) + (self.mode != other.mode)))


@dataclass(slots=True, kw_only=True)
class Elite:
    """Solutions, the best first; at most `size` of them, any two at least `apart` from each other.

    Without that distance they soon are all the same but for a few exchanges, and nothing lies between them.
    """

    size: int
    apart: float
    members: list[Candidate] = field(default_factory=list)

    def add(self, candidate: Candidate) -> bool:
        """Take a solution in if it is better than all that are near it, or than the worst of a full set; whether it did."""
        near = [member for member in self.members if member.distance(candidate) < self.apart]
        rivals = near or self.members[self.size - 1 :]
        if any(member.value <= candidate.value for member in rivals):
            return False
        self.members = [member for member in self.members if not any(member is other for other in rivals)]
        self.members.append(candidate)
        self.members.sort(key=lambda member: member.value)
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
