"""Path search beside OMPL's RRTConnect with the same checker, called back from OMPL for every state."""

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.bench.crowd import crowd, states
from controller.bench.peer import load_peer
from controller.bench.row import Comparison, Figure, Options, Row, Timing
from kinematics import PathStatus, Scene, collides, plan_path

FloatArray = NDArray[np.float64]

_STEP_M = 0.02  # what a point of the arm may move between two states that OMPL looks at, in the fair row
_RESOLUTION_M = 0.01
_LIMIT_S = 2.0


def rows(options: Options) -> Iterator[Row]:
    """One arm among five at rest and thirty boxes, from one random free state to another."""
    rng = np.random.default_rng(options.seed)
    scene = crowd(rng)
    rest = next(q for q in states(scene, 4096, rng) if not collides(scene, q, 0.03))
    free = np.repeat(rest[None], 4096, axis=0)
    free[:, 0] = states(scene, 4096, rng)[:, 0]
    free = free[~collides(scene, free, 0.01)][:, 0]
    count = 10 if options.quick else 60
    tasks = [(free[2 * k], free[2 * k + 1]) for k in range(count)]
    ours = [_ours(scene, rest, *task, seed) for seed, task in enumerate(tasks)]
    ours = [_ours(scene, rest, *task, seed) for seed, task in enumerate(tasks)]
    timing = Timing(tuple(seconds for seconds, _ in ours))
    good = sum(_is_free(scene, rest, path) for _, path in ours)
    yield Figure(
        name=f"path search: found and free, of {count}", value=float(good), goal=0.95 * count, at_least=True
    )
    if not options.peers:
        yield Comparison(name=f"path search, {count} pairs of states", ours=timing)
        return
    for step, goal, name in (
        (_STEP_M, 10.0, "20 mm between states"),
        (None, None, "its own 1 % between states"),
    ):
        theirs = [_ompl(scene, rest, *task, step) for task in tasks]
        free_paths = sum(_is_free(scene, rest, path) for _, path in theirs)
        yield Comparison(
            name=f"path search, {count} pairs of states",
            ours=timing,
            peer=f"OMPL RRTConnect, {name}",
            theirs=Timing(tuple(seconds for seconds, _ in theirs)),
            goal=goal,
            note=f"found and free when looked at densely: ours {good}, OMPL {free_paths}; mean ratio "
            f"{np.mean([s for s, _ in theirs]) / np.mean([s for s, _ in ours]):.1f} x",
        )


def _ours(
    scene: Scene, rest: FloatArray, start: FloatArray, goal: FloatArray, seed: int
) -> tuple[float, FloatArray]:
    state = rest.copy()
    state[0] = start
    rng = np.random.default_rng(seed)
    began = time.thread_time()
    path = plan_path(scene, state, goal, rng, resolution=_RESOLUTION_M, shortcuts=0)
    seconds = time.thread_time() - began
    return seconds, path.q if path.status == PathStatus.FOUND else np.empty((0, 6))


def _is_free(scene: Scene, rest: FloatArray, path: FloatArray) -> bool:
    """Whether there is a path, and nothing collides in states taken from it every 2 mrad."""
    for one, two in pairwise(path):
        steps = 2 + int(np.abs(two - one).max() / 2e-3)
        q = np.repeat(rest[None], steps, axis=0)
        q[:, 0] = one + np.linspace(0.0, 1.0, steps)[:, None] * (two - one)
        if collides(scene, q).any():
            return False
    return len(path) > 0


def _ompl(
    scene: Scene, rest: FloatArray, start: FloatArray, goal: FloatArray, step_m: float | None
) -> tuple[float, FloatArray]:
    base, geometric = load_peer("ompl.base"), load_peer("ompl.geometric")
    load_peer("ompl.util").setLogLevel(load_peer("ompl.util").LOG_NONE)
    chain, state = scene.bodies[0].chain, rest.copy()
    space, bounds = base.RealVectorStateSpace(6), base.RealVectorBounds(6)
    for k in range(6):
        bounds.setLow(k, chain.q_min[k])
        bounds.setHigh(k, chain.q_max[k])
    space.setBounds(bounds)

    def valid(candidate: Any) -> bool:
        for k in range(6):
            state[0, k] = candidate[k]
        return not collides(scene, state)

    setup = geometric.SimpleSetup(space)
    setup.setStateValidityChecker(valid)
    setup.setPlanner(geometric.RRTConnect(setup.getSpaceInformation()))
    ends = space.allocState(), space.allocState()
    for k in range(6):
        ends[0][k], ends[1][k] = float(start[k]), float(goal[k])
    setup.setStartAndGoalStates(*ends)
    if step_m is not None:
        # A turn of all joints by 1 rad in norm moves a point by at most about the arm's reach, here 1 m.
        setup.getSpaceInformation().setStateValidityCheckingResolution(step_m / space.getMaximumExtent())
    setup.setup()
    began = time.thread_time()
    setup.solve(_LIMIT_S)
    seconds = time.thread_time() - began
    if not setup.haveExactSolutionPath():
        return seconds, np.empty((0, 6))
    path = setup.getSolutionPath()
    return seconds, np.array([[path.getState(i)[k] for k in range(6)] for i in range(path.getStateCount())])
