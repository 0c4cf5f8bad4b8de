"""Benchmarks of motion: time parameterisation, profiles from rest to rest, and whether every limit holds."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from controller.bench.peer import load_peer
from controller.bench.row import Comparison, Figure, Options, Row, measure
from kinematics import (
    Limits,
    Trajectory,
    change_feed,
    course_of,
    pace,
    path_speeds,
    rest_to_rest,
    rest_to_rest_profiles,
    retime,
    stopping,
    through,
)
from kinematics.arrays import Array

_WAVES = 5  # of a path: a sum of so many sines for each joint
_ROUNDING = 1e-6  # of a limit
_BRAKING_ROUNDING = (
    0.02  # of a limit: acceleration is bounded at both ends of every step, differences are not
)
# Limits of the bundled GP7.
_DEGREE = np.pi / 180.0
_LIMITS = Limits(
    velocity=np.array([375, 315, 410, 550, 550, 1000]) * _DEGREE,
    acceleration=np.array([900, 900, 900, 2250, 2250, 2250]) * _DEGREE,
    jerk=np.array([9000, 9000, 9000, 22500, 22500, 22500]) * _DEGREE,
)


class _Paths:
    """Random smooth paths q(s), s from 0 to 1, with their derivatives."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self.amplitude = rng.uniform(-1.0, 1.0, (count, _WAVES, 6))
        self.phase = rng.uniform(0.0, np.pi, (count, _WAVES, 6))
        self.wave = np.pi * np.arange(1, _WAVES + 1)[:, None]

    def derivative(self, order: int, s: Array) -> Array:
        """(count, len(s), 6)."""
        angle = self.wave * s[:, None, None] + (self.phase[:, None] + 0.5 * np.pi * order)
        rows: Array = (self.amplitude[:, None] * self.wave ** (order - 1) * np.sin(angle)).sum(axis=2)
        return rows


def rows(options: Options) -> Iterator[Row]:
    """All rows, one by one."""
    rng = np.random.default_rng(options.seed)
    for points, goal in ((100, 250.0), (500, 400.0)):
        yield from _time_optimal(options, rng, points, goal)
    yield _rest_to_rest(options, rng)
    yield from _limits_held(options, rng)
    yield from _stops(options, rng)


def _time_optimal(options: Options, rng: np.random.Generator, points: int, goal: float) -> Iterator[Row]:
    count, compared = 64, 4 if options.quick else 20
    paths, s = _Paths(rng, count), np.linspace(0.0, 1.0, points + 1)
    tangent, curvature = paths.derivative(1, s), paths.derivative(2, s)
    speeds = path_speeds(s, tangent, curvature, _LIMITS)
    ours = measure(lambda: path_speeds(s, tangent, curvature, _LIMITS), items=count)
    single = measure(lambda: path_speeds(s, tangent[0], curvature[0], _LIMITS), repeats=31)
    theirs = error = None
    if options.peers:
        solvers = [_toppra(paths, s, i) for i in range(compared)]
        theirs = measure(
            lambda: [each.compute_parameterization(0, 0) for each in solvers], items=compared, repeats=5
        )
        rates = np.array([each.compute_parameterization(0, 0)[1] for each in solvers])
        durations = (2.0 * np.diff(s) / (rates[:, 1:] + rates[:, :-1])).sum(axis=1)
        error = float(np.abs(speeds.duration[:compared] / durations - 1.0).max())
    for name, timing, wanted in ((f"{count} paths", ours, goal), ("one path", single, None)):
        yield Comparison(
            name=f"time-optimal speeds, {points} intervals, {name}",
            ours=timing,
            peer="toppra",
            theirs=theirs,
            goal=wanted,
            error=error,
            error_limit=1e-4,
            error_unit="of duration",
            note="for one path, given its derivatives; toppra: compute_parameterization alone",
        )


def _toppra(paths: _Paths, s: Array, i: int) -> Any:
    """The peer, ready to solve path i with the same limits, held at both ends of every interval as ours are."""
    toppra = load_peer("toppra")
    constraint, algorithm = load_peer("toppra.constraint"), load_peer("toppra.algorithm")
    toppra.setup_logging("ERROR")
    velocity, acceleration = _LIMITS.velocity, _LIMITS.acceleration

    base: Any = toppra.interpolator.AbstractGeometricPath

    class Path(base):  # type: ignore[misc]
        dof, path_interval = 6, np.array([0.0, 1.0])

        def __call__(self, at: Array, order: int = 0) -> Array:
            found: Array = paths.derivative(order, np.atleast_1d(at))[i]
            return found

    limits = [
        constraint.JointVelocityConstraint(np.stack([-velocity, velocity], axis=1)),
        constraint.JointAccelerationConstraint(np.stack([-acceleration, acceleration], axis=1)),
    ]
    return algorithm.TOPPRA(limits, Path(), gridpoints=s, solver_wrapper="seidel")


