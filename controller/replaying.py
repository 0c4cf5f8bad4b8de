"""Replaying a record: do its events make sense, and do they lead to the figures that the run reported?

Every event is taken through the pure state and must be possible there: a node is handed out in its
resource's order and only when all it waits for has ended, and what ended had been handed out. Then the
figures of ``run.json`` that follow from the events are computed again. The others (clearance, collisions,
wall time, bounds) are not in the record.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from controller.execution.record import Record, RecordError, read_record
from controller.execution.state import CellState, Course, Ended, Event, Given, advance
from controller.report.history import history
from controller.report.summary import RunSummary, summarise

SUMMARY_NAME = "run.json"
_SHOWN = 20  # findings, so that they fit on one screen
_RECOMPUTED = (
    "trace_sha256",
    "seed",
    "driver",
    "models",
    "joints",
    "cycle_times_s",
    "binding",
    "cycle_time_mean_s",
    "cycle_time_p50_s",
    "cycle_time_p95_s",
    "cycle_time_max_s",
    "flow_time_p50_s",
    "gap",
    "met",
    "arms",
    "simulated_s",
)


def differences(directory: Path) -> list[str]:
    """What does not fit together in a run's directory, one line each; empty when everything does.

    Raises:
        RecordError: When the record or ``run.json`` cannot be read.
    """
    record = read_record(directory)
    found = _impossible_events(record)
    if not found:
        found = _different_figures(record, _summary(directory))
    return found if len(found) <= _SHOWN else [*found[: _SHOWN - 1], f"and {len(found) - _SHOWN + 1} more"]


def _summary(directory: Path) -> RunSummary:
    path = directory / SUMMARY_NAME
    try:
        return RunSummary.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordError(f"{path}: does not exist: the run did not come to its end") from None
    except (OSError, ValueError) as error:
        raise RecordError(f"{path}: cannot be read: {error}") from error


def _impossible_events(record: Record) -> list[str]:
    course = Course(record.graph)
    state = course.initial()
    ends: dict[int, int] = {}
    found = []
    for number, event in enumerate(record.events, start=2):  # line 1 is run_start
        if reason := _impossible(course, state, ends, event):
            found.append(f"record line {number}: {reason}")
        if isinstance(event, Ended):
            ends[event.node] = event.end_ns
        state = advance(course, state, event)
    return found


def _impossible(course: Course, state: CellState, ends: dict[int, int], event: Event) -> str:
    """Why an event cannot happen in a state; empty when it can."""
    if not isinstance(event, Given | Ended):
        return ""
    node = course.graph.nodes[event.node]
    chain, progress = course.chains[node.resource], state.progress[node.resource]
    name = f"{node.resource} {node.label} (node {node.id})"
    if isinstance(event, Given):
        if course.next_of(state, node.resource, ahead=1) != node.id:
            return f"{name} was handed out before it was its turn"
        return ""
    if progress.ended >= progress.given or chain[progress.ended] != node.id:
        return f"{name} ended, but it was not running"
    for before in course.graph.predecessors[node.id]:
        if ends[before] > event.start_ns:
            other = course.graph.nodes[before]
            return f"{name} began before {other.resource} {other.label} (node {before}) had ended"
    return ""


def _different_figures(record: Record, reported: RunSummary) -> list[str]:
    past = history(record, record.facts["arms"], record.facts["warm_up_joints"])
    again = summarise(
        seed=record.facts["seed"],
        driver=record.facts["driver"],
        cell=reported.cell,
        models=sorted({node.model for node in record.graph.nodes if node.model}),
        target_s=reported.target_s,
        joints=past.joints,
        warm_up=record.facts["warm_up_joints"],
        planned_cycle_time_s=reported.planned_cycle_time_s,
        lower_bound_s=reported.lower_bound_s,
        collisions=reported.collisions,
        min_clearance_m=reported.min_clearance_m,
        part_pose_error_max_m=reported.part_pose_error_max_m,
        dropped_parts=reported.dropped_parts,
        arms=past.arms,
        binding=past.binding,
        simulated_s=max((event.time_ns for event in record.events), default=0) * 1e-9,
        wall_s=reported.wall_s,
        planning_s=reported.planning_s,
        trace_sha256=_course_sha256(record) if record.facts["driver"] == "fake" else reported.trace_sha256,
    )
    # Compared as they are written: with the digits that run.json keeps.
    expected, said = json.loads(again.to_json()), json.loads(reported.to_json())
    return [line for name in _RECOMPUTED for line in _compare(name, expected[name], said[name])]


def _course_sha256(record: Record) -> str:
    """The trace of a run without physics: which node ran from when to when."""
    course = hashlib.sha256()
    for event in record.events:
        if isinstance(event, Ended):
            course.update(f"{event.node} {event.start_ns} {event.end_ns}\n".encode())
    return course.hexdigest()


def _compare(where: str, expected: Any, said: Any) -> list[str]:
    """Where two JSON values differ."""
    if isinstance(expected, dict) and isinstance(said, dict) and expected.keys() == said.keys():
        return [line for key in expected for line in _compare(f"{where}.{key}", expected[key], said[key])]
    if isinstance(expected, list) and isinstance(said, list) and len(expected) == len(said):
        pairs = enumerate(zip(expected, said, strict=True))
        return [line for index, (a, b) in pairs for line in _compare(f"{where}[{index}]", a, b)]
    if expected == said:
        return []
    if isinstance(expected, list) and isinstance(said, list):
        return [f"{where}: {SUMMARY_NAME} has {len(said)} entries, the record leads to {len(expected)}"]
    return [f"{where}: {SUMMARY_NAME} says {said!r}, the record leads to {expected!r}"]
