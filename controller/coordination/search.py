"""Search for variants and choices with which a pattern runs in a given period: depth first, tightening at every step."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from controller.coordination.pattern import Pattern, Variants
from controller.coordination.tightening import (
    FAR,
    SLOP,
    Choices,
    best,
    close,
    decide,
    insert,
    least,
    most,
    open_choice,
    tighten,
)
from kinematics.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.int8]

CHOICES = 4000
LEVELS = 90
SHARE = 200  # of decisions for one set of variants


class Room(NamedTuple):
    """Scratch for a search: ways at every level of it, and choices."""

    D: Floats
    choices: Choices

    @classmethod
    def of(cls, pattern: Pattern) -> "Room":
        """Enough for a pattern."""
        n = len(pattern.duration)
        return cls(
            np.empty((LEVELS, n, n)),
            Choices(
                np.empty((CHOICES, 4), dtype=np.int64),
                np.empty((CHOICES, 2)),
                np.empty((CHOICES, 2), dtype=np.int64),
                np.zeros(1, dtype=np.int64),
            ),
        )


@kernel
def put_choice(
    choices: Choices, a: int, j: int, b: int, i: int, wa: float, wb: float, ha: int, hb: int
) -> None:
    """Append a choice."""
    k = choices.used[0]
    nodes, weights, heights = choices.nodes, choices.weights, choices.heights
    nodes[k, 0], nodes[k, 1], nodes[k, 2], nodes[k, 3] = a, j, b, i
    weights[k, 0], weights[k, 1], heights[k, 0], heights[k, 1] = wa, wb, ha, hb
    choices.used[0] = k + 1


@kernel
def begin(pattern: Pattern, T: float, D: Floats, choices: Choices) -> bool:
    """Ways of the waits that always hold, and the choices of nests and buffers; False when T is too short."""
    n = D.shape[0]
    for u in range(n):
        for v in range(n):
            D[u, v] = 0.0 if u == v else FAR
    waits = pattern.waits
    for k in range(len(waits)):
        tail, head = int(waits[k, 0]), int(waits[k, 1])
        D[tail, head] = max(D[tail, head], waits[k, 2] - waits[k, 3] * T)
    choices.used[0] = 0
    rows = pattern.choices
    for k in range(len(rows)):
        put_choice(
            choices,
            int(rows[k, 0]),
            int(rows[k, 1]),
            int(rows[k, 2]),
            int(rows[k, 3]),
            rows[k, 4],
            rows[k, 5],
            int(rows[k, 6]),
            int(rows[k, 7]),
        )
    return close(D) and tighten(D, T, choices)


@kernel
def chain_of(
    pattern: Pattern, variants: Variants, arm: int, row: int, chain: Ints, ids: Ints, took: Floats
) -> int:
    """Nodes of a variant in order with their stretches and durations; their number."""
    count = 0
    for k in range(variants.visits[arm]):
        v = variants.order[row, k]
        first, last = pattern.node[v], pattern.node[v + 1] - 1
        for node in range(first, last + variants.back[row, k]):
            chain[count] = node
            ids[count] = variants.first_id[row, k] if node == first else pattern.stretch[node]
            took[count] = variants.first_s[row, k] if node == first else pattern.duration[node]
            count += 1
    return count


@kernel
def link(chain: Ints, took: Floats, count: int, T: float, D: Floats) -> bool:
    """Add the waits of an arm for itself."""
    for k in range(count):
        head = chain[(k + 1) % count]
        if count > 1 and not insert(D, chain[k], head, took[k] - (T if k == count - 1 else 0.0)):
            return False
    return True


@kernel
def clear_of(ids: Ints, count: int, k: int, other: int, rest_near: Flags) -> int:
    """Steps from place k of a chain to the stretch after which the arm rests clear of another one; -1 if never."""
    for steps in range(count):
        if rest_near[ids[(k + steps) % count], other] == 0:
            return steps
    return -1


@kernel
def put_conflicts(
    chains: Ints,
    ids: Ints,
    took: Floats,
    counts: Ints,
    one: int,
    two: int,
    near: Flags,
    rest_near: Flags,
    choices: Choices,
) -> bool:
    """Append a choice for every two stretches of two arms in each other's way; False when one has no way out."""
    for q in range(counts[two]):
        j, last = ids[two, q], choices.used[0]
        for p in range(counts[one]):
            i = ids[one, p]
            if near[i, j] == 0:
                continue
            past = clear_of(ids[one], counts[one], p, j, rest_near)
            before = clear_of(ids[two], counts[two], q, i, rest_near)
            if past < 0 or before < 0:
                return False
            a, b = (p + past) % counts[one], (q + before) % counts[two]
            ha, hb = (p + past) // counts[one], (q + before) // counts[two]
            k = choices.used[0] - 1
            if (
                k >= last
                and choices.nodes[k, 0] == chains[one, a]
                and choices.nodes[k, 2] == chains[two, b]
                and choices.heights[k, 0] == ha
                and choices.heights[k, 1] == hb
            ):
                continue  # the earlier stretch asks for more
            if choices.used[0] == len(choices.nodes):
                return False
            put_choice(
                choices,
                chains[one, a],
                chains[two, q],
                chains[two, b],
                chains[one, p],
                took[one, a],
                took[two, b],
                ha,
                hb,
            )
    return True


