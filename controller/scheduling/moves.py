"""Random moves from one candidate to a neighbour, and the cheap repairs and tests that come before any graph.

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
    """Change `candidate` by one random move: modes, cycle served off the dial, order. Does not allocate.

    Returns:
        False when the drawn move does not exist or contradicts the precedence; the candidate is then spoilt.
    """
    n = candidate.shape[1]
    kind, v, w = draw[0] % 100, draw[1] % n, draw[2] % n
    a, b = candidate[CHOICE, v], candidate[CHOICE, w]
    swaps = 40 <= kind < 50 or kind >= 80
    reorders = kind < 50
    if kind >= 60:
        reorders = draw[3] % 2 == 0
        first, count = tables.first[v], tables.first[v + 1] - tables.first[v]
        row_v, row_w = first, -1
        if kind < 80:
            if count < 2:
                return False
            row_v += (a - first + 1 + draw[4] % (count - 1)) % count
        else:
            # v and w trade their arms.
            arm_v, arm_w = tables.places[a, ARM], tables.places[b, ARM]
            row_v = _mode_on_arm(tables.places, first, count, arm_w, draw[4])
            first, count = tables.first[w], tables.first[w + 1] - tables.first[w]
            row_w = _mode_on_arm(tables.places, first, count, arm_v, draw[4] // 64)
            if arm_v == arm_w or row_v < 0 or row_w < 0:
                return False
        for turn in range(2):
            row = row_v if turn == 0 else row_w
            if row >= 0 and not _set_mode(tables, draw[5], v if turn == 0 else w, row, candidate):
                return False
    elif tables.places[a, POSITION] < 0 and (not reorders or draw[3] % 2 == 0):
        # Serve the joint of the cycle before or after.
        candidate[WINDOW, v] += draw[4] % 2 * 2 - 1
    elif not reorders:
        return False
    if reorders and swaps:
        for k in range(n):
            if candidate[ORDER, k] == v:
                candidate[ORDER, k] = w
            elif candidate[ORDER, k] == w:
                candidate[ORDER, k] = v
    elif reorders and v != w:
        _relocate(candidate[ORDER], v, w, draw[5] % 2)
    return _settle_nests(tables.places, tables.links, candidate)


@kernel
def _settle_nests(places: Int64Array, links: Int64Array, candidate: Int64Array) -> bool:
    """Put operations in one nest in the order of their precedence; False if one runs against the dial."""
    for k in range(len(links)):
        steps = _steps_back(places, links, k, candidate)
        if steps > 0:
            return False
        if steps == 0:
            i = 0
            while candidate[ORDER, i] != links[k, 1] and candidate[ORDER, i] != links[k, 2]:
                i += 1
            if candidate[ORDER, i] == links[k, 2]:
                _relocate(candidate[ORDER], links[k, 1], links[k, 2], 0)
    return True


@kernel
def _steps_back(places: Int64Array, links: Int64Array, k: int, candidate: Int64Array) -> int:
    """By how many positions precedence k runs against the dial: 0 in one nest, -1 if it does not."""
    here = places[candidate[CHOICE, links[k, 1]], POSITION]
    there = places[candidate[CHOICE, links[k, 2]], POSITION]
    if links[k, 0] != PRECEDES or here < 0 or there < 0 or here < there:
        return -1
    return int(here - there)


@kernel
def _relocate(order: Int64Array, v: int, w: int, behind: int) -> None:
    """Put v right before or behind w."""
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


@kernel
def _mode_on_arm(places: Int64Array, first: int, count: int, arm: int, draw: int) -> int:
    """A row of places[first:first + count] on that arm, or -1."""
    for k in range(count):
        row = first + (draw + k) % count
        if places[row, ARM] == arm:
            return int(row)
    return -1


@kernel
def _set_mode(tables: Tables, draw: int, v: int, row: int, candidate: Int64Array) -> bool:
    """Choose a mode for v, and others for those before or after it that its new position overtakes.

    On the dial the window follows the position, and what is loaded for an operation moves along.

    Returns:
        False when one of the overtaken has no fitting mode; the candidate is then spoilt.
    """
    places, links = tables.places, tables.links
    raised = places[row, POSITION] > places[candidate[CHOICE, v], POSITION]
    while True:
        candidate[CHOICE, v] = row
        if places[row, POSITION] >= 0:
            shift = places[row, POSITION] - candidate[WINDOW, v]
            candidate[WINDOW, v] += shift
            for u in range(len(tables.unloader)):
                if tables.unloader[u] == v:
                    candidate[WINDOW, u] += shift
        k = 0
        while k < len(links) and _steps_back(places, links, k, candidate) <= 0:
            k += 1
        if k == len(links):
            return True
        # Raising v overtakes those that follow, lowering it those that precede; so this ends.
        v, low, high = links[k, 1], 0, places[candidate[CHOICE, links[k, 2]], POSITION]
        if raised:
            v, low, high = links[k, 2], places[candidate[CHOICE, links[k, 1]], POSITION], tables.positions - 1
        first, count = tables.first[v], tables.first[v + 1] - tables.first[v]
        row = -1
        for j in range(count):
            fitting = first + (draw + j) % count
            if low <= places[fitting, POSITION] <= high:
                row = fitting
                break
        if row < 0:
            return False
