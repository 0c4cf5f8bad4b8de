"""The targets: their arithmetic is right, and tests hold them."""

import ast
import tomllib
from fractions import Fraction
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = tomllib.loads((ROOT / "seeds" / "targets.toml").read_text(encoding="utf-8"))
TARGETS = {target["name"]: target for target in DOCUMENT["target"]}
TESTS = sorted({test for target in TARGETS.values() for test in target["holds"]})


def test_the_source_documents_figures() -> None:
    stated = {name: (t["comparison"], t["value"], t["mark"]) for name, t in TARGETS.items() if "value" in t}
    assert stated == {
        "arms": ("==", 6, "V"),
        "cycle_time": ("<=", 30.0, "V"),
        "joint_models": (">", 10, "V"),
        "capacity": (">=", 1_000_000, "V"),
    }
    assert set(TARGETS) - set(stated) == {"communication", "computing", "sensing"}


def test_every_target_is_held_by_a_test() -> None:
    assert all(
        target["holds"] and target["statement"] and target["mark"] in "VCRE" for target in TARGETS.values()
    )


@pytest.mark.parametrize("test", TESTS)
def test_the_named_test_exists(test: str) -> None:
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file(), f"{path} does not exist"
    if name:
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_capacity_arithmetic() -> None:
    derived = DOCUMENT["derived"]
    cycle_time, capacity = Fraction(TARGETS["cycle_time"]["value"]), TARGETS["capacity"]["value"]
    seconds_a_year = 365 * 24 * 3600
    assert derived["hours_a_year"] * 3600 == seconds_a_year
    assert derived["joints_a_year_at_target"] == seconds_a_year / cycle_time == 1_051_200
    assert derived["oee_needed_at_target_percent"] == float(
        round(100 * capacity * cycle_time / seconds_a_year, 2)
    )
    for percent in (90, 85):
        needed = Fraction(percent, 100) * seconds_a_year / capacity
        assert derived[f"cycle_time_at_oee_{percent}_percent_s"] == float(round(needed, 2))
    assert derived["arm_seconds_for_a_joint_s"] == TARGETS["arms"]["value"] * cycle_time
    assert (derived["oee_needed_at_target_percent"], derived["cycle_time_at_oee_90_percent_s"]) == (
        95.13,
        28.38,
    )
    assert derived["cycle_time_at_oee_85_percent_s"] == 26.81