@kernel
def settle(D: Floats, level: int, T: float, choices: Choices, origin: int, budget: Ints) -> int:
    """Decide choices until earliest times keep them all; the level that holds the ways, or -1."""
    base = level
    tried = np.zeros((D.shape[0], 3), np.int64)  # at a level: choice, K, whether it is the second one
    fresh = True
    while level >= base:
        if fresh:
            k = open_choice(D[level], T, choices, origin)
            if k < 0:
                return level
            K = best(D[level], T, choices, k)
            tried[level, 0], tried[level, 1], tried[level, 2] = k, K, 0
        else:
            k, K = tried[level, 0], tried[level, 1] + 1
            low, high = least(D[level], T, choices, k), most(D[level], T, choices, k)
            if high < K:
                K -= 2
            if tried[level, 2] == 1 or low > K:
                level -= 1
                continue
            tried[level, 2] = 1
        budget[0] -= 1
        if budget[0] < 0 or level + 1 >= D.shape[0]:
            return -1
        copy(D[level], D[level + 1])
        fresh = decide(D[level + 1], T, choices, k, K) and tighten(D[level + 1], T, choices)
        if fresh:
            level += 1
    return -1


@kernel
def copy(source: Floats, target: Floats) -> None:
    """Element by element."""
    for u in range(source.shape[0]):
        for v in range(source.shape[1]):
            target[u, v] = source[u, v]


@kernel
def runs_alone(
    pattern: Pattern,
    variants: Variants,
    T: float,
    arm: int,
    row: int,
    chain: Ints,
    ids: Ints,
    took: Floats,
    D: Floats,
    choices: Choices,
) -> bool:
    """Whether an arm may go round in a variant every T while no other is in its way; D as `begin` left it at level 0."""
    spare = D.shape[0] - 1
    count = chain_of(pattern, variants, arm, row, chain, ids, took)
    if took[:count].sum() > T + SLOP:
        return False
    copy(D[0], D[spare])
    return link(chain, took, count, T, D[spare]) and tighten(D[spare], T, choices)


@kernel
def fits(pattern: Pattern, variants: Variants, T: float, D: Floats, choices: Choices) -> bool:
    """Whether every arm has a variant that `runs_alone`: quick to find out, and mostly one has none.

    Args:
        pattern: The pattern.
        variants: Its variants.
        T: Period [s].
        D: (levels, n, n) scratch.
        choices: Scratch.
    """
    n = D.shape[1]
    if not begin(pattern, T, D[0], choices):
        return False
    chain, ids, took = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    for arm in np.argsort(np.diff(variants.begin)):
        row = variants.begin[arm]
        while not runs_alone(pattern, variants, T, arm, row, chain, ids, took, D, choices):
            row += 1
            if row == variants.begin[arm + 1]:
                return False
    return True


