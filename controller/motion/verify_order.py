"""What must have ended before what, by the arcs of a stored plan alone."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from controller.motion.plan_document import NodeRecord

Ints = NDArray[np.int64]


class CircleError(Exception):
    """The arcs lead in a circle; ``nodes`` are the ids along it."""

    def __init__(self, nodes: Sequence[int]) -> None:
        super().__init__("the arcs lead in a circle")
        self.nodes = tuple(nodes)


class Order:
    """Which nodes have ended for certain before a node starts.

    The nodes of one resource should follow each other; then those of a resource that precede a node are the
    first so many of them, and one count for every resource (a vector clock: Fidge 1988, Mattern 1989) tells
    all of a node's ancestors.

    Attributes:
        chains: For every resource its nodes in a topological order. place: (n,) place of every node in the
        chain of its resource. gaps: Neighbours in a chain of which the second does not wait for the first;
        counts are only right without any.
    """

    def __init__(self, nodes: Sequence[NodeRecord]) -> None:
        """Sort the nodes.

        Raises:
            CircleError: When the arcs lead in a circle.
        """
        sequence = _topological(nodes)
        self.chains: dict[str, list[int]] = {}
        self.place = np.empty(len(nodes), dtype=np.int64)
        for node in sequence:
            chain = self.chains.setdefault(nodes[node].resource, [])
            self.place[node] = len(chain)
            chain.append(node)
        self._columns = {resource: column for column, resource in enumerate(self.chains)}
        self._column = np.array([self._columns[node.resource] for node in nodes], dtype=np.int64)
        self._ended = np.zeros((len(nodes), len(self.chains)), dtype=np.int64)
        for node in sequence:
            before = list(nodes[node].predecessors)
            if before:
                self._ended[node] = self._ended[before].max(axis=0)
                np.maximum.at(self._ended[node], self._column[before], self.place[before] + 1)
        self.gaps = [
            (one, two)
            for chain in self.chains.values()
            for one, two in pairwise(chain)
            if not self.before(one, two)
        ]

    def before(self, one: int, two: int) -> bool:
        """Whether node ``one`` has ended before node ``two`` starts, whatever the times."""
        return bool(self._ended[two, self._column[one]] > self.place[one])

    def ended(self, nodes: Sequence[int], resource: str) -> Ints:
        """How many nodes of a resource have ended before each of the nodes starts, (k,)."""
        counts: Ints = self._ended[list(nodes), self._columns[resource]]
        return counts


def _topological(nodes: Sequence[NodeRecord]) -> list[int]:
    followers: list[list[int]] = [[] for _ in nodes]
    missing = [len(node.predecessors) for node in nodes]
    for index, record in enumerate(nodes):
        for other in record.predecessors:
            followers[other].append(index)
    sequence = [index for index, count in enumerate(missing) if count == 0]
    for node in sequence:  # grows while it is walked
        for follower in followers[node]:
            missing[follower] -= 1
            if missing[follower] == 0:
                sequence.append(follower)
    if len(sequence) < len(nodes):
        raise CircleError(_circle(nodes, {index for index, count in enumerate(missing) if count > 0}))
    return sequence


def _circle(nodes: Sequence[NodeRecord], stuck: set[int]) -> list[int]:
    """Walk back from a node that waits for ever: to one that waits, until one comes again."""
    walk = [min(stuck)]
    while walk.count(walk[-1]) < 2:
        walk.append(next(other for other in nodes[walk[-1]].predecessors if other in stuck))
    return walk[walk.index(walk[-1]) + 1 :][::-1]
