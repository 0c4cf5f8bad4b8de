"""Longest ways between the events of a repeating cycle, and choices that they force.

All events repeat with the period T. ``D[u, v]`` is the least time from u to v that the waits decided so far ask for,
minus infinity where they ask for none. A choice names two waits of which the first holds K cycles later and the second K
cycles earlier: of two blocks of events, the first one's end lies before the second one's begin of K cycles later, and the
second one's end before the first one's begin (`ROW`). Ways bound K from both sides. Where one K is left the waits are
added; where none is, the period is too short (precedence posting, after Cheng and Smith, "Applying constraint satisfaction
techniques to job shop scheduling", 1997, here for cyclic time).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinematics.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FAR = -1e15  # of a way that does not exist
SLOP = 1e-7  # s
WIDEST = 4.0  # no wait reaches further than so many cycles


class Choices(NamedTuple):
    """Choices as arrays.

    Attributes:
        nodes: (k, 4) tail and head of the first wait, tail and head of the second.
        weights: (k, 2) what the waits take [s].
        heights: (k, 2) cycles that the tails lie after the block's own cycle.
        used: (1,) number of rows in use.
    """

    nodes: Ints
    weights: Floats
    heights: Ints
    used: Ints


@kernel
def insert(D: Floats, tail: int, head: int, weight: float) -> bool:
    """Add a wait of ``weight`` [s] from tail to head; False, and D spoilt, when it closes a circuit that takes time."""
    n = D.shape[0]
    if D[head, tail] + weight > SLOP:
        return False
    if D[tail, head] >= weight:
        return True
    for u in range(n):
        to = D[u, tail] + weight
        if to > D[u, head]:
            for v in range(n):
                D[u, v] = max(D[u, v], to + D[head, v])
    return True


@kernel
def close(D: Floats) -> bool:
    """All longest ways from single waits, in place; False when a circuit takes time."""
    n = D.shape[0]
    for k in range(n):
        for u in range(n):
            to = D[u, k]
            if to > FAR / 2:
                for v in range(n):
                    D[u, v] = max(D[u, v], to + D[k, v])
    worst = 0.0
    for k in range(n):
        worst = max(worst, D[k, k])
    return bool(worst <= SLOP)


@kernel
def least(D: Floats, T: float, choices: Choices, k: int) -> int:
    """The least K that the ways leave to choice k."""
    a, j = choices.nodes[k, 0], choices.nodes[k, 1]
    ways = (D[j, a] + choices.weights[k, 0] - SLOP) / T + choices.heights[k, 0]
    return int(np.ceil(max(ways, -WIDEST)))


@kernel
def most(D: Floats, T: float, choices: Choices, k: int) -> int:
    """The largest K that the ways leave to choice k."""
    b, i = choices.nodes[k, 2], choices.nodes[k, 3]
    ways = 1 - choices.heights[k, 1] - (D[i, b] + choices.weights[k, 1] - SLOP) / T
    return int(np.floor(min(ways, WIDEST)))


@kernel
def decide(D: Floats, T: float, choices: Choices, k: int, K: int) -> bool:
    """Add both waits of choice k for a K."""
    nodes, weights, heights = choices.nodes, choices.weights, choices.heights
    first = weights[k, 0] + (heights[k, 0] - K) * T
    second = weights[k, 1] + (heights[k, 1] + K - 1) * T
    return insert(D, nodes[k, 0], nodes[k, 1], first) and insert(D, nodes[k, 2], nodes[k, 3], second)


@kernel
def tighten(D: Floats, T: float, choices: Choices) -> bool:
    """Add the waits of every choice that has one K left; False when one has none."""
    changed = True
    while changed:
        changed = False
        for k in range(choices.used[0]):
            low, high = least(D, T, choices, k), most(D, T, choices, k)
            if low > high:
                return False
            if low == high:
                nodes, weights, heights = choices.nodes, choices.weights, choices.heights
                first = weights[k, 0] + (heights[k, 0] - low) * T
                second = weights[k, 1] + (heights[k, 1] + low - 1) * T
                if D[nodes[k, 0], nodes[k, 1]] < first - SLOP or D[nodes[k, 2], nodes[k, 3]] < second - SLOP:
                    if not decide(D, T, choices, k, low):
                        return False
                    changed = True
    return True


@kernel
def open_choice(D: Floats, T: float, choices: Choices, origin: int) -> int:
    """The tightest choice that the earliest times after ``origin`` violate, or -1."""
    tightest, least_room = -1, np.inf
    for k in range(choices.used[0]):
        nodes, weights, heights = choices.nodes, choices.weights, choices.heights
        a, j, b, i = nodes[k, 0], nodes[k, 1], nodes[k, 2], nodes[k, 3]
        after = D[origin, a] + weights[k, 0] - D[origin, j] - SLOP
        before = D[origin, i] - D[origin, b] - weights[k, 1] + SLOP
        low = np.ceil(after / T + heights[k, 0])
        high = np.floor(before / T + 1 - heights[k, 1])
        if low <= high:
            continue
        room = slack(D, T, choices, k, best(D, T, choices, k))
        if room < least_room:
            tightest, least_room = k, room
    return tightest


@kernel
def slack(D: Floats, T: float, choices: Choices, k: int, K: int) -> float:
    """How much both waits of choice k could grow for a K [s]."""
    nodes, weights, heights = choices.nodes, choices.weights, choices.heights
    first = -D[nodes[k, 1], nodes[k, 0]] - weights[k, 0] - (heights[k, 0] - K) * T
    second = -D[nodes[k, 3], nodes[k, 2]] - weights[k, 1] - (heights[k, 1] + K - 1) * T
    return float(min(first, second))


@kernel
def best(D: Floats, T: float, choices: Choices, k: int) -> int:
    """The K that leaves choice k most room."""
    low, high = least(D, T, choices, k), most(D, T, choices, k)
    found, room = low, -np.inf
    for K in range(low, high + 1):
        here = slack(D, T, choices, k, K)
        if here > room:
            found, room = K, here
    return found
