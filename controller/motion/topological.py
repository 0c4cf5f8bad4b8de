"""A directed graph that stays acyclic while arcs are added, with its topological order at hand.

Pearce and Kelly (2006), "A dynamic topological sort algorithm for directed acyclic graphs": an arc that agrees with the
present order costs nothing; any other one reorders only the nodes between its ends.
"""

from collections.abc import Callable


class AcyclicGraph:
    """Nodes 0 to n - 1 in a topological order that every added arc keeps true."""

    def __init__(self, order: list[int]) -> None:
        """Begin without arcs, in the given order."""
        self._place = [0] * len(order)
        for place, node in enumerate(order):
            self._place[node] = place
        self._after: list[list[int]] = [[] for _ in order]
        self._before: list[list[int]] = [[] for _ in order]

    def closes_cycle(self, tail: int, head: int) -> bool:
        """Whether an arc would close a cycle: whether its head leads to its tail already."""
        if self._place[tail] < self._place[head]:
            return False
        high = self._place[tail]
        return tail in self._reach(head, self._after, lambda place: place <= high)

    def add(self, tail: int, head: int) -> bool:
        """Add an arc; False, and no change, when it would close a cycle."""
        low, high = self._place[head], self._place[tail]
        if low <= high:
            ahead = self._reach(head, self._after, lambda place: place <= high)
            if tail in ahead:
                return False
            behind = self._reach(tail, self._before, lambda place: place >= low)
            nodes = [*sorted(behind, key=self._place.__getitem__), *sorted(ahead, key=self._place.__getitem__)]
            for place, node in zip(sorted(self._place[node] for node in nodes), nodes, strict=True):
                self._place[node] = place
        self._after[tail].append(head)
        self._before[head].append(tail)
        return True

    def _reach(self, start: int, arcs: list[list[int]], inside: Callable[[int], bool]) -> set[int]:
        found, todo = {start}, [start]
        while todo:
            for node in arcs[todo.pop()]:
                if node not in found and inside(self._place[node]):
                    found.add(node)
                    todo.append(node)
        return found
