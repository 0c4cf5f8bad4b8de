"""Arcs that keep arms apart, whatever their timing.

Two legs of different arms whose swept volumes come nearer than the clearance must not be under way at the same time, and
an arm at rest still fills its place until its next leg has begun. So of two conflicting legs i (arm A) and j (arm B) one
comes first for good: either A has moved clear of j's volume before j starts, or B has moved clear of i's volume before i
starts. "Clear" is the end of the unbroken run of legs that conflict. The order is that of the planned times unless it
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

_ROUNDS = 4


class DeadlockError(Exception):
    """Two arms are in each other's way in both orders; the message names the legs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinated:
    """The event graph with its coordination, and how it was found."""

    graph: EventGraph
    conflicts: int
    rounds: int


def coordinate(unrolled: Unrolled, conflict: Conflict, horizon_s: float) -> Coordinated:
    """Order all conflicting legs.

    Args:
        unrolled: Nodes and arcs of the order.
        conflict: Whether the volumes swept by two nodes (ids, of different arms) come nearer than the clearance.
        horizon_s: Legs planned further apart than this are ordered by the dial already and are not compared.
    """
    plain = _graph(unrolled, frozenset())
    starts = plain.planned_starts()
    pairs = _conflicting_pairs(unrolled, starts, conflict, horizon_s)
    best: Coordinated | None = None
    best_end = np.inf
    for round_ in range(1, _ROUNDS + 1):
        try:
            arcs = _orient(unrolled, plain, starts, pairs, conflict)
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


def _orient(
    unrolled: Unrolled,
    plain: EventGraph,
    starts: NDArray[np.float64],
    pairs: list[tuple[int, int]],
    conflict: Conflict,
) -> frozenset[tuple[int, int]]:
    """Choose an order for every pair; returns the arcs (before, after)."""
    place = {node: (arm, k) for arm, chain in unrolled.chains.items() for k, node in enumerate(chain)}
    order = sorted(range(len(starts)), key=lambda node: (starts[node], node))
    acyclic = AcyclicGraph([int(node) for node in plain.order()])
    for node, before in enumerate(unrolled.predecessors):
        for other in before:
            acyclic.add(other, node)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))

    def clear(i: int, j: int) -> int | None:
        """The last leg of the run from ``i`` that conflicts with ``j``; None if the arm never leaves."""
        arm, k = place[i]
        chain = unrolled.chains[arm]
        while k + 1 < len(chain) and conflict(chain[k + 1], j):
            k += 1
        return chain[k] if k + 1 < len(chain) else None

    arcs: set[tuple[int, int]] = set()
    for i, j in sorted(pairs, key=lambda pair: (max(rank[pair[0]], rank[pair[1]]), pair)):
        first, second = (i, j) if rank[i] < rank[j] else (j, i)
        for before, after in ((first, second), (second, first)):
            away = clear(before, after)
            if away is None:
                continue
            arc = (away, after)
            if arc in arcs or acyclic.add(*arc):
                arcs.add(arc)
                break
        else:
            one, two = plain.nodes[i], plain.nodes[j]
            raise DeadlockError(
                f"{one.resource} {one.label} of operation {one.operation} for {one.serial} and {two.resource} {two.label} "
                f"of operation {two.operation} for {two.serial} are in each other's way in both orders"
            )
    return frozenset(arcs)


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
