"""Plans made beside the cell's thread: when they may be taken, who waits for them, and who does not."""

import threading
from collections.abc import Callable

import numpy as np
import pytest

from controller.execution.draft import Draft, PlanError
from controller.execution.planning_thread import PlanningThread
from controller.execution.state import Course
from controller.motion.event_graph import EventGraph
from controller.motion.renewal import Whereabouts

LEAD_NS = 1_000
DRAFT = Draft(
    where=Whereabouts(joints=(), indices=0, stands={}),
    course=Course(EventGraph(nodes=(), predecessors=(), coordination=frozenset())),
    starts_s=np.zeros(0),
    moment=None,
    time_ns=0,
    sha256="",
)


class Clock:
    now_ns = 5

    def advance(self) -> None:
        self.now_ns += 1


class Slow:
    """A draft that is made when it may be."""

    def __init__(self) -> None:
        self.may = threading.Event()

    def __call__(self) -> Draft:
        assert self.may.wait(10.0)
        return DRAFT


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        threading.Event().wait(0.005)
    raise AssertionError


def test_simulated_time_decides_when_a_draft_is_taken_and_waits_for_it() -> None:
    clock, slow = Clock(), Slow()
    planning = PlanningThread(clock, simulated=True)
    planning.ask(slow, LEAD_NS)
    assert not planning.keeps_time()
    clock.now_ns += LEAD_NS
    assert planning.keeps_time()
    assert not planning.ready
    slow.may.set()
    until(lambda: not planning.keeps_time())
    assert planning.ready
    assert planning.take() is DRAFT
    assert not planning.busy


def test_a_draft_that_is_there_early_is_not_taken_early() -> None:
    clock = Clock()
    planning = PlanningThread(clock, simulated=True)
    planning.ask(lambda: DRAFT, LEAD_NS)
    planning.in_turn(lambda: None)
    assert not planning.ready
    clock.now_ns += LEAD_NS
    assert planning.ready


def test_real_time_never_waits_and_takes_a_draft_when_it_is_there() -> None:
    clock, slow = Clock(), Slow()
    planning = PlanningThread(clock, simulated=False)
    planning.ask(slow, LEAD_NS)
    clock.now_ns += 10 * LEAD_NS
    assert not planning.keeps_time()
    slow.may.set()
    until(lambda: planning.ready)


def test_a_forgotten_draft_is_never_taken_and_what_is_asked_later_comes_after_it() -> None:
    slow, order = Slow(), []
    planning = PlanningThread(Clock(), simulated=True)
    planning.ask(lambda: order.append("first") or slow())
    until(lambda: bool(order))
    planning.ask(lambda: order.append("second") or DRAFT)
    slow.may.set()
    until(lambda: planning.ready)
    planning.take()
    assert order == ["first", "second"]
    planning.ask(slow)
    planning.forget()
    assert not planning.busy
    assert not planning.keeps_time()


def test_what_keeps_a_draft_from_being_made_comes_out_where_it_is_taken() -> None:
    def none() -> Draft:
        raise PlanError("R2 stands in the way")

    planning = PlanningThread(Clock(), simulated=True)
    planning.ask(none)
    until(lambda: planning.ready)
    with pytest.raises(PlanError, match="R2 stands in the way"):
        planning.take()
