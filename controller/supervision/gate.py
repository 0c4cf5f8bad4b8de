"""Drivers with a gate in front: a segment or cycle reaches its driver only when it is permitted to.

This is where an operation is written down before anything of it moves, and where a leg waits for parts or room that are
not there. An arm's segment that may not pass counts as not accepted yet (the queue is full) and comes again; a station's
cycle waits in the gate.
"""

from types import TracebackType
from typing import Protocol, Self

from cells.driver import (
    ArmDriver,
    ArmState,
    QueueStatus,
    Segment,
    StationCycle,
    StationDriver,
    StationResult,
    StopCategory,
)
from controller.motion.event_graph import Node
from kinematics import Limits


class Gatekeeper(Protocol):
    """Knows what a resource is given next, and whether it may be."""

    def next_node(self, resource: str) -> Node:
        """What a resource is given next."""
        ...

    def permit(self, node: Node) -> bool:
        """Whether it may be given to its driver now."""
        ...


class GatedArm:
    """An arm behind the gate; everything but new segments passes."""

    def __init__(self, arm: ArmDriver, keeper: Gatekeeper) -> None:
        self._arm = arm
        self._keeper = keeper

    @property
    def name(self) -> str:
        """Name of the arm in its cell."""
        return self._arm.name

    @property
    def limits(self) -> Limits:
        """Joint limits the driver will accept."""
        return self._arm.limits

    def __enter__(self) -> Self:
        """Connect."""
        self._arm.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, at rest."""
        self._arm.__exit__(kind, error, trace)

    def read(self) -> ArmState:
        """Latest state."""
        return self._arm.read()

    def enable(self) -> None:
        """Power the arm where it stands."""
        self._arm.enable()

    def queue(self, segment: Segment) -> QueueStatus:
        """Append a segment if it is permitted."""
        if not self._keeper.permit(self._keeper.next_node(self.name)):
            return QueueStatus.FULL
        return self._arm.queue(segment)

    def feed(self, share: float) -> None:
        """Speed on the path, from 0 (held) to 1."""
        self._arm.feed(share)

    def stop(self, category: StopCategory) -> None:
        """Decelerate on the path and flush the queue."""
        self._arm.stop(category)


class GatedStations:
    """Stations behind the gate."""

    def __init__(self, stations: StationDriver, keeper: Gatekeeper) -> None:
        self._stations = stations
        self._keeper = keeper
        self._waiting: list[tuple[Node, StationCycle]] = []

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle as soon as it is permitted."""
        self._waiting.append((self._keeper.next_node(cycle.station), cycle))
        self._let_in()

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that ended since the last reading."""
        self._let_in()
        return self._stations.read()

    def stop(self, category: StopCategory) -> None:
        """Bring every station to rest and forget what waits."""
        self._waiting.clear()
        self._stations.stop(category)

    def _let_in(self) -> None:
        waiting, self._waiting = self._waiting, []
        for node, cycle in waiting:
            if self._keeper.permit(node):
                self._stations.start(cycle)
            else:
                self._waiting.append((node, cycle))
