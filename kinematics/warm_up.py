"""Compile every kernel once, before anything moves: a first call inside a control loop would be a fault."""

import gc
from collections.abc import Callable

import numpy as np

from kinematics.arrays import Array
from kinematics.bodies import Boxes, Capsules
from kinematics.braking import course_of, pace, stopping
from kinematics.chain import Chain, Limits
from kinematics.clearance import clearance
from kinematics.dynamics import inverse_dynamics
from kinematics.forward import forward_kinematics, jacobian, link_frames
from kinematics.inverse import inverse_kinematics
from kinematics.numeric_inverse import numeric_inverse
from kinematics.parallel_axes import ParallelAxesChain
from kinematics.profile import rest_to_rest, rest_to_rest_duration
from kinematics.scene import Body, Scene
from kinematics.search import plan_path
from kinematics.serial_chain import Bodies
from kinematics.straight_line import straight_line
from kinematics.sweep import sweep
from kinematics.swept import SweepSet, sweep_box_distance
from kinematics.topp import path_speeds
from kinematics.trajectory import sample_one
from kinematics.waypoints import through

Progress = Callable[[str, int, int], None]


def warm_up(progress: Progress | None = None) -> None:
    """Run every kernel on tiny inputs; compiles those that are not in the cache (`use_cache`).

    Args:
        progress: Called before each step with its name, its number from 0 and the number of steps.
    """
    # A compiler makes very many objects and few cycles: looking for these would take a tenth of the time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        steps = _steps()
        for i, (name, run) in enumerate(steps):
            if progress is not None:
                progress(name, i, len(steps))
            run()
    finally:
        if collecting:
            gc.enable()


def _steps() -> list[tuple[str, Callable[[], object]]]:
    full = np.full(6, 3.0)
    chain = Chain(
        a1=0.0,
        a2=0.0,
        b=0.0,
        c1=0.4,
        c2=0.4,
        c3=0.4,
        c4=0.1,
        offsets=np.zeros(6),
        signs=np.ones(6),
        q_min=-full,
        q_max=full,
    )
    limits = Limits(velocity=full, acceleration=10.0 * full, jerk=100.0 * full)
    q = np.array([0.0, 0.3, 1.2, 0.0, 0.6, 0.0])
    many = np.tile(q, (2, 1))
    serial = chain.serial(
        Bodies(mass=np.ones(6), com=np.zeros((6, 3)), inertia=np.tile(np.eye(3), (6, 1, 1)))
    )
    rng = np.random.default_rng(0)
    X = forward_kinematics(chain, q)
    X_end = X.copy()
    X_end[2, 3] -= 0.01
    move = rest_to_rest(q, 1.1 * q, limits)
    capsules = Capsules(link=np.array([6]), a=np.zeros((1, 3)), b=np.zeros((1, 3)), radius=np.array([0.05]))
    boxes = Boxes(X_WO=np.eye(4)[None], half=np.ones((1, 3)))
    body = Body(chain=chain, X_WB=np.eye(4), capsules=capsules)
    scene = Scene(bodies=(body, body), boxes=boxes)
    swept = sweep(body, move, 0.1)
    state = np.empty(6), np.empty(6)
    return [
        ("forward kinematics", lambda: forward_kinematics(chain, q)),
        ("link frames", lambda: link_frames(chain, q)),
        ("Jacobian", lambda: jacobian(chain, q)),
        ("inverse kinematics", lambda: inverse_kinematics(chain, X)),
        ("forward kinematics of any arm", lambda: forward_kinematics(serial, q)),
        ("link frames of any arm", lambda: link_frames(serial, q)),
        ("Jacobian of any arm", lambda: jacobian(serial, q)),
        ("inverse kinematics, axes 2 to 4 parallel", lambda: inverse_kinematics(_parallel_axes(full), X)),
        ("inverse kinematics of any arm", lambda: numeric_inverse(serial, X[None], rng, restarts=1)),
        ("inverse dynamics", lambda: inverse_dynamics(serial, q, q, q)),
        ("profiles", lambda: rest_to_rest_duration(q, many, limits)),
        (
            "time-optimal speeds",
            lambda: path_speeds([0.0, 0.5, 1.0], np.ones((3, 6)), np.zeros((3, 6)), limits),
        ),
        ("waypoints", lambda: through([q, 1.1 * q, 0.9 * q], limits)),
        ("straight lines", lambda: straight_line(chain, limits, X, X_end, q, 0.1, 1.0)),
        ("sampling", lambda: sample_one(move.t, move.q, move.qd, move.qdd, 0.0, *state)),
        ("feed", lambda: pace(course_of(move, limits), np.array([0.0, 1.0, 0.0]), 0.5, 1e-3, True)),
        ("stopping", lambda: stopping(move, limits, at=0.0)),
        ("clearance", lambda: clearance(scene, np.stack([q, q]))),
        ("path search", lambda: plan_path(scene, np.stack([q, q]), 1.1 * q, np.random.default_rng(0))),
        ("sweeps", lambda: SweepSet((swept,)).distance([0], [0], 1.0)),
        ("sweeps past boxes", lambda: sweep_box_distance(swept, boxes)),
    ]


def _parallel_axes(limit: Array) -> ParallelAxesChain:
    up, down = (np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -sign], [0.0, sign, 0.0]]) for sign in (1.0, -1.0))
    X = np.tile(np.eye(4), (7, 1, 1))
    X[1, :3, :3], X[4, :3, :3], X[5, :3, :3] = up, up, down
    X[2:4, 0, 3] = 0.4
    X[6, 2, 3] = 0.1
    return ParallelAxesChain(X_joint=X, q_min=-limit, q_max=limit)
