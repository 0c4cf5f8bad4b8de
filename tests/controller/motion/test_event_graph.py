"""The event graph: its order, its circles and its planned times."""

import numpy as np
import pytest

from controller.motion.event_graph import EventGraph, Node
from tests.controller.execution.random_graphs import naive_starts, random_graph


def graph_of(*before: tuple[int, ...]) -> EventGraph:
    nodes = tuple(
        Node(id=k, resource=f"R{k}", label="move", duration_s=1.0, serial=f"J{k}") for k in range(len(before))
    )
    return EventGraph(nodes=nodes, predecessors=before, coordination=frozenset())


@pytest.mark.parametrize("seed", range(20))
def test_the_order_is_topological_with_the_smallest_id_first(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed), 40)
    done: set[int] = set()
    for node in graph.order().tolist():
        ready = [k for k in range(40) if k not in done and set(graph.predecessors[k]) <= done]
        assert node == min(ready)
        done.add(node)
    assert len(done) == 40


@pytest.mark.parametrize("seed", range(20))
def test_planned_starts_are_the_longest_paths(seed: int) -> None:
    graph = random_graph(np.random.default_rng(seed), 40)
    expected = naive_starts(graph)
    assert graph.planned_starts() == pytest.approx([expected[node] for node in range(40)])


def test_a_circle_is_named() -> None:
    graph = graph_of((), (0, 3), (1,), (2,))
    with pytest.raises(ValueError, match=r"^the event graph has a cycle: R1 move J1, R2 move J2, R3 move J3"):
        graph.order()


def test_an_empty_graph_has_an_empty_order() -> None:
    assert graph_of().order().tolist() == []
    assert graph_of().planned_starts().tolist() == []
