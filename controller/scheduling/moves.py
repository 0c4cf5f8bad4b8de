"""Random moves from one candidate to a neighbour, and the cheap test that comes before any graph.

A candidate is an array (3, n): its rows are `choice`, `order` and `window` (see `candidate`).
"""

import numpy as np
import numpy.typing as npt

from controller.scheduling.candidate import ARM, POSITION, PRECEDES, Tables
from kinematics.jit import kernel

Int64Array = npt.NDArray[np.int64]

CHOICE, ORDER, WINDOW = range(3)
# Random integers that a move consumes.
DRAWS = 6


@kernel
def move(tables: Tables, draw: Int64Array, candidate: Int64Array) -> bool:
    """Change `candidate` by one random move; False when the drawn move does not exist."""
    n = candidate.shape[1]
    v, w, behind = draw[1] % n, draw[2] % n, draw[3] % 2
    kind = draw[0] % 100
    if kind < 40:
        _shift_window(tables, draw[4], v, candidate)
        return _relocate(candidate, v, w, behind)
    if kind < 50:
        return _swap_places(candidate, v, w)
    if kind < 60:
        return _shift_window(tables, draw[4], v, candidate)
    if kind < 80:
        changed = _change_mode(tables, draw[4], v, candidate)
        if changed and draw[5] % 2:
            _relocate(candidate, v, w, behind)
    else:
        changed = _trade_arms(tables, draw[4], v, w, candidate)
        if changed and draw[5] % 2:
            _swap_places(candidate, v, w)
    if changed:
        _order_nests(tables, candidate)
    return changed


@kernel
def in_joint_order(tables: Tables, candidate: Int64Array) -> bool:
    """Whether no precedence runs against the dial or against the order in one nest."""
    for k in range(len(tables.links)):
        if _against_dial(tables, k, candidate) > 0 or _against_order(tables, k, candidate):
            return False
    return True


@kernel
def _against_dial(tables: Tables, k: int, candidate: Int64Array) -> int:
    """By how many positions link k runs backwards: 0 in one nest, negative if it does not."""
    a, b = candidate[CHOICE, tables.links[k, 1]], candidate[CHOICE, tables.links[k, 2]]
    here, there = tables.modes[a, POSITION], tables.modes[b, POSITION]
    if tables.links[k, 0] != PRECEDES or here < 0 or there < 0:
        return -1
    return int(here - there)


@kernel
def _against_order(tables: Tables, k: int, candidate: Int64Array) -> bool:
    """Whether link k joins two operations in one nest that the order has the wrong way round."""
    if _against_dial(tables, k, candidate) != 0:
        return False
    i = 0
    while candidate[ORDER, i] != tables.links[k, 1] and candidate[ORDER, i] != tables.links[k, 2]:
        i += 1
    return bool(candidate[ORDER, i] == tables.links[k, 2])


@kernel
def _order_nests(tables: Tables, candidate: Int64Array) -> None:
    """Repair, once over, the order of operations that a change of modes has brought into one nest."""
    for k in range(len(tables.links)):
        if _against_order(tables, k, candidate):
            _relocate(candidate, tables.links[k, 1], tables.links[k, 2], 0)


@kernel
def _relocate(candidate: Int64Array, v: int, w: int, behind: int) -> bool:
    """Put v right before or behind w in the order."""
    if v == w:
        return False
    order = candidate[ORDER]
    # v walks towards w, one exchange at a time.
    step, i = 1, 0
    while order[i] != v:
        if order[i] == w:
            step = -1
        i += 1
    while order[i + step] != w:
        order[i], order[i + step] = order[i + step], order[i]
        i += step
    if (step > 0) == (behind == 1):
        order[i], order[i + step] = order[i + step], order[i]
    return True


