"""Rows for what lines, hosts and cables do to moving arms, in virtual time: counts of what must never happen."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from controller.bench.row import Figure, Options, Row
from firmware_bridge.emulator import MissingToolError
from firmware_bridge.emulator.build import fuzz_target, shared_library
from firmware_bridge.trials.fuzzing import fuzz
from firmware_bridge.trials.makers import MAKERS
from firmware_bridge.trials.moments import MOMENTS
from firmware_bridge.trials.noisy_line import NOISY_WITH_STALLS, cross
from firmware_bridge.trials.sequences import run_sequences

_CHUNK = 500  # sequences that a process runs before it reports


def rows(options: Options) -> Iterator[Row]:
    """A share of each study with ``quick``, else all of it: some half an hour on two quiet cores."""
    try:
        shared_library()
    except MissingToolError as missing:
        yield Figure(name="arms on virtual lines", note=str(missing))
    else:
        yield from _noisy_lines(options)
        yield from _moments(options)
        yield from _sequences(options)
    yield from _makers(options)
    yield _fuzzing(options)


def _noisy_lines(options: Options) -> Iterator[Row]:
    lines, moves = (2, 10) if options.quick else (20, 40)
    crossings = [cross(NOISY_WITH_STALLS, options.seed + line, moves) for line in range(lines)]
    what = f"flips 1e-3, drops 3e-4, stalls of 200 ms, {lines} lines of {moves} moves"
    note = f"{sum(crossing.damaged for crossing in crossings)} damaged frames at the host; lead 250 ms"
    wrong = sum(crossing.wrong_knots for crossing in crossings)
    yield Figure(name=f"{what}: with wrong knots", value=wrong, goal=0, must_hold=True, note=note)
    underruns = sum(crossing.underruns for crossing in crossings)
    yield Figure(name="the same: underruns", value=underruns, goal=0, must_hold=True)
    lost = sum(crossing.moves - crossing.ended for crossing in crossings)
    late_s = sum(crossing.lost_s for crossing in crossings)
    note = next((crossing.fault for crossing in crossings if crossing.fault), f"{late_s:g} s of motion lost")
    yield Figure(name="the same: moves lost", value=lost, goal=0, must_hold=True, note=note)


def _moments(options: Options) -> Iterator[Row]:
    times = 5 if options.quick else 100
    for what, trial in MOMENTS.items():
        broken = []
        for seed in range(options.seed, options.seed + times):
            try:
                trial(seed)
            except AssertionError as error:
                broken.append(f"seed {seed}: {error}")
        yield Figure(
            name=f"{what} at {times} random moments: not at rest on the path, moved by old bytes or not recovered",
            value=len(broken),
            goal=0,
            must_hold=True,
            note=broken[0] if broken else "",
        )


def _sequences(options: Options) -> Iterator[Row]:
    count = 400 if options.quick else 100_000
    context = get_context("spawn")  # the compiled library is loaded anew in each
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        chunk = min(_CHUNK, count // 2)
        starts = range(options.seed, options.seed + count, chunk)
        studies = list(pool.map(run_sequences, starts, [chunk] * len(starts)))
    broken = {seed: words for study in studies for seed, words in study.broken.items()}
    ticks = sum(study.ticks for study in studies)
    yield Figure(
        name=f"random sequences of actions, {sum(study.count for study in studies)}: with a broken invariant",
        value=len(broken),
        goal=0,
        must_hold=True,
        note="; ".join(f"seed {seed}: {words}" for seed, words in list(broken.items())[:3])
        or f"{ticks / 1000:.0f} s of motion followed tick by tick",
    )


def _makers(options: Options) -> Iterator[Row]:
    rounds = 3 if options.quick else 40
    for name, talk in MAKERS.items():
        what = f"{name} beside 10 % damaged replies: wrong answers taken"
        try:
            taken = talk(rounds, options.seed)
        except ImportError as missing:
            yield Figure(name=what, note=f"{missing}; it is in the extra `test`")
            continue
        note = f"{taken.taken} taken, {taken.refused} refused, {taken.damaged} replies damaged"
        yield Figure(name=what, value=taken.wrong, goal=0, must_hold=True, note=note)


def _fuzzing(options: Options) -> Figure:
    executions = 20_000 if options.quick else 10_000_000
    name = f"fuzzing under sanitizers, {executions:.0e} executions: findings"
    try:
        fuzz_target()
    except MissingToolError as missing:
        return Figure(name=name, note=str(missing))
    found = fuzz(executions=executions, seed=options.seed + 1)
    note = found.words[-300:] if found.findings else f"{found.executions} inputs were run"
    return Figure(name=name, value=found.findings, goal=0, must_hold=True, note=note)
