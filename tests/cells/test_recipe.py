"""Recipes against the process plan: every operation, in its order, with its screws and never shorter."""

import numpy as np
import pytest

from cells.joint_model import JointModel, joint_model_names, load_joint_model
from cells.order import mixed_order
from cells.part import parts_of
from cells.recipe import NEST, Dispense, Pick, Place, Recipe, Screw, recipe_for

MODELS = [load_joint_model(name) for name in joint_model_names()]
EVERY_MODEL = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)

# The process plan: operation -> (what it needs, core time [s]); screws for 12 in a circular spline and 8 in a
# flexspline, the bead of operation 20 for 80 mm.
PLAN = {
    10: ((), 3.0),
    20: ((10,), 4.0),
    30: ((20,), 7.0),
    40: ((30,), 6.0),
    50: ((), 6.0),
    60: ((30, 50), 6.0),
    70: ((60,), 7.0),
    80: ((30,), 6.0),
    90: ((80,), 14.0),
    100: ((), 12.0),
    110: ((70, 90, 100), 8.0),
    120: ((60,), 5.0),
    130: ((40, 120), 9.0),
    140: ((130,), 8.0),
    150: ((110,), 7.0),
    160: ((140, 150), 8.0),
    170: ((160,), 7.0),
    180: ((170,), 6.0),
    190: ((180,), 6.0),
    200: ((190,), 3.0),
}
# Where the recipe holds an operation of the plan: the nozzle comes before the nest (20 is in 10), the bench is
# loaded twice (100), and the test runs through (180 and 190 are in 170).
HELD_BY = {number: (str(number),) for number in PLAN} | {
    20: ("10",),
    100: ("100a", "100b"),
    180: ("170",),
    190: ("170",),
}


def dispensed_s(recipe: Recipe, number: str) -> float:
    return sum(step.core_s for step in recipe.operation(number).steps if isinstance(step, Dispense))


def spent_s(recipe: Recipe) -> dict[int, float]:
    """Core time of every operation of the plan, wherever the recipe spends it."""
    process = {process.station: process.core_s for process in recipe.processes}
    spent = {number: recipe.operation(held[0]).core_s for number, held in HELD_BY.items()}
    spent[20] = dispensed_s(recipe, "10")
    spent[50], spent[100] = process["press"], process["bench"]
    spent[80] += dispensed_s(recipe, "80")
    whole = spent[170]
    spent[180], spent[190] = PLAN[180][1], PLAN[190][1]
    spent[170] = whole - spent[180] - spent[190]
    return spent


def ancestors(recipe: Recipe, number: str) -> set[str]:
    """All that must have been done before; endless for a circle, which the recursion limit ends."""
    needs = recipe.operation(number).needs
    return set(needs).union(*(ancestors(recipe, need) for need in needs))


@EVERY_MODEL
def test_all_twenty_operations_are_there_and_no_others(model: JointModel) -> None:
    numbers = [operation.number for operation in recipe_for(model).operations]
    assert len(numbers) == len(set(numbers))
    assert set(numbers) == {number for held in HELD_BY.values() for number in held}
    assert len(HELD_BY) == 20


@EVERY_MODEL
def test_needs_are_operations_come_first_and_have_no_circle(model: JointModel) -> None:
    done: set[str] = set()
    for operation in recipe_for(model).operations:
        assert set(operation.needs) <= done, operation.number
        done.add(operation.number)


@EVERY_MODEL
def test_every_need_of_the_plan_is_kept(model: JointModel) -> None:
    recipe = recipe_for(model)
    for number, (needs, _) in PLAN.items():
        for held in HELD_BY[number][-1:]:
            before = ancestors(recipe, held) | {held}
            for need in needs:
                assert set(HELD_BY[need]) <= before, f"{number} needs {need}"


@EVERY_MODEL
def test_core_times_are_not_shorter_than_the_plans(model: JointModel) -> None:
    spent = spent_s(recipe_for(model))
    least = {number: core_s for number, (_, core_s) in PLAN.items()}
    least[20] *= model.diameter_m / 0.080
    least[90] *= model.circular_spline_screws.count / 12
    least[100] *= model.flexspline_screws.count / 8
    for number, core_s in least.items():
        assert spent[number] >= core_s - 1e-9, number
    assert sum(spent.values()) < 1.1 * sum(least.values())


@EVERY_MODEL
def test_screws_of_the_gear_are_the_models(model: JointModel) -> None:
    recipe = recipe_for(model)
    (spline,) = (step for step in recipe.operation("90").steps if isinstance(step, Screw))
    (bench,) = (process.screws for process in recipe.processes if process.station == "bench")
    assert bench is not None
    for screw, of in ((spline, model.circular_spline_screws), (bench, model.flexspline_screws)):
        assert (screw.count, screw.torque_nm) == (of.count, of.torque_nm)
        assert screw.radius_m == pytest.approx(of.pitch_circle_m / 2)


@EVERY_MODEL
def test_other_screws_are_the_plans_and_each_takes_as_long_as_a_screw_does(model: JointModel) -> None:
    screws = {
        operation.number: [step for step in operation.steps if isinstance(step, Screw)]
        for operation in recipe_for(model).operations
    }
    counts = {number: steps[0].count for number, steps in screws.items() if steps}
    assert counts == {
        "70": 1,
        "90": model.circular_spline_screws.count,
        "130": 3,
        "150": 6,
        "160": 4,
    }
    for steps in screws.values():
        for step in steps:
            assert step.strokes * step.at_once >= step.count > (step.strokes - 1) * step.at_once
            assert 1.5 <= step.core_s / step.strokes <= 3.0
            assert step.radius_m < model.diameter_m / 2


@EVERY_MODEL
def test_each_part_is_fetched_once_and_placed_on_its_side(model: JointModel) -> None:
    recipe, parts = recipe_for(model), parts_of(model)
    picks = [s.station for o in recipe.operations for s in o.steps if isinstance(s, Pick)]
    assert sorted(p.removeprefix("feeder_") for p in picks if p.startswith("feeder_")) == sorted(parts)
    assert sorted(p for p in picks if not p.startswith("feeder_")) == sorted(["press", "bench", NEST])
    for operation in recipe.operations:
        held = 0
        for step in operation.steps:
            if isinstance(step, Pick):
                assert held == 0
                held = 1
                name = step.station.removeprefix("feeder_")
                if name in parts and any(s == Place(station=NEST) for s in operation.steps):
                    assert operation.side == parts[name].side
            elif isinstance(step, Place):
                assert held == 1
                held = 0
            elif isinstance(step, Screw):
                assert held == 0  # spindles reach past an empty gripper only
        assert held == 0, operation.number


@EVERY_MODEL
def test_flags_follow_from_the_steps(model: JointModel) -> None:
    recipe = recipe_for(model)
    assert [o.number for o in recipe.operations if not o.arm] == ["170"]
    assert [o.number for o in recipe.operations if not o.at_nest] == ["50", "100a", "100b"]
    assert [o.number for o in recipe.operations if o.spindle] == ["70", "90", "130", "150", "160"]
    assert all(o.side is not None for o in recipe.operations if o.at_nest)


def test_an_order_has_every_model_in_every_round() -> None:
    order = mixed_order(MODELS, 40, np.random.default_rng(3))
    assert len(order) == 40
    for start in (0, 16):
        assert {model.name for model in order[start : start + 16]} == set(joint_model_names())
    assert order[:16] != order[16:32]
    assert mixed_order(MODELS, 40, np.random.default_rng(3)) == order
