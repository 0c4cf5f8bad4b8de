from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from controller.scheduling.solve import solve
from controller.scheduling.verify import verify
from tests.controller.scheduling.reference_cell import reference_problem


@pytest.fixture(scope="module")
def problem():
    return reference_problem()


@pytest.fixture(scope="module")
def schedule(problem):
    return solve(problem, rng=np.random.default_rng(1), iterations=50_000)


def rules(violations):
    return {violation.rule for violation in violations}


def moved(schedule, name, ticks):
    """The schedule with one operation shifted; its own statements stay as they were."""
    items = [
        replace(
            item,
            start=item.start + ticks,
            enter=item.enter + ticks,
            leave=item.leave + ticks,
            end=item.end + ticks,
        )
        if item.operation == name
        else item
        for item in schedule.operations
    ]
    return replace(schedule, operations=tuple(items))


def test_solver_output_is_valid(problem, schedule):
    assert verify(problem, schedule) == []


def test_shorter_cycle_is_caught(problem, schedule):
    assert verify(problem, replace(schedule, cycle_time=schedule.cycle_time - 1)) != []


def test_leaving_before_the_index_is_over_is_caught(problem, schedule):
    item = schedule["unload"]
    early = item.mode.position * schedule.cycle_time + problem.index_ticks - item.enter - 1
    found = verify(problem, moved(schedule, "unload", early))
    assert "dial" in rules(found)
    assert any("'unload' is inside position 7" in str(violation) for violation in found)


def test_every_operation_is_held_by_some_rule_when_moved_into_its_neighbour(problem, schedule):
    for sequence in schedule.arm_sequences:
        for before, after in pairwise(sequence):
            a, b = schedule[before], schedule[after]
            shift = (a.end - b.start) % schedule.cycle_time - schedule.cycle_time
            shift += int(problem.travel[a.mode.arm, a.mode.end, b.mode.start]) - 1
            assert "arm" in rules(verify(problem, moved(schedule, after, shift)))


def test_two_in_one_nest_are_caught(problem, schedule):
    nest = next(order for order in schedule.nest_orders if "test" in order and len(order) > 1)
    assert nest[0] == "test"
    shift = schedule["test"].leave - schedule["unload"].enter - 1
    assert "nest" in rules(verify(problem, moved(schedule, "unload", shift)))


def test_precedence_is_checked(problem, schedule):
    reversed_pair = replace(problem, precedence=(("stator", "house"),))
    assert rules(verify(reversed_pair, schedule)) == {"precedence"}


def test_crossing_arms_are_checked(problem, schedule):
    crossing = [
        (a, b)
        for a in schedule.operations
        for b in schedule.operations
        if 0 <= a.mode.arm < b.mode.arm
        and min(a.mode.position, b.mode.position) >= 0
        and a.enter % schedule.cycle_time < b.leave % schedule.cycle_time
        and b.enter % schedule.cycle_time < a.leave % schedule.cycle_time
        and a.mode.position != b.mode.position
    ]
    a, b = crossing[0]
    stricter = replace(problem, exclusions=(((a.mode.arm, a.mode.position), (b.mode.arm, b.mode.position)),))
    assert "exclusion" in rules(verify(stricter, replace(schedule, exclusion_orders=())))


def test_buffer_rules_are_checked(problem, schedule):
    press, bench = problem.buffers
    slack = schedule["rotor"].start - schedule["hub"].leave
    slower = replace(problem, buffers=(replace(press, process=slack + 1), bench))
    assert rules(verify(slower, schedule)) == {"buffer"}
    swapped = replace(problem, buffers=(press, replace(bench, loads=bench.loads[::-1])))
    assert "buffer" in rules(verify(swapped, schedule))
    free = schedule["flange"].enter + schedule.cycle_time - schedule["insert"].start
    if free + 1 <= schedule["insert"].mode.before:
        late = replace(problem, buffers=(press, replace(bench, unload_offset=free + 1)))
        assert rules(verify(late, schedule)) == {"buffer"}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"lower_bound": 10**6}, "bound"),
        ({"buffer_heights": ()}, "buffer_heights"),
        ({"arm_sequences": ((),) * 6}, "arm_sequences"),
        ({"nest_orders": ((),) * 8}, "nest_orders"),
        ({"operations": ()}, "content"),
        ({"cycle_time": 0}, "content"),
    ],
)
def test_false_statements_are_caught(problem, schedule, change, rule):
    assert rules(verify(problem, replace(schedule, **change))) == {rule}


def test_foreign_mode_and_wrong_durations_are_caught(problem, schedule):
    first, *others = schedule.operations
    foreign = replace(first, mode=replace(first.mode, before=first.mode.before + 1))
    found = verify(problem, replace(schedule, operations=(foreign, *others)))
    assert [str(violation).split(":")[0] for violation in found] == ["content", "content"]
    assert "has no mode" in found[0].detail
    assert "its mode says otherwise" in found[1].detail


def test_wrong_window_is_caught(problem, schedule):
    first, *others = schedule.operations
    wrong = replace(first, window=first.window + 1)
    assert rules(verify(problem, replace(schedule, operations=(wrong, *others)))) == {"window"}
