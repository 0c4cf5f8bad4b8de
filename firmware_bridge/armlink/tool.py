"""What an arm carries, as its driver sees it. The line to the arm has no messages for tools: a tool is its own device."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from cells.driver import InsertPart, Segment


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A process has ended: when [ns], and what was measured (units in the names)."""

    end_ns: int
    measured: Mapping[str, float] = field(default_factory=dict)


class Tool(Protocol):
    """The gripper, spindle or dispenser of one arm; all times are those of the cell [ns]."""

    @property
    def fault(self) -> str:
        """What is wrong with it, in words; empty when nothing is."""
        ...

    def begin(self, segment: Segment, start_ns: int) -> None:
        """A segment has begun."""
        ...

    def arrived(self, end_ns: int) -> None:
        """Its motion has ended; a process without own motion begins."""
        ...

    def done(self, now_ns: int) -> Done | None:
        """The end of the segment's process; None while it lasts."""
        ...

    def stop(self) -> None:
        """The arm comes to rest, and the segment will not be finished."""
        ...


class TimedTool:
    """Stands for a tool that nobody has connected: every process takes its planned time, and nothing is done."""

    fault = ""

    def __init__(self) -> None:
        self._segment: Segment | None = None
        self._start_ns = self._moved_ns = 0

    def begin(self, segment: Segment, start_ns: int) -> None:
        """Remember the segment."""
        self._segment, self._start_ns = segment, start_ns

    def arrived(self, end_ns: int) -> None:
        """Remember when."""
        self._moved_ns = end_ns

    def done(self, now_ns: int) -> Done | None:
        """When the planned time is over."""
        assert self._segment is not None
        process = self._segment.process
        assert process is not None
        duration_ns = round(process.duration_s * 1e9)
        along = isinstance(process, InsertPart)
        end_ns = max(self._moved_ns, self._start_ns + duration_ns) if along else self._moved_ns + duration_ns
        return Done(end_ns=end_ns) if now_ns >= end_ns else None

    def stop(self) -> None:
        """Nothing to stop."""
