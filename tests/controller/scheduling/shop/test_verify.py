"""Planted faults: each is found and named, and nothing else is."""

import re
from dataclasses import replace

import pytest

from controller.scheduling.shop import (
    Job,
    Mode,
    Operation,
    Resource,
    ScheduledOperation,
    ShopProblem,
    ShopSchedule,
    Use,
    chain,
    verify,
)


def operation(*uses, duration=10):
    return Operation(modes=(Mode(duration=duration, uses=uses),))


# Two joints go through nest 0 and nest 1, each held until the next operation starts; the arm travels 3 ticks.
ARM = Use(resource=0)
NESTS = [Use(resource=1, hold=True), Use(resource=2, hold=True)]
PROBLEM = ShopProblem(
    resources=(Resource(name="arm", setup=((3,),)), Resource(name="nest 0"), Resource(name="nest 1")),
    jobs=tuple(
        Job(
            name=name,
            operations=(operation(ARM, NESTS[0]), operation(NESTS[1], duration=20)),
            precedence=chain(2),
            release=release,
            due=100,
        )
        for name, release in (("knee", 0), ("hip", 5))
    ),
)


def item(job, number, start, end):
    return ScheduledOperation(job=job, operation=number, mode=0, start=start, end=end)


# The hip can enter nest 0 once the knee has left it for nest 1, and waits in there until nest 1 is free.
GOOD = ShopSchedule(
    operations=(item(0, 0, 0, 10), item(0, 1, 10, 30), item(1, 0, 13, 23), item(1, 1, 30, 50)),
    makespan=50,
    lower_bound=50,
)


def with_items(**changes):
    """The good schedule with operations replaced; the makespan follows."""
    items = tuple(changes.get(f"o{k}", given) for k, given in enumerate(GOOD.operations))
    return replace(GOOD, operations=items, makespan=max(given.end for given in items), lower_bound=0)


def test_a_good_schedule_passes():
    assert verify(PROBLEM, GOOD) == []


@pytest.mark.parametrize(
    ("schedule", "rule", "detail"),
    [
        (replace(GOOD, operations=GOOD.operations[:3]), "content", r"missing: \[\(1, 1\)\]"),
        (replace(GOOD, operations=(*GOOD.operations, GOOD.operations[0])), "content", r"twice: \[\(0, 0\)\]"),
        (with_items(o0=item(7, 0, 0, 10)), "content", r"unknown: \[\(7, 0\)\]"),
        (with_items(o0=replace(GOOD.operations[0], mode=1)), "content", r"has modes 0\.\.0, not 1"),
        (with_items(o0=replace(GOOD.operations[0], mode=-1)), "content", r"has modes 0\.\.0, not -1"),
        (with_items(o3=item(1, 1, 30, 49)), "content", "takes 19 ticks, not 20"),
        (with_items(o0=item(0, 0, -1, 9)), "release", "starts at -1, before 0"),
        (with_items(o3=item(1, 1, 81, 101)), "due", "ends at 101, due at 100"),
        (replace(GOOD, makespan=51), "makespan", "ends at 50, not 51"),
        (replace(GOOD, lower_bound=51), "bound", "lies below 51"),
        (with_items(o1=item(0, 1, 9, 29)), "precedence", "starts at 9, operation 0 of 'knee' ends at 10"),
        (
            with_items(o2=item(1, 0, 12, 22)),
            "resource",
            "'arm': .* starts at 12; .* leaves it at 10, setup takes 3",
        ),
        (with_items(o3=item(1, 1, 29, 49)), "resource", "'nest 1': .* starts at 29; .* leaves it at 30"),
        (
            with_items(o1=item(0, 1, 14, 34), o3=item(1, 1, 34, 54)),
            "resource",
            "'nest 0': .* leaves it at 14",
        ),
    ],
)
def test_planted_faults(schedule, rule, detail):
    found = verify(PROBLEM, schedule)
    assert {violation.rule for violation in found} == {rule}
    assert any(re.search(detail, violation.detail) for violation in found), found


def test_two_joints_cannot_swap_nests():
    jobs = tuple(
        Job(name=name, operations=(operation(NESTS[a]), operation(Use(resource=2 - a))), precedence=chain(2))
        for name, a in (("knee", 0), ("hip", 1))
    )
    problem = ShopProblem(resources=PROBLEM.resources, jobs=jobs)
    items = (item(0, 0, 0, 10), item(1, 0, 0, 10), item(0, 1, 10, 20), item(1, 1, 10, 20))
    found = verify(problem, ShopSchedule(operations=items, makespan=20, lower_bound=0))
    assert {violation.rule for violation in found} == {"blocking"}


def test_precedence_is_kept_among_operations_without_duration():
    job = Job(
        name="knee",
        operations=(operation(ARM, duration=0), operation(NESTS[0], duration=0)),
        precedence=chain(2),
    )
    problem = ShopProblem(resources=PROBLEM.resources, jobs=(job,))
    backwards = (item(0, 1, 0, 0), item(0, 0, 0, 0))
    found = verify(problem, ShopSchedule(operations=backwards, makespan=0, lower_bound=0))
    assert [violation.rule for violation in found] == ["order"]
