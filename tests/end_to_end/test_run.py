"""The whole program as its users and CI see it: `jointcell run` in processes of its own.

One physics run with few joints is made twice with the same seed, and one dry run of the whole mix likewise; the
second of each has a target that cannot be met. They are started together and shared by all tests.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from controller.execution.record import read_record
from controller.replaying import differences
from tests.end_to_end.runs import Run, Runs, jointcell

PHYSICS = ("--joints", "2", "--seed", "3", "--json", "-")
MIX = ("--driver", "fake", "--joints", "16", "--seed", "5")
WARM_UP = 2
EVENTS_BEFORE_INTERRUPT = 150
SCHEMA = {
    *("schema_version", "seed", "driver", "cell", "models", "target_s", "met", "joints", "cycle_times_s"),
    *(
        "cycle_time_mean_s",
        "cycle_time_p50_s",
        "cycle_time_p95_s",
        "cycle_time_max_s",
        "planned_cycle_time_s",
    ),
    *("lower_bound_s", "gap", "flow_time_p50_s", "collisions", "min_clearance_m", "part_pose_error_max_m"),
    *(
        "dropped_parts",
        "arms",
        "simulated_s",
        "wall_s",
        "real_time_factor",
        "planning_s",
        "trace_sha256",
        "binding",
    ),
}


def running(out: Path) -> bool:
    record = out / "record.jsonl"
    return record.exists() and record.read_bytes().count(b"\n") > EVENTS_BEFORE_INTERRUPT


def preparing(out: Path) -> bool:
    if not out.exists():
        return False
    time.sleep(2.0)  # well into compiling and planning, which take much longer
    return True


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    with Runs(tmp_path_factory.mktemp("runs")) as runs:
        runs.start("mix", *MIX)
        assert runs["mix"].code == 0, runs[
            "mix"
        ].stderr  # kernels and plan are kept for the others from here on
        runs.start("physics", *PHYSICS, "--junit", str(runs.directory / "physics.xml"))
        runs.start("physics_again", *PHYSICS, "--target", "15")
        runs.start("mix_again", *MIX, "--target", "15", "--junit", str(runs.directory / "mix_again.xml"))
        runs.start("interrupted", *PHYSICS, "--joints", "9", stop_when=running)
        nothing_kept = {"XDG_CACHE_HOME": str(runs.directory / "cache")}
        runs.start("not_started", stop_when=preparing, environment=nothing_kept)
        yield runs


@pytest.fixture(scope="session")
def physics(runs: Runs) -> Run:
    return runs["physics"]


@pytest.fixture(scope="session")
def mix(runs: Runs) -> Run:
    return runs["mix"]


def finished(run: Run) -> list[tuple[float, str, str]]:
    """(time, serial, model) of every joint that left, read from the record by nothing but its documentation."""
    first, events = run.record()
    nodes = [dict(zip(first["node_fields"], values, strict=True)) for values in first["nodes"]]
    ended = ((event["end_ns"] * 1e-9, nodes[event["node"]]) for event in events if event["type"] == "ended")
    return sorted((time_s, node["serial"], node["model"]) for time_s, node in ended if node["finishes"])


def test_the_target_is_met_in_physics(physics: Run) -> None:
    assert physics.code == 0, physics.stderr
    summary = physics.summary
    assert summary["met"]
    assert summary["cycle_time_p95_s"] <= summary["target_s"] == 30.0
    assert summary["collisions"] == summary["dropped_parts"] == 0
    assert all(joint["good"] for joint in summary["joints"])


def test_the_target_is_met_by_the_plan_of_the_whole_mix(mix: Run) -> None:
    assert mix.code == 0, mix.stderr
    assert mix.summary["cycle_time_p95_s"] <= 30.0


def test_more_than_ten_models_leave_one_mix(mix: Run) -> None:
    counted = {model for _, _, model in finished(mix)[WARM_UP:]}
    assert len(counted) > 10
    assert counted <= set(mix.summary["models"])


def test_six_arms_do_the_work(physics: Run) -> None:
    arms = physics.summary["arms"]
    assert len(arms) == 6
    for arm in arms:
        assert 0.0 < arm["busy"] <= 1.0
        assert arm["busy"] + sum(arm["waiting_by_reason"].values()) <= 1.0 + 1e-6


@pytest.mark.parametrize("name", ["physics_again", "mix_again"])
def test_a_missed_target_is_exit_code_1(runs: Runs, name: str) -> None:
    run = runs[name]
    assert run.code == 1, run.stderr
    assert run.summary["target_s"] == 15.0
    assert not run.summary["met"]
    assert run.summary["cycle_time_p95_s"] > 15.0


@pytest.mark.parametrize(("one", "other"), [("physics", "physics_again"), ("mix", "mix_again")])
def test_the_same_seed_gives_the_same_run_in_another_process(runs: Runs, one: str, other: str) -> None:
    measured = {
        "met",
        "target_s",
        "wall_s",
        "real_time_factor",
        "planning_s",
    }  # wall time, and what was asked
    first, second = runs[one].summary, runs[other].summary
    assert re.fullmatch("[0-9a-f]{64}", first["trace_sha256"])
    assert {key: first[key] for key in SCHEMA - measured} == {key: second[key] for key in SCHEMA - measured}
    assert runs[one].record()[1] == runs[other].record()[1]


@pytest.mark.parametrize("name", ["physics", "mix"])
def test_run_json_holds_the_promised_names(runs: Runs, name: str) -> None:
    summary = runs[name].summary
    assert set(summary) == SCHEMA
    assert summary["schema_version"] == 1
    assert all(
        set(joint) == {"serial", "model", "good", "finished_s", "flow_time_s", "eol"}
        for joint in summary["joints"]
    )
    assert summary["gap"] == pytest.approx(summary["cycle_time_mean_s"] / summary["lower_bound_s"] - 1)
    assert summary["lower_bound_s"] <= summary["planned_cycle_time_s"]
    assert summary["real_time_factor"] == pytest.approx(summary["simulated_s"] / summary["wall_s"])


def test_run_json_says_what_was_asked(physics: Run) -> None:
    summary = physics.summary
    assert (summary["seed"], summary["driver"], summary["cell"]) == (3, "sim", "six_arm")
    assert {joint["model"] for joint in summary["joints"]} <= set(summary["models"])


@pytest.mark.parametrize("name", ["physics", "mix"])
def test_run_json_follows_from_the_record(runs: Runs, name: str) -> None:
    run = runs[name]
    joints = finished(run)
    said = [(joint["finished_s"], joint["serial"], joint["model"]) for joint in run.summary["joints"]]
    assert [joint[1:] for joint in said] == [joint[1:] for joint in joints]
    assert [joint[0] for joint in said] == pytest.approx([joint[0] for joint in joints])
    cycles = [after[0] - before[0] for before, after in pairwise(joints[WARM_UP - 1 :])]
    assert run.summary["cycle_times_s"] == pytest.approx(cycles)


@pytest.mark.parametrize("name", ["physics", "mix", "interrupted"])
def test_nothing_begins_before_what_it_waits_for_has_ended(runs: Runs, name: str) -> None:
    first, events = runs[name].record()
    ended = {event["node"]: event for event in events if event["type"] == "ended"}
    assert len(ended) >= EVENTS_BEFORE_INTERRUPT / 3
    for node, event in ended.items():
        assert all(ended[before]["end_ns"] <= event["start_ns"] for before in first["predecessors"][node])


@pytest.mark.parametrize("name", ["physics", "physics_again", "mix", "mix_again"])
def test_replay_finds_no_difference(runs: Runs, name: str) -> None:
    assert differences(runs[name].out) == []


def test_every_joint_is_measured_in_physics(physics: Run) -> None:
    for joint in physics.summary["joints"]:
        assert joint["eol"]
        assert all(value["ok"] for value in joint["eol"].values())


def test_the_trace_of_a_dry_run_is_the_hash_of_its_course(mix: Run) -> None:
    lines = [f"{e['node']} {e['start_ns']} {e['end_ns']}\n" for e in mix.record()[1] if e["type"] == "ended"]
    assert mix.summary["trace_sha256"] == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_json_on_standard_output_is_run_json_and_nothing_else(physics: Run, runs: Runs) -> None:
    for run in (physics, runs["physics_again"]):
        assert json.loads(run.stdout) == run.summary


def test_without_a_terminal_there_is_no_progress_on_standard_error(mix: Run) -> None:
    assert "━" not in mix.stderr
    assert len(mix.stderr.splitlines()) <= 1
    assert "Target of 30 s met" in mix.stdout


class References(HTMLParser):
    """Everything that a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = ("src", "href", "xlink:href", "action", "data", "srcset", "poster")
        self.found += [value or "" for name, value in attrs if name in names]


