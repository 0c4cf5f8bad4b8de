"""Simulated annealing on orders and modes: the core for shops with setups, blocking, due dates, several resources."""

import math

import numpy as np

from controller.scheduling.shop.graph import Int64Array
from controller.scheduling.shop.neighbourhood import random_below
from controller.scheduling.shop.replay import replay
from controller.scheduling.shop.tables import NEVER, AnyShop
from kinematics.jit import inlined, kernel

# Accepted growth of the makespan, as a share of it, falls geometrically from the first to the second.
_HOT, _COLD = 0.03, 0.0005
_LATE = 64  # a tick too late weighs as much as this many ticks of makespan


@kernel
def anneal(
    shop: AnyShop, resources: int, order: Int64Array, mode: Int64Array, limits: Int64Array, stop: Int64Array
) -> tuple[int, int, int]:
    """Improve a solution in place by moving one operation at a time, evaluating each move exactly.

    When something then needs what another job holds, the operation that makes it let go is pulled forward.

    Args:
        shop: The shop.
        resources: Their number.
        order: (n,) all operations, each behind its predecessors, so that nothing stays blocked; replaced by the best.
        mode: (n,) their modes; replaced by the best.
        limits: moves; a makespan that ends the search; seed in 1..2^32 - 1.
        stop: (1,) another thread may set it to end the search soon.

    Returns:
        Least total lateness and, for that, the least makespan [ticks]; the moves done.
    """
    n = len(order)
    state = limits[2:].copy()
    place = np.empty(n, np.int64)
    start = np.empty(n, np.int64)
    scratch = np.empty((3, resources), np.int64)
    best_order, best_mode, kept = order.copy(), mode.copy(), order.copy()
    for i in range(n):
        place[order[i]] = i
    makespan, late, _ = replay(shop, order, mode, start, scratch)
    best, best_late = makespan, late
    cost = makespan + _LATE * late
    warmth = _HOT * cost
    cooling = (_COLD / _HOT) ** (1.0 / limits[0])
    done = 0
    while done < limits[0] and (best > limits[1] or best_late > 0) and stop[0] == 0:
        done += 1
        warmth *= cooling
        v = random_below(state, n)
        left, right, was = 0, n - 1, place[v]
        for i in range(shop.before_from[v], shop.before_from[v + 1]):
            left = max(left, place[shop.before[i]] + 1)
        for i in range(shop.after_from[v], shop.after_from[v + 1]):
            right = min(right, place[shop.after[i]] - 1)
        to = left + random_below(state, right - left + 1)
        m = mode[v]
        modes = shop.mode_from[v + 1] - shop.mode_from[v]
        if modes > 1 and random_below(state, 2) == 0:
            mode[v] = shop.mode_from[v] + random_below(state, modes)
        if to == was and mode[v] == m:
            continue
        shift(order, place, was, to)
        makespan, late, heir = replay(shop, order, mode, start, scratch)
        pulled = 0
        while makespan == NEVER and pulled < n and may_pull(shop, place, heir, late):
            shift(order, place, place[heir], late)
            pulled += 1
            makespan, late, heir = replay(shop, order, mode, start, scratch)
        allowed = cost - warmth * math.log((random_below(state, 1 << 30) + 1) / (1 << 30))
        if makespan == NEVER or makespan + _LATE * late > allowed:
            mode[v] = m
            order[:] = kept
            for i in range(n):
                place[order[i]] = i
            continue
        kept[:] = order
        cost = makespan + _LATE * late
        if late < best_late or (late == best_late and makespan < best):
            best, best_late = makespan, late
            best_order[:] = order
            best_mode[:] = mode
    order[:] = best_order
    mode[:] = best_mode
    return best_late, best, done


@inlined
def may_pull(shop: AnyShop, place: Int64Array, v: int, to: int) -> bool:
    """Whether v can be moved forward to a place: its predecessors stand before that."""
    free = True
    for i in range(shop.before_from[v], shop.before_from[v + 1]):
        free = free and place[shop.before[i]] < to
    return free


@inlined
def shift(order: Int64Array, place: Int64Array, was: int, to: int) -> None:
    """Move what stands at one place to another; those between close up."""
    v = order[was]
    step = 1 if to > was else -1
    while was != to:
        order[was] = order[was + step]
        place[order[was]] = was
        was += step
    order[to] = v
    place[v] = to
