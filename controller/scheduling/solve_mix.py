"""Solve a mix: patterns for the mean joint, a proof for it, then pattern and release order together.

The mean joint (`mean_problem`) is cheap to search and its optimum, found with proof, bounds the mix. Good patterns for
it are good patterns for the mix; what is left to find is a release order in which slow joints do not meet.
"""

import threading
from collections.abc import Callable, Sequence

import numpy as np

from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.cycle_ratio import DeadlockError
from controller.scheduling.exact import BUDGET, Proof, prove
from controller.scheduling.mix import Mix, mean_problem
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.moves import Int64Array
from controller.scheduling.problem import ProblemError
from controller.scheduling.rounds import Rounds
from controller.scheduling.solve import search

_PATTERNS = 12
_PATTERN_ITERATIONS = 40_000
_IMPROVED = 4
_ATTEMPTS = 4
_NEAR = 0.001  # of the bound: good enough to begin no other attempt


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
    attempts: int = _ATTEMPTS,
    progress: Callable[[int, float], None] | None = None,
    cancel: threading.Event | None = None,
) -> MixSchedule:
    """Find one schedule for all joints, and the order in which they enter, with a short round.

    Args:
        mix: Kinds and their numbers.
        rng: All randomness; the same state gives the same schedule.
        iterations: Moves tried on whole rounds in an attempt, after those on the mean joint.
        release: Kinds in a release order that must be kept; by default the order is searched as well.
        patterns: Patterns looked for on the mean joint in an attempt.
        budget: Steps of the proof, see `prove`.
        attempts: Most attempts; once the best round is near the bound, no other is begun.
        progress: Called now and then with the moves tried on rounds so far and the best cycle time [ticks].
        cancel: When set, the search ends soon with the best round found so far; the patterns and the proof of the
            first attempt are still finished.

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
    known: dict[bytes, int] = {}
    proof: Proof | None = None
    best: tuple[int, Int64Array, Int64Array] | None = None
    tried = 0

    def tell(moves: int, ticks: int) -> bool:
        """Report, and say whether to go on."""
        if progress is not None:
            least = ticks if best is None else min(ticks, best[0])
            progress(tried + moves, least / mix.joints)
        return cancel is None or not cancel.is_set()

    for _ in range(attempts):
        starts = []
        for _ in range(patterns):
            candidate, ticks = search(mean, rng=rng, iterations=_PATTERN_ITERATIONS)
            if candidate.tobytes() not in known:
                known[candidate.tobytes()] = ticks
                starts.append(candidate)
        if proof is None:
            proof = prove(mean, known=min(known.values()), budget=budget)
            rounds = Rounds(mix, proof.lower_bound)
            if proof.candidate is not None:
                starts.append(proof.candidate)
        for ticks, candidate in _fastest(rounds, starts, order):
            share = iterations // _IMPROVED
            found = rounds.improve(candidate, order, ticks, share, rng, release is None, tell)
            best = found if best is None or found[0] < best[0] else best
            tried += share
            if cancel is not None and cancel.is_set():
                break
        near = best is not None and best[0] <= (1.0 + _NEAR) * proof.lower_bound * mix.joints
        if near or (cancel is not None and cancel.is_set()):
            break
    if best is None:
        raise InfeasibleProblemError(
            "no schedule of the mean joint can run the mix: items would rest too long"
        )
    return rounds.schedule(*best[1:])


def _fastest(
    rounds: Rounds, candidates: Sequence[Int64Array], order: Int64Array
) -> list[tuple[int, Int64Array]]:
    """Those candidates that run the mix in the shortest rounds, with the ticks of these."""
    found = []
    for candidate in candidates:
        try:
            found.append((rounds.ticks(candidate, order), candidate))
        except DeadlockError:
            continue  # a mix may deadlock where the mean joint does not: an item may rest too long
    return sorted(found, key=lambda item: item[0])[:_IMPROVED]
