"""Two plain ways to run a mix, to compare the search with.

* Barriers: arms work in steps. In each step every arm does at most one visit, and all wait for the slowest before the
  next; after the last step the dial turns. Allocation and order are searched for this way of working. Waits for press
  and bench are left out, which flatters it.
* List scheduling: a pass over the operations in order of assembly, those with the most work behind them first, each
  to the arm and position where it is left soonest within the cycle. One pass sees no further than that; it is repeated
  with these times disturbed at random, and the best pattern counts.
"""

from itertools import product

import numpy as np
import numpy.typing as npt

from controller.scheduling.candidate import FREE, PRECEDES, Tables, build_tables
from controller.scheduling.construct import InfeasibleProblemError, latest_positions
from controller.scheduling.cycle_ratio import DeadlockError
from controller.scheduling.mix import Mix, mean_problem
from controller.scheduling.moves import CHOICE, DRAWS, ORDER, WINDOW, Int64Array, move
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode, SchedulingProblem
from controller.scheduling.rounds import Rounds
from controller.scheduling.solve import search

_STARTS = 6
_MOVES = 3_000
_PASSES = 200


def barrier_cycle(mix: Mix, release: Int64Array, rng: np.random.Generator) -> float:
    """Mean ticks per joint of the best barrier-synchronised way of working found."""
    mean = mean_problem(mix)
    tables, alone = build_tables([mean]), Mix(problems=(mean,), counts=(1,))
    found: list[tuple[float, int, Int64Array]] = []
    for _ in range(_STARTS):
        state, _ = search(mean, rng=rng, iterations=10_000)
        ticks = _barrier_ticks(alone, tables, state, np.zeros(1, np.int64))
        for draw in rng.integers(0, 2**31, (_MOVES, DRAWS)):
            trial = state.copy()
            if move(tables, draw, trial):
                trial_ticks = _barrier_ticks(alone, tables, trial, np.zeros(1, np.int64))
                if trial_ticks <= ticks:
                    state, ticks = trial, trial_ticks
        found.append((ticks, len(found), state))
    return _barrier_ticks(mix, tables, min(found)[2], release) / len(release)


def _barrier_ticks(mix: Mix, tables: Tables, candidate: Int64Array, release: Int64Array) -> float:
    """Ticks of a round with barriers."""
    problem, joints, n = mix.problems[0], len(release), candidate.shape[1]
    rows = candidate[CHOICE] - tables.first[:-1]
    modes = [[p.operations[v].modes[rows[v]] for v in range(n)] for p in mix.problems]
    step, before = [0] * n, [-1] * n
    for arm in range(problem.arms):
        own = [int(v) for v in candidate[ORDER] if modes[0][v].arm == arm]
        for v, w in zip((own[-1:] + own)[:-1], own, strict=True):
            before[w] = v
    done: list[int] = []
    for v in map(int, candidate[ORDER]):
        apart = [
            step[u] + 1
            for u in done
            if (modes[0][u].arm == modes[0][v].arm != NO_ARM)
            or tables.gap[candidate[CHOICE, u], candidate[CHOICE, v]] >= 0
        ]
        step[v] = max(apart, default=0)
        done.append(v)
    total = joints * problem.index_ticks
    for cycle in range(joints):
        longest = [0] * (max(step) + 1)
        for v in range(n):
            mode = modes[release[(cycle - candidate[WINDOW, v]) % joints]][v]
            # The pose an arm comes from hardly depends on the kind.
            way = (
                0
                if mode.arm == NO_ARM
                else int(problem.travel[mode.arm, modes[0][before[v]].end, mode.start])
            )
            longest[step[v]] = max(longest[step[v]], mode.duration + way)
        total += sum(longest)
    return total


