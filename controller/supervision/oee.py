"""Overall equipment effectiveness, by the names of ISO 22400-2:2014."""

from dataclasses import dataclass

YEAR_S = 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Effectiveness:
    """Key figures of a time of production.

    Attributes:
        planned_busy_s: Planned busy time PBT: the time in which the cell had an order to work on.
        production_s: Actual production time APT: the part of it in which the cell executed.
        ideal_cycle_s: Planned run time per item PRI.
        produced: Produced quantity PQ, good or not.
        good: Good quantity GQ.

    Raises:
        ValueError: When the figures contradict each other.
    """

    planned_busy_s: float
    production_s: float
    ideal_cycle_s: float
    produced: int
    good: int

    def __post_init__(self) -> None:
        if not 0.0 <= self.production_s <= self.planned_busy_s:
            raise ValueError(
                f"production {self.production_s} s (allowed: 0 to the busy time {self.planned_busy_s} s)"
            )
        if not 0 <= self.good <= self.produced:
            raise ValueError(f"good {self.good} (allowed: 0 to the produced {self.produced})")
        if not self.ideal_cycle_s > 0.0:
            raise ValueError(f"ideal cycle {self.ideal_cycle_s} s (allowed: more than 0)")

    @property
    def availability(self) -> float:
        """APT / PBT; 0 before anything was planned."""
        return self.production_s / self.planned_busy_s if self.planned_busy_s else 0.0

    @property
    def performance(self) -> float:
        """PRI PQ / APT, the standard's effectiveness; above 1 when the cell beats its ideal cycle."""
        return self.ideal_cycle_s * self.produced / self.production_s if self.production_s else 0.0

    @property
    def quality(self) -> float:
        """GQ / PQ; 0 before anything was produced."""
        return self.good / self.produced if self.produced else 0.0

    @property
    def oee(self) -> float:
        """The product of the three: the time that good joints needed at the ideal cycle, as a share of PBT."""
        return self.availability * self.performance * self.quality

    @property
    def yearly_capacity(self) -> int:
        """Good joints in a year of 365 days round the clock at the pace measured."""
        return int(YEAR_S * self.good / self.planned_busy_s) if self.planned_busy_s else 0
