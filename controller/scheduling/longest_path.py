"""Earliest times in an acyclic event graph: longest paths, or the circuit that forbids one.

Arcs are arrays of shape (m, 3), int64: tail, head, weight. ``x[head] >= x[tail] + weight``.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from kinematics.jit import kernel

Int64Array = npt.NDArray[np.int64]


class CyclicGraphError(ValueError):
    """A graph that should be acyclic is not.

    Attributes:
        circuit: The nodes of one circuit in order.
    """

    def __init__(self, circuit: tuple[int, ...], names: Sequence[str] | None) -> None:
        self.circuit = circuit
        walk = " -> ".join(names[v] if names is not None else str(v) for v in (*circuit, circuit[0]))
        super().__init__(f"the order runs in a circle: {walk}")


def longest_path(
    n: int, arcs: npt.ArrayLike, *, release: npt.ArrayLike | None = None, names: Sequence[str] | None = None
) -> Int64Array:
    """Least x with ``x[v] >= release[v]`` and ``x[head] >= x[tail] + weight`` for every arc.

    Args:
        n: Number of nodes.
        arcs: (m, 3) integers: tail, head, weight in ticks (may be negative).
        release: (n,) least times in ticks; 0 for every node when left out.
        names: Names of the nodes for the message about a circuit.

    Returns:
        (n,) times in ticks.

    Raises:
        CyclicGraphError: The arcs contain a circuit, whatever its weight.
        ValueError: Wrong shape or a node out of range.
    """
    table = _checked(n, arcs)
    time = np.zeros(n, np.int64) if release is None else np.array(release, dtype=np.int64)
    if time.shape != (n,):
        raise ValueError(f"release has shape {time.shape}: must be ({n},)")
    waiting = np.empty(n, np.int64)
    done = _settle(
        table, time, waiting, np.empty(n + 1, np.int64), np.empty(len(table), np.int64), np.empty(n, np.int64)
    )
    if done < n:
        raise CyclicGraphError(_remaining_circuit(table, waiting), names)
    return time


def find_circuit(n: int, arcs: npt.ArrayLike) -> tuple[int, ...]:
    """Nodes of some circuit in order, or () when the graph is acyclic. Arguments as in `longest_path`."""
    try:
        longest_path(n, arcs)
    except CyclicGraphError as error:
        return error.circuit
    return ()


def _checked(n: int, arcs: npt.ArrayLike) -> Int64Array:
    table = np.ascontiguousarray(arcs, dtype=np.int64)
    if table.size == 0:
        table = table.reshape(0, 3)
    if table.ndim != 2 or table.shape[1] != 3:
        raise ValueError(f"arcs have shape {table.shape}: must be (m, 3), tail, head, weight")
    if len(table) and not (table[:, :2].min() >= 0 and table[:, :2].max() < n):
        raise ValueError(f"arcs name a node outside 0..{n - 1}")
    return table


def _remaining_circuit(table: Int64Array, waiting: Int64Array) -> tuple[int, ...]:
    """Walk backwards among unsettled nodes; each has an unsettled predecessor, so the walk must close."""
    tails, heads = table[:, 0], table[:, 1]
    rows = np.flatnonzero((waiting[tails] > 0) & (waiting[heads] > 0))
    before = dict(zip(heads[rows].tolist(), tails[rows].tolist(), strict=True))
    node = next(iter(before))
    order: dict[int, int] = {}
    while node not in order:
        order[node] = len(order)
        node = before[node]
    return tuple(reversed(list(order)[order[node] :]))


@kernel
def _settle(
    arcs: Int64Array,
    time: Int64Array,
    waiting: Int64Array,
    first: Int64Array,
    leaving: Int64Array,
    queue: Int64Array,
) -> int:
    """Kahn's topological order with relaxation; returns the number of settled nodes. Does not allocate.

    Scratch: `waiting` (n,) counts unsettled predecessors and stays positive on and behind circuits; `first`
        (n + 1,) and
    `leaving` (m,) list the arcs by tail; `queue` (n,).
    """
    n = len(time)
    for v in range(n):
        waiting[v] = 0
    for v in range(n + 1):
        first[v] = 0
    for row in range(len(arcs)):
        waiting[arcs[row, 1]] += 1
        first[arcs[row, 0] + 1] += 1
    for v in range(n):
        first[v + 1] += first[v]
    # The queue is free until the lists are filled; until then it holds the next empty slot of each node.
    for v in range(n):
        queue[v] = first[v]
    for row in range(len(arcs)):
        leaving[queue[arcs[row, 0]]] = row
        queue[arcs[row, 0]] += 1
    end = 0
    for v in range(n):
        if waiting[v] == 0:
            queue[end] = v
            end += 1
    k = 0
    while k < end:
        v = queue[k]
        k += 1
        for slot in range(first[v], first[v + 1]):
            row = leaving[slot]
            head = arcs[row, 1]
            time[head] = max(time[head], time[v] + arcs[row, 2])
            waiting[head] -= 1
            if waiting[head] == 0:
                queue[end] = head
                end += 1
    return end
