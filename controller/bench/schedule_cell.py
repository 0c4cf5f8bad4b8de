"""The bundled cell: gap to the proven bound, plain ways of scheduling beside it, repair after the loss of an arm.

Times are thread CPU time.
"""

import time
from collections.abc import Iterator

import numpy as np

from cells.cell import load_cell
from cells.joint_model import joint_model_names, load_joint_model
from controller.bench.row import Figure, Options, Row
from controller.scheduling.baselines import barrier_cycle, list_cycle
from controller.scheduling.build import build_mix
from controller.scheduling.explain import critical_costs
from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import MixSchedule
from controller.scheduling.moment import moment
from controller.scheduling.repair import Repaired, repair
from controller.scheduling.running import Lost
from controller.scheduling.solve_mix import level_order, solve_mix
from controller.scheduling.verify_finishing import verify_finishing
from controller.scheduling.verify_mix import verify_mix

_SEARCH_S = 10.0  # in which a gap has to be reached
_SEEDS = 5
# Joints of each of the four kinds of sizes in a round: level, and 70 % of one kind.
_LEVEL = (4, 6, 8, 6)
_LOPSIDED = ((7, 1, 1, 1), (1, 7, 1, 1), (1, 1, 7, 1), (1, 1, 1, 7))


def rows(options: Options) -> Iterator[Row]:
    """Full mix and the two baselines; level and lopsided mixes over seeds."""
    mix = _bundled()
    full, seconds = _solved(mix, options.seed)
    yield _gap("bundled cell, full mix", mix, full)
    yield Figure(
        name="bundled cell, full mix: search and proof",
        value=seconds,
        unit="s",
        goal=_SEARCH_S,
        note=_critical(full),
    )
    release = np.array(level_order(mix.counts), np.int64)
    barrier = barrier_cycle(mix, release, np.random.default_rng(options.seed))
    plain = list_cycle(mix, release, np.random.default_rng(options.seed))
    for name, ticks, goal in (("barriers", barrier, 30.0), ("list scheduling", plain, 15.0)):
        share = 100 * (1 - full.cycle_time / ticks)
        note = f"{full.cycle_time / 1000:.2f} s beside {ticks / 1000:.2f} s"
        yield Figure(
            name=f"bundled cell, less than with {name}",
            value=share,
            unit="%",
            goal=goal,
            at_least=True,
            note=note,
        )
    if not options.quick:
        level = Mix(problems=mix.problems, counts=_LEVEL)
        yield _gap("24 joints of 12 models", level, _solved(level, options.seed)[0])
        yield from _lopsided(mix, options.seed)


def _lopsided(mix: Mix, seed: int) -> Iterator[Row]:
    """One kind 70 %, each kind in turn, several seeds: the worst of all."""
    worst, longest, where = 0.0, 0.0, ""
    for counts in _LOPSIDED:
        other = Mix(problems=mix.problems, counts=counts)
        for number in range(seed, seed + _SEEDS):
            found, seconds = _solved(other, number)
            gap = 100 * found.gap if not verify_mix(other, found) else np.inf
            if gap > worst:
                worst, where = gap, f"{counts}, seed {number}, bound {found.lower_bound / 1000:.3f} s"
            longest = max(longest, seconds)
    name = f"one kind 70 %, each of {len(_LOPSIDED)} kinds, {_SEEDS} seeds"
    yield Figure(name=f"{name}: largest gap to the proven bound", value=worst, unit="%", goal=3.0, note=where)
    yield Figure(name=f"{name}: longest search and proof", value=longest, unit="s", goal=_SEARCH_S)


def repair_rows(options: Options) -> Iterator[Row]:
    """The full mix at random moments, each time without a random arm."""
    mix = _bundled()
    full, _ = _solved(mix, options.seed)
    yield from _repairs(mix, full, 20 if options.quick else 200, options.seed)


def _bundled() -> Mix:
    """The bundled cell with one joint of every model; its kernels are compiled."""
    models = [load_joint_model(name) for name in joint_model_names()]
    mix = build_mix(load_cell("six_arm"), models)
    warm = Mix(problems=mix.problems[:1], counts=(1,))
    solve_mix(warm, rng=np.random.default_rng(0), iterations=1, patterns=1, budget=1000)
    return mix


def _solved(mix: Mix, seed: int) -> tuple[MixSchedule, float]:
    """A round and the thread CPU time that it took [s]."""
    began = time.thread_time()
    found = solve_mix(mix, rng=np.random.default_rng(seed))
    return found, time.thread_time() - began


def _gap(name: str, mix: Mix, schedule: MixSchedule) -> Figure:
    broken = verify_mix(mix, schedule)
    gap = 100 * schedule.gap if not broken else np.inf
    note = f"{schedule.cycle_time / 1000:.3f} s, proven bound {schedule.lower_bound / 1000:.3f} s, verified"
    return Figure(name=f"{name}: gap to the proven bound", value=gap, unit="%", goal=3.0, note=note)


def _critical(schedule: MixSchedule) -> str:
    costs = critical_costs(schedule)[:3]
    return "critical: " + "; ".join(f"{cost.ticks / 1000:.2f} s {cost.what}" for cost in costs)


def _repairs(mix: Mix, schedule: MixSchedule, times: int, seed: int) -> Iterator[Row]:
    rng = np.random.default_rng(seed)
    seconds, broken, repaired = [], 0, 0
    for number in range(times):
        state = moment(mix, schedule, int(rng.integers(schedule.round_ticks)))
        lost = Lost(arm=int(rng.integers(mix.problems[0].arms)))
        began = time.thread_time()
        found = repair(mix, state, lost, np.random.default_rng(number))
        seconds.append(time.thread_time() - began)
        broken += bool(verify_finishing(mix, state, lost, found.finishing))
        if isinstance(found, Repaired):
            repaired += 1
            broken += bool(verify_mix(found.mix, found.steady))
    note = f"{times} random moments and arms, {repaired} go on, of the others the reason is named; thread CPU time"
    yield Figure(
        name="lost arm: repair, p99", value=float(np.percentile(seconds, 99)), unit="s", goal=1.0, note=note
    )
    yield Figure(name="lost arm: repairs that break a rule", value=broken, goal=0, must_hold=True)
