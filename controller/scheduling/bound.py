"""Lower bounds on the cycle time of a dial cell. Each looks at one resource and forgets the others.

The largest is returned. All are least totals over a relaxation, hence valid for every schedule:

* arms: operations whose every mode needs one of the arms in a set A keep those arms busy, per cycle, at least
for their
  least durations plus one least travel into (or out of) each; |A| arms share it, so one has at least the
  |A|-th part;
* nests: operations whose every mode lies within a range of dial positions are inside one of its nests, one at
a time in
  each, and never during the index;
* buffers: the loads, the process and the taking of one item follow each other before the next item's first
load.
"""

from itertools import combinations, pairwise

from controller.scheduling.problem import NO_ARM, Mode, Operation, SchedulingProblem


def lower_bound(problem: SchedulingProblem) -> int:
    """Ticks that no schedule can beat."""
    return max(_arm_bound(problem), _nest_bound(problem), _buffer_bound(problem))


def _arm_bound(problem: SchedulingProblem) -> int:
    into = {mode: _least_travel(problem, mode, leaving=False) for mode in _modes(problem)}
    out_of = {mode: _least_travel(problem, mode, leaving=True) for mode in _modes(problem)}
    best = 0
    for count in range(1, problem.arms + 1):
        for subset in combinations(range(problem.arms), count):
            bound_to_it = [o for o in problem.operations if all(m.arm in subset for m in o.modes)]
            for travel in (into, out_of):
                work = sum(min(m.duration + travel[m] for m in o.modes) for o in bound_to_it)
                best = max(best, -(-work // count))
    return best


def _modes(problem: SchedulingProblem) -> list[Mode]:
    return [m for operation in problem.operations for m in operation.modes if m.arm != NO_ARM]


def _least_travel(problem: SchedulingProblem, mode: Mode, *, leaving: bool) -> int:
    """Least travel between this mode and any neighbour on its arm (itself, should it be alone there)."""
    others = [m for m in _modes(problem) if m.arm == mode.arm]
    if leaving:
        return min(int(problem.travel[mode.arm, mode.end, m.start]) for m in others)
    return min(int(problem.travel[mode.arm, m.end, mode.start]) for m in others)


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
