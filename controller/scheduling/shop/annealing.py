"""Simulated annealing on orders and modes: the core for shops with setups, blocking, due dates, several resources."""

import math

import numpy as np

from controller.scheduling.shop.graph import Int64Array
from controller.scheduling.shop.neighbourhood import random_below
from controller.scheduling.shop.replay import play
from controller.scheduling.shop.tables import NEVER, AnyShop
from kinematics.jit import borrowed, inlined, kernel

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
    shop, order, mode, limits, stop = borrowed((shop, order, mode, limits, stop))
    n = len(order)
    state = limits[2:].copy()
    place = np.empty(n, np.int64)
    start = np.empty(n, np.int64)
    scratch = np.empty((3, resources), np.int64)
    best_order, best_mode, kept = order.copy(), mode.copy(), order.copy()
    for i in range(n):
        place[order[i]] = i
    best, best_late, cost, warmth = NEVER, NEVER, NEVER, 0.0
    cooling = (_COLD / _HOT) ** (1.0 / limits[0])
    done = 0
    v = was = to = 0  # the first move changes nothing: it only evaluates
    m = mode[v]
    while True:
        shift(order, place, was, to)
        pulled = 0
        while True:
            makespan, late, heir = play(shop, order, mode, start, scratch)
            if makespan < NEVER or pulled == n or not may_pull(shop, place, heir, late):
                break
            shift(order, place, place[heir], late)
            pulled += 1
        allowed = cost - warmth * math.log((random_below(state, 1 << 30) + 1) / (1 << 30))
        if makespan == NEVER or makespan + _LATE * late > allowed:
            mode[v] = m
            for i in range(n):
                order[i] = kept[i]
                place[order[i]] = i
        else:
            cost = makespan + _LATE * late
            better = late < best_late or (late == best_late and makespan < best)
            if better:
                best, best_late = makespan, late
            for i in range(n):
                kept[i] = order[i]
                if better:
                    best_order[i], best_mode[i] = order[i], mode[i]
        if done == limits[0] or (best <= limits[1] and best_late == 0) or stop[0] != 0:
            break
        warmth = warmth * cooling if done > 0 else _HOT * cost
        done += 1
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
    for i in range(n):
        order[i], mode[i] = best_order[i], best_mode[i]
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
