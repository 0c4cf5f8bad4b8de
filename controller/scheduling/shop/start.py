"""First solutions, all different, none of them bad on purpose."""

import numpy as np

from controller.scheduling.shop.graph import Int64Array
from controller.scheduling.shop.tables import AnyShop


def dispatch(shop: AnyShop, resources: int, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
    """An active schedule by random choice among conflicting operations (Giffler and Thompson, 1960).

    Modes are those that end earliest. Setup times and blocking are not looked at.

    Returns:
        Order and modes of the operations.
    """
    n = len(shop.release)
    waits = np.diff(shop.before_from)
    ready = shop.release.copy()
    free = np.zeros(resources, np.int64)
    mode = np.empty(n, np.int64)
    order: list[int] = []
    open_ = np.flatnonzero(waits == 0).tolist()
    while open_:
        choices = [_earliest(shop, v, ready, free) for v in open_]
        end, _, m = min(choices)
        taken = set(_resources(shop, m))
        rivals = [
            i
            for i, (_, begin, other) in enumerate(choices)
            if begin < end and not taken.isdisjoint(_resources(shop, other))
        ] or [choices.index(min(choices))]
        i = rivals[rng.integers(len(rivals))]
        v = open_.pop(i)
        end, _, mode[v] = choices[i]
        order.append(v)
        free[_resources(shop, mode[v])] = end
        for w in shop.after[shop.after_from[v] : shop.after_from[v + 1]].tolist():
            ready[w] = max(ready[w], end)
            waits[w] -= 1
            if waits[w] == 0:
                open_.append(w)
    return np.array(order), mode


def one_by_one(shop: AnyShop, first: Int64Array, rng: np.random.Generator) -> tuple[Int64Array, Int64Array]:
    """One job after the other: with blocking, what surely gets through. Order and modes of the operations.

    Args:
        shop: The shop.
        first: For each job the number of its first operation, then n.
        rng: Chooses jobs and modes.
    """
    n = len(shop.release)
    waits = np.diff(shop.before_from)
    order: list[int] = []
    for job in rng.permutation(len(first) - 1):
        open_ = [v for v in range(first[job], first[job + 1]) if waits[v] == 0]
        while open_:
            # Mostly the last opened: what an operation hands over to should follow soon.
            v = open_.pop(-1 if rng.random() < 0.5 else int(rng.integers(len(open_))))
            order.append(v)
            for w in shop.after[shop.after_from[v] : shop.after_from[v + 1]].tolist():
                waits[w] -= 1
                if waits[w] == 0:
                    open_.append(w)
    return np.array(order), rng.integers(shop.mode_from[:n], shop.mode_from[1:])


def _earliest(shop: AnyShop, v: int, ready: Int64Array, free: Int64Array) -> tuple[int, int, int]:
    """End, start and number of the mode of v that ends first."""
    best = None
    for m in range(shop.mode_from[v], shop.mode_from[v + 1]):
        begin = int(max(ready[v], *free[_resources(shop, m)]))
        found = (begin + int(shop.mode_duration[m]), begin, m)
        best = found if best is None or found < best else best
    assert best is not None
    return best


def _resources(shop: AnyShop, m: int) -> list[int]:
    used: list[int] = shop.use[shop.use_from[m] : shop.use_from[m + 1], 0].tolist()
    return used
