"""What a record says about joints and arms: who was busy with what, who waited for whom."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from controller.execution.record import Record
from controller.execution.state import Ended
from controller.motion.event_graph import Node
from controller.report.binding import binding
from controller.report.summary import ArmRecord, BindingRecord, EndOfLineValue, JointRecord
from controller.report.timeline import Span, SpanKind, Timeline

_SHORTEST_WAIT_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The course of a run, ready for summary and report."""

    timeline: Timeline
    joints: tuple[JointRecord, ...]
    arms: tuple[ArmRecord, ...]
    binding: tuple[BindingRecord, ...]


def history(record: Record, arm_models: Mapping[str, str], warm_up: int) -> History:
    """Read a run's course from its record.

    Args:
        record: The record.
        arm_models: Name of each arm's model by the arm's id.
        warm_up: Joints that finish before the measured time begins.
    """
    ended = {event.node: event for event in record.events if isinstance(event, Ended)}
    nodes = record.graph.nodes
    joints = _joints(record, ended)
    marks = tuple(joint.finished_s for joint in joints if joint.good)
    spans = _spans(record, ended, _lateness(record, ended))
    waits = [wait for arm in arm_models for wait in _waits(record, ended, arm)]
    begin = marks[max(warm_up - 1, 0)] if len(marks) >= max(warm_up, 1) else 0.0
    end = marks[-1] if marks else max((event.end_ns * 1e-9 for event in ended.values()), default=0.0)
    rows = {name: row for row, name in enumerate((*arm_models, "dial"))}
    timeline = Timeline(
        spans=tuple(
            sorted(
                [*spans, *waits],
                key=lambda span: (rows.get(span.resource, len(rows)), span.resource, span.start_s),
            )
        ),
        cycle_marks_s=marks,
        models={node.serial: node.model for node in nodes if node.serial},
    )
    arms = tuple(
        _arm_record(
            arm,
            model,
            [event for node, event in ended.items() if nodes[node].resource == arm],
            [wait for wait in waits if wait.resource == arm],
            (begin, end),
        )
        for arm, model in arm_models.items()
    )
    cycles = max(0, len(marks) - max(warm_up, 1))
    return History(
        timeline=timeline, joints=joints, arms=arms, binding=binding(record, ended, begin, end, cycles)
    )


def _lateness(record: Record, ended: Mapping[int, Ended]) -> list[tuple[float, float]]:
    """How late the cell was as a whole when each joint left: (moment, lateness) [s], rising in time.

    A bar's own lateness is what it adds to that: a cell that is late by a second stays so, which says nothing more.
    """
    return sorted(
        (
            event.end_ns * 1e-9,
            event.end_ns * 1e-9 - record.starts_s[node] - record.graph.nodes[node].duration_s,
        )
        for node, event in ended.items()
        if record.graph.nodes[node].finishes
    )


def _spans(record: Record, ended: Mapping[int, Ended], lateness: list[tuple[float, float]]) -> list[Span]:
    """What every resource did: an arm's legs joined to what it did on the way and what in the nest."""
    groups: dict[tuple[str, str, str, str], list[int]] = defaultdict(list)
    for node in sorted(ended, key=lambda node: ended[node].start_ns):
        facts = record.graph.nodes[node]
        if facts.resource.startswith("feeder_"):
            continue  # they present the next part in good time; the chart is about the others
        groups[facts.resource, facts.serial or facts.label, facts.operation, facts.zone].append(node)
    moments = [moment for moment, _ in lateness]
    spans = []
    for (resource, _, operation, zone), members in groups.items():
        first, last = members[0], members[-1]
        start_s = ended[first].start_ns * 1e-9
        known = bisect_right(moments, start_s) - 1
        late_s = lateness[known][1] if known >= 0 else 0.0
        facts = record.graph.nodes[first]
        spans.append(
            Span(
                resource=resource,
                label=operation if zone else facts.label,
                joint=facts.serial,
                kind=_kind(facts),
                planned_start_s=record.starts_s[first] + late_s,
                planned_end_s=record.starts_s[last] + record.graph.nodes[last].duration_s + late_s,
                start_s=start_s,
                end_s=ended[last].end_ns * 1e-9,
            )
        )
    return spans


def _kind(node: Node) -> SpanKind:
    if node.resource == "dial":
        return "index"
    if node.zone:
        return "process" if node.zone == "inside" else "move"
    return "test" if node.resource.startswith("P") else "process"


def _waits(record: Record, ended: Mapping[int, Ended], arm: str) -> list[Span]:
    """The gaps between an arm's legs, each with what the next leg was waiting for."""
    chain = sorted(
        (event.start_ns, node) for node, event in ended.items() if record.graph.nodes[node].resource == arm
    )
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


def _arm_record(
    arm: str, model: str, legs: list[Ended], waits: list[Span], measured_s: tuple[float, float]
) -> ArmRecord:
    """Shares of the measured time; what is left over is idleness after the arm's last leg."""
    begin, end = measured_s
    total = max(end - begin, 1e-9)

    def share(start_s: float, end_s: float) -> float:
        return max(0.0, min(end_s, end) - max(start_s, begin)) / total

    waiting: dict[str, float] = defaultdict(float)
    for wait in waits:
        waiting[wait.reason] += share(wait.start_s, wait.end_s)
    return ArmRecord(
        name=arm,
        model=model,
        busy=sum(share(leg.start_ns * 1e-9, leg.end_ns * 1e-9) for leg in legs),
        waiting_by_reason={reason: value for reason, value in sorted(waiting.items()) if value > 0.0},
    )


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
