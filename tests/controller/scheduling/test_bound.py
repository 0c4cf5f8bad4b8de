from dataclasses import replace
from itertools import product

import numpy as np

from controller.scheduling.bound import lower_bound
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Buffer, Mode, Operation, SchedulingProblem


def operation(name, arm, position, inside, before=0):
    return Operation(name=name, modes=(Mode(arm=arm, position=position, inside=inside, before=before),))


def cell(*operations, **changes):
    values = {
        "positions": 3,
        "index_ticks": 3,
        "operations": operations,
        "travel": np.full((2, 1, 1), 2),
    }
    return SchedulingProblem(**(values | changes))


def test_busy_arm_binds():
    assert lower_bound(cell(operation("a", 0, 0, 10), operation("b", 0, 1, 7), operation("c", 1, 2, 5))) == 21


def test_test_without_an_arm_binds_with_the_index():
    assert lower_bound(cell(operation("test", NO_ARM, 2, 40), operation("a", 0, 0, 5))) == 43


def test_nest_binds_by_all_that_can_only_be_there():
    assert lower_bound(cell(operation("a", 0, 0, 10), operation("b", 1, 0, 11))) == 24


def test_buffer_binds_by_one_item():
    problem = cell(
        operation("load", 0, OFF_DIAL, 4),
        operation("unload", 1, 0, 5, before=3),
        buffers=(Buffer(name="bench", loads=("load",), process=30, unload="unload", unload_offset=2),),
        margin=1,
    )
    # 4 inside, 30 of process, 2 to take, 1 between the two arms.
    assert lower_bound(problem) == 37
    assert lower_bound(replace(problem, margin=0)) == 36


def test_whole_operations_bind_more_than_their_mean():
    either = [
        Operation(name=name, modes=(Mode(arm=0, position=0, inside=9), Mode(arm=1, position=2, inside=9)))
        for name in "abc"
    ]
    spread = [replace(o, modes=(*o.modes, Mode(arm=0, position=1, inside=9))) for o in either]
    # Two of the three share an arm: 2 * (9 + 2), though the mean is 16.5.
    assert lower_bound(cell(*spread)) == 22


def test_arm_loads_agree_with_every_allocation():
    rng = np.random.default_rng(1)
    for _ in range(40):
        operations = []
        for k in range(int(rng.integers(1, 7))):
            arms = sorted(rng.choice(3, int(rng.integers(1, 4)), replace=False).tolist())
            modes = tuple(Mode(arm=arm, position=arm, inside=int(rng.integers(1, 30))) for arm in arms)
            operations.append(Operation(name=str(k), modes=modes))
        problem = cell(*operations, travel=np.zeros((3, 1, 1), np.int64), index_ticks=0)
        least = min(
            max(sum(m.inside for m in modes if m.arm == arm) for arm in range(3))
            for modes in product(*(o.modes for o in operations))
        )
        # Arms and nests coincide here, and the index takes no time: the largest load is all that binds.
        assert lower_bound(problem) == least
