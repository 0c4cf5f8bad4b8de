"""A mix of kinds of joints that share one repeating schedule, and what bounds it.

Every joint is treated alike: the same arm does an operation at the same place in the same order, whatever the kind of
the joint; only its times differ. A *round* holds every joint of the mix once and repeats.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from controller.scheduling.problem import Mode, Operation, ProblemError, SchedulingProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Kinds of joints and their numbers in a round.

    Attributes:
        problems: One for each kind. They differ in times only.
        counts: Joints of each kind in a round, each at least 1.

    Raises:
        ProblemError: When the kinds differ in more than times.
    """

    problems: tuple[SchedulingProblem, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.problems or len(self.problems) != len(self.counts) or min(self.counts) < 1:
            raise ProblemError(
                f"mix: {len(self.problems)} kinds with counts {self.counts}: must be one count >= 1 for each"
            )
        first = self.problems[0]
        for number, problem in enumerate(self.problems):
            for name, facts in _SHARED.items():
                if facts(problem) != facts(first):
                    raise ProblemError(
                        f"mix: kind {number} differs from kind 0 in its {name}, not in times only"
                    )

    @property
    def joints(self) -> int:
        """Number of joints in a round."""
        return sum(self.counts)


_SHARED: dict[str, Callable[[SchedulingProblem], object]] = {
    "dial": lambda p: (p.positions, p.index_ticks, p.margin),
    "modes": lambda p: [(o.name, [(m.arm, m.position) for m in o.modes]) for o in p.operations],
    "travel": lambda p: (p.travel.shape, p.travel.tobytes()),
    "precedence": lambda p: p.precedence,
    "buffers": lambda p: [(b.name, b.loads, b.unload) for b in p.buffers],
    "exclusions": lambda p: p.exclusions,
}


def mean_problem(mix: Mix) -> SchedulingProblem:
    """A single kind of joint that takes what the joints of a round take on average.

    No release order lets a schedule of the mix do better than the same schedule of this problem: a circuit of waits
    of the single kind is found once from every cycle of a round, each time with the times of the joints it meets, and
    their mean is that of the circuit (the longest is never shorter than the mean). Times are rounded down; travel
    between two joints is the least of all pairs of kinds.
    """
    return _merged(mix.problems, lambda values: int(np.dot(values, mix.counts)) // mix.joints)


def easiest_problem(problems: Sequence[SchedulingProblem]) -> SchedulingProblem:
    """A kind of joint that no joint is easier than, without the rules that only the scheduler imposes.

    Every mode takes the least time that any of the problems has for it, crossing arms may cross and nobody waits
    between two arms in a nest: how close arms come is settled by the coordination of motions. Its cycle time bounds
    any order of the joints.
    """
    return replace(_merged(problems, min), exclusions=(), margin=0)


def _merged(problems: Sequence[SchedulingProblem], of: Callable[[list[int]], int]) -> SchedulingProblem:
    """One problem with times merged by `of`; travel by mode, the least of all pairs of kinds."""
    first = problems[0]
    starts, ends = _poses(problems, "start"), _poses(problems, "end")
    size = max(len(poses) for arm in range(first.arms) for poses in (starts[arm], ends[arm], (0,)))
    travel = np.zeros((first.arms, size, size), np.int64)
    for arm in range(first.arms):
        for end, numbers in enumerate(ends[arm]):
            for start, others in enumerate(starts[arm]):
                travel[arm, end, start] = first.travel[arm][np.ix_(numbers, others)].min()

    def merged(rows: tuple[Mode, ...]) -> Mode:
        if rows[0].arm < 0:
            return replace(rows[0], inside=max(1, of([mode.inside for mode in rows])))
        return replace(
            rows[0],
            before=of([mode.before for mode in rows]),
            inside=max(1, of([mode.inside for mode in rows])),
            after=of([mode.after for mode in rows]),
            start=starts[rows[0].arm].index(tuple(mode.start for mode in rows)),
            end=ends[rows[0].arm].index(tuple(mode.end for mode in rows)),
        )

    operations = tuple(
        Operation(
            name=same[0].name,
            modes=tuple(merged(rows) for rows in zip(*(o.modes for o in same), strict=True)),
        )
        for same in zip(*(problem.operations for problem in problems), strict=True)
    )
    buffers = tuple(
        replace(
            same[0],
            process=of([buffer.process for buffer in same]),
            unload_offset=of([buffer.unload_offset for buffer in same]),
        )
        for same in zip(*(problem.buffers for problem in problems), strict=True)
    )
    return replace(first, operations=operations, buffers=buffers, travel=travel)


def _poses(problems: Sequence[SchedulingProblem], end: str) -> list[list[tuple[int, ...]]]:
    """By arm every combination of pose numbers that a mode has in the kinds."""
    found: list[dict[tuple[int, ...], None]] = [{} for _ in range(problems[0].arms)]
    for same in zip(*(problem.operations for problem in problems), strict=True):
        for rows in zip(*(operation.modes for operation in same), strict=True):
            if rows[0].arm >= 0:
                found[rows[0].arm][tuple(getattr(mode, end) for mode in rows)] = None
    return [list(poses) for poses in found]
