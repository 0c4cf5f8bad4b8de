"""The pure state: events in, new state out, old state untouched; replay gives the same again."""

import copy

import numpy as np
import pytest

from controller.execution.state import CellState, Course, Ended, Event, Faulted, Given, Stopped, advance
from controller.motion.event_graph import EventGraph
from tests.controller.execution.random_graphs import ARMS, random_graph


def plain(state: CellState) -> dict[str, object]:
    """A deep copy of everything a state says."""
    return copy.deepcopy(
        {
            "progress": {name: (item.given, item.ended) for name, item in state.progress.items()},
            "finished": state.finished,
            "rejects": dict(state.rejects),
            "fault": state.fault,
            "stopped": state.stopped,
        }
    )


def random_events(graph: EventGraph, rng: np.random.Generator) -> list[Event]:
    """A run without any engine: up to three nodes are with a driver, which ends them in order."""
    course = Course(graph)
    waiting = {name: list(chain) for name, chain in course.chains.items()}
    under_way: dict[str, list[int]] = {name: [] for name in waiting}
    ended: set[int] = set()
    events: list[Event] = []
    while any(waiting.values()) or any(under_way.values()):
        time_ns = len(events)
        ready = [
            name
            for name, chain in waiting.items()
            if chain
            and len(under_way[name]) < 3
            and set(graph.predecessors[chain[0]]) <= ended | set(under_way[name])
        ]
        busy = [name for name, nodes in under_way.items() if nodes]
        if ready and (not busy or rng.random() < 0.5):
            name = str(rng.choice(ready))
            node = waiting[name].pop(0)
            under_way[name].append(node)
            events.append(Given(time_ns=time_ns, node=node))
        else:
            name = str(rng.choice(busy))
            node = under_way[name].pop(0)
            ended.add(node)
            verdict = "too tight" if rng.random() < 0.2 else ""
            events.append(
                Ended(time_ns=time_ns, node=node, start_ns=time_ns - 1, end_ns=time_ns, verdict=verdict)
            )
    return events


@pytest.mark.parametrize("seed", range(20))
def test_advance_leaves_the_old_state_as_it_was(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 25)
    course = Course(graph)
    state = course.initial()
    fault = Faulted(time_ns=0, resource="R1", reason="hot")
    for event in [*random_events(graph, rng), fault, Stopped(time_ns=0, reason="done")]:
        before = plain(state)
        following = advance(course, state, event)
        assert plain(state) == before
        assert plain(following) != before
        state = following
    with pytest.raises(TypeError):
        state.progress["R1"] = None  # type: ignore[index]


@pytest.mark.parametrize("seed", range(20))
def test_replaying_the_events_gives_the_same_state(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 25)
    events = random_events(graph, rng)
    states = []
    for _ in range(2):
        course = Course(graph)
        state = course.initial()
        for event in events:
            state = advance(course, state, event)
        states.append(state)
    assert states[0] == states[1]
    counts = {name: len(chain) for name, chain in Course(graph).chains.items()}
    assert {name: (item.given, item.ended) for name, item in state.progress.items()} == {
        name: (count, count) for name, count in counts.items()
    }


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_the_next_node_is_given_when_and_only_when_it_may_be(seed: int, ahead: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 25)
    course = Course(graph)
    state = course.initial()
    given: list[int] = []
    ended: list[int] = []
    for event in random_events(graph, rng):
        for name, chain in course.chains.items():
            left = [node for node in chain if node not in given]
            under_way = [node for node in given if node in chain and node not in ended]
            allowed = (
                bool(left)
                and len(under_way) <= ahead
                and all(
                    before in ended or (ahead > 0 and before in under_way)
                    for before in graph.predecessors[left[0]]
                )
            )
            assert course.next_of(state, name, ahead) == (left[0] if allowed else None)
        state = advance(course, state, event)
        (given if isinstance(event, Given) else ended).append(event.node)  # type: ignore[union-attr]
        assert all(course.has_ended(state, node) == (node in ended) for node in range(len(graph.nodes)))


def test_a_resource_takes_its_nodes_in_an_order_that_keeps_the_arcs() -> None:
    for seed in range(10):
        graph = random_graph(np.random.default_rng(seed), 30)
        course = Course(graph)
        assert sorted(node for chain in course.chains.values() for node in chain) == list(range(30))
        for chain in course.chains.values():
            for k, node in enumerate(chain):
                assert not set(graph.predecessors[node]) & set(chain[k:])


def finishing(graph: EventGraph) -> int:
    return next(node.id for node in graph.nodes if node.finishes)


def ended(node: int, verdict: str = "") -> Ended:
    return Ended(time_ns=9, node=node, start_ns=3, end_ns=7, verdict=verdict)


def test_the_first_reason_of_a_reject_is_kept_and_leaves_with_the_joint() -> None:
    graph = random_graph(np.random.default_rng(1), 20)
    course, node = Course(graph), finishing(graph)
    state = advance(course, course.initial(), ended(node, "too tight"))
    serial = graph.nodes[node].serial
    assert state.rejects == {serial: "work: too tight"}
    (joint,) = state.finished
    assert (joint.serial, joint.model, joint.finished_ns, joint.reject) == (serial, "M", 7, "work: too tight")
    assert advance(course, state, ended(node, "too loose")).rejects == state.rejects
    (good,) = advance(course, course.initial(), ended(node)).finished
    assert good.reject == ""


def test_the_first_fault_is_kept_and_nothing_runs_any_more() -> None:
    graph = random_graph(np.random.default_rng(1), 20)
    course = Course(graph)
    state = course.initial()
    assert state.running
    state = advance(course, state, Faulted(time_ns=1, resource="R1", reason="hot"))
    state = advance(course, state, Faulted(time_ns=2, resource="R2", reason="cold"))
    assert (state.fault, state.running) == ("R1: hot", False)
    stopped = advance(course, course.initial(), Stopped(time_ns=1, reason="by hand"))
    assert (stopped.stopped, stopped.running) == ("by hand", False)


def test_the_initial_state_knows_every_resource() -> None:
    graph = random_graph(np.random.default_rng(2), 40)
    state = Course(graph).initial()
    assert set(state.progress) == {node.resource for node in graph.nodes} >= set(ARMS)
    assert all((item.given, item.ended) == (0, 0) for item in state.progress.values())
