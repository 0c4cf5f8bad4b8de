"""Records that were cut off, damaged, or never begun."""

import json
from pathlib import Path
from typing import Any

import pytest

from controller.execution.record import RecordError, RecordWriter, read_record
from controller.execution.state import Stopped

START: dict[str, Any] = {
    "type": "run_start",
    "schema_version": 1,
    "command": "jointcell run",
    "cell": "six_arm",
    "seed": 0,
    "driver": "fake",
    "warm_up_joints": 2,
    "arms": {"R1": "GP7"},
    "versions": {},
    "node_fields": [
        "resource",
        "label",
        "duration_s",
        "operation",
        "joint",
        "serial",
        "model",
        "zone",
        "finishes",
    ],
    "nodes": [
        ["R1", "fetch", 1.0, "10", 0, "J0001", "Pro-NE30-30", "P0", False],
        ["R1", "leave", 1.0, "200", 0, "J0001", "Pro-NE30-30", "out_tray", True],
    ],
    "predecessors": [[], [0]],
    "coordination": [],
    "planned_starts_s": [0.0, 1.0],
}
EVENTS: list[dict[str, Any]] = [
    {"type": "given", "time_ns": 0, "node": 0},
    {"type": "ended", "time_ns": 1_000, "node": 0, "start_ns": 0, "end_ns": 1_000, "verdict": "slipped"},
    {"type": "given", "time_ns": 1_000, "node": 1},
    {"type": "ended", "time_ns": 2_000, "node": 1, "start_ns": 1_000, "end_ns": 2_000},
    {"type": "stopped", "time_ns": 2_000, "reason": "done"},
]


def write(directory: Path, *lines: object) -> bytes:
    content = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (directory / "record.jsonl").write_bytes(content)
    return content


def test_a_record_replays_to_its_end(tmp_path: Path) -> None:
    write(tmp_path, START, *EVENTS)
    state = read_record(tmp_path).replay()
    assert [(joint.serial, joint.finished_ns, joint.reject) for joint in state.finished] == [
        ("J0001", 2_000, "fetch: slipped")
    ]
    assert state.stopped == "done"


def test_cut_off_anywhere_behind_its_first_line_it_is_valid_up_to_there(tmp_path: Path) -> None:
    content = write(tmp_path, START, *EVENTS)
    first = content.index(b"\n") + 1
    for size in range(first, len(content) + 1):
        (tmp_path / "record.jsonl").write_bytes(content[:size])
        record = read_record(tmp_path)
        assert len(record.events) == content[:size].count(b"\n") - 1
        record.replay()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "is empty"),
        (["text"], "line 1: is not an object"),
        ([{**START, "schema_version": 2}], "line 1: is no run_start of schema 1"),
        ([{**START, "arms": None, "seed": "7"}], "line 1: lacks seed, arms, or their type is wrong"),
        ([{**START, "nodes": [["R1"]]}], "line 1: its plan is damaged"),
        ([{**START, "predecessors": [[1], [0]]}], "has a cycle"),
        (
            [START, {"type": "given", "time_ns": 0, "node": 2}],
            r"line 2: is no event: node 2 \(allowed: 0 to 1\)",
        ),
        ([START, {"type": "given", "time_ns": 0}], "line 2: is no event"),
        ([START, {"type": "lost", "time_ns": 0}], "'lost' .allowed: given, ended"),
    ],
)
def test_damage_is_told_with_file_and_line(tmp_path: Path, lines: list[object], message: str) -> None:
    write(tmp_path, *lines)
    with pytest.raises(RecordError, match=message) as caught:
        read_record(tmp_path)
    assert str(caught.value).startswith(str(tmp_path / "record.jsonl"))


def test_what_is_not_json(tmp_path: Path) -> None:
    (tmp_path / "record.jsonl").write_bytes(json.dumps(START).encode() + b"\n\xff\xfe\n")
    with pytest.raises(RecordError, match="line 2: is not JSON"):
        read_record(tmp_path)


def test_no_record(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="does not exist"):
        read_record(tmp_path)


def test_a_writer_that_never_starts_leaves_no_file(tmp_path: Path) -> None:
    with RecordWriter(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_event_before_the_plan_is_a_mistake(tmp_path: Path) -> None:
    with RecordWriter(tmp_path) as writer, pytest.raises(AssertionError, match="start comes first"):
        writer.event(Stopped(time_ns=0, reason="done"))
