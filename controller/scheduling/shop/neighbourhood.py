"""Which moves may shorten a schedule, and how long it would about be after each.

A move takes an operation out of its resource's chain and puts it elsewhere in the same or another one. Only
critical operations are worth moving: inside a block (critical neighbours on one resource) behind its last, before its
first, or the first and last into it (N7: Zhang, Li, Guan, Rao, Computers & Operations Research 34, 2007); with
alternatives also anywhere it fits on another resource (Mastrolilli and Gambardella, Journal of Scheduling 3, 2000).

A path from a to b is at least as long as what lies on it. So none leads from a to b when a's end is later than the
start of b, or when b's rest is longer than what follows a: tests that never let a circuit pass, also for operations
that take no time.
"""

from controller.scheduling.shop.graph import (
    Graph,
    Int64Array,
    PlainShop,
    greatest_after,
    greatest_before,
    ready,
)
from kinematics.jit import inlined


@inlined
def random_below(state: Int64Array, limit: int) -> int:
    """A number in 0..limit - 1 from a generator with one word of state (xorshift, Marsaglia 2003)."""
    x: int = state[0]
    x ^= (x << 13) & 0xFFFFFFFF
    x ^= x >> 17
    x ^= (x << 5) & 0xFFFFFFFF
    state[0] = x
    return (x * limit) >> 32


@inlined
def critical_path(shop: PlainShop, graph: Graph, makespan: int, state: Int64Array, path: Int64Array) -> int:
    """Some longest path, last operation first; returns its length."""
    n = len(graph.order)
    v, seen = n, 0
    for u in shop.last:
        if graph.end[u] == makespan:
            seen += 1
            if random_below(state, seen) == 0:
                v = u
    count = 0
    while v != n:
        path[count] = v
        count += 1
        start = graph.start[v]
        u = graph.ahead[v]
        by_resource = u != n and graph.end[u] == start
        w, seen = n, 0
        if shop.before[v] != n and graph.end[shop.before[v]] == start:
            w, seen = shop.before[v], 1
        i = shop.more_before_at[v]
        while shop.more_before[i] != n:
            if graph.end[shop.more_before[i]] == start:
                seen += 1
                if random_below(state, seen) == 0:
                    w = shop.more_before[i]
            i += 1
        if by_resource and (w == n or random_below(state, 2) == 0):
            w = u
        v = w
    return count


@inlined
def precedes(shop: PlainShop, u: int, v: int) -> bool:
    """Whether u is a direct predecessor of v in its job."""
    found: bool = shop.before[v] == u
    i = shop.more_before_at[v]
    while shop.more_before[i] != len(shop.before):
        found = found or shop.more_before[i] == u
        i += 1
    return found


@inlined
def may_move_behind(shop: PlainShop, graph: Graph, u: int, v: int) -> bool:
    """Whether u, which stands before v on its resource, can surely go right behind it."""
    return greatest_after(shop, u, graph.follow) < graph.rest[v] and not precedes(shop, u, v)


@inlined
def may_move_before(shop: PlainShop, graph: Graph, v: int, u: int) -> bool:
    """Whether v, which stands behind u on its resource, can surely go right before it."""
    return greatest_before(shop, v, graph.start) < graph.end[u] and not precedes(shop, u, v)


@inlined
def length_behind(shop: PlainShop, graph: Graph, starts: Int64Array, u: int, v: int) -> int:
    """Estimated longest path through u .. v after u has gone right behind v.

    Times of all others are taken as they are (Balas and Vazacopoulos, Management Science 44, 1998).
    """
    time = graph.end[graph.ahead[u]]
    w, count = u, 0
    while w != v:
        w = graph.behind[w]
        starts[count] = max(ready(shop, graph, w), time)
        time = starts[count] + graph.duration[w]
        count += 1
    rest = max(greatest_after(shop, u, graph.rest), graph.rest[graph.behind[v]]) + graph.duration[u]
    longest: int = max(ready(shop, graph, u), time) + rest
    while w != u:
        count -= 1
        rest = max(greatest_after(shop, w, graph.rest), rest) + graph.duration[w]
        longest = max(longest, starts[count] + rest)
        w = graph.ahead[w]
    return longest


@inlined
def length_before(shop: PlainShop, graph: Graph, rests: Int64Array, v: int, u: int) -> int:
    """The same after v has gone right before u: the mirror image."""
    rest = graph.rest[graph.behind[v]]
    w, count = v, 0
    while w != u:
        w = graph.ahead[w]
        rests[count] = max(greatest_after(shop, w, graph.rest), rest) + graph.duration[w]
        rest = rests[count]
        count += 1
    time = max(ready(shop, graph, v), graph.end[graph.ahead[u]]) + graph.duration[v]
    longest: int = time + max(greatest_after(shop, v, graph.rest), rest)
    while w != v:
        count -= 1
        time = max(ready(shop, graph, w), time)
        longest = max(longest, time + rests[count])
        time += graph.duration[w]
        w = graph.behind[w]
    return longest
