"""Lower bounds on the cycle time of a dial cell. Each looks at one resource and forgets the others.

The largest is returned. All are least totals over a relaxation, hence valid for every schedule:

* arm sets: operations whose every mode needs one of the arms in a set A keep those arms busy, per cycle, at
  least for their least durations plus one least travel into (or out of) each; one of them has the mean;
* arm loads: the same work, each operation given whole to one of its arms so that the largest load is least. A
  depth-first search decides this exactly or gives up after a fixed number of steps, when it bounds nothing;
* nests: operations whose every mode lies within a range of dial positions are inside one of its nests, one at
  a time in each, and never during the index;
* buffers: the loads, the process and the taking of one item follow each other before the next item's loads.
"""

from itertools import combinations, pairwise

from controller.scheduling.problem import NO_ARM, Mode, Operation, SchedulingProblem

_SEARCH_STEPS = 100_000


def lower_bound(problem: SchedulingProblem) -> int:
    """Ticks that no schedule can beat."""
    works = [_arm_work(problem, leaving=leaving) for leaving in (False, True)]
    bound = max(_nest_bound(problem), _buffer_bound(problem), *(_arm_set_bound(work) for work in works))
    return max(_arm_load_bound(work, problem.arms, bound) for work in works)


def _arm_work(problem: SchedulingProblem, *, leaving: bool) -> list[dict[int, int]]:
    """Per operation that needs an arm: the least ticks, with one travel, that it costs each of its arms."""
    by_arm: dict[int, list[Mode]] = {}
    for operation in problem.operations:
        for mode in operation.modes:
            by_arm.setdefault(mode.arm, []).append(mode)

    def busy(mode: Mode) -> int:
        # Any visit of the arm may be the neighbour; the visit itself, should it be alone there.
        if leaving:
            travel = min(problem.travel[mode.arm, mode.end, other.start] for other in by_arm[mode.arm])
        else:
            travel = min(problem.travel[mode.arm, other.end, mode.start] for other in by_arm[mode.arm])
        return mode.duration + int(travel)

    works = []
    for operation in problem.operations:
        if all(mode.arm != NO_ARM for mode in operation.modes):
            arms = sorted({mode.arm for mode in operation.modes})
            works.append({arm: min(busy(m) for m in operation.modes if m.arm == arm) for arm in arms})
    return works


def _arm_set_bound(works: list[dict[int, int]]) -> int:
    arms = sorted({arm for work in works for arm in work})
    best = 0
    for count in range(1, len(arms) + 1):
        for subset in combinations(arms, count):
            total = sum(min(work.values()) for work in works if work.keys() <= set(subset))
            best = max(best, -(-total // count))
    return best


def _arm_load_bound(works: list[dict[int, int]], arms: int, floor: int) -> int:
    """Least largest load over all ways to give operations to arms; `floor` if below it or undecided."""
    works = sorted(works, key=lambda work: (len(work), -min(work.values())))
    remaining = [0]
    for work in reversed(works):
        remaining.insert(0, remaining[0] + min(work.values()))
    best = 1 + sum(max(work.values()) for work in works)
    load = [0] * arms
    steps = 0

    def give(k: int) -> None:
        nonlocal best, steps
        steps += 1
        if k == len(works):
            best = max(load)
            return
        for arm, ticks in sorted(works[k].items(), key=lambda item: load[item[0]] + item[1]):
            if best <= floor or steps > _SEARCH_STEPS:
                return
            load[arm] += ticks
            room = sum(best - 1 - busy for busy in load)
            if load[arm] < best and remaining[k + 1] <= room:
                give(k + 1)
            load[arm] -= ticks

    give(0)
    return floor if steps > _SEARCH_STEPS else max(best, floor)


def _nest_bound(problem: SchedulingProblem) -> int:
    best = 0
    for low in range(problem.positions):
        for high in range(low, problem.positions):
            within = [o for o in problem.operations if all(low <= m.position <= high for m in o.modes)]
            if within:
                inside = sum(min(m.inside for m in o.modes) for o in within)
                longest = max(min(m.inside for m in o.modes) for o in within)
                best = max(best, problem.index_ticks + max(-(-inside // (high - low + 1)), longest))
    return best


def _buffer_bound(problem: SchedulingProblem) -> int:
    by_name = {operation.name: operation for operation in problem.operations}
    best = 0
    for buffer in problem.buffers:
        loads, unload = [by_name[name] for name in buffer.loads], by_name[buffer.unload]
        busy = sum(min(m.inside for m in o.modes) for o in loads)
        busy += sum(_least_margin(problem, a, b) for a, b in pairwise(loads))
        busy += max(buffer.process, _least_margin(problem, loads[-1], unload))
        busy += buffer.unload_offset + _least_margin(problem, unload, loads[0])
        best = max(best, busy)
    return best


def _least_margin(problem: SchedulingProblem, a: Operation, b: Operation) -> int:
    """The margin between two visits, if no arm can do both."""
    return 0 if {m.arm for m in a.modes} & {m.arm for m in b.modes} else problem.margin
