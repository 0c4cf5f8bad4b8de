"""Cycles, joints from a real journal, reports, recordings."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from controller.panel.joint_report import joint_report
from controller.panel.recorder import Recorder
from controller.panel.recordings import recording_file, recordings
from controller.panel.spans import LATE_S, spans_of
from controller.supervision.archive import Archive
from controller.supervision.shift import (
    JointEntered,
    JointLeft,
    OperationBegun,
    OperationEnded,
    OrderQueued,
    Shift,
)
from tests.controller.panel.replayed_cell import ReplayedCell
from tests.controller.panel.rig import Rig

API = "/api/v1"
SCRIPT = "<script>alert(1)</script>"


def played(rig: Rig, seconds: float) -> None:
    """Let the record run on by itself, without waiting."""
    rig.client("otto").post(f"{API}/cell/commands/reset")
    clock = [rig.cell._now_ns()]
    rig.cell._now_ns = lambda: clock[0]
    for _ in range(int(seconds * 2)):
        clock[0] += 500_000_000
        rig.tick()
        if rig.cell.view.state.name == "IDLE":
            rig.client("otto").post(f"{API}/cell/commands/start")


def test_cycles_are_kept_with_their_operations(rig: Rig) -> None:
    played(rig, 90)
    vera = rig.client("vera")
    rows = vera.get(f"{API}/cycles").json()
    assert len(rows) >= 2
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    detail = vera.get(f"{API}/cycles/{rows[0]['id']}").json()
    arms = {span["resource"] for span in detail["spans"]}
    assert arms >= {f"R{k}" for k in range(1, 7)} | {"dial"}
    done = [span for span in detail["spans"] if span["ended_s"] is not None]
    assert all(span["began_s"] <= span["ended_s"] for span in done)
    assert all(-detail["cycle_s"] - 3 <= span["ended_s"] for span in done)
    assert vera.get(f"{API}/cycles/999999").status_code == 404


def test_cycles_are_filtered(rig: Rig) -> None:
    played(rig, 120)
    vera = rig.client("vera")
    rows = vera.get(f"{API}/cycles").json()
    model = rows[0]["model"]
    assert {row["model"] for row in vera.get(f"{API}/cycles", params={"model": model}).json()} == {model}
    assert all(row["good"] for row in vera.get(f"{API}/cycles?good=true").json())
    assert all(not row["good"] for row in vera.get(f"{API}/cycles?good=false").json())
    limit = sorted(row["cycle_s"] for row in rows)[len(rows) // 2]
    assert all(row["cycle_s"] > limit for row in vera.get(f"{API}/cycles?over_s={limit}").json())
    assert vera.get(f"{API}/cycles?until=100").json() == []
    assert len(vera.get(f"{API}/cycles?most=1").json()) == 1
    assert vera.get(f"{API}/cycles", params={"model": "' OR 1=1 --"}).json() == []


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    directory = tmp_path / "journal"
    with Archive(directory) as opened:
        opened.append(
            [
                OrderQueued(order="o-1", lines={"Pro-NE30-30": 2}, by="otto"),
                JointEntered(serial="J1", model="Pro-NE30-30", order="o-1", place=0),
                OperationBegun(serial="J1", operation="180", resource="P7"),
                OperationEnded(
                    serial="J1",
                    operation="180",
                    verdict=f"ripple {SCRIPT}",
                    measured={"ripple": 0.24, "x": None},
                ),
                JointLeft(serial="J1", reject=f"180: {SCRIPT}"),
                JointEntered(serial="J2", model="Pro-NE30-30", order="o-1", place=1),
                JointLeft(serial="J2"),
            ],
            1_764_150_000_000_000_000,
            Shift(),
        )
    return directory


def test_the_story_of_a_joint_is_the_journals(make: Any, journal: Path) -> None:
    rig: Rig = make(journal=journal)
    vera = rig.client("vera")
    lines = vera.get(f"{API}/joints").json()
    assert [(line["serial"], line["reject"]) for line in lines] == [("J2", ""), ("J1", f"180: {SCRIPT}")]
    story = vera.get(f"{API}/joints/J1").json()
    assert (story["model"], story["order"]) == ("Pro-NE30-30", "o-1")
    kinds = [entry["kind"] for entry in story["entries"]]
    assert kinds == ["joint_entered", "operation_begun", "operation_ended", "joint_left"]
    assert story["entries"][2]["facts"]["measured"] == {"ripple": 0.24, "x": None}
    assert vera.get(f"{API}/joints/J9").status_code == 404


def test_the_report_holds_no_script(make: Any, journal: Path) -> None:
    rig: Rig = make(journal=journal)
    answer = rig.client("vera").get(f"{API}/joints/J1/report.html")
    assert answer.status_code == 200
    assert SCRIPT not in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"] == 'attachment; filename="joint-J1.html"'
    assert "ripple 0.24" in joint_report(rig.client("vera").get(f"{API}/joints/J1").json(), "six_arm")


def test_a_damaged_journal_is_said_and_nothing_else_breaks(make: Any, tmp_path: Path) -> None:
    (tmp_path / "cell-000001.db").write_bytes(b"this is no database" * 100)
    rig: Rig = make(journal=tmp_path)
    vera = rig.client("vera")
    assert vera.get(f"{API}/joints").status_code == 503
    assert vera.get(f"{API}/cell").status_code == 200


def test_spans_join_the_bars_of_an_operation() -> None:
    cell = ReplayedCell()
    view = cell.view
    spans, drift_s = spans_of(view.bars, view.time_ns)
    assert 0.0 <= drift_s < 30.0
    keys = [(span["resource"], span["serial"], span["label"]) for span in spans]
    assert len(keys) == len(set(keys))
    for span in spans:
        assert span["planned_s"] <= span["planned_end_s"]
        if span["began_s"] is None:
            assert span["ended_s"] is None
            assert not span["late"]
        else:
            assert span["began_s"] <= 0.0, "nothing began in the future"
            assert span["late"] == pytest.approx(span["began_s"] - span["planned_s"] > LATE_S, abs=0) or (
                abs(span["began_s"] - span["planned_s"] - LATE_S) < 0.02
            )


def test_a_run_is_recorded_and_read_back(rig: Rig, tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "recordings", rig.panel.facts)
    rig.panel.recorder = recorder
    rig.panel.hub.events.also = recorder.event
    rig.client("otto")
    asked: dict[int, list[float]] = {}
    rig.panel.hub._watched = lambda before, after: (  # type: ignore[assignment]
        recorder.picture(after),
        asked.setdefault(after.utc_ns, after.arms[2].q.tolist()),
    )
    played(rig, 20)
    rig.client("otto").post(f"{API}/cell/commands/stop")
    for _ in range(4):
        now = rig.cell._now_ns()
        rig.cell._now_ns = lambda now=now: now + 500_000_000  # type: ignore[misc]
        rig.tick()
    recorder.close()
    (found,) = recordings(tmp_path / "recordings")
    path = recording_file(tmp_path / "recordings", found["name"])
    assert path is not None
    with path.open("rb") as file:
        messages = list(make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages())
    joints = [message for message in messages if message.channel.topic == "/R3/joint_states"]
    assert len(joints) > 20
    for message in joints:
        stamp = message.decoded_message.header.stamp
        assert np.allclose(message.decoded_message.position, asked[stamp.sec * 10**9 + stamp.nanosec])
    assert joints[0].schema.name == "sensor_msgs/msg/JointState"
    words = [json.loads(m.decoded_message.data) for m in messages if m.channel.topic == "/cell/events"]
    assert "state" in {event["kind"] for event in words}


def test_recordings_that_are_not_ours_are_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    secret = tmp_path / "secret.mcap"
    secret.write_bytes(b"x")
    (folder / "link.mcap").symlink_to(secret)
    (folder / "run.mcap.part").write_bytes(b"x")
    (folder / "run.mcap").write_bytes(b"xyz")
    assert [entry["name"] for entry in recordings(folder)] == ["run.mcap"]
    assert recording_file(folder, "link.mcap") is None
    assert recording_file(folder, "../secret.mcap") is None
    assert recording_file(None, "run.mcap") is None
