import json
import math

import pytest

from cells.errors import CellError
from controller.bench.document import bench_json, bench_table
from controller.bench.machine import machine
from controller.bench.peer import load_peer
from controller.bench.row import Comparison, Figure, Timing, measure


def comparison(**changes):
    row = {"name": "sum of 10", "ours": Timing((1e-6, 2e-6, 9e-6)), "peer": "slow", "theirs": Timing((2e-5,))}
    return Comparison(**{**row, "goal": 10.0, **changes})


def test_the_ratio_is_that_of_the_medians():
    assert comparison().ratio == pytest.approx(10.0)
    assert comparison().met
    assert not comparison(goal=11.0).met
    assert comparison(theirs=None).met is None


def test_disagreement_is_wrong_and_so_is_nan():
    assert not comparison().wrong
    assert not comparison(error=1e-9, error_limit=1e-9).wrong
    assert comparison(error=2e-9, error_limit=1e-9).wrong
    assert comparison(error=math.nan, error_limit=1e-9).wrong


def test_a_figure_keeps_its_goal_from_either_side():
    assert Figure(name="gap", value=2.0, goal=3.0).met
    assert not Figure(name="recovered", value=99.9, goal=100.0, at_least=True).met
    assert Figure(name="recovered", value=99.9, goal=100.0, at_least=True, must_hold=True).wrong


def test_what_was_not_measured_is_neither_met_nor_wrong():
    row = Figure(name="size", goal=1.0, must_hold=True, note="no compiler")
    assert row.met is None
    assert not row.wrong
    assert json.loads(bench_json("serial", [row], {}))["rows"][0]["value"] is None


def test_spread_is_half_the_distance_of_the_quartiles():
    assert Timing((1.0, 2.0, 3.0, 4.0, 5.0)).spread == pytest.approx(1.0 / 3.0)


def test_measure_counts_the_items_of_a_call():
    ticks = iter(range(100))
    assert (
        measure(lambda: None, items=4, repeats=3, clock=lambda: float(next(ticks))).samples_s == (0.25,) * 3
    )


def test_a_document_holds_every_row_with_its_machine():
    rows = [comparison(), Figure(name="gap", value=2.0, unit="%", note="estimated")]
    document = json.loads(bench_json("kernels", rows, machine()))
    assert [row["name"] for row in document["rows"]] == ["sum of 10", "gap"]
    assert document["rows"][0]["ratio"] == pytest.approx(10.0)
    assert document["machine"]["numpy"]
    assert bench_table(rows, machine()).row_count == 3


def test_a_missing_peer_says_what_to_do():
    with pytest.raises(CellError, match=r"pip install 'jointcell\[peers\]'"):
        load_peer("no_such_peer")
