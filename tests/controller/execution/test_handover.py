"""Handing over to another plan: exactly when what has begun is a beginning of it, and then it can be ended."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from controller.execution.handover import Handover, OvertakenError, handed_over
from controller.execution.state import CellState, Course, Progress
from controller.motion.event_graph import EventGraph
from controller.motion.visit import START
from tests.controller.execution.random_graphs import leg, random_graph

_AHEAD = 1


def going_on(
    course: Course, progress: Mapping[str, Progress], rng: np.random.Generator, steps: int
) -> CellState:
    """So many nodes given or ended at random, as an engine may."""
    state = CellState(progress=dict(progress))
    for _ in range(steps):
        moves = [(name, 0) for name, one in state.progress.items() if one.given > one.ended]
        moves += [
            (name, 1) for name in course.chains if course.next_of(state, name, _AHEAD) is not None
        ]  # stations too: more than an engine would dare
        if not moves:
            break
        name, give = moves[int(rng.integers(len(moves)))]
        one = state.progress[name]
        one = replace(one, given=one.given + 1) if give else replace(one, ended=one.ended + 1)
        state = replace(state, progress={**state.progress, name: one})
    return state


def another(
    graph: EventGraph, ended: set[int], rng: np.random.Generator, *, like: float
) -> tuple[EventGraph, dict[int, int]]:
    """What is left of a plan, coordinated otherwise; most arcs as before; new numbers by old ones."""
    order = [int(node) for node in graph.order() if node not in ended]
    if rng.random() > like:  # another order of the resources among each other, each one's own stays
        chains = {
            name: [n for n in order if graph.nodes[n].resource == name]
            for name in {n.resource for n in graph.nodes}
        }
        mixed = [name for name, chain in chains.items() for _ in chain]
        rng.shuffle(mixed)
        order = [chains[name].pop(0) for name in mixed]
    number = {old: new for new, old in enumerate(order)}
    before: list[set[int]] = [set() for _ in order]
    for name in {node.resource for node in graph.nodes}:
        for one, two in pairwise(k for k, old in enumerate(order) if graph.nodes[old].resource == name):
            before[two].add(one)
    for _ in range(2 * len(order)):
        one, two = np.sort(rng.choice(len(order), 2))
        if one < two:
            before[two].add(int(one))
    nodes = tuple(replace(graph.nodes[old], id=new) for new, old in enumerate(order))
    arcs = tuple(tuple(sorted(some)) for some in before)
    return EventGraph(nodes=nodes, predecessors=arcs, coordination=frozenset()), number


def fits(new: Course, ended: set[int], under_way: set[int]) -> bool:
    """By the definition, set by set: whatever was begun waits for nothing but what has ended, or its own queue."""
    for node in ended | under_way:
        for before in new.graph.predecessors[node]:
            own = new.graph.nodes[before].resource == new.graph.nodes[node].resource
            if before not in ended and not (own and node in under_way and before in under_way):
                return False
    return True


@pytest.mark.parametrize("seed", range(300))
def test_exactly_a_beginning_of_the_new_plan_is_handed_over_and_can_be_ended(seed: int) -> None:
    rng = np.random.default_rng(seed)
    old = Course(random_graph(rng, int(rng.integers(2, 14))))
    moment = going_on(old, old.initial().progress, rng, int(rng.integers(0, 12)))
    now = going_on(old, moment.progress, rng, int(rng.integers(0, 6)))

    def so_far(state: CellState, field: str) -> set[int]:
        return {n for name, one in state.progress.items() for n in old.chains[name][: getattr(one, field)]}

    graph, number = another(old.graph, so_far(moment, "ended"), rng, like=0.5)
    new = Course(graph)
    ended = {number[n] for n in so_far(now, "ended") - so_far(moment, "ended")}
    under_way = {number[n] for n in so_far(now, "given") - so_far(now, "ended")}
    found: Handover | None
    try:
        found = handed_over(old, moment, now, new)
    except OvertakenError:
        found = None
    assert (found is not None) == fits(new, ended, under_way)
    if found is not None:
        assert set(found.same.values()) == under_way
        last = going_on(new, found.progress, rng, 1000)
        assert all(one.ended == len(new.chains[name]) for name, one in last.progress.items())


def test_an_arm_that_has_gone_on_from_where_it_stood_does_not_stand_again() -> None:
    graph = random_graph(np.random.default_rng(0), 1)
    node = replace(graph.nodes[0], resource="R1", leg=leg(1.0), cycle=None)
    old = Course(replace(graph, nodes=(node,)))
    stands = replace(node, id=0, label=START, serial="", operation="", part=-1, leg=leg(0.0))
    new = Course(
        EventGraph(nodes=(stands, replace(node, id=1)), predecessors=((), (0,)), coordination=frozenset())
    )
    now = CellState(progress={"R1": Progress(given=1)})
    found = handed_over(old, old.initial(), now, new)
    assert found.progress["R1"] == Progress(given=2, ended=1)
    assert found.same == {0: 1}
    assert handed_over(old, old.initial(), old.initial(), new).progress["R1"] == Progress()


def test_another_way_of_doing_the_same_is_named() -> None:
    graph = random_graph(np.random.default_rng(0), 1)
    node = replace(graph.nodes[0], resource="R1", leg=leg(1.0), cycle=None)
    old = Course(replace(graph, nodes=(node,)))
    elsewhere = replace(leg(1.0), finger_m=0.02)
    new = Course(replace(graph, nodes=(replace(node, leg=elsewhere),)))
    now = CellState(progress={"R1": Progress(given=1)})
    with pytest.raises(OvertakenError, match="R1 has begun work of operation 10 for J0"):
        handed_over(old, old.initial(), now, new)