@kernel
def _swap_places(candidate: Int64Array, v: int, w: int) -> bool:
    """Exchange v and w in the order."""
    order = candidate[ORDER]
    for k in range(len(order)):
        if order[k] == v:
            order[k] = w
        elif order[k] == w:
            order[k] = v
    return v != w


@kernel
def _shift_window(tables: Tables, draw: int, v: int, candidate: Int64Array) -> bool:
    """Off the dial: serve the joint of the cycle before or after, or in half of the draws leave it."""
    if tables.modes[candidate[CHOICE, v], POSITION] >= 0 or draw % 2:
        return False
    candidate[WINDOW, v] += draw // 2 % 2 * 2 - 1
    return True


@kernel
def _change_mode(tables: Tables, draw: int, v: int, candidate: Int64Array) -> bool:
    """Give v another of its modes."""
    first, count = tables.first[v], tables.first[v + 1] - tables.first[v]
    if count < 2:
        return False
    old = candidate[CHOICE, v] - first
    return _set_mode(tables, draw // 64, v, first + (old + 1 + draw % (count - 1)) % count, candidate)


@kernel
def _trade_arms(tables: Tables, draw: int, v: int, w: int, candidate: Int64Array) -> bool:
    """Give v a mode on w's arm and w one on v's arm."""
    arm_v, arm_w = tables.modes[candidate[CHOICE, v], ARM], tables.modes[candidate[CHOICE, w], ARM]
    if arm_v == arm_w:
        return False
    mode_v, mode_w = _mode_on_arm(tables, v, arm_w, draw), _mode_on_arm(tables, w, arm_v, draw // 64)
    if mode_v < 0 or mode_w < 0:
        return False
    if not _set_mode(tables, draw // 4096, v, mode_v, candidate):
        return False
    return _set_mode(tables, draw // 4096, w, mode_w, candidate)


@kernel
def _mode_on_arm(tables: Tables, v: int, arm: int, draw: int) -> int:
    """Some mode of v on that arm, or -1."""
    first, count = tables.first[v], tables.first[v + 1] - tables.first[v]
    for k in range(count):
        row = first + (draw + k) % count
        if tables.modes[row, ARM] == arm:
            return int(row)
    return -1


@kernel
def _set_mode(tables: Tables, draw: int, v: int, row: int, candidate: Int64Array) -> bool:
    """Choose a mode for v, and others for those before or after it that its new position overtakes.

    Returns:
        False when one of those has no fitting mode; the candidate is then spoilt.
    """
    raised = tables.modes[row, POSITION] > tables.modes[candidate[CHOICE, v], POSITION]
    _place(tables, v, row, candidate)
    k = 0
    while k < len(tables.links):
        if _against_dial(tables, k, candidate) <= 0:
            k += 1
            continue
        # Raising v overtakes those that follow, lowering it those that precede; so the walk ends.
        a, b = tables.links[k, 1], tables.links[k, 2]
        moved, low, high = a, 0, tables.modes[candidate[CHOICE, b], POSITION]
        if raised:
            moved, low, high = b, tables.modes[candidate[CHOICE, a], POSITION], tables.positions - 1
        first, count = tables.first[moved], tables.first[moved + 1] - tables.first[moved]
        fitting = -1
        for j in range(count):
            other = first + (draw + j) % count
            if low <= tables.modes[other, POSITION] <= high:
                fitting = other
                break
        if fitting < 0:
            return False
        _place(tables, moved, fitting, candidate)
        k = 0
    return True


@kernel
def _place(tables: Tables, v: int, row: int, candidate: Int64Array) -> None:
    """Choose a mode. On the dial the window follows the position, and what is loaded for v moves along."""
    candidate[CHOICE, v] = row
    if tables.modes[row, POSITION] < 0:
        return
    shift = tables.modes[row, POSITION] - candidate[WINDOW, v]
    candidate[WINDOW, v] += shift
    for u in range(len(tables.unloader)):
        if tables.unloader[u] == v:
            candidate[WINDOW, u] += shift
