"""Arcs of coordination that other arcs imply, taken out: what is left is the least that keeps arms apart.

In a graph without circles the arcs that can go are those from which another way leads to the same node, and all of
them can go at once (Aho, Garey, Ullman 1972, "The transitive reduction of a directed graph").
"""

from dataclasses import replace

import numpy as np

from controller.motion.event_graph import EventGraph


def reduced(graph: EventGraph) -> EventGraph:
    """The same order with the least arcs of coordination; arcs of recipe and stations stay."""
    resources = {name: column for column, name in enumerate(dict.fromkeys(n.resource for n in graph.nodes))}
    column = [resources[node.resource] for node in graph.nodes]
    place = np.zeros(len(graph.nodes), dtype=np.int64)
    # How many nodes of every resource have ended before a node starts; its own ones follow each other.
    ended = np.zeros((len(graph.nodes), len(resources)), dtype=np.int64)
    for node in graph.order():
        before = list(graph.predecessors[node])
        if before:
            ended[node] = ended[before].max(axis=0)
            for other in before:
                ended[node, column[other]] = max(ended[node, column[other]], place[other] + 1)
        place[node] = ended[node, column[node]]

    def implied(one: int, node: int) -> bool:
        return any(
            other != one and ended[other, column[one]] > place[one] for other in graph.predecessors[node]
        )

    kept = frozenset(arc for arc in graph.coordination if not implied(*arc))
    gone = graph.coordination - kept
    predecessors = tuple(
        tuple(other for other in before if (other, node) not in gone)
        for node, before in enumerate(graph.predecessors)
    )
    return replace(graph, predecessors=predecessors, coordination=kept)
