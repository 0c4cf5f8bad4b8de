"""A problem that no joint of a mix can be harder than, for a bound that holds for the mix and not just for one model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from controller.scheduling.problem import Mode, SchedulingProblem


def relaxation(problems: Sequence[SchedulingProblem]) -> SchedulingProblem:
    """The easiest of everything: its cycle time is a lower bound for any order of the joints the problems describe.

    Every mode takes the least time that any of the problems has for it, arms travel in no time, crossing arms may cross
    and nobody waits between two arms in a nest. Each of these only takes constraints away.

    Args:
        problems: One for each kind of joint, of one cell and one recipe.
    """
    first = problems[0]
    operations = []
    for index, operation in enumerate(first.operations):
        least: dict[tuple[int, int], Mode] = {}
        for problem in problems:
            for mode in problem.operations[index].modes:
                key = mode.arm, mode.position
                known = least.get(key, mode)
                least[key] = replace(
                    known,
                    before=min(known.before, mode.before),
                    inside=min(known.inside, mode.inside),
                    after=min(known.after, mode.after),
                    start=0,
                    end=0,
                )
        operations.append(replace(operation, modes=tuple(least.values())))
    buffers = tuple(
        replace(
            buffer,
            process=min(problem.buffers[k].process for problem in problems),
            unload_offset=min(problem.buffers[k].unload_offset for problem in problems),
        )
        for k, buffer in enumerate(first.buffers)
    )
    return replace(
        first,
        operations=tuple(operations),
        travel=np.zeros((first.arms, 1, 1), dtype=np.int64),
        buffers=buffers,
        exclusions=(),
        margin=0,
    )
