"""Tabu search on the disjunctive graph: the fast core for plain and flexible job shops."""

from typing import NamedTuple

import numpy as np

from controller.scheduling.shop.graph import (
    Graph,
    Int64Array,
    PlainShop,
    greatest_after,
    greatest_before,
    link,
    makespan_of,
    new_graph,
    ready,
    set_ends,
    set_rests,
    sort_after,
    unlink,
)
from controller.scheduling.shop.neighbourhood import (
    critical_path,
    length_before,
    length_behind,
    may_move_before,
    may_move_behind,
    precedes,
    random_below,
)
from kinematics.jit import borrowed, inlined, kernel

_FAR = 1 << 62
_TENURE = (6, 11)  # least and most iterations for which what a move undid stays forbidden
_SLOTS = 1 << 14  # of the table of forbidden arcs: far more than arcs forbidden at a time
_KEY = 40503  # odd, near 2^16 / golden ratio: spreads neighbours (Knuth, TAOCP 3, 6.4)
_FORWARD, _BACKWARD = 0, 1


class Limits(NamedTuple):
    """When a search ends, and its seed in 1..2^32 - 1."""

    iterations: int
    target: int  # makespan that is good enough
    seed: int


class Scratch(NamedTuple):
    """Room for the search."""

    path: Int64Array  # (n,) a critical path, last operation first
    pairs: Int64Array  # (4 n, 3) moves on it: direction and two operations
    times: Int64Array  # (n,)
    forbidden: Int64Array  # (_SLOTS,) the iteration until which something must not be done


def tabu_search(
    shop: PlainShop, resources: int, order: Int64Array, mode: Int64Array, limits: Limits, stop: Int64Array
) -> int:
    """Improve a solution in place.

    Args:
        shop: The shop.
        resources: Their number.
        order: (n,) all operations; replaced by the best order found.
        mode: (n,) their modes; replaced by the best found.
        limits: When to end, and the seed.
        stop: (1,) another thread may set it to end the search soon.

    Returns:
        The iterations done.
    """
    n = len(order)
    graph = new_graph(shop, resources, order, mode)
    scratch = Scratch(
        path=np.empty(n, np.int64),
        pairs=np.empty((4 * n, 3), np.int64),
        times=np.empty(n, np.int64),
        forbidden=np.zeros(_SLOTS, np.int64),
    )
    state = np.array([limits.seed])
    return _search(
        shop, graph, scratch, state, np.array([limits.iterations, limits.target]), stop, order, mode
    )


@kernel
def _search(
    shop: PlainShop,
    graph: Graph,
    scratch: Scratch,
    state: Int64Array,
    limits: Int64Array,
    stop: Int64Array,
    order: Int64Array,
    mode: Int64Array,
) -> int:
    """The loop: times, best so far, choice of a move, the move. Does not allocate; returns the iterations done."""
    shop, graph, scratch = borrowed((shop, graph, scratch))
    state, limits, stop, order, mode = borrowed((state, limits, stop, order, mode))
    n = len(order)
    best = _FAR
    low, high = 0, n - 1
    done = 0
    while True:
        set_ends(shop, graph, low)
        set_rests(shop, graph, high)
        makespan = makespan_of(shop, graph)
        if makespan < best:
            best = makespan
            for i in range(n):
                order[i] = graph.order[i]
                mode[i] = graph.mode[i]
        if done == limits[0] or best <= limits[1] or stop[0] != 0:
            break
        count = critical_path(shop, graph, makespan, state, scratch.path)
        v, m, u = choose(shop, graph, scratch, state, count, done, best)
        if v == n:
            break
        done += 1
        until = done + _TENURE[0] + random_below(state, _TENURE[1] - _TENURE[0] + 1)
        forbid_return(graph, v, m, u, scratch.forbidden, until)
        low, high = move(shop, graph, v, m, u, done)
    return done


@inlined
def slot(u: int, v: int) -> int:
    """Where the table keeps until when u must not come before v; u = n: until when mode v must not be taken."""
    return ((u * _KEY + v) * _KEY >> 4) & (_SLOTS - 1)


@inlined
def list_if(wanted: bool, direction: int, v: int, w: int, pairs: Int64Array, count: int) -> int:
    """Write a move behind `count` others and return how many there are then, if it is wanted."""
    pairs[count, 0] = direction
    pairs[count, 1] = v
    pairs[count, 2] = w
    return count + wanted


@inlined
def list_moves(shop: PlainShop, graph: Graph, path: Int64Array, length: int, pairs: Int64Array) -> int:
    """Moves within the blocks of a critical path (last operation first) that surely give no circuit.

    A row of `pairs` is a direction and two operations: the first goes right behind, or before, the second.
    """
    count, to = 0, 0
    while to < length:
        size = 1
        while to + size < length and path[to + size] == graph.ahead[path[to + size - 1]]:
            size += 1
        tail, head = path[to], path[to + size - 1]
        # A block that starts at 0 cannot start earlier, one with nothing behind it cannot end earlier.
        front = size > 1 and graph.end[head] > graph.duration[head]
        back = size > 1 and graph.rest[tail] > graph.duration[tail]
        # u behind w and w before u are the same when they are neighbours: taken once.
        if back:
            for i in range(to + 1, to + size):  # each behind the last
                count = list_if(
                    may_move_behind(shop, graph, path[i], tail), _FORWARD, path[i], tail, pairs, count
                )
            for i in range(to + 2, to + size - 1):  # the last before each
                count = list_if(
                    may_move_before(shop, graph, tail, path[i]), _BACKWARD, tail, path[i], pairs, count
                )
        if front:
            for i in range(to + (size == 2 and back), to + size - 1):  # each before the first
                count = list_if(
                    may_move_before(shop, graph, path[i], head), _BACKWARD, path[i], head, pairs, count
                )
            for i in range(to + 1, to + size - 2):  # the first behind each
                count = list_if(
                    may_move_behind(shop, graph, head, path[i]), _FORWARD, head, path[i], pairs, count
                )
        to += size
    return count


