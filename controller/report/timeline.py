"""What every resource did in a run, planned and actual: the raw material of the Gantt chart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

SpanKind = Literal["move", "process", "wait", "test", "index"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One resource busy with one thing, or waiting.

    Attributes:
        resource: arm, dial, press, bench or test nest.
        label: what it does, in a few words.
        joint: serial number of the joint it works for; empty if for none.
        kind: what sort of work; a wait has no planned time of its own.
        planned_start_s: start in the plan [s of simulated time].
        planned_end_s: end in the plan [s].
        start_s: actual start [s].
        end_s: actual end [s].
        reason: why it waits; empty for work.
    """

    resource: str
    label: str
    joint: str
    kind: SpanKind
    planned_start_s: float
    planned_end_s: float
    start_s: float
    end_s: float
    reason: str = ""

    @property
    def late_s(self) -> float:
        """How long after its planned end the span ended [s], zero if in time; a wait is never late."""
        return 0.0 if self.kind == "wait" else max(self.end_s - self.planned_end_s, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Everything that happened in a run, in simulated seconds.

    Attributes:
        spans: of all resources.
        cycle_marks_s: moments at which good joints were finished, rising.
        models: model of each joint by serial number, also of those still in the cell at the end.
    """

    spans: tuple[Span, ...]
    cycle_marks_s: tuple[float, ...]
    models: Mapping[str, str] = field(default_factory=dict)

    def last_cycles(self, count: int = 1) -> tuple[float, float]:
        """Start and end [s] of the last `count` cycles; of the whole run if it has fewer."""
        marks = self.cycle_marks_s
        if len(marks) > count:
            return marks[-1 - count], marks[-1]
        starts = [span.start_s for span in self.spans]
        ends = [span.end_s for span in self.spans]
        return min(starts, default=0.0), max(ends, default=1.0)

    def slowest_cycle(self, after_s: float = 0.0) -> tuple[float, float] | None:
        """Start and end [s] of the longest cycle that starts at or after a moment; None without cycles."""
        cycles = [cycle for cycle in pairwise(self.cycle_marks_s) if cycle[0] >= after_s]
        return max(cycles, key=lambda cycle: cycle[1] - cycle[0], default=None)
