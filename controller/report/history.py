"""What a record says about joints and arms: who was busy with what, who waited for whom."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from controller.execution.record import Record
from controller.execution.state import Ended
from controller.motion.event_graph import Node
from controller.report.summary import ArmRecord, EndOfLineValue, JointRecord
from controller.report.timeline import Span, SpanKind, Timeline

_STILL = {"dwell", "release", "screw", "dispense"}
_SHORTEST_WAIT_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The course of a run, ready for summary and report."""

    timeline: Timeline
    joints: tuple[JointRecord, ...]
    arms: tuple[ArmRecord, ...]


def history(record: Record, arm_models: Mapping[str, str], warm_up: int) -> History:
    """Read a run's course from its record.

    Args:
        record: The record.
        arm_models: Name of each arm's model by the arm's id.
        warm_up: Joints that finish before the measured time begins.
    """
    ended = {event.node: event for event in record.events if isinstance(event, Ended)}
    nodes = record.graph.nodes
    spans = [_span(record, nodes[node], event) for node, event in ended.items()]
    joints = _joints(record, ended)
    marks = tuple(joint.finished_s for joint in joints if joint.good)
    waits = [wait for arm in arm_models for wait in _waits(record, ended, arm)]
    begin = marks[warm_up] if len(marks) > warm_up else 0.0
    end = marks[-1] if marks else max((event.end_ns * 1e-9 for event in ended.values()), default=0.0)
    timeline = Timeline(
        spans=tuple(sorted([*spans, *waits], key=lambda span: (span.resource, span.start_s))),
        cycle_marks_s=marks,
        models={node.serial: node.model for node in nodes if node.serial},
    )
    arms = tuple(
        _arm_record(arm, model, [span for span in timeline.spans if span.resource == arm], begin, end)
        for arm, model in arm_models.items()
    )
    return History(timeline=timeline, joints=joints, arms=arms)


def _span(record: Record, node: Node, event: Ended) -> Span:
    kind: SpanKind = "move"
    if node.resource == "dial":
        kind = "index"
    elif node.operation == "170":
        kind = "test"
    elif node.label in _STILL or node.operation == "":
        kind = "process"
    planned = record.starts_s[node.id]
    return Span(
        resource=node.resource,
        label=f"{node.operation} {node.label}".strip(),
        joint=node.serial,
        kind=kind,
        planned_start_s=planned,
        planned_end_s=planned + node.duration_s,
        start_s=event.start_ns * 1e-9,
        end_s=event.end_ns * 1e-9,
    )


def _waits(record: Record, ended: Mapping[int, Ended], arm: str) -> list[Span]:
    """The gaps between an arm's legs, each with what the next leg was waiting for."""
    chain = sorted((event.start_ns, node) for node, event in ended.items() if record.graph.nodes[node].resource == arm)
    waits = []
    free_ns = 0
    for start_ns, node in chain:
        if start_ns - free_ns > _SHORTEST_WAIT_S * 1e9:
            others = [
                before
                for before in record.graph.predecessors[node]
                if before in ended and record.graph.nodes[before].resource != arm
            ]
            last = max(others, key=lambda before: ended[before].end_ns, default=None)
            reason = "start" if last is None else record.graph.nodes[last].resource
            waits.append(
                Span(
                    resource=arm,
                    label=f"waits for {reason}",
                    joint=record.graph.nodes[node].serial,
                    kind="wait",
                    planned_start_s=free_ns * 1e-9,
                    planned_end_s=start_ns * 1e-9,
                    start_s=free_ns * 1e-9,
                    end_s=start_ns * 1e-9,
                    reason=reason,
                )
            )
        free_ns = max(free_ns, ended[node].end_ns)
    return waits


def _arm_record(arm: str, model: str, spans: list[Span], begin_s: float, end_s: float) -> ArmRecord:
    """Shares of the measured time; what is left over is idleness after the arm's last leg."""
    total = max(end_s - begin_s, 1e-9)
    busy = 0.0
    waiting: dict[str, float] = defaultdict(float)
    for span in spans:
        inside = min(span.end_s, end_s) - max(span.start_s, begin_s)
        if inside <= 0.0:
            continue
        if span.kind == "wait":
            waiting[span.reason] += inside / total
        else:
            busy += inside / total
    return ArmRecord(name=arm, model=model, busy=busy, waiting_by_reason=dict(sorted(waiting.items())))


def _joints(record: Record, ended: Mapping[int, Ended]) -> tuple[JointRecord, ...]:
    """Every joint that left the cell, with its end-of-line values, in order of leaving."""
    nodes = record.graph.nodes
    picked: dict[str, float] = {}
    tests: dict[str, dict[str, EndOfLineValue]] = {}
    for node, event in ended.items():
        serial = nodes[node].serial
        if nodes[node].label == "fetch":
            picked[serial] = min(picked.get(serial, event.end_ns * 1e-9), event.end_ns * 1e-9)
        if event.tests:
            tests[serial] = {
                name: EndOfLineValue.model_validate(measurement.as_record())
                for name, measurement in event.tests.items()
            }
    return tuple(
        JointRecord(
            serial=joint.serial,
            model=joint.model,
            good=not joint.reject,
            finished_s=joint.finished_ns * 1e-9,
            flow_time_s=joint.finished_ns * 1e-9 - picked[joint.serial],
            eol=tests.get(joint.serial, {}),
        )
        for joint in record.replay().finished
    )