@inlined
def is_forbidden(graph: Graph, forbidden: Int64Array, direction: int, v: int, w: int, now: int) -> bool:
    """Whether the move would bring back an order of two operations that was undone lately."""
    u = w
    found = False
    while u != v and not found:
        if direction == _FORWARD:
            found = forbidden[slot(u, v)] > now
            u = graph.ahead[u]
        else:
            found = forbidden[slot(v, u)] > now
            u = graph.behind[u]
    return found


@inlined
def choose(
    shop: PlainShop,
    graph: Graph,
    scratch: Scratch,
    state: Int64Array,
    length_of_path: int,
    now: int,
    best: int,
) -> tuple[int, int, int]:
    """The allowed move with the least estimate, else any: operation, mode, what it goes behind; (n, 0, 0) if none.

    What is forbidden is allowed when it promises a new best.
    """
    n = len(graph.order)
    path, pairs, forbidden = scratch.path, scratch.pairs, scratch.forbidden
    chosen, mode, ahead = n, 0, 0
    least = _FAR
    ties = refused = 0
    for i in range(list_moves(shop, graph, path, length_of_path, pairs)):
        direction, v, w = pairs[i, 0], pairs[i, 1], pairs[i, 2]
        if direction == _FORWARD:
            length = length_behind(shop, graph, scratch.times, v, w)
            u = w
        else:
            length = length_before(shop, graph, scratch.times, v, w)
            u = graph.ahead[w]
        if length <= least:
            if length >= best and is_forbidden(graph, forbidden, direction, v, w, now):
                if least == _FAR:
                    refused += 1
                    if random_below(state, refused) == 0:
                        chosen, mode, ahead = v, graph.mode[v], u
            else:
                ties = ties + 1 if length == least else 1
                if random_below(state, ties) == 0:
                    least, chosen, mode, ahead = length, v, graph.mode[v], u
    for k in range(length_of_path):
        v = path[k]
        if shop.mode_from[v + 1] - shop.mode_from[v] == 1:
            continue
        earliest, rest = ready(shop, graph, v), greatest_after(shop, v, graph.rest)
        start_before = greatest_before(shop, v, graph.start)
        rest_behind = greatest_after(shop, v, graph.follow)
        for m in range(shop.mode_from[v], shop.mode_from[v + 1]):
            if m == graph.mode[v]:
                continue
            u, w = n, graph.first[shop.mode_resource[m]]
            while True:
                # between u and w
                if w == n or (start_before < graph.end[w] and not precedes(shop, w, v)):
                    length = max(earliest, graph.end[u]) + shop.mode_duration[m] + max(rest, graph.rest[w])
                    if length <= least:
                        if length >= best and forbidden[slot(n, m)] > now:
                            if least == _FAR:
                                refused += 1
                                if random_below(state, refused) == 0:
                                    chosen, mode, ahead = v, m, u
                        else:
                            ties = ties + 1 if length == least else 1
                            if random_below(state, ties) == 0:
                                least, chosen, mode, ahead = length, v, m, u
                if w == n or rest_behind >= graph.rest[w] or precedes(shop, v, w):
                    break
                u, w = w, graph.behind[w]
    return chosen, mode, ahead


@inlined
def forbid_return(graph: Graph, v: int, m: int, u: int, forbidden: Int64Array, until: int) -> None:
    """Forbid for a while what a move is about to undo."""
    n = len(graph.order)
    if m != graph.mode[v]:
        forbidden[slot(n, graph.mode[v])] = until
        return
    forward = u != n and graph.turn[u] > graph.turn[v]
    w = v
    while True:
        if forward:
            w = graph.behind[w]
            forbidden[slot(v, w)] = until
            if w == u:
                break
        else:
            w = graph.ahead[w]
            if w == u:
                break
            forbidden[slot(w, v)] = until


@inlined
def move(shop: PlainShop, graph: Graph, v: int, m: int, u: int, stamp: int) -> tuple[int, int]:
    """Put v with mode m right behind u (first if u is the sentinel) and bring the order up to date.

    Ends from the first returned place on, and rests from the second one back, are to be set anew.
    """
    n, place = len(graph.order), graph.place
    low = high = place[v]
    unlink(graph, v, shop.mode_resource[graph.mode[v]])
    graph.mode[v] = m
    graph.duration[v] = shop.mode_duration[m]
    link(graph, v, u, shop.mode_resource[m])
    w = graph.behind[v]
    a = b = n
    if u != n and place[u] > low:
        a, b, high = v, u, place[u]
    elif w != n and place[w] < low:
        a, b, low = w, v, place[w]
    if a != n:
        sort_after(shop, graph, a, b, stamp)
    return low, high
