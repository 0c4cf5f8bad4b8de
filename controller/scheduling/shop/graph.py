"""The disjunctive graph of a shop and its times, kept up to date move by move.

Nodes are operations; arcs are the jobs' precedences and, on every resource, the chain in which it does its
operations. Node n is a sentinel that stands for "none": it ends at 0 and has nothing behind it.

An order of all nodes that every arc agrees with is kept too. A move turns a few arcs round; only the window of
the order between them is sorted again (Pearce and Kelly, ACM JEA 11, 2006), and times are computed again only
from there on.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kinematics.jit import inlined, kernel

Int64Array = npt.NDArray[np.int64]


class PlainShop(NamedTuple):
    """A shop whose operations take one resource each: n operations, m resources, M modes.

    Each operation has a first predecessor and successor of its own, since most have no others.
    """

    release: Int64Array  # (n,) earliest start [ticks]
    before: Int64Array  # (n,) one predecessor, or n
    more_before_from: Int64Array  # (n + 1,) slices of the others
    more_before: Int64Array
    after: Int64Array  # (n,) one successor, or n
    more_after_from: Int64Array  # (n + 1,)
    more_after: Int64Array
    last: Int64Array  # operations without successors
    mode_from: Int64Array  # (n + 1,) slices of the modes
    mode_resource: Int64Array  # (M,)
    mode_duration: Int64Array  # (M,) [ticks]


class Graph(NamedTuple):
    """Orders and times of one solution; every array has room for the sentinel."""

    order: Int64Array  # (n,) operations, every arc from left to right
    place: Int64Array  # (n + 1,) where in that order
    mode: Int64Array  # (n,)
    duration: Int64Array  # (n + 1,) [ticks]
    ahead: Int64Array  # (n + 1,) the one before it on its resource
    behind: Int64Array  # (n + 1,) the one after it
    turn: Int64Array  # (n + 1,) its number on the resource
    first: Int64Array  # (m,) first operation of each resource, or n
    end: Int64Array  # (n + 1,) earliest end [ticks]
    rest: Int64Array  # (n + 1,) longest path from its start to the end of everything [ticks]
    mark: Int64Array  # (n + 1,) scratch: stamps
    held: Int64Array  # (n,) scratch


@kernel
def new_graph(shop: PlainShop, resources: int, order: Int64Array, mode: Int64Array) -> Graph:
    """The graph in which every resource does its operations in the given order."""
    n = len(shop.release)
    graph = Graph(
        order.copy(),
        np.zeros(n + 1, np.int64),
        mode.copy(),
        np.zeros(n + 1, np.int64),
        np.full(n + 1, n),
        np.full(n + 1, n),
        np.zeros(n + 1, np.int64),
        np.full(resources, n),
        np.zeros(n + 1, np.int64),
        np.zeros(n + 1, np.int64),
        np.zeros(n + 1, np.int64),
        np.zeros(n, np.int64),
    )
    latest = np.full(resources, n)
    for i in range(n):
        v = order[i]
        graph.place[v] = i
        graph.duration[v] = shop.mode_duration[mode[v]]
        resource = shop.mode_resource[mode[v]]
        u = latest[resource]
        graph.ahead[v] = u
        if u == n:
            graph.first[resource] = v
        else:
            graph.behind[u] = v
            graph.turn[v] = graph.turn[u] + 1
        latest[resource] = v
    set_ends(shop, graph, 0)
    set_rests(shop, graph, n - 1)
    return graph


@inlined
def ready(shop: PlainShop, graph: Graph, v: int) -> int:
    """When the predecessors in the job have ended."""
    time: int = max(shop.release[v], graph.end[shop.before[v]])
    for i in range(shop.more_before_from[v], shop.more_before_from[v + 1]):
        time = max(time, graph.end[shop.more_before[i]])
    return time


@inlined
def remaining(shop: PlainShop, graph: Graph, v: int) -> int:
    """Longest path behind the end of v through its successors in the job."""
    time: int = graph.rest[shop.after[v]]
    for i in range(shop.more_after_from[v], shop.more_after_from[v + 1]):
        time = max(time, graph.rest[shop.more_after[i]])
    return time


@inlined
def set_ends(shop: PlainShop, graph: Graph, low: int) -> None:
    """Ends from place `low` of the order on."""
    for i in range(low, len(graph.order)):
        v = graph.order[i]
        graph.end[v] = max(ready(shop, graph, v), graph.end[graph.ahead[v]]) + graph.duration[v]


@inlined
def set_rests(shop: PlainShop, graph: Graph, high: int) -> None:
    """Rests from place `high` of the order back."""
    for i in range(high, -1, -1):
        v = graph.order[i]
        graph.rest[v] = max(remaining(shop, graph, v), graph.rest[graph.behind[v]]) + graph.duration[v]


@inlined
def makespan_of(shop: PlainShop, graph: Graph) -> int:
    """The latest end."""
    latest = 0
    for v in shop.last:
        latest = max(latest, graph.end[v])
    return latest


@inlined
def sort_after(shop: PlainShop, graph: Graph, a: int, b: int, stamp: int) -> None:
    """Make the order agree with a new path from b to a, where b stood right of a; no path may lead from a to b.

    What is reachable from a and stands left of b moves, in its order, to the right of b.
    """
    mark, order, place, held = graph.mark, graph.order, graph.place, graph.held
    low, high = place[a], place[b]
    mark[a] = stamp
    held[0] = a
    count, to = 1, low
    for i in range(low + 1, high + 1):
        v = order[i]
        reached = mark[shop.before[v]] == stamp or mark[graph.ahead[v]] == stamp
        for j in range(shop.more_before_from[v], shop.more_before_from[v + 1]):
            reached = reached or mark[shop.more_before[j]] == stamp
        if reached:
            mark[v] = stamp
            held[count] = v
            count += 1
        else:
            order[to] = v
            place[v] = to
            to += 1
    for j in range(count):
        order[to + j] = held[j]
        place[held[j]] = to + j


@inlined
def unlink(graph: Graph, v: int, resource: int) -> None:
    """Take v out of its resource's chain."""
    n = len(graph.order)
    u, w = graph.ahead[v], graph.behind[v]
    graph.behind[u] = w
    graph.ahead[w] = u
    if u == n:
        graph.first[resource] = w
    while w != n:
        graph.turn[w] -= 1
        w = graph.behind[w]


@inlined
def link(graph: Graph, v: int, u: int, resource: int) -> None:
    """Put v right behind u in the chain of a resource, or at its front if u is the sentinel."""
    n = len(graph.order)
    if u == n:
        w = graph.first[resource]
        graph.first[resource] = v
        graph.turn[v] = 0
    else:
        w = graph.behind[u]
        graph.turn[v] = graph.turn[u] + 1
    graph.ahead[v] = u
    graph.behind[v] = w
    graph.behind[u] = v
    graph.ahead[w] = v
    while w != n:
        graph.turn[w] += 1
        w = graph.behind[w]
