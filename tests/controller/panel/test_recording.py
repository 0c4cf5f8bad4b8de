"""Recordings read back: by readers of another origin, whole, cut off, and with any bytes of theirs damaged."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from mcap_ros2.decoder import DecoderFactory
from mcap_ros2.writer import Writer

from controller import cli
from controller.panel import CellFacts
from controller.panel.events import EventLog
from controller.panel.recorder import JOINT_STATE, STRING, Recorder
from controller.panel.recording_check import findings, run_of
from controller.panel.recording_reader import Contents, RecordingError, read_recording
from controller.supervision.packml import Command
from controller.supervision.requests import GiveCommand
from tests.controller.panel.replayed_cell import ReplayedCell

TICK_NS = 250_000_000


def record(folder: Path, facts: CellFacts, seconds: float) -> Path:
    """Run the recorded cell for some seconds in front of a recorder, without waiting, and stop it."""
    clock = [0]
    cell = ReplayedCell(now_ns=lambda: clock[0], utc_ns=1_764_150_000_000_000_000)
    recorder = Recorder(folder, facts)
    events = EventLog(lambda event: None)
    events.also = recorder.event
    view = cell.view

    def tick() -> None:
        nonlocal view
        clock[0] += TICK_NS
        before, view = view, cell.view
        events.compare(before, view)
        recorder.picture(view)

    def give(command: Command) -> None:
        assert cell.ask(GiveCommand(command=command), "otto").accepted
        answered_ms = (
            view.utc_ns // 1_000_000 + 300
        )  # by the panel's clock, later than the next picture's time
        events.tell("command", answered_ms, f"otto: {command.name}", {"by": "otto"})
        tick()
        tick()

    give(Command.RESET)
    give(Command.START)
    for _ in range(int(seconds * 1e9 / TICK_NS)):
        tick()
    give(Command.STOP)
    tick()
    recorder.close()
    (path,) = folder.glob("*.mcap")
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, facts: CellFacts) -> Path:
    """Two minutes, in which joints leave."""
    return record(tmp_path_factory.mktemp("run"), facts, 120.0)


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory, facts: CellFacts) -> Path:
    """Two seconds, to be damaged often."""
    return record(tmp_path_factory.mktemp("short"), facts, 2.0)


def replay(path: Path, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = cli._guarded(lambda: cli.app(["replay", str(path)]))
    captured = capfd.readouterr()
    return code, captured.out, captured.err


def test_a_run_is_replayed_from_its_recording(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    contents = read_recording(run)
    assert findings(contents) == []
    figures = run_of(contents)
    assert figures.states == ("EXECUTE", "STOPPED"), "what began the run is in its recording too"
    assert (figures.cell, figures.driver, figures.simulated, figures.target_s) == (
        "six_arm",
        "fake",
        True,
        30.0,
    )
    assert figures.good >= 3
    assert figures.good + figures.rejected == len(figures.cycle_times_s)
    assert set(figures.moving) == {f"R{k}" for k in range(1, 7)}
    assert all(0.1 < share < 1.0 for share in figures.moving.values())
    code, out, err = replay(run, capfd)
    assert (code, err) == (0, "")
    assert "EXECUTE → STOPPED" in out
    assert f"{figures.good} good, {figures.rejected} rejected" in out
    assert "target 30 s met" in out
    assert f"{contents.messages} messages, and nothing wrong" in out


def test_figures_are_those_that_the_makers_reader_finds(run: Path) -> None:
    """Counted once more with the indexed reader of the format's makers instead of ours."""
    with run.open("rb") as file:
        messages = list(make_reader(file, decoder_factories=[DecoderFactory()]).iter_decoded_messages())
    figures, contents = run_of(read_recording(run)), read_recording(run)
    assert len(messages) == contents.messages
    events = [json.loads(m.decoded_message.data) for m in messages if m.channel.topic == "/cell/events"]
    assert [event["seq"] for event in events] == [event["seq"] for event in contents.events]
    cycles = [event["facts"]["cycle_s"] for event in events if event["kind"] == "cycle"]
    assert list(figures.cycle_times_s) == [cycle for cycle in cycles if cycle is not None]
    joints = [m for m in messages if m.channel.topic == "/R3/joint_states"]
    assert [m.message.sequence for m in joints] == list(range(1, len(joints) + 1))
    assert np.array_equal(contents.tracks["R3"].q, [m.decoded_message.position for m in joints])
    assert np.array_equal(contents.tracks["R3"].times_ns, [m.message.log_time for m in joints])
    assert joints[0].decoded_message.name == [f"R3_joint_{k}" for k in range(1, 7)]
    assert {(m.schema.name, m.schema.encoding, m.channel.message_encoding) for m in messages} == {
        ("sensor_msgs/msg/JointState", "ros2msg", "cdr"),
        ("std_msgs/msg/String", "ros2msg", "cdr"),
    }
    with run.open("rb") as file:
        (header,) = [each for each in StreamReader(file).records if type(each).__name__ == "Header"]
    assert header.profile == "ros2"


