"""Arcs that keep arms apart, whatever their timing.

Two legs of different arms whose swept volumes come nearer than the clearance must not be under way at the same time, and
an arm at rest still fills its place until its next leg has begun. So of two conflicting legs i (arm A) and j (arm B) one
comes first for good: either A rests clear of j's volume before j starts, or B rests clear of i's volume before i starts.
The order is that of the planned times unless it
would close a circle of waiting; then it is the other one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from controller.motion.event_graph import EventGraph
from controller.motion.topological import AcyclicGraph
from controller.motion.unroll import Unrolled

Conflict = Callable[[int, int], bool]
"""Whether the volumes of two nodes (ids, of different arms) come nearer than the clearance."""

_ROUNDS = 4
_ATTEMPTS = 3


class DeadlockError(Exception):
    """Two arms are in each other's way in both orders; the message names the legs, ``nodes`` their ids."""

    def __init__(self, message: str, nodes: tuple[int, int]) -> None:
        super().__init__(message)
        self.nodes = nodes


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinated:
    """The event graph with its coordination, and how it was found."""

    graph: EventGraph
    conflicts: int
    rounds: int


def coordinate(unrolled: Unrolled, conflict: Conflict, rests_in: Conflict, horizon_s: float) -> Coordinated:
    """Order all conflicting legs.

    Args:
        unrolled: Nodes and arcs of the order.
        conflict: Whether the volumes swept by two legs come too near.
        rests_in: Whether the pose at the end of the first leg is too near to the volume of the second.
        horizon_s: Legs planned further apart than this are ordered by the dial already and are not compared.
    """
    plain = _graph(unrolled, frozenset())
    starts = plain.planned_starts()
    pairs = _conflicting_pairs(unrolled, starts, conflict, horizon_s)
    orientation = _Orientation(unrolled, plain, pairs, rests_in)
    best: Coordinated | None = None
    best_end = np.inf
    for round_ in range(1, _ROUNDS + 1):
        try:
            arcs = orientation.solve(starts)
        except DeadlockError:
            if best is None:
                raise
            break
        graph = _graph(unrolled, arcs)
        following = graph.planned_starts()
        end = float(following.max())
        if end < best_end - 1e-9:
            best, best_end = Coordinated(graph=graph, conflicts=len(pairs), rounds=round_), end
        starts = following
    assert best is not None
    return best


def _conflicting_pairs(
    unrolled: Unrolled, starts: NDArray[np.float64], conflict: Conflict, horizon_s: float
) -> list[tuple[int, int]]:
    """All pairs of legs of different arms within the horizon that conflict."""
    arms = list(unrolled.chains)
    pairs = []
    for index, one in enumerate(arms):
        for two in arms[index + 1 :]:
            chain = np.array(unrolled.chains[two])
            times = starts[chain]
            for i in unrolled.chains[one]:
                low, high = np.searchsorted(times, [starts[i] - horizon_s, starts[i] + horizon_s])
                pairs += [(i, int(j)) for j in chain[low:high] if conflict(i, int(j))]
    return pairs


class _Orientation:
    """One order for every conflicting pair, such that nobody waits in a circle."""

    def __init__(
        self, unrolled: Unrolled, plain: EventGraph, pairs: list[tuple[int, int]], rests_in: Conflict
    ) -> None:
        self._unrolled, self._plain = unrolled, plain
        self._place = {node: (arm, k) for arm, chain in unrolled.chains.items() for k, node in enumerate(chain)}
        # For each pair the two arcs to choose from; None where the first arm never leaves.
        self._choices = [(self._arc(i, j, rests_in), self._arc(j, i, rests_in)) for i, j in pairs]
        self._pairs = pairs

    def solve(self, starts: NDArray[np.float64]) -> frozenset[tuple[int, int]]:
        """Arcs (before, after), preferring the order of the given start times.

        Pairs that have only one order left are settled first. When a pair is left with none, it is settled before all
        others in a new attempt ("squeaky wheel").
        """
        rank = np.empty(len(starts), dtype=np.int64)
        rank[np.lexsort((np.arange(len(starts)), starts))] = np.arange(len(starts))
        queue = sorted(
            range(len(self._pairs)), key=lambda k: (max(rank[self._pairs[k][0]], rank[self._pairs[k][1]]), k)
        )
        for _ in range(_ATTEMPTS):
            arcs, stuck = self._attempt(queue, rank)
            if stuck is None:
                return arcs
            queue.remove(stuck)
            queue.insert(0, stuck)
        one, two = (self._plain.nodes[node] for node in self._pairs[stuck])
        raise DeadlockError(
            f"{one.resource} {one.label} of operation {one.operation} for {one.serial} and {two.resource} {two.label} "
            f"of operation {two.operation} for {two.serial} are in each other's way in both orders",
            self._pairs[stuck],
        )

    def _attempt(
        self, queue: list[int], rank: NDArray[np.int64]
    ) -> tuple[frozenset[tuple[int, int]], int | None]:
        graph = AcyclicGraph([int(node) for node in self._plain.order()])
        for node, before in enumerate(self._unrolled.predecessors):
            for other in before:
                graph.add(other, node)
        arcs: set[tuple[int, int]] = set()
        for k in self._forced_first(queue, graph, arcs):
            i, j = self._pairs[k]
            forward, backward = self._choices[k]
            for arc in (forward, backward) if rank[i] < rank[j] else (backward, forward):
                if arc is not None and (arc in arcs or graph.add(*arc)):
                    arcs.add(arc)
                    break
            else:
                return frozenset(arcs), k
        return frozenset(arcs), None

    def _forced_first(
        self, queue: list[int], graph: AcyclicGraph, arcs: set[tuple[int, int]]
    ) -> list[int]:
        """Settle the pairs for which the graph leaves one order; returns the others."""
        while True:
            open_pairs = []
            for k in queue:
                possible = [arc for arc in self._choices[k] if arc is not None and not graph.closes_cycle(*arc)]
                if len(possible) == 1:
                    graph.add(*possible[0])
                    arcs.add(possible[0])
                else:
                    open_pairs.append(k)
            if len(open_pairs) == len(queue):
                return open_pairs
            queue = open_pairs

    def _arc(self, i: int, j: int, rests_in: Conflict) -> tuple[int, int] | None:
        """The arc that lets ``i`` go first: from the leg, ``i`` or later, after which its arm rests clear of ``j``."""
        arm, k = self._place[i]
        chain = self._unrolled.chains[arm]
        while k < len(chain) and rests_in(chain[k], j):
            k += 1
        return (chain[k], j) if k < len(chain) else None


def _graph(unrolled: Unrolled, arcs: frozenset[tuple[int, int]]) -> EventGraph:
    """The event graph with the least coordination arcs: of several from one arm to a leg only the latest counts."""
    place = {node: (arm, k) for arm, chain in unrolled.chains.items() for k, node in enumerate(chain)}
    latest: dict[tuple[str, int], int] = {}
    for before, after in arcs:
        key = place[before][0], after
        if key not in latest or place[before][1] > place[latest[key]][1]:
            latest[key] = before
    kept = {(before, after) for (_, after), before in latest.items() if before not in unrolled.predecessors[after]}
    predecessors = [set(before) for before in unrolled.predecessors]
    for before, after in kept:
        predecessors[after].add(before)
    return EventGraph(
        nodes=tuple(unrolled.nodes),
        predecessors=tuple(tuple(sorted(before)) for before in predecessors),
        coordination=frozenset(kept),
    )
