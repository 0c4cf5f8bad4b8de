"""One order of passing for every pair of legs in each other's way, such that nobody waits in a circle.

Each pair offers two arcs, of which one has to be taken. Pairs for which the graph leaves only one are settled first, then
the others in order of time. The topological order is kept up to date as arcs are added, after Pearce and Kelly (2006),
"A dynamic topological sort algorithm for directed acyclic graphs": a search only visits nodes between an arc's ends.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinematics.jit import inlined, kernel

Ints = NDArray[np.int64]

NONE = -1


class Arcs(NamedTuple):
    """Adjacency of a growing graph as linked lists: ``first`` (n,) arc of a node, ``next`` arc of the same node, ``to``."""

    first: Ints
    next: Ints
    to: Ints


class Graph(NamedTuple):
    """A directed acyclic graph in topological order.

    ``place`` (n,) is each node's place in the order; ``arcs`` (1,) their number; ``mark`` (n,) and ``stack`` (n,)
    are scratch.
    """

    place: Ints
    after: Arcs
    before: Arcs
    arcs: Ints
    mark: Ints
    stack: Ints


def new_graph(order: Ints, capacity: int) -> Graph:
    """A graph without arcs whose nodes are in ``order`` (n,), with room for ``capacity`` arcs."""
    n = len(order)
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)

    def arcs() -> Arcs:
        return Arcs(
            np.full(n, NONE, dtype=np.int64),
            np.empty(capacity, dtype=np.int64),
            np.empty(capacity, dtype=np.int64),
        )

    return Graph(
        place,
        arcs(),
        arcs(),
        np.zeros(1, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.empty(n, dtype=np.int64),
    )


def copy(graph: Graph) -> Graph:
    """An independent copy."""
    return Graph(
        graph.place.copy(),
        Arcs(*(array.copy() for array in graph.after)),
        Arcs(*(array.copy() for array in graph.before)),
        graph.arcs.copy(),
        graph.mark.copy(),
        graph.stack.copy(),
    )


@kernel
def reach_ahead(graph: Graph, start: int, high: int) -> int:
    """Mark with 1 all nodes that ``start`` leads to with a place up to ``high``; their number, listed in ``stack``."""
    graph.stack[0] = start
    graph.mark[start] = 1
    count, done = 1, 0
    while done < count:
        arc = graph.after.first[graph.stack[done]]
        done += 1
        while arc != NONE:
            node = graph.after.to[arc]
            if graph.mark[node] == 0 and graph.place[node] <= high:
                graph.mark[node] = 1
                graph.stack[count] = node
                count += 1
            arc = graph.after.next[arc]
    return count


@inlined
def clear_marks(graph: Graph, count: int) -> None:
    """Forget the marks of a search."""
    for k in range(count):
        graph.mark[graph.stack[k]] = 0


@kernel
def closes_circle(graph: Graph, tail: int, head: int) -> bool:
    """Whether ``head`` already leads to ``tail``."""
    if graph.place[tail] < graph.place[head]:
        return False
    count = reach_ahead(graph, head, graph.place[tail])
    found = bool(graph.mark[tail] == 1)
    clear_marks(graph, count)
    return found


@kernel
def add_arc(graph: Graph, tail: int, head: int) -> bool:
    """Add an arc; False, and no change, when it would close a circle."""
    low, high = graph.place[head], graph.place[tail]
    if low <= high:
        ahead = reach_ahead(graph, head, high)
        if graph.mark[tail] == 1:
            clear_marks(graph, ahead)
            return False
        moved = np.empty(high - low + 1, dtype=np.int64)  # nodes that move, by their present place
        moved[:] = NONE
        for k in range(ahead):
            moved[graph.place[graph.stack[k]] - low] = graph.stack[k]
        behind = np.zeros(high - low + 1, dtype=np.int64)
        behind[high - low] = 1
        moved[high - low] = tail
        # Places are searched downwards: whoever leads to the tail within the range goes before the head.
        for offset in range(high - low, -1, -1):
            if behind[offset] == 1:
                arc = graph.before.first[moved[offset]]
                while arc != NONE:
                    node = graph.before.to[arc]
                    if graph.place[node] >= low:
                        behind[graph.place[node] - low] = 1
                        moved[graph.place[node] - low] = node
                    arc = graph.before.next[arc]
        slots = np.flatnonzero(moved != NONE)
        used = 0
        for wanted in (1, 0):
            for k in range(len(slots)):
                if behind[slots[k]] == wanted:
                    graph.place[moved[slots[k]]] = slots[used] + low
                    used += 1
        clear_marks(graph, ahead)
    arc = int(graph.arcs[0])
    graph.arcs[0] += 1
    graph.after.to[arc], graph.after.next[arc], graph.after.first[tail] = head, graph.after.first[tail], arc
    graph.before.to[arc], graph.before.next[arc], graph.before.first[head] = (
        tail,
        graph.before.first[head],
        arc,
    )
    return True


@kernel
def settle(graph: Graph, choices: Ints, forward_first: NDArray[np.bool_], taken: Ints) -> int:
    """Take one arc of every pair.

    Args:
        graph: The graph; arcs are added.
        choices: (k, 4) rows forward tail, forward head, backward tail, backward head; tail NONE where there is no arc.
        forward_first: (k,) which one to prefer.
        taken: (k,) set to 0 (forward) or 1 (backward).

    Returns:
        NONE, or the row of a pair left without a choice.
    """
    n = len(choices)
    taken[:] = NONE
    changed = True
    while changed:
        changed = False
        for k in range(n):
            if taken[k] != NONE:
                continue
            forward = choices[k, 0] != NONE and not closes_circle(graph, choices[k, 0], choices[k, 1])
            backward = choices[k, 2] != NONE and not closes_circle(graph, choices[k, 2], choices[k, 3])
            if not forward and not backward:
                return k
            if forward != backward:
                taken[k] = 0 if forward else 1
                add_arc(graph, choices[k, 2 * taken[k]], choices[k, 2 * taken[k] + 1])
                changed = True
    for k in range(n):
        if taken[k] != NONE:
            continue
        for attempt in range(2):
            side = attempt if forward_first[k] else 1 - attempt
            if choices[k, 2 * side] != NONE and add_arc(
                graph, choices[k, 2 * side], choices[k, 2 * side + 1]
            ):
                taken[k] = side
                break
        if taken[k] == NONE:
            return k
    return NONE


@kernel
def earliest(graph: Graph, durations: NDArray[np.float64], starts: NDArray[np.float64], latest: Ints) -> None:
    """Earliest start of every node [s] into ``starts``, and the predecessor that decides it (or NONE) into ``latest``."""
    n = len(starts)
    order = np.empty(n, dtype=np.int64)
    for node in range(n):
        order[graph.place[node]] = node
    for k in range(n):
        node = order[k]
        starts[node], latest[node] = 0.0, NONE
        arc = graph.before.first[node]
        while arc != NONE:
            other = graph.before.to[arc]
            if starts[other] + durations[other] > starts[node]:
                starts[node], latest[node] = starts[other] + durations[other], other
            arc = graph.before.next[arc]
