import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.report.summary import (
    ArmRecord,
    EndOfLineValue,
    JointRecord,
    RunSummary,
    percentile,
    summarise,
)

# interfaces that users and CI rely on: these names stay
SCHEMA_1 = """
schema_version seed driver cell models target_s met joints cycle_times_s cycle_time_mean_s cycle_time_p50_s
cycle_time_p95_s cycle_time_max_s planned_cycle_time_s lower_bound_s gap flow_time_p50_s collisions
min_clearance_m part_pose_error_max_m dropped_parts arms simulated_s wall_s real_time_factor planning_s
trace_sha256
binding
"""


def joint(finished_s, good=True, serial=None):
    return JointRecord(
        serial=serial or f"S{finished_s}",
        model="M",
        good=good,
        finished_s=finished_s,
        flow_time_s=200.0,
        eol={"supply": EndOfLineValue(value=42.0, unit="V", low=41.0, high=43.0, ok=True)},
    )


def summary(joints, **changes):
    facts = {
        "seed": 1,
        "driver": "sim",
        "cell": "cell",
        "models": ["M"],
        "target_s": 30.0,
        "joints": joints,
        "warm_up": 0,
        "planned_cycle_time_s": 24.0,
        "lower_bound_s": 20.0,
        "collisions": 0,
        "min_clearance_m": 0.03,
        "part_pose_error_max_m": None,
        "dropped_parts": 0,
        "arms": [ArmRecord(name="A1", model="GP7", busy=0.9, waiting_by_reason={"dial": 0.1})],
        "simulated_s": 300.0,
        "wall_s": 60.0,
        "planning_s": 5.0,
        "trace_sha256": "00",
    }
    return summarise(**(facts | changes))


@given(st.lists(st.floats(0, 100), min_size=1, max_size=60), st.integers(1, 100))
def test_percentile_is_the_smallest_value_with_enough_at_or_below(values, percent):
    enough = [v for v in values if 100 * sum(w <= v for w in values) >= percent * len(values)]
    assert percentile(values, percent) == min(enough)


@pytest.mark.parametrize(
    ("count", "rank"), [(1, 1), (2, 2), (19, 19), (20, 19), (21, 20), (40, 38), (100, 95), (101, 96)]
)
def test_p95_by_count(count, rank):
    assert percentile(list(range(count, 0, -1)), 95) == rank


def test_p95_of_equal_values_is_that_value():
    assert percentile([25.0] * 7, 95) == 25.0


def test_percentile_of_nothing_is_nothing():
    assert percentile([], 95) is None


@pytest.mark.parametrize("percent", [0, 101])
def test_percent_out_of_range_is_refused(percent):
    with pytest.raises(ValueError, match="must be 1 to 100"):
        percentile([1.0], percent)


def test_cycles_lie_between_good_joints_in_order_of_time_after_warm_up():
    joints = [joint(t) for t in (80.0, 10.0, 50.0, 25.0, 110.0)]
    assert summary(joints, warm_up=2).cycle_times_s == (25.0, 30.0, 30.0)
    assert summary(joints, warm_up=1) == summary(joints, warm_up=0)


def test_a_rejected_joint_lengthens_its_cycle_and_fails_the_run():
    result = summary([joint(10.0), joint(30.0, good=False), joint(35.0), joint(60.0)])
    assert result.cycle_times_s == (25.0, 25.0)
    assert not result.met
    assert result.shortfalls == ("1 of 4 joints rejected",)
    assert result.headline == "Target of 30 s not met"


def test_exactly_on_target_is_met():
    assert summary([joint(10.0), joint(40.0)]).met
    assert not summary([joint(10.0), joint(math.nextafter(40.0, 41.0))]).met


def test_one_collision_fails_a_run_in_time():
    result = summary([joint(0.0), joint(25.0)], collisions=1)
    assert not result.met
    assert result.verdict == "Target of 30 s not met: 1 collision"


def test_figures_of_a_run():
    result = summary([joint(t) for t in (0.0, 24.0, 50.0, 74.0)])
    assert result.cycle_time_mean_s == pytest.approx(74 / 3)
    assert (result.cycle_time_p50_s, result.cycle_time_p95_s, result.cycle_time_max_s) == (24.0, 26.0, 26.0)
    assert result.gap == pytest.approx(74 / 3 / 20 - 1)
    assert result.flow_time_p50_s == 200.0
    assert result.real_time_factor == 5.0
    assert result.verdict == result.headline == "Target of 30 s met"


def test_one_million_at_thirty_seconds_needs_the_known_oee():
    result = summary([joint(0.0), joint(30.0)])
    assert result.needed_oee == pytest.approx(0.9513, abs=5e-5)
    assert result.joints_a_year(1.0) == 1_051_200


def test_without_cycles_nothing_is_claimed():
    result = summary([joint(10.0)])
    assert not result.met
    assert result.cycle_time_p95_s is None
    assert result.gap is None
    assert result.needed_oee is None
    assert result.joints_a_year(1.0) is None
    assert "no cycle was completed" in result.verdict


def test_missed_target_and_collisions_are_said_in_words():
    result = summary([joint(0.0), joint(31.5)], collisions=2)
    assert result.verdict == (
        "Target of 30 s missed by 1.50 s: 95 % of cycles take up to 31.50 s; 2 collisions"
    )


def test_schema_has_exactly_the_promised_fields():
    document = json.loads(summary([joint(0.0), joint(25.0)]).to_json())
    assert sorted(document) == sorted(SCHEMA_1.split())
    assert sorted(document["joints"][0]) == sorted(
        ["serial", "model", "good", "finished_s", "flow_time_s", "eol"]
    )
    assert sorted(document["arms"][0]) == sorted(["name", "model", "busy", "waiting_by_reason"])
    assert document["schema_version"] == 1


def test_json_comes_back_the_same(run):
    text = run[0].to_json()
    again = RunSummary.from_json(text)
    assert again.to_json() == text
    assert again.cycle_times_s == pytest.approx(run[0].cycle_times_s, rel=1e-8)
    assert again.joints[3].serial == run[0].joints[3].serial


def test_json_does_not_depend_on_the_last_bit_or_the_order_of_joints():
    ordered = summary([joint(0.0), joint(0.1 + 0.2)])
    shuffled = summary([joint(0.3, serial="S0.30000000000000004"), joint(0.0)])
    assert ordered.to_json() == shuffled.to_json()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 2}, "schema_version"),
        ({"surprise": 1}, "surprise"),
        ({"seed": "7"}, "seed"),
        ({"target_s": None}, "target_s"),
    ],
)
def test_a_wrong_document_is_refused_by_field(change, message):
    document = json.loads(summary([joint(0.0), joint(25.0)]).to_json()) | change
    with pytest.raises(ValueError, match=rf"run\.json: {message}"):
        RunSummary.from_json(json.dumps(document))


def test_no_json_is_refused():
    with pytest.raises(ValueError, match=r"run\.json: document"):
        RunSummary.from_json("{")


@pytest.mark.parametrize("field", ["target_s", "lower_bound_s", "wall_s"])
def test_facts_that_make_no_sense_are_refused(field):
    with pytest.raises(ValueError, match=f"{field} = 0.0, must be positive"):
        summary([], **{field: 0.0})


def test_negative_warm_up_is_refused():
    with pytest.raises(ValueError, match="warm_up = -1"):
        summary([], warm_up=-1)