def test_a_recording_that_was_cut_off_is_read_up_to_there(run: Path, tmp_path: Path, capfd: Any) -> None:
    whole, path = run.read_bytes(), tmp_path / "run.mcap.part"
    path.write_bytes(whole[: int(0.9 * len(whole))])
    contents = read_recording(path)
    assert 0 < contents.messages < read_recording(run).messages
    code, out, err = replay(path, capfd)
    assert code == 1
    assert "run.mcap.part: ends too early, after" in err
    assert "good" in out, "the figures up to there"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends too early"),
        (b"{}" * 50, "magic"),
        (b"\x89MCAP0\r\n", "ends too early"),
        (b"\x89MCAP0\r\n" + b"\xff" * 90, "limit"),
    ],
)
def test_what_is_no_recording(tmp_path: Path, capfd: Any, content: bytes, said: str) -> None:
    path = tmp_path / "run.mcap"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=said):
        read_recording(path)
    code, _, err = replay(path, capfd)
    assert code == 1
    assert str(path) in err
    assert "Traceback" not in err


def same(a: Contents, b: Contents) -> bool:
    """Whether two files say the same of the cell."""
    tracks = a.tracks.keys() == b.tracks.keys() and all(
        a.tracks[arm].times == b.tracks[arm].times and a.tracks[arm].angles == b.tracks[arm].angles
        for arm in a.tracks
    )
    return tracks and a.events == b.events and a.facts == b.facts


def examined(path: Path, content: bytes) -> tuple[Contents | None, list[str]]:
    path.write_bytes(content)
    try:
        contents = read_recording(path)
    except RecordingError as error:
        return None, [str(error)]
    run_of(contents)
    return contents, findings(contents)


def test_no_damaged_byte_goes_unnoticed_or_matters(short: Path, tmp_path: Path) -> None:
    """The law of damage: a finding is said, or what the file says of the cell is what it said before."""
    whole, original = short.read_bytes(), read_recording(short)
    assert findings(original) == []

    @given(st.integers(0, len(whole) - 1), st.integers(1, 255))
    @settings(max_examples=300)
    def law(place: int, change: int) -> None:
        damaged = bytearray(whole)
        damaged[place] ^= change
        contents, found = examined(tmp_path / "damaged.mcap", bytes(damaged))
        assert found or (contents is not None and same(contents, original))

    law()


def test_a_recording_may_end_anywhere(short: Path, tmp_path: Path) -> None:
    whole, original = short.read_bytes(), read_recording(short)

    @given(st.integers(0, len(whole) - 1))
    @settings(max_examples=150)
    def law(length: int) -> None:
        contents, found = examined(tmp_path / "cut.mcap", whole[:length])
        assert any(str(tmp_path / "cut.mcap") in line for line in found)
        if contents is not None:
            assert contents.events == original.events[: len(contents.events)]

    law()


@given(st.binary(max_size=400), st.integers(0, 2000), st.integers(0, 400))
def test_any_bytes_anywhere(
    short: Path, tmp_path_factory: Any, junk: bytes, place: int, removed: int
) -> None:
    whole = short.read_bytes()
    damaged = whole[:place] + junk + whole[place + removed :]
    path = tmp_path_factory.getbasetemp() / "junk.mcap"
    examined(path, damaged)


Message = tuple[str, int, Any, int]  # topic, second, position or text, count


def written(path: Path, messages: list[Message]) -> Path:
    """A file of any content, well formed as a container."""
    with path.open("wb") as file:
        writer = Writer(file)
        joints = writer.register_msgdef("sensor_msgs/msg/JointState", JOINT_STATE)
        words = writer.register_msgdef("std_msgs/msg/String", STRING)
        for topic, second, what, count in messages:
            if isinstance(what, str):
                writer.write_message(topic, words, {"data": what}, second * 10**9, second * 10**9, count)
                continue
            message = {
                "header": {"stamp": {"sec": second, "nanosec": 0}, "frame_id": ""},
                "name": [],
                "position": what,
                "velocity": [],
                "effort": [],
            }
            writer.write_message(topic, joints, message, second * 10**9, second * 10**9, count)
        writer.finish()
    return path


def event(seq: int, kind: str = "state", **facts: Any) -> str:
    return json.dumps({"seq": seq, "utc_ms": 0, "kind": kind, "text": kind, "facts": facts})


