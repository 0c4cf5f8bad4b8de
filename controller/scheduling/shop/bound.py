"""Lower bounds on the makespan of a shop. Each looks at a few resources and forgets the others; the largest counts.

* One resource: what surely uses it, each operation with a head (it cannot start earlier) and a tail (this much follows),
  may be interrupted but not done at the same time. The most urgent tail first is then optimal (Jackson's preemptive
  schedule; Carlier and Pinson, Management Science 35, 1989). Least setup times make the operations longer.
* A set of k resources: what surely uses one of them keeps each busy, on average, for a k-th of the work; before that
  pass at least the k least heads, behind it the k least tails.
"""

from heapq import heappop, heappush
from itertools import combinations

import numpy as np

from controller.scheduling.longest_path import longest_path
from controller.scheduling.shop.problem import Operation, ShopProblem

_MOST_SETS = 500  # of resources: pairs of them are tried too


def lower_bound(problem: ShopProblem) -> int:
    """Ticks that no schedule can beat."""
    operations = problem.operations
    durations = [min(mode.duration for mode in operation.modes) for operation in operations]
    heads, tails = heads_and_tails(problem, durations)
    best = max(h + p + t for h, p, t in zip(heads, durations, tails, strict=True))
    eligible = [
        frozenset(use.resource for mode in operation.modes for use in mode.uses) for operation in operations
    ]
    for resource in range(len(problem.resources)):
        sure = [
            v
            for v, operation in enumerate(operations)
            if all(any(use.resource == resource for use in mode.uses) for mode in operation.modes)
        ]
        setup = _least_setup(problem, resource, [operations[v] for v in sure])
        work = [(heads[v], durations[v] + setup, max(tails[v] - setup, 0)) for v in sure]
        best = max(best, preemptive_makespan(work) - setup)
    for group in _groups(frozenset(eligible)):
        inside = [v for v, resources in enumerate(eligible) if resources <= group]
        k = len(group)
        if len(inside) > k:
            ends = sorted(heads[v] for v in inside)[:k], sorted(tails[v] for v in inside)[:k]
            total = sum(ends[0]) + sum(durations[v] for v in inside) + sum(ends[1])
            best = max(best, -(-total // k))
    return best


def preemptive_makespan(work: list[tuple[int, int, int]]) -> int:
    """Least makespan of (head, duration, tail) on one resource when operations may be interrupted."""
    ready: list[list[int]] = []  # negative tail, what is left
    time = best = 0
    coming = sorted(work, reverse=True)
    while coming or ready:
        if not ready:
            time = max(time, coming[-1][0])
        while coming and coming[-1][0] <= time:
            _, duration, tail = coming.pop()
            heappush(ready, [-tail, duration])
        tail, left = heappop(ready)
        step = min(left, coming[-1][0] - time) if coming else left
        time += step
        if step < left:
            heappush(ready, [tail, left - step])
        else:
            best = max(best, time - tail)
    return best


def heads_and_tails(problem: ShopProblem, durations: list[int]) -> tuple[list[int], list[int]]:
    """For each operation the least time before its start and behind its end."""
    n = len(durations)
    release = np.repeat([job.release for job in problem.jobs], [len(job.operations) for job in problem.jobs])
    heads = longest_path(n, [(a, b, durations[a]) for a, b in problem.precedence], release=release)
    tails = longest_path(n, [(b, a, durations[b]) for a, b in problem.precedence])
    return heads.tolist(), tails.tolist()


def _least_setup(problem: ShopProblem, resource: int, operations: list[Operation]) -> int:
    """What lies at least between any two of these operations on a resource."""
    setup = problem.resources[resource].setup
    if not setup or len(operations) < 2:
        return 0
    uses = [use for o in operations for mode in o.modes for use in mode.uses if use.resource == resource]
    return min(setup[leave][enter] for leave in {u.leave for u in uses} for enter in {u.enter for u in uses})


def _groups(sets: frozenset[frozenset[int]]) -> set[frozenset[int]]:
    """Sets of resources worth a look: those given, unions of two, and all together."""
    found = set(sets) | {frozenset().union(*sets)}
    if len(found) <= _MOST_SETS:
        found |= {a | b for a, b in combinations(sorted(found, key=sorted), 2)}
    return found
