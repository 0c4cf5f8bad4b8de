"""Times of any shop's solution: an order of all operations and a mode for each.

Every operation starts as soon as what stands before it in the order allows. All schedules worth having can be written
so: sort them by start. It handles every feature in one pass, so it is exact where the disjunctive graph of the fast
core would need more kinds of arcs.
"""

from controller.scheduling.shop.graph import Int64Array
from controller.scheduling.shop.tables import NEVER, AnyShop
from kinematics.jit import inlined, kernel

_RESOURCE, _ENTER, _LEAVE, _HOLD = range(4)
# rows of the state of the resources
FREE, STATE, HOLDER = range(3)


@kernel
def replay(
    shop: AnyShop, order: Int64Array, mode: Int64Array, start: Int64Array, resources: Int64Array
) -> tuple[int, int, int]:
    """`play` for callers outside kernels."""
    return play(shop, order, mode, start, resources)


@inlined
def play(
    shop: AnyShop, order: Int64Array, mode: Int64Array, start: Int64Array, resources: Int64Array
) -> tuple[int, int, int]:
    """Times of a solution.

    Args:
        shop: The shop.
        order: (n,) all operations, each behind its predecessors.
        mode: (n,) their modes.
        start: (n,) written: starts [ticks].
        resources: (3, m) scratch.

    Returns:
        Makespan and total lateness [ticks], and n; or, when the next operation needs what another holds: `NEVER`, its
        place in the order, and the operation that must begin before.
    """
    n = len(order)
    for r in range(resources.shape[1]):
        resources[FREE, r] = 0
        resources[STATE, r] = -1
        resources[HOLDER, r] = n
    makespan = late = 0
    for k in range(n):
        v = order[k]
        m = mode[v]
        time = shop.release[v]
        for i in range(shop.before_from[v], shop.before_from[v + 1]):
            u = shop.before[i]
            time = max(time, start[u] + shop.mode_duration[mode[u]])
        for i in range(shop.use_from[m], shop.use_from[m + 1]):
            r = shop.use[i, _RESOURCE]
            u = resources[HOLDER, r]
            if u != n and shop.after[shop.after_from[u]] != v:
                return NEVER, k, shop.after[shop.after_from[u]]
            free = resources[FREE, r]
            if shop.setup_width[r] > 0 and resources[STATE, r] >= 0:
                free += shop.setup[
                    shop.setup_from[r] + resources[STATE, r] * shop.setup_width[r] + shop.use[i, _ENTER]
                ]
            time = max(time, free)
        start[v] = time
        end = time + shop.mode_duration[m]
        makespan = max(makespan, end)
        late += max(0, end - shop.due[v])
        # What the predecessors held is free from now on.
        for i in range(shop.before_from[v], shop.before_from[v + 1]):
            u = shop.before[i]
            for j in range(shop.use_from[mode[u]], shop.use_from[mode[u] + 1]):
                r = shop.use[j, _RESOURCE]
                if resources[HOLDER, r] == u:
                    resources[HOLDER, r] = n
                    resources[FREE, r] = time
        for i in range(shop.use_from[m], shop.use_from[m + 1]):
            r = shop.use[i, _RESOURCE]
            resources[FREE, r] = end
            resources[STATE, r] = shop.use[i, _LEAVE]
            if shop.use[i, _HOLD] == 1 and shop.after_from[v + 1] > shop.after_from[v]:
                resources[HOLDER, r] = v
    return makespan, late, n