def test_the_report_is_one_file_that_opens_offline(physics: Run, mix: Run) -> None:
    for run in (physics, mix):
        text = (run.out / "report.html").read_text(encoding="utf-8")
        page = References()
        page.feed(text)
        page.found += re.findall(r"url\(([^)]*)\)", text) + re.findall(r"@import\s+(\S+)", text)
        assert [found[:60] for found in page.found if not found.startswith(("data:", "#"))] == []
        assert str(run.summary["trace_sha256"])[:12] in text


def test_the_report_can_be_written_anew(mix: Run) -> None:
    path = mix.out / "report.html"
    before = path.read_text(encoding="utf-8")
    path.unlink()
    again = jointcell("report", str(mix.out))
    assert again.returncode == 0
    assert again.stdout == f"{path}\n"
    assert path.read_text(encoding="utf-8") == before


@pytest.mark.parametrize(("name", "file"), [("physics", "physics.xml"), ("mix_again", "mix_again.xml")])
def test_junit_has_one_case_per_cycle_and_the_gate(runs: Runs, name: str, file: str) -> None:
    summary = runs[name].summary
    suite = ElementTree.parse(runs.directory / file).getroot().find("testsuite")
    assert suite is not None
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases) == len(summary["cycle_times_s"]) + 1
    assert (
        int(suite.attrib["failures"])
        == len(suite.findall("testcase/failure"))
        == (0 if summary["met"] else 1)
    )


