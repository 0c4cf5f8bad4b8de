"""A new schedule for a running cell that has lost an arm, a station or a kind of joint, within a second."""

from dataclasses import dataclass

import numpy as np

from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.finishing import finish, remains, without
from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.problem import NO_ARM, OFF_DIAL, ProblemError, SchedulingProblem
from controller.scheduling.running import Finishing, Lost, RunningCell
from controller.scheduling.solve_mix import solve_mix

_PATTERNS = 3
_BUDGET = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What to do now, and what the cell then does for good.

    Attributes:
        mix: The mix without what is lost.
        finishing: How the joints in work are finished.
        steady: The repeating round afterwards.
    """

    mix: Mix
    finishing: Finishing
    steady: MixSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRepairable:
    """Why the cell cannot go on making joints; what is in work may still be finished.

    Attributes:
        reason: What can no longer be done, and who or what it would need.
        finishing: How the joints in work are finished, as far as they can be.
    """

    reason: str
    finishing: Finishing


def repair(mix: Mix, state: RunningCell, lost: Lost, rng: np.random.Generator) -> Repaired | NotRepairable:
    """Finish what is in work and go on without what is lost.

    Args:
        mix: The mix as it was.
        state: The running cell.
        lost: What it has to do without.
        rng: All randomness; the same state gives the same repair.

    Raises:
        ProblemError: State or loss contradict the mix.
    """
    _check(mix, lost)
    gone = _gone(mix.problems[0], lost)
    if gone:
        return NotRepairable(reason="; ".join(gone.values()), finishing=finish(mix, state, {}, lost))
    left = Mix(problems=tuple(without(problem, lost) for problem in mix.problems), counts=mix.counts)
    kinds = [kind for kind in range(len(mix.problems)) if kind != lost.kind]
    impossible = "no kind of joint is left"
    if kinds:
        reduced = Mix(
            problems=tuple(left.problems[kind] for kind in kinds),
            counts=tuple(mix.counts[kind] for kind in kinds),
        )
        try:
            steady = solve_mix(reduced, rng=rng, iterations=0, patterns=_PATTERNS, budget=_BUDGET, attempts=1)
        except InfeasibleProblemError as error:
            impossible = str(error)
        else:
            places = {i.operation: (i.mode.arm, i.mode.position) for i in steady.operations[0]}
            return Repaired(mix=reduced, finishing=finish(mix, state, places, lost), steady=steady)
    return NotRepairable(reason=impossible, finishing=finish(mix, state, {}, lost))


def _check(mix: Mix, lost: Lost) -> None:
    problem = mix.problems[0]
    ranges = (("arm", lost.arm, problem.arms), ("position", lost.position, problem.positions))
    for name, value, count in (*ranges, ("kind", lost.kind, len(mix.problems))):
        if value is not None and not 0 <= value < count:
            raise ProblemError(f"lost {name} {value}: must lie in 0..{count - 1}")
    buffers = [buffer.name for buffer in problem.buffers]
    if lost.buffer is not None and lost.buffer not in buffers:
        raise ProblemError(f"lost buffer {lost.buffer!r}: there are {buffers}")


def _gone(problem: SchedulingProblem, lost: Lost) -> dict[str, str]:
    """Operations that cannot be done at all any more, with the reason."""
    gone = {}
    for operation in problem.operations:
        if not any(remains(problem, operation.name, mode, lost) for mode in operation.modes):
            arms = sorted({mode.arm for mode in operation.modes if mode.arm != NO_ARM})
            positions = sorted({mode.position for mode in operation.modes if mode.position != OFF_DIAL})
            where = (
                f" at positions {positions}" if positions else f" at {_buffer_of(problem, operation.name)!r}"
            )
            gone[operation.name] = f"operation {operation.name!r} can only be done by arms {arms}{where}"
    return gone


def _buffer_of(problem: SchedulingProblem, name: str) -> str:
    return next((b.name for b in problem.buffers if name in (*b.loads, b.unload)), "a place off the dial")
