"""Replays that find what does not fit: events that cannot happen, and figures that do not follow."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from controller.execution.record import RecordError, read_record
from controller.replaying import differences
from controller.report.history import history
from controller.report.summary import summarise
from tests.controller.test_record import EVENTS, START, write

JOINTS = 4


def lines() -> list[dict[str, Any]]:
    """A record of four joints, each fetched and left by R1, by nothing but the documented format."""
    start = deepcopy(START)
    start["nodes"], start["predecessors"], start["planned_starts_s"] = [], [], []
    start["driver"], start["warm_up_joints"] = "sim", 3
    events = []
    for joint in range(JOINTS):
        for step, (label, number) in enumerate((("fetch", "10"), ("leave", "200"))):
            node, begin = 2 * joint + step, 10**9 * (20 * joint + step)
            start["nodes"].append(
                ["R1", label, 1.0, number, joint, f"J{joint}", "Pro-NE30-30", "P0", step == 1]
            )
            start["predecessors"].append([node - 1] if node else [])
            start["planned_starts_s"].append(begin * 1e-9)
            end = begin + 10**9
            events += [
                {"type": "given", "time_ns": begin, "node": node},
                {"type": "ended", "time_ns": end, "node": node, "start_ns": begin, "end_ns": end},
            ]
    return [start, *events, {"type": "stopped", "time_ns": 10**9 * 62, "reason": "done"}]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    write(tmp_path, *lines())
    record = read_record(tmp_path)
    past = history(record, record.facts["arms"], record.facts["warm_up_joints"])
    summary = summarise(
        seed=0,
        driver="sim",
        cell="six_arm",
        models=["Pro-NE30-30"],
        target_s=30.0,
        joints=past.joints,
        warm_up=record.facts["warm_up_joints"],
        planned_cycle_time_s=20.0,
        lower_bound_s=10.0,
        collisions=0,
        min_clearance_m=None,
        part_pose_error_max_m=None,
        dropped_parts=0,
        arms=past.arms,
        binding=past.binding,
        simulated_s=62.0,
        wall_s=1.0,
        planning_s=1.0,
        trace_sha256="0" * 64,
    )
    assert summary.cycle_times_s == pytest.approx([20.0])
    (tmp_path / "run.json").write_text(summary.to_json(), encoding="utf-8")
    return tmp_path


def test_a_run_as_it_was(run: Path) -> None:
    assert differences(run) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("met", False), ("cycle_time_p95_s", 19.0), ("cycle_times_s", []), ("seed", 1), ("simulated_s", 61.0)],
)
def test_a_changed_figure_is_named(run: Path, field: str, value: object) -> None:
    path = run / "run.json"
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | {field: value}), encoding="utf-8"
    )
    assert [line.split(":")[0] for line in differences(run)] == [field]


def test_a_changed_verdict_is_named(run: Path) -> None:
    path = run / "run.json"
    summary = json.loads(path.read_text(encoding="utf-8"))
    summary["joints"][2]["good"] = False
    path.write_text(json.dumps(summary), encoding="utf-8")
    assert differences(run) == ["joints[2].good: run.json says False, the record leads to True"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda events: events.pop(0), "line 2: R1 fetch (node 0) ended, but it was not running"),
        (lambda events: events.insert(0, events.pop(2)), "line 2: R1 leave (node 1) was handed out before"),
        (
            lambda events: events[3].update(start_ns=1),
            "line 5: R1 leave (node 1) began before R1 fetch (node 0)",
        ),
    ],
)
def test_an_event_that_cannot_happen_is_named(run: Path, change: Any, expected: str) -> None:
    start, *events = lines()
    change(events)
    write(run, start, *events)
    assert expected in differences(run)[0]


def test_many_findings_fit_on_a_screen(run: Path) -> None:
    start, *events = lines()
    write(run, start, *[event for event in events if event["type"] != "given"] * 5)
    assert len(differences(run)) == 20


@pytest.mark.parametrize("text", ["", "{}", "[1]"])
def test_a_run_json_that_cannot_be_read(run: Path, text: str) -> None:
    (run / "run.json").write_text(text, encoding="utf-8")
    with pytest.raises(RecordError, match=r"run\.json"):
        differences(run)


def test_a_run_without_end(run: Path) -> None:
    (run / "run.json").unlink()
    with pytest.raises(RecordError, match="did not come to its end"):
        differences(run)


def test_a_record_without_joints(run: Path) -> None:
    write(run, START, *EVENTS[:1])
    assert any(line.startswith("joints:") for line in differences(run))


def test_a_record_without_events(run: Path) -> None:
    write(run, START)
    assert any(line.startswith("joints:") for line in differences(run))
