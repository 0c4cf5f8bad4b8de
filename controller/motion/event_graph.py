"""The plan as a graph of events: what may start when what has ended.

A node is a leg of an arm or a cycle of a station; it may start when all its predecessors have ended. Safety and liveness
follow from the arcs alone, never from the clock: planned times are only what the graph yields when nobody is late.
"""

from dataclasses import dataclass
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from cells.driver import StationCycle
from controller.motion.visit import Leg

Key = tuple[str, str, str, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A leg of an arm (``leg`` set) or a cycle of a station (``cycle`` set).

    ``joint`` (its place in the order), ``serial`` and ``model`` name the joint it serves, -1 and empty for the dial's
    index. ``part`` is the number of the leg in its visit, -1 where an arm only stands. ``zone`` is that of the leg, empty
    for a station. With ``begins`` the operation may touch the joint or its parts, after ``ends`` it is complete;
    ``enters`` is the first leg in the nest, and ``finishes`` marks the moment at which the joint leaves the cell.
    """

    id: int
    resource: str
    label: str
    duration_s: float
    operation: str = ""
    joint: int = -1
    serial: str = ""
    model: str = ""
    part: int = -1
    zone: str = ""
    leg: Leg | None = None
    cycle: StationCycle | None = None
    begins: bool = False
    enters: bool = False
    ends: bool = False
    finishes: bool = False

    @property
    def key(self) -> Key:
        """What it is whatever plan it is in: resource, operation, joint, number of the leg, label."""
        return self.resource, self.operation, self.serial, self.part, self.label


@dataclass(frozen=True, slots=True, kw_only=True)
class EventGraph:
    """Nodes and, for each, the ids of those that must have ended before it starts.

    ``coordination`` holds the arcs (before, after) that exist only because two arms would come too near.
    """

    nodes: tuple[Node, ...]
    predecessors: tuple[tuple[int, ...], ...]
    coordination: frozenset[tuple[int, int]]

    def order(self) -> NDArray[np.int64]:
        """A topological order of the ids, smallest id first.

        Raises:
            ValueError: When the graph has a cycle; the message names its nodes.
        """
        followers: list[list[int]] = [[] for _ in self.nodes]
        missing = np.zeros(len(self.nodes), dtype=np.int64)
        for node, before in enumerate(self.predecessors):
            missing[node] = len(before)
            for other in before:
                followers[other].append(node)
        ready = [int(node) for node in np.flatnonzero(missing == 0)]
        heapify(ready)
        order = []
        while ready:
            node = heappop(ready)
            order.append(node)
            for follower in followers[node]:
                missing[follower] -= 1
                if missing[follower] == 0:
                    heappush(ready, follower)
        if len(order) < len(self.nodes):
            stuck = [self.nodes[node] for node in range(len(self.nodes)) if missing[node] > 0][:6]
            names = ", ".join(f"{node.resource} {node.label} {node.serial}" for node in stuck)
            raise ValueError(f"the event graph has a cycle: {names} ...")
        return np.array(order, dtype=np.int64)

    def planned_starts(self) -> NDArray[np.float64]:
        """Earliest start of every node when nobody is late [s]."""
        starts = np.zeros(len(self.nodes))
        ends = np.zeros(len(self.nodes))
        for node in self.order():
            before = self.predecessors[node]
            starts[node] = max((ends[other] for other in before), default=0.0)
            ends[node] = starts[node] + self.nodes[node].duration_s
        return starts

    def critical(self, starts_s: NDArray[np.float64]) -> list[int]:
        """Nodes on a longest path, last first: each began as soon as the next one in the list had ended."""
        ends = starts_s + np.array([node.duration_s for node in self.nodes])
        path = [int(ends.argmax())]
        while before := self.predecessors[path[-1]]:
            path.append(max(before, key=lambda node: (ends[node], node)))
        return path
