"""Small random event graphs: arms whose legs follow one another, stations, and arcs between them."""

from itertools import pairwise

import numpy as np

from cells.driver import Dwell, StationCycle
from controller.motion.event_graph import EventGraph, Node
from controller.motion.visit import Leg, Zone, still

ARMS = ("R1", "R2", "R3")
STATIONS = ("feeder_cap", "dial")
HERE = np.zeros(6)


def leg(seconds: float) -> Leg:
    """Standing for a time: engines do not look at the motion."""
    return Leg(name="work", zone=Zone.INSIDE, trajectory=still(HERE), process=Dwell(duration_s=seconds))


def random_graph(rng: np.random.Generator, size: int) -> EventGraph:
    """Up to ``size`` nodes, ids in random order, some of no length; the last of an arm finishes a joint."""
    resources = rng.choice([*ARMS, *STATIONS], size)
    ids = rng.permutation(size)  # the graph's order is not that of the ids
    before: dict[int, set[int]] = {node: set() for node in range(size)}
    for name in (*ARMS, *STATIONS):
        for one, two in pairwise(np.flatnonzero(resources == name)):
            before[ids[two]].add(int(ids[one]))
    for _ in range(2 * size):
        one, two = np.sort(rng.choice(size, 2, replace=False)) if size > 1 else (0, 0)
        if one < two and rng.random() < 0.4:
            before[ids[two]].add(int(ids[one]))
    last = {resources[k]: k for k in range(size)}
    nodes: list[Node | None] = [None] * size
    for k in range(size):
        node, name = int(ids[k]), str(resources[k])
        seconds = 0.0 if rng.random() < 0.1 else float(rng.uniform(0.05, 3.0))
        arm = name in ARMS
        nodes[node] = Node(
            id=node,
            resource=name,
            label="work",
            duration_s=seconds,
            operation="10",
            joint=k,
            serial=f"J{k}",
            model="M",
            leg=leg(seconds) if arm else None,
            cycle=None if arm else StationCycle(id=node, station=name, duration_s=seconds),
            finishes=arm and last[name] == k,
        )
    return EventGraph(
        nodes=tuple(node for node in nodes if node is not None),
        predecessors=tuple(tuple(sorted(before[node])) for node in range(size)),
        coordination=frozenset(),
    )


def naive_starts(graph: EventGraph) -> dict[int, float]:
    """Earliest starts by recursion."""
    known: dict[int, float] = {}

    def start(node: int) -> float:
        if node not in known:
            known[node] = max(
                (start(b) + graph.nodes[b].duration_s for b in graph.predecessors[node]), default=0.0
            )
        return known[node]

    return {node.id: start(node.id) for node in graph.nodes}
