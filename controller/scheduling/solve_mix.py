"""Solve a mix: patterns for the mean joint, a proof for it, then pattern and release order together.

The mean joint (`mean_problem`) is cheap to search and its optimum, found with proof, bounds the mix. Good patterns for
it are good patterns for the mix; what is left to find is a release order in which slow joints do not meet.
"""

from collections.abc import Sequence

import numpy as np

from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.cycle_ratio import DeadlockError
from controller.scheduling.exact import BUDGET, prove
from controller.scheduling.mix import Mix, mean_problem
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.moves import Int64Array
from controller.scheduling.problem import ProblemError
from controller.scheduling.rounds import Rounds
from controller.scheduling.solve import search

_PATTERNS = 12
_PATTERN_ITERATIONS = 40_000
_IMPROVED = 4


def level_order(counts: Sequence[int]) -> tuple[int, ...]:
    """Kinds in an order in which each is spread over the round as evenly as it goes, as in a level mix."""
    due = sorted(((k + 0.5) / count, kind) for kind, count in enumerate(counts) for k in range(count))
    return tuple(kind for _, kind in due)


def solve_mix(
    mix: Mix,
    *,
    rng: np.random.Generator,
    iterations: int = 20_000,
    release: Sequence[int] | None = None,
    patterns: int = _PATTERNS,
    budget: int = BUDGET,
) -> MixSchedule:
    """Find one schedule for all joints, and the order in which they enter, with a short round.

    Args:
        mix: Kinds and their numbers.
        rng: All randomness; the same state gives the same schedule.
        iterations: Moves tried on whole rounds, after those on the mean joint.
        release: Kinds in a release order that must be kept; by default the order is searched as well.
        patterns: Patterns looked for on the mean joint.
        budget: Steps of the proof, see `prove`.

    Returns:
        The best round found, with a proven bound.

    Raises:
        InfeasibleProblemError: Nothing fits; the message names the operations in each other's way.
        ProblemError: `release` does not hold the joints of the mix.
    """
    order = np.array(level_order(mix.counts) if release is None else release, np.int64)
    if tuple(np.bincount(order, minlength=len(mix.problems)).tolist()) != mix.counts:
        raise ProblemError(f"release {tuple(order.tolist())} does not hold {mix.counts} joints of each kind")
    mean = mean_problem(mix)
    known: dict[bytes, tuple[int, Int64Array]] = {}
    for _ in range(patterns):
        candidate, ticks = search(mean, rng=rng, iterations=_PATTERN_ITERATIONS)
        known.setdefault(candidate.tobytes(), (ticks, candidate))
    proof = prove(mean, known=min(ticks for ticks, _ in known.values()), budget=budget)
    starts = [candidate for _, candidate in known.values()]
    if proof.candidate is not None:
        starts.append(proof.candidate)
    search_round = Rounds(mix, proof.lower_bound)
    rounds: list[tuple[int, int, Int64Array]] = []
    for candidate in starts:
        try:
            rounds.append((search_round.ticks(candidate, order), len(rounds), candidate))
        except DeadlockError:
            continue  # a mix may deadlock where the mean joint does not: an item may rest too long
    if not rounds:
        raise InfeasibleProblemError(
            "no schedule of the mean joint can run the mix: items would rest too long"
        )
    rounds.sort(key=lambda item: item[:2])
    share = iterations // len(rounds[:_IMPROVED])
    found = [
        search_round.improve(candidate, order, ticks, share, rng, release is None)
        for ticks, _, candidate in rounds[:_IMPROVED]
    ]
    best, best_order, _ = min(found, key=lambda item: item[2])
    return search_round.schedule(best, best_order)
