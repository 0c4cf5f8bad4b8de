"""Cycle time of a fixed order: the maximum cycle ratio of its constraint graph, exactly.

An arc (tail, head, weight, height) says: ``x[head] >= x[tail] + weight - height * T``. Event `head` happens
at least `weight` ticks after event `tail` of `height` cycles earlier, when everything repeats with period T.
The least T for which start times exist is the maximum, over all circuits, of total weight / total height
(Reiter, Scheduling Parallel Computations, 1968).

The ratio is raised from circuit to circuit (Newton's iteration; Dasdan, Experimental Analysis of the Fastest
Optimum Cycle Ratio and Mean Algorithms, 2004, surveys it together with Howard's): for a candidate ratio W/H
the arcs get the integer weights ``weight * H - height * W``; label correction either settles, then no circuit
beats W/H, or its parent pointers close a circuit of positive weight, whose ratio is the next candidate.
Unlike Howard's policy iteration this needs neither strong connection nor positive heights, ignores harmless
circuits of zero weight and height, and finds deadlocks on the way; integers make it exact.

Arcs are arrays of shape (m, 4), int64, columns in the order above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from kinematics.jit import kernel

Arcs = npt.NDArray[np.int64]


class DeadlockError(ValueError):
    """A circuit of constraints that no cycle time can satisfy: an event would wait for itself.

    Attributes:
        circuit: The nodes of the circuit in order.
    """

    def __init__(
        self, circuit: tuple[int, ...], weight: int, height: int, names: Sequence[str] | None
    ) -> None:
        self.circuit = circuit
        walk = " -> ".join(names[v] if names is not None else str(v) for v in (*circuit, circuit[0]))
        super().__init__(f"deadlock: {walk} needs {weight} ticks within {height} cycles")


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRatio:
    """Least feasible cycle time and the circuit that forbids a smaller one.

    Attributes:
        value: Exact ratio in ticks per cycle; 0 when no circuit has positive weight.
        circuit: Nodes of a critical circuit in order; empty when `value` is 0.
        arcs: Row numbers of that circuit's arcs; `arcs[i]` leaves `circuit[i]`.
    """

    value: Fraction
    circuit: tuple[int, ...]
    arcs: tuple[int, ...]


def max_cycle_ratio(n: int, arcs: npt.ArrayLike, *, names: Sequence[str] | None = None) -> CycleRatio:
    """Least T >= 0 for which ``x[head] >= x[tail] + weight - height * T`` has a solution.

    Args:
        n: Number of nodes.
        arcs: (m, 4) integers: tail, head, weight in ticks, height in cycles. Weights and heights may be
            negative.
        names: Names of the nodes for the message of a deadlock.

    Raises:
        DeadlockError: Some circuit needs positive time in no cycle, or forbids the T that another one needs.
        ValueError: Wrong shape, a node out of range, or numbers so large that int64 could overflow.
    """
    table = _checked(n, arcs)
    ratio = np.array([0, 1], dtype=np.int64)
    circuit = np.empty(n, dtype=np.int64)
    length = raise_ratio(
        table, ratio, np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64), circuit
    )
    rows = tuple(int(row) for row in circuit[: abs(length)])
    nodes = tuple(int(table[row, 0]) for row in rows)
    if length < 0:
        raise DeadlockError(nodes, int(table[list(rows), 2].sum()), int(table[list(rows), 3].sum()), names)
    return CycleRatio(value=Fraction(int(ratio[0]), int(ratio[1])), circuit=nodes, arcs=rows)


def earliest_starts(n: int, arcs: npt.ArrayLike, cycle_time: int) -> npt.NDArray[np.int64]:
    """Least non-negative x with ``x[head] >= x[tail] + weight - height * cycle_time`` for every arc.

    Args:
        n: Number of nodes.
        arcs: (m, 4) integers: tail, head, weight in ticks, height in cycles.
        cycle_time: Period T in ticks, at least the maximum cycle ratio.

    Returns:
        (n,) start times in ticks.

    Raises:
        ValueError: The period is too short (the message gives a violated circuit), or as in
            `max_cycle_ratio`.
    """
    table = _checked(n, arcs)
    label, parent, circuit = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    ratio = np.array([cycle_time, 1], dtype=np.int64)
    length = positive_circuit(table, ratio, label, parent, np.empty(n, np.int64), circuit)
    if length:
        nodes = " -> ".join(str(int(table[row, 0])) for row in circuit[:length])
        raise ValueError(
            f"no start times exist for a cycle time of {cycle_time} ticks: circuit {nodes} takes longer"
        )
    return label


def _checked(n: int, arcs: npt.ArrayLike) -> Arcs:
    table = np.ascontiguousarray(arcs, dtype=np.int64)
    if table.size == 0:
        table = table.reshape(0, 4)
    if table.ndim != 2 or table.shape[1] != 4:
        raise ValueError(f"arcs have shape {table.shape}: must be (m, 4), tail, head, weight, height")
    if len(table) and not (table[:, :2].min() >= 0 and table[:, :2].max() < n):
        raise ValueError(f"arcs name a node outside 0..{n - 1}")
    # Labels sum at most n weights, each at most w * H + h * W with H <= n * h and W <= n * w.
    largest = np.abs(table[:, 2:].astype(object)).max(axis=0) if len(table) else (0, 0)
    if 2 * n * n * int(largest[0]) * max(1, int(largest[1])) >= 2**62:
        raise ValueError(f"{n} nodes, weight {largest[0]}, height {largest[1]}: int64 ticks could overflow")
    return table


@kernel
def raise_ratio(arcs: Arcs, ratio: Arcs, label: Arcs, parent: Arcs, mark: Arcs, circuit: Arcs) -> int:
    """Raise `ratio` (weight, height) to the maximum cycle ratio if it lies below. Does not allocate.

    `label`, `parent`, `mark` are scratch (n,). `circuit` (n,) receives the arc rows of the last circuit
    found.

    Returns:
        Length of the critical circuit; 0 when no circuit beats the given ratio; minus the length of a
        deadlock.
    """
    length = 0
    while True:
        found = positive_circuit(arcs, ratio, label, parent, mark, circuit)
        if found == 0:
            return length
        length = found
        weight, height = 0, 0
        for k in range(length):
            weight += arcs[circuit[k], 2]
            height += arcs[circuit[k], 3]
        if height <= 0:
            return -length
        ratio[0], ratio[1] = weight, height


@kernel
def positive_circuit(arcs: Arcs, ratio: Arcs, label: Arcs, parent: Arcs, mark: Arcs, circuit: Arcs) -> int:
    """Find a circuit that forbids `ratio` = (W, H): weight > height * W / H. Does not allocate.

    Label correction from zero. With strict improvement every circuit of parent pointers has positive weight
    (the predecessor-subgraph argument of Bellman-Ford). Of several, the worst is taken.

    Returns:
        Length of the circuit, its arc rows in `circuit`; 0 when there is none and `label` holds least
        solutions (times H).
    """
    n = len(label)
    for v in range(n):
        label[v] = 0
        parent[v] = -1
    changed = True
    while changed:
        changed = False
        for row in range(len(arcs)):
            reached = label[arcs[row, 0]] + arcs[row, 2] * ratio[1] - arcs[row, 3] * ratio[0]
            if reached > label[arcs[row, 1]]:
                label[arcs[row, 1]] = reached
                parent[arcs[row, 1]] = row
                changed = True
        if changed:
            length = _worst_parent_circuit(arcs, parent, mark, circuit)
            if length:
                return length
    return 0


@kernel
def _worst_parent_circuit(arcs: Arcs, parent: Arcs, mark: Arcs, circuit: Arcs) -> int:
    """Write the parent pointers' circuit of largest ratio, a deadlock above all; return its length or 0."""
    n = len(parent)
    for v in range(n):
        mark[v] = -1
    worst, worst_weight, worst_height = -1, 0, 1
    for root in range(n):
        v = root
        while v >= 0 and mark[v] < 0:
            mark[v] = root
            v = arcs[parent[v], 0] if parent[v] >= 0 else -1
        if v < 0 or mark[v] != root:
            continue
        weight, height, u = 0, 0, v
        while True:
            weight += arcs[parent[u], 2]
            height += arcs[parent[u], 3]
            u = arcs[parent[u], 0]
            if u == v:
                break
        if height <= 0 or worst < 0 or weight * worst_height > worst_weight * height:
            worst, worst_weight, worst_height = v, weight, height
        if height <= 0:
            break
    if worst < 0:
        return 0
    length, u = 0, worst
    while True:
        circuit[length] = parent[u]
        length += 1
        u = arcs[parent[u], 0]
        if u == worst:
            break
    # Parent pointers run backwards.
    for k in range(length // 2):
        circuit[k], circuit[length - 1 - k] = circuit[length - 1 - k], circuit[k]
    return length
