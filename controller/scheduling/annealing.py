"""Simulated annealing over candidates, as one kernel fed with random numbers drawn outside.

All randomness comes in as arrays, so compiled and interpreted runs agree and a seed fixes the result.
"""

import numpy as np
import numpy.typing as npt

from controller.scheduling.candidate import ARM, POSITION, PRECEDES, Tables, build_arcs
from controller.scheduling.cycle_ratio import positive_circuit, raise_ratio
from kinematics.jit import kernel

Int64Array = npt.NDArray[np.int64]

DRAWS = 7
CHOICE, ORDER, WINDOW = range(3)
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
    cycle_times: Int64Array,
) -> int:
    """Try one move per row of `draws`, accept when the cycle time grows by at most that step's `slack`.

    Args:
        tables: The problem.
        draws: (steps, DRAWS) non-negative random integers.
        slack: (steps,) ticks.
        lower_bound: Ticks that no candidate can beat; the search ends there.
        state: (3, n) current choice, order, window; updated.
        best: (3, n) best candidate so far; updated.
        cycle_times: (2,) cycle times of `state` and `best`, in ticks; updated.

    Returns:
        The number of candidates evaluated.
    """
    n = state.shape[1]
    trial = np.empty((3, n), np.int64)
    arcs = np.empty((3 * n + n * (n - 1) // 2 + len(tables.links), 4), np.int64)
    scratch = np.empty((4, n + 1), np.int64)
    ratio = np.empty(2, np.int64)
    evaluated = 0
    for step in range(len(draws)):
        if cycle_times[1] <= lower_bound:
            break
        _copy(state, trial)
        if not move(tables, draws[step], trial) or not in_joint_order(tables, trial):
            continue
        evaluated += 1
        cycle_time = bounded_cycle_time(
            tables, trial, cycle_times[0] + slack[step], lower_bound, arcs, scratch, ratio
        )
        if cycle_time < 0:
            continue
        _copy(trial, state)
        cycle_times[0] = cycle_time
        if cycle_time < cycle_times[1]:
            _copy(trial, best)
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
    cutoff: int,
    floor: int,
    arcs: Int64Array,
    scratch: Int64Array,
    ratio: Int64Array,
) -> int:
    """Cycle time in whole ticks, at least `floor`; -1 when it exceeds `cutoff` or the candidate deadlocks."""
    m = build_arcs(tables, candidate[CHOICE], candidate[ORDER], candidate[WINDOW], arcs)
    ratio[0], ratio[1] = cutoff, 1
    used = arcs[:m]
    label, parent, mark, circuit = scratch[LABEL], scratch[PARENT], scratch[MARK], scratch[CIRCUIT]
    if positive_circuit(used, ratio, label, parent, mark, circuit):
        return -1
    ratio[0] = floor
    if raise_ratio(used, ratio, label, parent, mark, circuit) < 0:
        return -1
    return int(-(-ratio[0] // ratio[1]))


@kernel
def in_joint_order(tables: Tables, candidate: Int64Array) -> bool:
    """Whether no precedence runs against the dial or against the order in one nest (cheap, before any
    graph)."""
    for k in range(len(tables.links)):
        kind, v, w = tables.links[k, 0], tables.links[k, 1], tables.links[k, 2]
        here, there = (
            tables.modes[candidate[CHOICE, v], POSITION],
            tables.modes[candidate[CHOICE, w], POSITION],
        )
        if kind != PRECEDES or here < 0 or there < 0:
            continue
        if here > there:
            return False
        if here == there:
            for i in range(candidate.shape[1]):
                if candidate[ORDER, i] == v:
                    break
                if candidate[ORDER, i] == w:
                    return False
    return True


@kernel
def move(tables: Tables, draw: Int64Array, candidate: Int64Array) -> bool:
    """Change `candidate` by one random move; False when the drawn move does not exist."""
    n = candidate.shape[1]
    v, w = draw[1] % n, draw[2] % n
    kind = draw[0] % 100
    if kind < 40:
        _shift_window(tables, draw[3], v, candidate)
        return _relocate(candidate, v, w, draw[4] % 2)
    if kind < 50:
        return _swap_places(candidate, v, w)
    if kind < 60:
        return _shift_window(tables, draw[3], v, candidate)
    if kind < 80:
        changed = _change_mode(tables, draw[3], v, candidate)
        if changed and draw[5] % 2:
            _relocate(candidate, v, w, draw[4] % 2)
        return changed
    changed = _trade_arms(tables, draw[3], v, w, candidate)
    if changed and draw[5] % 2:
        _swap_places(candidate, v, w)
    return changed


@kernel
def _relocate(candidate: Int64Array, v: int, w: int, behind: int) -> bool:
    """Put v right before or behind w in the order."""
    if v == w:
        return False
    n = candidate.shape[1]
    order = candidate[ORDER]
    i = 0
    while order[i] != v:
        i += 1
    for k in range(i, n - 1):
        order[k] = order[k + 1]
    k = n - 1
    while True:
        if k == 0:
            order[0] = v
            return True
        if behind == 1 and order[k - 1] == w:
            order[k] = v
            return True
        order[k] = order[k - 1]
        k -= 1
        if behind == 0 and order[k] == w:
            order[k] = v
            return True


@kernel
def _swap_places(candidate: Int64Array, v: int, w: int) -> bool:
    """Exchange v and w in the order."""
    order = candidate[ORDER]
    for k in range(len(order)):
        if order[k] == v:
            order[k] = w
        elif order[k] == w:
            order[k] = v
    return v != w


@kernel
def _shift_window(tables: Tables, draw: int, v: int, candidate: Int64Array) -> bool:
    """Serve the joint of the cycle before or after, if v is off the dial and the draw says so."""
    if tables.modes[candidate[CHOICE, v], POSITION] >= 0:
        return False
    shift = draw % 4 - 1
    if shift > 1:
        shift = 0
    candidate[WINDOW, v] += shift
    return shift != 0


@kernel
def _change_mode(tables: Tables, draw: int, v: int, candidate: Int64Array) -> bool:
    """Give v another of its modes."""
    first, count = tables.first[v], tables.first[v + 1] - tables.first[v]
    if count < 2:
        return False
    old = candidate[CHOICE, v] - first
    _set_mode(tables, v, first + (old + 1 + draw % (count - 1)) % count, candidate)
    return True


@kernel
def _trade_arms(tables: Tables, draw: int, v: int, w: int, candidate: Int64Array) -> bool:
    """Give v a mode on w's arm and w one on v's arm."""
    arm_v, arm_w = tables.modes[candidate[CHOICE, v], ARM], tables.modes[candidate[CHOICE, w], ARM]
    if arm_v == arm_w:
        return False
    mode_v, mode_w = _mode_on_arm(tables, v, arm_w, draw), _mode_on_arm(tables, w, arm_v, draw // 64)
    if mode_v < 0 or mode_w < 0:
        return False
    _set_mode(tables, v, mode_v, candidate)
    _set_mode(tables, w, mode_w, candidate)
    return True


@kernel
def _mode_on_arm(tables: Tables, v: int, arm: int, draw: int) -> int:
    """Some mode of v on that arm, or -1."""
    first, count = tables.first[v], tables.first[v + 1] - tables.first[v]
    for k in range(count):
        row = first + (draw + k) % count
        if tables.modes[row, ARM] == arm:
            return int(row)
    return -1


@kernel
def _set_mode(tables: Tables, v: int, row: int, candidate: Int64Array) -> None:
    """Choose a mode; on the dial the window follows the position."""
    candidate[CHOICE, v] = row
    if tables.modes[row, POSITION] >= 0:
        candidate[WINDOW, v] = tables.modes[row, POSITION]