def test_the_step_summary_of_ci_is_appended(physics: Run) -> None:
    assert f"{physics.summary['cycle_time_p95_s']:.2f}" in physics.out.with_suffix(".md").read_text(
        encoding="utf-8"
    )


def test_an_interrupted_run_leaves_a_valid_record(runs: Runs) -> None:
    run = runs["interrupted"]
    assert run.code == 130, run.stderr
    assert "Interrupted" in run.stderr
    assert "Traceback" not in run.stderr
    record = read_record(run.out)
    state = record.replay()
    assert state.stopped == "interrupted"
    assert not state.running
    assert len(record.events) >= EVENTS_BEFORE_INTERRUPT
    assert not (run.out / "run.json").exists()


def test_an_interrupted_run_has_nothing_to_replay_against(runs: Runs) -> None:
    replayed = jointcell("replay", str(runs["interrupted"].out))
    assert replayed.returncode == 2
    assert "did not come to its end" in replayed.stderr


def test_interrupted_before_the_run(runs: Runs) -> None:
    run = runs["not_started"]
    assert run.code == 130, run.stderr
    assert "before anything moved" in run.stderr
    assert "Traceback" not in run.stderr
    assert list(run.out.iterdir()) == []


def test_a_changed_record_is_noticed(mix: Run, tmp_path: Path) -> None:
    lines = (mix.out / "record.jsonl").read_text(encoding="utf-8").splitlines()
    (tmp_path / "run.json").write_bytes((mix.out / "run.json").read_bytes())
    events: list[dict[str, Any]] = [json.loads(line) for line in lines]
    last = max(index for index, event in enumerate(events) if event["type"] == "ended")
    events[last]["end_ns"] += 1_000_000
    lines[last] = json.dumps(events[last])
    (tmp_path / "record.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert any(line.startswith("trace_sha256") for line in differences(tmp_path))
