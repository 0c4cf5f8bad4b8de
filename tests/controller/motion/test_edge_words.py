"""Arcs in words, how long they keep an arm waiting, and the least of them."""

import re
from dataclasses import replace

import numpy as np
import pytest

from controller.motion.edge_words import (
    doing,
    edge_words,
    longest_waits,
    place,
    planned_waits,
    waits_in_words,
)
from controller.motion.event_graph import EventGraph, Node
from controller.motion.reduction import reduced
from controller.motion.visit import Leg, Zone, still
from tests.controller.motion.small_plan import planned


def leg(label, station="", zone=Zone.INSIDE):
    motion = Leg(name=label, zone=zone, trajectory=still(np.zeros(6)), station=station)
    return Node(id=0, resource="R2", label=label, duration_s=1.0, zone=zone.value, leg=motion)


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (leg("leave", "P4"), "R2 to leave nest 4"),
        (leg("fetch", "feeder_stator"), "R2 to fetch at feeder stator"),
        (leg("carry", "press"), "R2 to carry its part away from press"),
        (leg("retreat", zone=Zone.AFTER), "R2 to draw back"),
        (leg("polish", "P1"), "R2 to end its polish"),
        (replace(leg("leave", "P4"), leg=None), "R2 to leave its nest"),  # as a record holds it
        (
            replace(leg("fetch", zone=Zone.BEFORE), leg=None, operation="30"),
            "R2 to fetch in operation 30",
        ),
        (Node(id=0, resource="dial", label="index 3", duration_s=1.0), "the dial to turn (index 3)"),
        (Node(id=0, resource="feeder_cap", label="present", duration_s=1.0), "feeder cap to present a part"),
        (Node(id=0, resource="P7", label="end-of-line test", duration_s=1.0), "nest 7 to finish"),
    ],
)
def test_what_is_waited_for_is_said_in_words(node, words):
    assert doing(node) == words


def test_an_arc_is_one_line():
    after = replace(leg("approach"), resource="R3")
    assert edge_words(leg("leave", "P4"), after, 0.4249) == "R3 waits for R2 to leave nest 4, 0.42 s"
    assert edge_words(leg("leave", "P4"), after) == "R3 waits for R2 to leave nest 4"


def test_every_leg_of_a_plan_has_words_of_its_own():
    for node in planned().graph.nodes:
        assert "to end its" not in doing(node), node.label


def test_only_stations_with_a_position_are_nests():
    assert [place(name) for name in ("P0", "P12", "Press", "press", "P")] == [
        "nest 0",
        "nest 12",
        "Press",
        "press",
        "P",
    ]


def test_a_wait_is_what_an_arc_of_coordination_costs():
    names = ["A", "A", "B", "B"]
    nodes = tuple(
        Node(id=index, resource=name, label="work", duration_s=duration)
        for index, (name, duration) in enumerate(zip(names, (3.0, 1.0, 1.0, 1.0), strict=True))
    )
    graph = EventGraph(nodes=nodes, predecessors=((), (0,), (), (0, 2)), coordination=frozenset([(0, 3)]))
    assert planned_waits(graph, graph.planned_starts()) == {(0, 3): 2.0}
    (line,) = waits_in_words(graph, graph.planned_starts())
    assert "B waits for A to finish, 2.00 s" in line


def ancestors(graph):
    """All that precedes each node, by walking."""
    found = [set() for _ in graph.nodes]
    for node in graph.order():
        for before in graph.predecessors[node]:
            found[node] |= {before} | found[before]
    return found


def without(graph, arc):
    predecessors = tuple(
        tuple(other for other in before if (other, node) != arc)
        for node, before in enumerate(graph.predecessors)
    )
    return replace(graph, predecessors=predecessors, coordination=graph.coordination - {arc})


def random_graph(rng):
    last, nodes, predecessors, coordination = {}, [], [], set()
    for index in range(40):
        name = f"R{rng.integers(4)}"
        own = {last[name]} if name in last else set()
        others = (
            {int(other) for other in rng.integers(0, index, size=rng.integers(4))} - own if index else set()
        )
        last[name] = index
        nodes.append(Node(id=index, resource=name, label="work", duration_s=float(rng.uniform(0, 2))))
        predecessors.append(tuple(sorted(own | others)))
        coordination |= {(other, index) for other in others if rng.random() < 0.8}
    return EventGraph(
        nodes=tuple(nodes), predecessors=tuple(predecessors), coordination=frozenset(coordination)
    )


def test_the_least_arcs_keep_the_order_and_none_can_go():
    rng = np.random.default_rng(3)
    gone = 0
    for graph in (random_graph(rng) for _ in range(25)):
        least = reduced(graph)
        assert ancestors(least) == ancestors(graph)
        assert all(ancestors(without(least, arc)) != ancestors(graph) for arc in least.coordination)
        np.testing.assert_allclose(least.planned_starts(), graph.planned_starts())
        gone += len(graph.coordination) - len(least.coordination)
    assert gone > 100


def test_most_arcs_of_a_plan_are_implied_by_others():
    plan = planned()
    least = reduced(plan.graph)
    assert 0 < len(least.coordination) < len(plan.graph.coordination) / 3
    np.testing.assert_array_equal(least.planned_starts(), plan.starts_s)
    longest = longest_waits(least, plan.starts_s, 3)
    assert longest == sorted(set(longest), key=lambda line: -float(line.split()[-2]))
    assert longest[0].endswith(f", {max(planned_waits(least, plan.starts_s).values()):.2f} s")
    for line in waits_in_words(least, plan.starts_s):
        assert re.fullmatch(r" *[\d.]+ s  R\d waits for R\d to [a-z0-9 ]+, \d+\.\d\d s  \[.*\]", line), line
