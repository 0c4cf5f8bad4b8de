"""Standard job shops: how near the best known makespans a given time brings us, and CP-SAT in the same time.

Time is the CPU time of the process: seconds times threads. On a machine with nothing else to do that is the wall time of
so many threads; on a busy one it stays fair.
"""

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import mean, median

from controller.bench.cp_sat_peer import cp_sat_makespan
from controller.bench.row import Figure, Options, Row
from controller.bench.standard_instances import Instance, instances, numbered
from controller.scheduling.shop import solve

_THREADS = 2
_LONGEST = 100.0  # times the CPU time: a wall clock limit for a machine that is very busy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    gap: float  # [%]
    seconds: float  # wall time that the search would have taken on a quiet machine


def _run(instance: Instance, seconds: float, seed: int) -> _Outcome:
    """Solve within a CPU time, or until the best known makespan is reached."""
    cancel = threading.Event()
    solve(instance.problem, seed=0, threads=1, iterations=1)  # compile before the clock starts
    end = time.process_time() + seconds * _THREADS

    def look(best: int, iterations: int, spent: float) -> None:
        if time.process_time() >= end:
            cancel.set()

    solution = solve(
        instance.problem,
        seed=seed,
        threads=_THREADS,
        seconds=_LONGEST * seconds,
        target=instance.best_known,
        progress=look,
        cancel=cancel,
    )
    gap = 100.0 * (solution.schedule.makespan / instance.best_known - 1.0)
    return _Outcome(gap=gap, seconds=solution.cpu_seconds / _THREADS)


def _goal(value: float, options: Options) -> float | None:
    """Goals are for the full form."""
    return None if options.quick else value


def _by_name(names: Sequence[str], gaps: Sequence[float]) -> str:
    return ", ".join(f"{name} {gap:.2f} %" for name, gap in zip(names, gaps, strict=True))


def repeat_rows(options: Options) -> Iterator[Row]:
    """Same seed, same bytes: one and two threads, run after run."""
    moves, runs = (200_000, 2) if options.quick else (2_000_000, 3)
    differ = 0
    chosen = [*instances("job-shop", "ta21"), *instances("flexible-job-shop", "mk04")]
    for item in chosen:
        found = {
            hashlib.sha256(repr(solution.schedule).encode()).hexdigest()
            for threads in (1, 2)
            for _ in range(runs)
            if (solution := solve(item.problem, seed=options.seed, threads=threads, iterations=moves))
        }
        differ += len(found) - 1
    yield Figure(
        name=f"{', '.join(item.name for item in chosen)}: schedules that differ for one seed",
        value=differ,
        goal=0,
        must_hold=True,
        note=f"{runs} runs each on one thread and on two, {moves} moves, SHA-256 of the schedule",
    )


def classic_rows(options: Options) -> Iterator[Row]:
    """How many of the classic instances are solved to their known optimum."""
    names = ["ft06", "ft10", "ft20", *numbered("la", 1, 40), *numbered("orb", 1, 10)]
    seconds = 2.0 if options.quick else 10.0
    chosen = instances("job-shop", *(names[::6] if options.quick else names))
    outcomes = {item.name: _run(item, seconds, options.seed) for item in chosen}
    missed = [f"{name} {outcome.gap:.2f} %" for name, outcome in outcomes.items() if outcome.gap > 0.0]
    yield Figure(
        name=f"ft, la, orb: {len(chosen)} instances, {seconds:g} s, {_THREADS} threads: optimal",
        value=100.0 * (1 - len(missed) / len(chosen)),
        unit="%",
        goal=_goal(95.0, options),
        at_least=True,
        note=f"not optimal: {', '.join(missed) or 'none'}",
    )


def quickest_rows(options: Options) -> Iterator[Row]:
    """How long that takes for those of a hundred operations."""
    for item in instances("job-shop", "ft10", *([] if options.quick else numbered("la", 16, 20))):
        outcomes = [_run(item, 10.0, options.seed + k) for k in range(3 if options.quick else 10)]
        yield Figure(
            name=f"{item.name}: to the optimum, median over {len(outcomes)} seeds",
            value=median(outcome.seconds if outcome.gap == 0.0 else float("inf") for outcome in outcomes),
            unit="s",
            goal=1.0,
            note=f"longest {max(outcome.seconds for outcome in outcomes):.2f} s",
        )


def cp_sat_rows(options: Options) -> Iterator[Row]:
    """Twenty harder ones in a short time; with peers also CP-SAT in the same."""
    seconds = 2.0 if options.quick else 10.0
    each = 1 if options.quick else options.each
    names = [name for first in (11, 21) for name in numbered("ta", first, first + 9)[:each]]
    gaps, theirs = [], []
    for item in instances("job-shop", *names):
        gaps.append(_run(item, seconds, options.seed).gap)
        if options.peers:
            found = cp_sat_makespan(item.problem, seconds * _THREADS, _THREADS, options.seed)
            theirs.append(100.0 * (found / item.best_known - 1.0))
    what = f"ta11-ta30, {len(names)} of 20, {seconds:g} s, {_THREADS} threads"
    yield Figure(
        name=f"{what}: mean gap",
        value=mean(gaps),
        unit="%",
        goal=_goal(1.5, options),
        note=_by_name(names, gaps),
    )
    if options.peers:
        yield Figure(
            name=f"{what}: mean gap of CP-SAT", value=mean(theirs), unit="%", note=_by_name(names, theirs)
        )
        yield Figure(
            name=f"{what}: CP-SAT's gap over ours",
            value=mean(theirs) / mean(gaps) if mean(gaps) else float("inf"),
            unit="x",
            goal=_goal(5.0, options),
            at_least=True,
        )


def family_rows(options: Options) -> Iterator[Row]:
    """Taillard's instances by family of ten, a minute each; without `quick`."""
    if options.quick:
        return
    everything = []
    for first in range(1, 51, 10):
        names = numbered("ta", first, first + 9)[: options.each]
        outcomes = [_run(item, 60.0, options.seed) for item in instances("job-shop", *names)]
        gaps = [outcome.gap for outcome in outcomes]
        everything += gaps
        yield Figure(
            name=f"ta{first:02d}-ta{first + 9}, {len(gaps)} of 10, 60 s, {_THREADS} threads: mean gap",
            value=mean(gaps),
            unit="%",
            note=_by_name(names, gaps),
        )
    yield Figure(
        name=f"ta01-ta50, {len(everything)} of 50, 60 s, {_THREADS} threads: mean gap",
        value=mean(everything),
        unit="%",
        goal=0.75,
    )


def flexible_rows(options: Options) -> Iterator[Row]:
    """Brandimarte's flexible job shops."""
    seconds = 2.0 if options.quick else 30.0
    chosen = instances("flexible-job-shop", *numbered("mk", 1, 10))
    outcomes = [_run(item, seconds, options.seed) for item in chosen]
    missed = [f"{item.name} {o.gap:.2f} %" for item, o in zip(chosen, outcomes, strict=True) if o.gap > 0.0]
    yield Figure(
        name=f"mk01-mk10, {seconds:g} s, {_THREADS} threads: mean gap",
        value=mean(outcome.gap for outcome in outcomes),
        unit="%",
        goal=_goal(1.0, options),
        note=f"above the best known: {', '.join(missed) or 'none'}",
    )
