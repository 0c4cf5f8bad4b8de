"""Why no schedule of a shop meets its dates: operations that do not fit between them, and what would end that.

Operations that must lie within a window of time, and each take one of k resources, need together no more than k times
its length. The first that do not are shown with the fewest operations that suffice. For one resource these windows are
all there is while operations may be interrupted; so what is found is proven, but not everything that is impossible is
found.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from controller.scheduling.shop.bound import heads_and_tails
from controller.scheduling.shop.problem import Operation, ShopProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Relaxation:
    """What would end a conflict, and by how many ticks something has to give."""

    ticks: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateConflict:
    """Operations that cannot all be done in time; any of them left out, the rest fit into the window.

    Attributes:
        operations: (job, operation) of each.
        resources: Numbers of the resources of which each needs one.
        window: Ticks between which they must all lie, since their jobs' other operations come before or after.
        work: Ticks that they take.
        relaxations: What would end the conflict, the cheapest first.
        told: The conflict in words.
    """

    operations: tuple[tuple[int, int], ...]
    resources: tuple[int, ...]
    window: tuple[int, int]
    work: int
    relaxations: tuple[Relaxation, ...]
    told: str

    def __str__(self) -> str:
        cheapest = self.relaxations[0]
        return f"{self.told}. Cheapest way out: {cheapest.what} by {cheapest.ticks} ticks"


def date_conflict(problem: ShopProblem) -> DateConflict | None:
    """The conflict of the fewest operations that was found between dates and work; None when none is shown."""
    operations = problem.operations
    durations = [min(mode.duration for mode in operation.modes) for operation in operations]
    heads, tails = heads_and_tails(problem, durations)
    names = [(j, k) for j, job in enumerate(problem.jobs) for k in range(len(job.operations))]
    ends = [
        None if (due := problem.jobs[j].due) is None else due - tail
        for (j, _), tail in zip(names, tails, strict=True)
    ]
    best: tuple[list[int], tuple[int, ...], int, int] | None = None
    for v, end in enumerate(ends):
        if end is not None and durations[v] > end - heads[v]:
            taken = {use.resource for mode in operations[v].modes for use in mode.uses}
            best = [v], tuple(sorted(taken)), heads[v], end
            break
    for group in _groups(operations) if best is None else ():
        inside = [
            v
            for v, operation in enumerate(operations)
            if ends[v] is not None
            and all(any(use.resource in group for use in mode.uses) for mode in operation.modes)
        ]
        for begin, end in _overfull(inside, heads, durations, ends, len(group)):
            within = [v for v in inside if heads[v] >= begin and (ends[v] or 0) <= end]
            fewest = _fewest(within, durations, len(group) * (end - begin))
            if best is None or len(fewest) < len(best[0]):
                best = fewest, tuple(sorted(group)), begin, end
    if best is None:
        return None
    chosen, resources, begin, end = best
    work = sum(durations[v] for v in chosen)
    alone = len(chosen) == 1
    excess = work - (1 if alone else len(resources)) * (end - begin)
    told = (
        f"{_listed([_name(problem, names[v]) for v in chosen])} {'takes' if alone else 'take'} {work} ticks on "
        f"{_listed([problem.resources[r].name for r in resources], 'or' if alone else 'and')}, "
        f"and must lie between {begin} and {end}"
    )
    relaxations = []
    for v in chosen:
        job = problem.jobs[names[v][0]]
        later = excess + end - (ends[v] or 0)
        relaxations.append(
            Relaxation(ticks=later, what=f"let {job.name!r} be due at {(job.due or 0) + later}, later")
        )
        earlier = excess + heads[v] - begin
        if earlier <= job.release:
            what = f"release {job.name!r} at {job.release - earlier}, earlier"
            relaxations.append(Relaxation(ticks=earlier, what=what))
        relaxations.append(Relaxation(ticks=excess, what=f"shorten {_name(problem, names[v])}"))
    return DateConflict(
        operations=tuple(names[v] for v in chosen),
        resources=resources,
        window=(begin, end),
        work=work,
        relaxations=tuple(sorted(set(relaxations), key=lambda way: (way.ticks, way.what))),
        told=told,
    )


def _groups(operations: tuple[Operation, ...]) -> set[frozenset[int]]:
    """Each resource alone, and those among which an operation has a choice."""
    groups: set[frozenset[int]] = set()
    for operation in operations:
        used = [frozenset(use.resource for use in mode.uses) for mode in operation.modes]
        groups |= {frozenset([resource]) for resource in frozenset.union(*used)}
        groups.add(frozenset.union(*used) - frozenset.intersection(*used))
    return groups - {frozenset()}


def _overfull(
    inside: list[int], heads: list[int], durations: list[int], ends: list[int | None], k: int
) -> Iterator[tuple[int, int]]:
    """Windows, from a head to an end, with more work than k resources do in them."""
    if not inside:
        return
    by_end = sorted(inside, key=lambda v: ends[v] or 0)
    head, last = (np.array(values) for values in ([heads[v] for v in by_end], [ends[v] for v in by_end]))
    duration = np.array([durations[v] for v in by_end])
    for begin in np.unique(head).tolist():
        work = np.cumsum(np.where(head >= begin, duration, 0))
        for i in np.flatnonzero((work > k * (last - begin)) & (head >= begin)).tolist():
            yield begin, int(last[i])


def _fewest(within: list[int], durations: list[int], room: int) -> list[int]:
    """The fewest operations that take longer than there is room."""
    chosen, work = [], 0
    for v in sorted(within, key=lambda v: (-durations[v], v)):
        if work > room:
            break
        chosen.append(v)
        work += durations[v]
    return sorted(chosen)


def _name(problem: ShopProblem, name: tuple[int, int]) -> str:
    return f"operation {name[1]} of {problem.jobs[name[0]].name!r}"


def _listed(words: list[str], last: str = "and") -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
