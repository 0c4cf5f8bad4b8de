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

from kinematics.jit import inlined

Int64Array = npt.NDArray[np.int64]
# Unsigned numbers of operations: the compiler need not ask at every access whether the index is negative.
NodeArray = npt.NDArray[np.uint32]


class PlainShop(NamedTuple):
    """A shop whose operations take one resource each: n operations, m resources, M modes.

    Each operation has a first predecessor and successor of its own, since most have no others.
    """

    release: Int64Array  # (n,) earliest start [ticks]
    before: NodeArray  # (n,) one predecessor, or n
    more_before_at: Int64Array  # (n,) where the list of the others begins
    more_before: NodeArray  # these lists, each ended by n: loops without a count stay small and unvectorised
    after: NodeArray  # (n,) one successor, or n
    more_after_at: Int64Array  # (n,)
    more_after: NodeArray
    last: Int64Array  # operations without successors
    mode_from: Int64Array  # (n + 1,) slices of the modes
    mode_resource: Int64Array  # (M,)
    mode_duration: Int64Array  # (M,) [ticks]


class Graph(NamedTuple):
    """Orders and times of one solution; every array has room for the sentinel."""

    order: NodeArray  # (n,) operations, every arc from left to right
    place: Int64Array  # (n + 1,) where in that order
    mode: Int64Array  # (n,)
    duration: Int64Array  # (n + 1,) [ticks]
    ahead: NodeArray  # (n + 1,) the one before it on its resource
    behind: NodeArray  # (n + 1,) the one after it
    turn: Int64Array  # (n + 1,) its number on the resource
    first: Int64Array  # (m,) first operation of each resource, or n
    start: Int64Array  # (n + 1,) earliest start [ticks]; -1 of the sentinel
    end: Int64Array  # (n + 1,) earliest end [ticks]
    rest: Int64Array  # (n + 1,) longest path from its start to the end of everything [ticks]
    follow: Int64Array  # (n + 1,) the same from its end; -1 of the sentinel
    mark: Int64Array  # (n + 1,) scratch: stamps
    held: Int64Array  # (n,) scratch


def new_graph(shop: PlainShop, resources: int, order: Int64Array, mode: Int64Array) -> Graph:
    """The graph in which every resource does its operations in the given order; its times are still to be set."""
    n = len(order)
    chains: list[list[int]] = [[n] for _ in range(resources)]
    resource = shop.mode_resource[mode].tolist()
    ahead, behind, turn = [n] * (n + 1), [n] * (n + 1), [0] * (n + 1)
    for v in order.tolist():
        chain = chains[resource[v]]
        ahead[v], turn[v] = chain[-1], len(chain) - 1
        behind[chain[-1]] = v
        chain.append(v)
    return Graph(
        order=order.astype(np.uint32),
        place=np.append(np.argsort(order), 0),
        mode=mode.copy(),
        duration=np.append(shop.mode_duration[mode], 0),
        ahead=np.array(ahead, np.uint32),
        behind=np.array(behind, np.uint32),
        turn=np.array(turn),
        first=np.array([(*chain, n)[1] for chain in chains]),
        start=np.full(n + 1, -1),
        end=np.zeros(n + 1, np.int64),
        rest=np.zeros(n + 1, np.int64),
        follow=np.full(n + 1, -1),
        mark=np.zeros(n + 1, np.int64),
        held=np.zeros(n, np.int64),
    )


@inlined
def greatest_before(shop: PlainShop, v: int, times: Int64Array) -> int:
    """The greatest of the times of v's predecessors in the job, or the sentinel's."""
    time: int = times[shop.before[v]]
    i = shop.more_before_at[v]
    if i != 0:
        while shop.more_before[i] != len(shop.before):
            time = max(time, times[shop.more_before[i]])
            i += 1
    return time


@inlined
def greatest_after(shop: PlainShop, v: int, times: Int64Array) -> int:
    """The greatest of the times of v's successors in the job, or the sentinel's."""
    time: int = times[shop.after[v]]
    i = shop.more_after_at[v]
    if i != 0:
        while shop.more_after[i] != len(shop.after):
            time = max(time, times[shop.more_after[i]])
            i += 1
    return time


@inlined
def ready(shop: PlainShop, graph: Graph, v: int) -> int:
    """When the predecessors in the job have ended."""
    time: int = max(shop.release[v], greatest_before(shop, v, graph.end))
    return time


@inlined
def set_ends(shop: PlainShop, graph: Graph, low: int) -> None:
    """Starts and ends from place `low` of the order on."""
    for i in range(low, len(graph.order)):
        v = graph.order[i]
        graph.start[v] = max(ready(shop, graph, v), graph.end[graph.ahead[v]])
        graph.end[v] = graph.start[v] + graph.duration[v]


@inlined
def set_rests(shop: PlainShop, graph: Graph, high: int) -> None:
    """What follows, from place `high` of the order back."""
    for i in range(high, -1, -1):
        v = graph.order[i]
        graph.follow[v] = max(greatest_after(shop, v, graph.rest), graph.rest[graph.behind[v]])
        graph.rest[v] = graph.follow[v] + graph.duration[v]


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
        j = shop.more_before_at[v]
        while shop.more_before[j] != len(order):
            reached = reached or mark[shop.more_before[j]] == stamp
            j += 1
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