LIMITS = json.dumps({"arms": [{"id": "R1", "lower_rad": [-1.0] * 6, "upper_rad": [1.0] * 6}]})
REST = [0.0] * 6
AT_REST: Message = ("/R1/joint_states", 1, REST, 1)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([("/R1/joint_states", 1, REST, 1), ("/R1/joint_states", 2, REST, 3)], "message 3 follows 1"),
        (
            [("/R1/joint_states", 2, REST, 1), ("/R1/joint_states", 1, REST, 2)],
            "1.000 s older than the one before",
        ),
        ([AT_REST, ("/R1/joint_states", 2, [0.0] * 5, 2)], "has no six angles"),
        ([AT_REST, ("/R1/joint_states", 2, [0.0] * 5 + [float("nan")], 2)], "has no six angles"),
        (
            [("/cell/facts", 1, LIMITS, 1), ("/R1/joint_states", 1, [0.0, 1.5, 0.0, 0.0, 0.0, 0.0], 1)],
            "R1 joint 2 is at 1.5000 rad in picture 1 (allowed: -1.0000 to 1.0000)",
        ),
        ([("/cell/facts", 1, LIMITS, 1), ("/R2/joint_states", 1, REST, 1)], "R1 is in no picture"),
        (
            [AT_REST, (*AT_REST[:3], 2), ("/R2/joint_states", 1, REST, 1)],
            "different numbers of pictures: R1 2, R2 1",
        ),
        ([("/cell/facts", 1, LIMITS, 1)], "holds no picture of any arm"),
        (
            [AT_REST, ("/cell/events", 1, event(3, "alarm"), 1), ("/cell/events", 1, event(5, "alarm"), 2)],
            "event 5 follows event 3",
        ),
        ([AT_REST, ("/cell/events", 1, event(1, state="PARTY"), 1)], "'PARTY' is no state"),
        (
            [
                AT_REST,
                ("/cell/events", 1, event(1, state="IDLE"), 1),
                ("/cell/events", 1, event(2, state="EXECUTE", before="HELD"), 2),
            ],
            "event 2: comes from HELD, the cell was IDLE",
        ),
        ([AT_REST, ("/cell/events", 1, "{", 1)], "not understood"),
        ([AT_REST, ("/cell/events", 1, '{"seq": "1"}', 1)], "not understood"),
        ([AT_REST, ("/cell/facts", 1, "[1]", 1)], "not understood"),
        ([AT_REST, ("/cell/\x1b[31mred", 1, "x", 1)], "/cell/?[31mred"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, messages: list[Message], said: str) -> None:
    contents = read_recording(written(tmp_path / "run.mcap", messages))
    run_of(contents)
    (found, *others) = findings(contents)
    assert said in found
    assert not others


@pytest.mark.parametrize(
    "facts",
    [
        {"arms": 3},
        {"arms": [{"id": 1}]},
        {"arms": [{"id": "R1", "lower_rad": ["x"] * 6, "upper_rad": [1] * 6}]},
        {"arms": [{"id": "R1", "lower_rad": [10**400] * 6, "upper_rad": [1] * 6}]},
        {"target_s": "30", "cell": ["x"], "simulated": "yes", "driver": 3},
        {"target_s": 10**400},
    ],
)
def test_facts_that_make_no_sense_are_not_believed(tmp_path: Path, facts: dict[str, Any]) -> None:
    cycle = event(1, "cycle", cycle_s="x", good="maybe")
    messages = [("/cell/facts", 1, json.dumps(facts), 1), AT_REST, ("/cell/events", 1, cycle, 1)]
    contents = read_recording(written(tmp_path / "run.mcap", messages))
    figures = run_of(contents)
    assert findings(contents) == []
    assert (figures.cell, figures.target_s, figures.simulated, figures.cycle_times_s) == (
        None,
        None,
        None,
        (),
    )
    assert (figures.good, figures.rejected) == (0, 0)


def test_many_findings_fit_on_a_screen(tmp_path: Path) -> None:
    messages = [("/R1/joint_states", 1000 - k, REST, 7 * k) for k in range(200)]
    assert len(findings(read_recording(written(tmp_path / "run.mcap", messages)))) == 20


def test_messages_of_a_strange_kind_are_not_decoded(tmp_path: Path) -> None:
    path = tmp_path / "run.mcap"
    with path.open("wb") as file:
        writer = Writer(file)
        strange = writer.register_msgdef("std_msgs/msg/String", "string[] data\n")
        writer.write_message("/cell/events", strange, {"data": ["x"]}, 0, 0, 1)
        writer.finish()
    assert "are not read" in findings(read_recording(path))[0]


def test_a_chunk_that_would_grow_beyond_measure_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "bomb.mcap"
    with path.open("wb") as file:
        writer = Writer(file, chunk_size=2**40)
        words = writer.register_msgdef("std_msgs/msg/String", STRING)
        writer.write_message("/x", words, {"data": "x" * 70_000_000}, 0, 0, 1)
        writer.finish()
    assert path.stat().st_size < 1_000_000
    with pytest.raises(RecordingError, match="larger than"):
        read_recording(path)