def _rest_to_rest(options: Options, rng: np.random.Generator) -> Row:
    count = 500 if options.quick else 5000
    start = rng.uniform(-2.0, 2.0, (count, 6))
    end = start + rng.normal(size=(count, 6)) * 10.0 ** rng.uniform(-2.0, 0.3, (count, 6))
    profiles = rest_to_rest_profiles(start, end, _LIMITS)
    ours = measure(lambda: rest_to_rest_profiles(start, end, _LIMITS), items=count)
    theirs = error = None
    if options.peers:
        ruckig = load_peer("ruckig")
        solver, found = ruckig.Ruckig(6), [ruckig.Trajectory(6) for _ in range(count)]
        wanted = []
        for q0, q1 in zip(start.tolist(), end.tolist(), strict=True):
            inputs = ruckig.InputParameter(6)
            inputs.current_position, inputs.target_position = q0, q1
            inputs.max_velocity = _LIMITS.velocity.tolist()
            inputs.max_acceleration = _LIMITS.acceleration.tolist()
            inputs.max_jerk = _LIMITS.jerk.tolist()
            wanted.append(inputs)
        theirs = measure(
            lambda: [solver.calculate(a, b) for a, b in zip(wanted, found, strict=True)],
            items=count,
            repeats=5,
        )
        error = float(np.abs(profiles.duration - [each.duration for each in found]).max())
    return Comparison(
        name="rest to rest, whole profiles, batch",
        ours=ours,
        peer="ruckig",
        theirs=theirs,
        goal=20.0,
        error=error,
        error_limit=1e-9,
        error_unit="s",
    )


def _limits_held(options: Options, rng: np.random.Generator) -> Iterator[Row]:
    """Largest share of a limit used at samples of random motions."""
    count = 500 if options.quick else 100_000
    worst = 0.0
    for _ in range(count):
        start = rng.uniform(-2.0, 2.0, 6)
        move = rest_to_rest(start, start + rng.normal(size=6) * 10.0 ** rng.uniform(-3.0, 0.3, 6), _LIMITS)
        worst = max(worst, _share(move, rng))
    yield _held(f"share of a limit used, {count} motions from rest to rest", worst)
    count = 20 if options.quick else 1000
    paths, s = _Paths(rng, count), np.linspace(0.0, 1.0, 41)
    q, tangent, curvature = (paths.derivative(order, s) for order in range(3))
    retimed = resumed = 0.0
    for i in range(count):
        move = retime(Trajectory(t=s, q=q[i], qd=tangent[i], qdd=curvature[i]), _LIMITS)
        retimed = max(retimed, _share(move, rng))
        held = change_feed(move, _LIMITS, at=rng.uniform(0.0, move.duration), rate=1.0, to=0.0)
        resumed = max(resumed, _share(held.trajectory, rng))
        if held.rate == 0.0:
            again = change_feed(move, _LIMITS, at=held.at, rate=0.0, to=1.0)
            resumed = max(resumed, _share(again.trajectory, rng))
    yield _held(f"share of a limit used, {count} retimed paths", retimed)
    yield _held(f"share of a limit used, {count} holds and resumptions", resumed)


def _stops(options: Options, rng: np.random.Generator) -> Iterator[Row]:
    """Holds of motions past via points, as plans have them: planned ahead, and step by step."""
    count = 20 if options.quick else 1000
    braking, ended, seconds = 0.0, [0, 0], []
    for _ in range(count):
        move = through(rng.uniform(-1.0, 1.0, (4, 6)), _LIMITS)
        at = float(rng.uniform(0.0, move.duration))
        stop, abort = (stopping(move, _LIMITS, at=at, abort=abort) for abort in (False, True))
        seconds.append((stop.duration, abort.duration))
        ended[0] += change_feed(move, _LIMITS, at=at, rate=1.0, to=0.0).rate > 0.0
        ended[1] += stop.at >= move.duration
        braking = max(braking, _braking_share(move, at))
    for name, share in zip(("planned ahead", "step by step"), ended, strict=True):
        yield Figure(
            name=f"{count} holds {name}: no rest before the end", value=100 * share / count, unit="%"
        )
    for name, longest in zip(("stops", "aborts"), np.percentile(seconds, 99, axis=0).tolist(), strict=True):
        yield Figure(name=f"{count} {name} step by step: time to rest, p99", value=1000 * longest, unit="ms")
    yield Figure(
        name="share of the acceleration limit used, aborts step by step",
        value=braking,
        goal=1.0 + _BRAKING_ROUNDING,
        must_hold=True,
        note="second differences over 1 ms",
    )


def _braking_share(move: Trajectory, at: float) -> float:
    """Largest share of an acceleration limit between two milliseconds of an abort."""
    clock, course, times = np.array([at, 1.0, 0.0]), course_of(move, _LIMITS), [at]
    while clock[1] > 0.0 and clock[0] < move.duration:
        pace(course, clock, 0.0, 1e-3, False)
        times.append(float(clock[0]))
    q = move.sample(np.minimum(times, move.duration))[0]
    used = np.abs(np.diff(q, n=2, axis=0)) / 1e-6 / _LIMITS.acceleration
    return float(used.max(initial=0.0))


def _share(move: Trajectory, rng: np.random.Generator) -> float:
    """Largest share of a limit of velocity, acceleration or jerk at and between 40 random samples."""
    t = np.sort(rng.uniform(0.0, move.duration, 40))
    _, qd, qdd = move.sample(t)
    step = np.diff(t)[:, None]
    jerk = (np.diff(qdd, axis=0) / step)[step[:, 0] > 1e-5]
    shares = (qd / _LIMITS.velocity, qdd / _LIMITS.acceleration, jerk / _LIMITS.jerk)
    return max(float(np.abs(share).max(initial=0.0)) for share in shares)


def _held(name: str, worst: float) -> Row:
    return Figure(name=name, value=worst, goal=1.0 + _ROUNDING, must_hold=True)
