"""The engine on fake drivers of any lateness: the graph is kept, all ends once, faults and stops end it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cells.driver import QueueStatus, Segment, StationCycle, StationResult, Status
from controller.execution import engine as engine_module
from controller.execution import fake as fake_module
from controller.execution.engine import Engine
from controller.execution.fake import FakeArm, FakeClock, FakeStations
from controller.execution.state import CellState, Course, Ended, Event, Faulted, Given, Stopped, advance
from controller.motion.event_graph import EventGraph
from kinematics import Limits, rest_to_rest
from tests.controller.execution.random_graphs import ARMS, HERE, naive_starts, random_graph

LIMITS = Limits(velocity=np.full(6, 3.0), acceleration=np.full(6, 15.0), jerk=np.full(6, 150.0))


class Rig:
    """Fake drivers, an engine and everything it says."""

    def __init__(
        self,
        graph: EventGraph,
        delay: Callable[[], float] = lambda: 0.0,
        listener: Callable[[Event], None] = lambda event: None,
        stations: Callable[[FakeClock], FakeStations] | None = None,
    ) -> None:
        self.graph = graph
        self.clock = FakeClock()
        self.arms = {name: FakeArm(name, LIMITS, self.clock, delay, start=HERE) for name in ARMS}
        self.stations = stations(self.clock) if stations else FakeStations(self.clock, delay)
        self.clock.watch(*self.arms.values(), self.stations)
        self.events: list[Event] = []

        def listen(event: Event) -> None:
            self.events.append(event)
            listener(event)

        self.engine = Engine(graph, self.arms, self.stations, self.clock, listen)
        for arm in self.arms.values():
            arm.enable()

    def run(self, done: Callable[[CellState], bool] = lambda state: False) -> CellState:
        return self.engine.run(done)

    def ended(self) -> list[Ended]:
        return [event for event in self.events if isinstance(event, Ended)]

    def assert_at_rest(self) -> None:
        for arm in self.arms.values():
            state = arm.read()
            assert state.status in (Status.STOPPED, Status.FAULT)
            assert (state.qd == 0.0).all()
            assert arm.due() is None
        assert self.stations.due() is None


def lateness(rng: np.random.Generator) -> Callable[[], float]:
    """Mostly on time, sometimes very late."""
    return lambda: float(rng.exponential(5.0)) if rng.random() < 0.3 else 0.0


@pytest.mark.parametrize("seed", range(40))
def test_whoever_is_late_the_graph_is_kept_and_every_node_ends_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, int(rng.integers(1, 60)))
    rig = Rig(graph, lateness(rng))
    state = rig.run()
    assert state.running is False
    assert (state.fault, state.stopped) == ("", "done")
    for kind in (Given, Ended):
        count = Counter(event.node for event in rig.events if isinstance(event, kind))
        assert count == dict.fromkeys(range(len(graph.nodes)), 1)
    ends = {event.node: event for event in rig.ended()}
    for node, before in enumerate(graph.predecessors):
        for other in before:
            assert ends[node].start_ns >= ends[other].end_ns
    for node in graph.nodes:
        event = ends[node.id]
        assert event.end_ns - event.start_ns >= round(node.duration_s * 1e9)
    assert {joint.serial for joint in state.finished} == {n.serial for n in graph.nodes if n.finishes}
    rig.assert_at_rest()


@pytest.mark.parametrize("seed", range(20))
def test_in_time_the_run_is_the_plan(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 50)
    rig = Rig(graph)
    rig.run()
    planned = naive_starts(graph)
    assert graph.planned_starts() == pytest.approx([planned[node] for node in range(50)])
    for event in rig.ended():
        assert event.start_ns * 1e-9 == pytest.approx(planned[event.node], abs=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_replaying_what_was_said_gives_the_final_state(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, 40)
    rig = Rig(graph, lateness(rng))
    final = rig.run()
    course = Course(graph)
    state = course.initial()
    for event in rig.events:
        state = advance(course, state, event)
    assert state == final == rig.engine.state


def test_times_of_events_never_go_back() -> None:
    rng = np.random.default_rng(5)
    rig = Rig(random_graph(rng, 60), lateness(rng))
    rig.run()
    times = [event.time_ns for event in rig.events]
    assert times == sorted(times)


def test_it_stops_when_it_is_done() -> None:
    graph = random_graph(np.random.default_rng(3), 60)
    rig = Rig(graph)
    state = rig.run(lambda state: len(state.finished) >= 1)
    assert len(state.finished) == 1
    assert state.stopped == "done"
    assert len(rig.ended()) < 60
    assert isinstance(rig.events[-1], Stopped)
    rig.assert_at_rest()


@pytest.mark.parametrize("seed", range(10))
def test_a_fault_of_an_arm_ends_the_run_with_its_reason(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rig = Rig(random_graph(rng, 60), lateness(rng))
    calls = iter(range(int(rng.integers(1, 20))))
    original = FakeClock.advance

    def advance_and_fail(self: FakeClock) -> None:
        original(self)
        if next(calls, None) is None:
            rig.arms["R2"].fail("a bearing is hot")

    monkeypatch.setattr(FakeClock, "advance", advance_and_fail)
    state = rig.run()
    assert state.fault == "R2: a bearing is hot"
    assert state.stopped == "R2: a bearing is hot"
    fault = next(k for k, event in enumerate(rig.events) if isinstance(event, Faulted))
    assert not any(isinstance(event, Given) for event in rig.events[fault:])
    assert isinstance(rig.events[-1], Stopped)
    assert rig.arms["R2"].read().status is Status.FAULT
    rig.assert_at_rest()


def test_a_fault_between_reading_and_giving_is_told_by_its_own_reason() -> None:
    def fail(event: Event) -> None:
        if isinstance(event, Ended) and len(rig.ended()) == 5:
            rig.arms["R2"].fail("a bearing is hot")

    for seed in range(10):
        rig = Rig(random_graph(np.random.default_rng(seed), 60), listener=fail)
        assert rig.run().fault == "R2: a bearing is hot"


def test_a_refused_leg_ends_the_run_and_says_which() -> None:
    graph = random_graph(np.random.default_rng(4), 30)
    node = next(node for node in graph.nodes if node.resource == "R3")
    assert node.leg is not None
    elsewhere = rest_to_rest(HERE + 0.5, HERE, LIMITS)
    nodes = list(graph.nodes)
    nodes[node.id] = replace(node, leg=replace(node.leg, trajectory=elsewhere))
    rig = Rig(replace(graph, nodes=tuple(nodes)))
    state = rig.run()
    assert state.fault == f"R3: refused work of operation 10 for {node.serial}"
    assert node.id not in [event.node for event in rig.events if isinstance(event, Given)]
    rig.assert_at_rest()


def test_a_full_queue_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_module, "_DEPTH", 1)
    answers: Counter[QueueStatus] = Counter()
    original = FakeArm.queue

    def counted(self: FakeArm, segment: Segment) -> QueueStatus:
        answer = original(self, segment)
        answers[answer] += 1
        return answer

    monkeypatch.setattr(FakeArm, "queue", counted)
    graph = random_graph(np.random.default_rng(6), 60)
    rig = Rig(graph)
    assert rig.run().fault == ""
    assert Counter(event.node for event in rig.ended()) == dict.fromkeys(range(60), 1)
    assert answers[QueueStatus.FULL] > 0
    assert answers[QueueStatus.REFUSED] == 0


@pytest.mark.parametrize("at", [1, 7, 25])
def test_an_interrupt_stops_everything_before_it_goes_on(at: int) -> None:
    def interrupt(event: Event) -> None:
        if len(rig.events) == at:
            raise KeyboardInterrupt

    rig = Rig(random_graph(np.random.default_rng(7), 60), listener=interrupt)
    with pytest.raises(KeyboardInterrupt):
        rig.run()
    assert rig.engine.state.stopped == "interrupted"
    assert isinstance(rig.events[-1], Stopped)
    rig.assert_at_rest()


def test_an_interrupt_while_waiting_stops_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(random_graph(np.random.default_rng(7), 60))
    calls = iter([None] * 9)
    original = FakeClock.advance

    def advance_or_interrupt(self: FakeClock) -> None:
        if next(calls, "no more") == "no more":
            raise KeyboardInterrupt
        original(self)

    monkeypatch.setattr(FakeClock, "advance", advance_or_interrupt)
    with pytest.raises(KeyboardInterrupt):
        rig.run()
    assert rig.ended()
    rig.assert_at_rest()


def test_an_error_of_a_driver_or_a_listener_stops_everything_too() -> None:
    def full_disk(event: Event) -> None:
        if len(rig.events) == 12:
            raise OSError("no space left")

    rig = Rig(random_graph(np.random.default_rng(7), 60), listener=full_disk)
    with pytest.raises(OSError, match="no space left"):
        rig.run()
    rig.assert_at_rest()


class SilentStations(FakeStations):
    """Stations that take cycles and never say that they have ended."""

    def start(self, cycle: StationCycle) -> None:
        """Forget it."""

    def read(self) -> tuple[StationResult, ...]:
        """Say nothing."""
        return ()


def test_a_cell_in_which_nothing_ends_any_more_faults_and_says_who_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(engine_module, "_QUIET_S", 0.2)
    rig = Rig(random_graph(np.random.default_rng(8), 60), stations=SilentStations)
    state = rig.run()
    assert state.fault.startswith("cell: nothing ended for 0 s; waiting: ")
    assert "feeder_cap work" in state.fault or "dial work" in state.fault
    rig.assert_at_rest()


class PickyStations(FakeStations):
    """Stations that find fault with everything."""

    def read(self) -> tuple[StationResult, ...]:
        """Results with a verdict."""
        return tuple(replace(result, verdict="too loud") for result in super().read())


def test_a_verdict_rejects_the_joint_and_the_run_goes_on() -> None:
    rig = Rig(random_graph(np.random.default_rng(9), 60), stations=PickyStations)
    state = rig.run()
    assert state.fault == ""
    tested = {node.serial for node in rig.graph.nodes if node.cycle is not None}
    assert dict(state.rejects) == dict.fromkeys(tested, "work: too loud")
    assert len(rig.ended()) == 60
