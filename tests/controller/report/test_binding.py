"""The critical path of a run, on a course small enough to follow by hand."""

import pytest

from controller.execution.record import Record
from controller.execution.state import Ended
from controller.motion.event_graph import EventGraph, Node
from controller.report.binding import binding


def course(*nodes):
    """Nodes as (resource, operation, predecessors, start [s], end [s])."""
    graph = EventGraph(
        nodes=tuple(
            Node(id=k, resource=resource, label="index 3", duration_s=end - start, operation=operation)
            for k, (resource, operation, _, start, end) in enumerate(nodes)
        ),
        predecessors=tuple(before for _, _, before, _, _ in nodes),
        coordination=frozenset(),
    )
    ended = {
        k: Ended(time_ns=0, node=k, start_ns=round(start * 1e9), end_ns=round(end * 1e9))
        for k, (_, _, _, start, end) in enumerate(nodes)
    }
    return Record(facts={}, graph=graph, starts_s=(0.0,) * len(nodes), events=()), ended


def parts(found):
    return {(part.resource, part.operation): part.seconds for part in found}


COURSE = course(
    ("R1", "10", (), 0.0, 5.0),
    ("R2", "20", (0,), 5.0, 12.0),
    ("R1", "30", (0,), 5.0, 6.0),  # done long before it is needed: binds nothing
    ("dial", "", (1, 2), 12.5, 14.0),  # half a second late: counts with it
    ("R2", "20", (3,), 14.0, 20.0),
)


def test_parts_sum_to_the_measured_time_and_are_ordered():
    found = binding(*COURSE, 0.0, 20.0, 2)
    assert [(part.resource, part.operation) for part in found] == [
        ("R2", "20"),
        ("R1", "10"),
        ("dial", "index"),
    ]
    assert parts(found) == pytest.approx({("R2", "20"): 6.5, ("R1", "10"): 2.5, ("dial", "index"): 1.0})


def test_what_lies_outside_the_measured_time_does_not_count():
    found = binding(*COURSE, 4.0, 14.0, 1)
    assert parts(found) == pytest.approx({("R2", "20"): 7.0, ("R1", "10"): 1.0, ("dial", "index"): 2.0})


def test_nothing_has_ended():
    record, _ = COURSE
    assert binding(record, {}, 0.0, 20.0, 1) == ()
