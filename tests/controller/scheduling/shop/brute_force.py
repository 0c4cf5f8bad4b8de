"""The best makespan of a tiny shop by trying every order and every mode; the rules are written down anew."""

from itertools import product

from controller.scheduling.shop import ShopProblem


def best_makespan(problem: ShopProblem) -> int | None:
    """The least makespan, or None when nothing gets through in time."""
    operations, before = problem.operations, {}
    owner = [job for job in problem.jobs for _ in job.operations]
    heir = {}
    for a, b in problem.precedence:
        before.setdefault(b, set()).add(a)
        heir[a] = b
    best = None

    def extend(done, modes, ends, uses):
        """`uses` has for each resource the last (operation, use, moment from which it is free, or None)."""
        nonlocal best
        if len(done) == len(operations):
            latest = max(ends.values())
            best = latest if best is None else min(best, latest)
            return
        for v in range(len(operations)):
            if v in done or not before.get(v, set()) <= done:
                continue
            mode = operations[v].modes[modes[v]]
            moments = [owner[v].release, *(ends[u] for u in before.get(v, ()))]
            for use in mode.uses:
                if use.resource not in uses:
                    continue
                last, other, free = uses[use.resource]
                if free is None and heir[last] != v:
                    break
                setup = problem.resources[use.resource].setup
                wait = setup[other.leave][use.enter] if setup else 0
                moments.append((ends[last] if free is None else free) + wait)
            else:
                start = max(moments)
                end = start + mode.duration
                if owner[v].due is not None and end > owner[v].due:
                    continue
                if best is not None and end >= best:
                    continue  # whatever follows, it does not get shorter
                after = {
                    r: (last, other, start if free is None and heir[last] == v else free)
                    for r, (last, other, free) in uses.items()
                }
                for use in mode.uses:
                    after[use.resource] = (v, use, None if use.hold and v in heir else end)
                extend(done | {v}, modes, ends | {v: end}, after)

    for modes in product(*(range(len(operation.modes)) for operation in operations)):
        extend(frozenset(), modes, {}, {})
    return best
