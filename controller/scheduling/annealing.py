"""Simulated annealing over candidates, as one kernel fed with random numbers drawn outside.

All randomness comes in as arrays, so compiled and interpreted runs agree and a seed fixes the result.
"""

import numpy as np
import numpy.typing as npt

from controller.scheduling.candidate import Tables, build_arcs
from controller.scheduling.cycle_ratio import positive_circuit, raise_ratio
from controller.scheduling.moves import CHOICE, ORDER, WINDOW, move
from kinematics.jit import kernel

Int64Array = npt.NDArray[np.int64]

# Rows of the scratch array that label correction needs.
LABEL, PARENT, MARK, CIRCUIT = range(4)


@kernel
def anneal(
    tables: Tables,
    draws: Int64Array,
    slack: Int64Array,
    lower_bound: int,
    state: Int64Array,
    best: Int64Array,
    release: Int64Array,
    best_release: Int64Array,
    cycle_times: Int64Array,
    arcs: Int64Array,
) -> int:
    """Try one move per row of `draws`, accept when a round grows by at most that step's `slack`.

    Args:
        tables: The problem, or those of all kinds of a mix.
        draws: (steps, DRAWS) random integers in 0..2**31 - 1.
        slack: (steps,) ticks.
        lower_bound: Ticks that no round can beat; the search ends there.
        state: (3, n) current choice, order, window; updated.
        best: (3, n) best candidate so far; updated.
        release: (joints,) kind of each joint of a round, that of `state`; updated.
        best_release: (joints,) that of `best`; updated.
        cycle_times: (2,) ticks of a round of `state` and of `best`; updated.
        arcs: (arc_capacity, 4) scratch.

    Returns:
        The number of candidates evaluated.
    """
    n, joints = state.shape[1], len(release)
    trial = np.empty((3, n), np.int64)
    scratch = np.empty((4, joints * (n + 1)), np.int64)
    ratio = np.empty(2, np.int64)
    evaluated = 0
    for step in range(len(draws)):
        if cycle_times[1] <= lower_bound:
            break
        _copy(state, trial)
        i, j = draws[step, 1] % joints, draws[step, 2] % joints
        exchange = joints > 1 and draws[step, 0] // 100 % 2 == 0
        if exchange:
            if release[i] == release[j]:
                continue
            release[i], release[j] = release[j], release[i]
        elif not move(tables, draws[step], trial):
            continue
        evaluated += 1
        cycle_time = bounded_cycle_time(
            tables, trial, release, cycle_times[0] + slack[step], lower_bound, arcs, scratch, ratio
        )
        if cycle_time < 0:
            if exchange:
                release[i], release[j] = release[j], release[i]
            continue
        _copy(trial, state)
        cycle_times[0] = cycle_time
        if cycle_time < cycle_times[1]:
            _copy(trial, best)
            for k in range(joints):
                best_release[k] = release[k]
            cycle_times[1] = cycle_time
    return evaluated


@kernel
def _copy(source: Int64Array, target: Int64Array) -> None:
    """Element by element: slice assignment would make Numba compile its broadcasting and messages."""
    for row in range(source.shape[0]):
        for v in range(source.shape[1]):
            target[row, v] = source[row, v]


@kernel
def bounded_cycle_time(
    tables: Tables,
    candidate: Int64Array,
    release: Int64Array,
    cutoff: int,
    floor: int,
    arcs: Int64Array,
    scratch: Int64Array,
    ratio: Int64Array,
) -> int:
    """Ticks of a round, at least `floor`; -1 when they exceed `cutoff` or the candidate deadlocks."""
    m = build_arcs(tables, candidate[CHOICE], candidate[ORDER], candidate[WINDOW], release, arcs)
    ratio[0], ratio[1] = cutoff, 1
    used = arcs[:m]
    label, parent, mark, circuit = scratch[LABEL], scratch[PARENT], scratch[MARK], scratch[CIRCUIT]
    if positive_circuit(used, ratio, label, parent, mark, circuit):
        return -1
    ratio[0] = floor
    if raise_ratio(used, ratio, label, parent, mark, circuit) < 0:
        return -1
    return int(-(-ratio[0] // ratio[1]))