def list_cycle(mix: Mix, release: Int64Array, rng: np.random.Generator) -> float:
    """Mean ticks per joint of the best of many passes of list scheduling.

    What is loaded beside the dial serves this joint or the next, whichever is best.

    Raises:
        InfeasibleProblemError: The pass comes to a pattern that cannot run.
    """
    mean = mean_problem(mix)
    alone, one = Rounds(Mix(problems=(mean,), counts=(1,))), np.zeros(1, np.int64)
    off_dial = [v for v, o in enumerate(mean.operations) if o.modes[0].position == OFF_DIAL]
    found: list[tuple[int, int, Int64Array]] = []
    for number in range(_PASSES):
        noise = np.ones(len(mean.operations)) if number == 0 else rng.uniform(0.7, 1.3, len(mean.operations))
        candidate = _list_pattern(mean, noise)
        for ahead in product(range(2), repeat=len(off_dial)):
            trial = candidate.copy()
            trial[WINDOW, off_dial] -= ahead
            try:
                found.append((alone.ticks(trial, one), len(found), trial))
            except DeadlockError:
                continue
    if not found:
        raise InfeasibleProblemError("list scheduling comes to no pattern that can run")
    return Rounds(mix).ticks(min(found)[2], release) / len(release)


def _list_pattern(problem: SchedulingProblem, noise: npt.NDArray[np.float64]) -> Int64Array:
    tables, latest = build_tables([problem]), latest_positions(problem)
    names = [operation.name for operation in problem.operations]
    pairs = [(names.index(a), names.index(b)) for a, b in problem.same_joint_order()]
    work = [min(mode.duration for mode in operation.modes) for operation in problem.operations]
    behind = [0] * len(names)
    for _ in names:
        behind = [
            work[v] + max((behind[b] for a, b in pairs if a == v), default=0) for v in range(len(names))
        ]
    chosen: dict[int, tuple[Mode, int, int]] = {}  # mode, when it enters, when it leaves
    candidate = np.zeros((3, len(names)), np.int64)
    while len(chosen) < len(names):
        ready = [
            v for v in range(len(names)) if v not in chosen and all(a in chosen for a, b in pairs if b == v)
        ]
        v = max(ready, key=lambda v: (behind[v], -v))
        reached = max((chosen[a][0].position for a, b in pairs if b == v), default=0)
        options = [
            (*_soonest(problem, tables, chosen, pairs, v, row), row)
            for row, mode in enumerate(problem.operations[v].modes)
            if mode.position == OFF_DIAL or reached <= mode.position <= latest[names[v]]
        ]
        leave, enter, row = min(
            options, key=lambda option: option[0] * noise[(v + 7 * option[2]) % len(noise)]
        )
        mode = problem.operations[v].modes[row]
        chosen[v] = mode, enter, leave
        candidate[CHOICE, v], candidate[WINDOW, v] = tables.first[v] + row, mode.position
    candidate[ORDER] = sorted(chosen, key=lambda v: (chosen[v][1], v))
    for link, v, w in reversed(tables.links.tolist()):
        if link not in (FREE, PRECEDES) and candidate[WINDOW, v] == OFF_DIAL:
            candidate[WINDOW, v] = candidate[WINDOW, w]
    return candidate


def _soonest(
    problem: SchedulingProblem,
    tables: Tables,
    chosen: dict[int, tuple[Mode, int, int]],
    pairs: list[tuple[int, int]],
    v: int,
    row: int,
) -> tuple[int, int]:
    """When a mode would be left and entered at the soonest, after all that is planned already."""
    mode = problem.operations[v].modes[row]
    enter = 0 if mode.position == OFF_DIAL else problem.index_ticks
    enter = max(enter, mode.before)
    for u, (other, _, leave) in chosen.items():
        same_joint = (u, v) in pairs and other.position in (mode.position, OFF_DIAL)
        if other.arm == mode.arm != NO_ARM:
            way = int(problem.travel[mode.arm, other.end, mode.start])
            enter = max(enter, leave + other.after + way + mode.before)
        gap = tables.gap[tables.first[v] + row, _row(problem, tables, u, other)]
        if gap >= 0 or same_joint:
            enter = max(enter, leave + max(0, int(gap)))
    return enter + mode.inside, enter


def _row(problem: SchedulingProblem, tables: Tables, u: int, mode: Mode) -> int:
    return int(tables.first[u]) + problem.operations[u].modes.index(mode)
