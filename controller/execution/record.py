"""The record of a run: one JSON object a line, written as things happen, enough to replay and to report.

The first line (``run_start``) holds what was planned: every node with its resource, planned start and
predecessors. Then come the events in order. Every line reaches the operating system as soon as it is
complete: a run that was interrupted or killed, or whose disk was full, leaves a valid record up to that
moment.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import numpy as np

from cells.measurement import Measurement
from controller.execution.state import CellState, Course, Ended, Event, Faulted, Given, Stopped, advance
from controller.motion.event_graph import EventGraph, Node
from controller.motion.plan import MotionPlan

SCHEMA_VERSION = 1
FILE_NAME = "record.jsonl"
_MAX_BYTES = 2_000_000_000
_FACTS = {
    "command": str,
    "cell": str,
    "seed": int,
    "driver": str,
    "warm_up_joints": int,
    "arms": dict,
    "versions": dict,
}
_NODE_FIELDS = (
    "resource",
    "label",
    "duration_s",
    "operation",
    "joint",
    "serial",
    "model",
    "zone",
    "finishes",
)


class RecordError(Exception):
    """A record that cannot be read; the message names file, line and what was expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as read: what was planned, what happened, and what the run was."""

    facts: Mapping[str, Any]
    graph: EventGraph
    starts_s: tuple[float, ...]
    events: tuple[Event, ...]

    def replay(self) -> CellState:
        """The state that the events lead to."""
        course = Course(self.graph)
        state = course.initial()
        for event in self.events:
            state = advance(course, state, event)
        return state


class RecordWriter:
    """Writes a record; use it as a context manager. `start` makes the file: there is none without a plan."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE_NAME
        self._file: IO[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def start(self, plan: MotionPlan, facts: Mapping[str, Any]) -> None:
        """Write what is going to be run; a record that exists is left alone.

        Raises:
            FileExistsError: When there is one.
        """
        self._file = self._path.open("x", encoding="utf-8", newline="\n", buffering=1)
        nodes = [[getattr(node, name) for name in _NODE_FIELDS] for node in plan.graph.nodes]
        self._write(
            {
                "type": "run_start",
                "schema_version": SCHEMA_VERSION,
                **facts,
                "node_fields": _NODE_FIELDS,
                "nodes": nodes,
                "predecessors": plan.graph.predecessors,
                "coordination": sorted(plan.graph.coordination),
                "planned_starts_s": np.round(plan.starts_s, 6).tolist(),
            }
        )

    def event(self, event: Event) -> None:
        """Write an event."""
        self._write(_as_json(event))

    def _write(self, line: Mapping[str, Any]) -> None:
        assert self._file is not None, "start comes first"
        self._file.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")


def read_record(directory: Path) -> Record:
    """Read the record of a run; a last line that was cut off in writing does not count.

    Raises:
        RecordError: When there is none or it is damaged.
    """
    path = directory / FILE_NAME
    if not path.is_file():
        raise RecordError(f"{path}: does not exist (allowed: the directory of a run)")
    if path.stat().st_size > _MAX_BYTES:
        raise RecordError(f"{path}: is too large (allowed: at most {_MAX_BYTES} bytes)")
    lines = _lines(path)
    try:
        number, start = next(lines)
    except StopIteration:
        raise RecordError(f"{path}: is empty (allowed: a record)") from None
    if start.get("type") != "run_start" or start.get("schema_version") != SCHEMA_VERSION:
        raise RecordError(f"{path}: line {number}: is no run_start of schema {SCHEMA_VERSION}")
    if missing := [name for name, kind in _FACTS.items() if not isinstance(start.get(name), kind)]:
        raise RecordError(f"{path}: line {number}: lacks {', '.join(missing)}, or their type is wrong")
    try:
        nodes = tuple(
            _node(index, dict(zip(start["node_fields"], values, strict=True)))
            for index, values in enumerate(start["nodes"])
        )
        graph = EventGraph(
            nodes=nodes,
            predecessors=tuple(tuple(int(node) for node in before) for before in start["predecessors"]),
            coordination=frozenset((int(a), int(b)) for a, b in start["coordination"]),
        )
        starts = tuple(float(value) for value in start["planned_starts_s"])
        graph.order()
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RecordError(f"{path}: line {number}: its plan is damaged: {error}") from error
    events = []
    for number, line in lines:
        try:
            event = _event(line)
            if isinstance(event, Given | Ended) and not 0 <= event.node < len(nodes):
                raise ValueError(f"node {event.node} (allowed: 0 to {len(nodes) - 1})")
        except (KeyError, TypeError, ValueError) as error:
            raise RecordError(f"{path}: line {number}: is no event: {error}") from error
        events.append(event)
    plan_keys = {"nodes", "node_fields", "predecessors", "coordination", "planned_starts_s", "type"}
    facts = {key: value for key, value in start.items() if key not in plan_keys}
    return Record(facts=facts, graph=graph, starts_s=starts, events=tuple(events))


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open("rb") as file:
        for number, text in enumerate(file, start=1):
            if not text.endswith(b"\n"):
                return
            try:
                line = json.loads(text)
            except (ValueError, RecursionError) as error:
                raise RecordError(f"{path}: line {number}: is not JSON: {error}") from error
            if not isinstance(line, dict):
                raise RecordError(f"{path}: line {number}: is not an object")
            yield number, line


def _node(index: int, values: Mapping[str, Any]) -> Node:
    return Node(
        id=index,
        resource=str(values["resource"]),
        label=str(values["label"]),
        duration_s=float(values["duration_s"]),
        operation=str(values["operation"]),
        joint=int(values["joint"]),
        serial=str(values["serial"]),
        model=str(values["model"]),
        zone=str(values["zone"]),
        finishes=bool(values["finishes"]),
    )


def _as_json(event: Event) -> dict[str, Any]:
    line: dict[str, Any] = {"type": type(event).__name__.lower(), "time_ns": event.time_ns}
    if isinstance(event, Given):
        return line | {"node": event.node}
    if isinstance(event, Faulted):
        return line | {"resource": event.resource, "reason": event.reason}
    if isinstance(event, Stopped):
        return line | {"reason": event.reason}
    line |= {"node": event.node, "start_ns": event.start_ns, "end_ns": event.end_ns}
    if event.verdict:
        line["verdict"] = event.verdict
    if event.measured:
        line["measured"] = {name: _finite(value) for name, value in event.measured.items()}
    if event.tests:
        line["tests"] = {name: measurement.as_record() for name, measurement in event.tests.items()}
    return line


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _event(line: Mapping[str, Any]) -> Event:
    kind, time_ns = line["type"], int(line["time_ns"])
    if kind == "given":
        return Given(time_ns=time_ns, node=int(line["node"]))
    if kind == "faulted":
        return Faulted(time_ns=time_ns, resource=str(line["resource"]), reason=str(line["reason"]))
    if kind == "stopped":
        return Stopped(time_ns=time_ns, reason=str(line["reason"]))
    if kind != "ended":
        raise ValueError(f"type {kind!r} (allowed: given, ended, faulted, stopped)")
    return Ended(
        time_ns=time_ns,
        node=int(line["node"]),
        start_ns=int(line["start_ns"]),
        end_ns=int(line["end_ns"]),
        verdict=str(line.get("verdict", "")),
        measured={
            str(name): np.nan if value is None else float(value)
            for name, value in line.get("measured", {}).items()
        },
        tests={str(name): _measurement(str(name), value) for name, value in line.get("tests", {}).items()},
    )


def _measurement(name: str, values: Mapping[str, Any]) -> Measurement:
    return Measurement(
        name=name,
        value=np.nan if values["value"] is None else float(values["value"]),
        unit=str(values["unit"]),
        low=-np.inf if values["low"] is None else float(values["low"]),
        high=np.inf if values["high"] is None else float(values["high"]),
    )