@kernel
def run(
    pattern: Pattern,
    variants: Variants,
    T: float,
    near: Flags,
    rest_near: Flags,
    chosen: Ints,
    starts: Floats,
    budget: Ints,
    D: Floats,
    choices: Choices,
) -> bool:
    """Find variants and times with which the pattern repeats every T.

    Args:
        pattern: The pattern.
        variants: Its variants.
        T: Period [s].
        near: (s, s) stretches in each other's way.
        rest_near: (s, s) rests in the way of stretches.
        chosen: (arms,) rows of variants; written.
        starts: (n,) beginnings after the index [s]; written.
        budget: (1,) decisions that may still be made; lowered.
        D: (levels, n, n) scratch.
        choices: Scratch.

    Returns:
        Whether it was found.
    """
    arms, n, spare = len(variants.visits), D.shape[1], D.shape[0] - 1
    if not begin(pattern, T, D[0], choices):
        return False
    chains, ids = np.empty((arms, n), np.int64), np.empty((arms, n), np.int64)
    took, counts = np.empty((arms, n)), np.zeros(arms, np.int64)
    used = np.empty(arms + 1, np.int64)
    used[0] = choices.used[0]
    # What cannot run with nothing or with one other arm beside it is found out once.
    rows = variants.begin[arms]
    alone, beside = np.zeros(rows, np.int64), np.zeros((rows, rows), np.int8)
    left = np.zeros(arms, np.int64)
    for arm in range(arms):
        for r in range(variants.begin[arm], variants.begin[arm + 1]):
            if runs_alone(pattern, variants, T, arm, r, chains[arm], ids[arm], took[arm], D, choices):
                alone[r] = 1
                left[arm] += 1
        if left[arm] == 0:
            return False
    turn = np.argsort(left)
    row = np.zeros(arms, np.int64)
    level, share = 0, np.zeros(1, np.int64)
    row[turn[0]] = variants.begin[turn[0]]
    while level >= 0:
        if level == arms:
            share[0] = min(budget[0], SHARE)
            budget[0] -= share[0]
            end = settle(D, level, T, choices, n - 1, share)
            budget[0] += max(share[0], 0)
            if end >= 0:
                for v in range(n):
                    starts[v] = D[end, n - 1, v]
                for arm in range(arms):
                    chosen[arm] = row[arm]
                return True
            level -= 1
            row[turn[level]] += 1
            continue
        if budget[0] < 0:
            return False
        arm = turn[level]
        if row[arm] >= variants.begin[arm + 1]:
            level -= 1
            if level >= 0:
                row[turn[level]] += 1
            continue
        good = alone[row[arm]] == 1
        for k in range(level):
            good = good and beside[row[turn[k]], row[arm]] >= 0
        if good:
            counts[arm] = chain_of(pattern, variants, arm, row[arm], chains[arm], ids[arm], took[arm])
        k = 0
        while good and k < level:
            other = turn[k]
            if beside[row[other], row[arm]] == 0:
                budget[0] -= 1
                choices.used[0] = used[0]
                copy(D[0], D[spare])
                good = (
                    link(chains[other], took[other], counts[other], T, D[spare])
                    and link(chains[arm], took[arm], counts[arm], T, D[spare])
                    and put_conflicts(chains, ids, took, counts, other, arm, near, rest_near, choices)
                    and tighten(D[spare], T, choices)
                )
                beside[row[other], row[arm]] = 1 if good else -1
            k += 1
        choices.used[0] = used[level]
        if good:
            budget[0] -= 1
            copy(D[level], D[level + 1])
            good = link(chains[arm], took[arm], counts[arm], T, D[level + 1])
            for k in range(level):
                good = good and put_conflicts(
                    chains, ids, took, counts, turn[k], arm, near, rest_near, choices
                )
        if good and tighten(D[level + 1], T, choices):
            used[level + 1] = choices.used[0]
            level += 1
            if level < arms:
                row[turn[level]] = variants.begin[turn[level]]
        else:
            row[arm] += 1
    return False
