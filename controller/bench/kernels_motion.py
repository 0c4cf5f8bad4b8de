"""Rows for forward kinematics, Jacobian and dynamics, beside pinocchio."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from controller.bench.kernels_arm import Array, Pinocchio, random_arm, random_motions, two_threads
from controller.bench.row import Comparison, Figure, Options, Row, measure
from kinematics import forward_kinematics, inverse_dynamics, jacobian, mass_matrix

_SAME = 1e-9
_LOOP = 1000  # configurations in a Python loop over a peer; its time for one does not depend on their number
_STATES = 100  # of each random arm


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """What is done to a batch by us, and by pinocchio to its first configurations or to all of it."""

    name: str
    ours: Callable[[], Array]
    peer: str
    theirs: Callable[[Pinocchio], object]
    expected: Callable[[Pinocchio], list[Array]]
    items: int = _LOOP
    goal: float | None = None

    def row(self, pin: Pinocchio | None) -> Comparison:
        result = self.ours()
        expected = np.array(self.expected(pin)) if pin else None
        return Comparison(
            name=f"{self.name}, batch of {len(result)}, one thread",
            ours=measure(self.ours, items=len(result), clock=time.process_time),
            peer=self.peer if pin else "",
            theirs=measure(lambda: self.theirs(pin), items=self.items, clock=time.process_time)
            if pin
            else None,
            goal=self.goal,
            error=None if expected is None else float(np.abs(result[: len(expected)] - expected).max()),
            error_limit=_SAME,
        )


def rows(options: Options) -> Iterator[Row]:
    """Batches on one thread beside pinocchio, what a second thread brings, and agreement for arms of any geometry."""
    large = random_motions(10_000 if options.quick else 100_000, options.seed)
    some = random_motions(2_000 if options.quick else 10_000, options.seed)
    chain, serial = some.chain, some.serial
    pin = Pinocchio(serial) if options.peers else None
    first = some.q[:_LOOP], some.qd[:_LOOP], some.qdd[:_LOOP]
    subjects = (
        _Subject(
            name="forward kinematics",
            ours=lambda: forward_kinematics(chain, large.q, threads=1),
            peer="pin forwardKinematics + frame, loop",
            theirs=lambda pin: deque(map(pin.place, large.q[:_LOOP]), maxlen=0),
            expected=lambda pin: [pin.pose(q) for q in large.q[:_LOOP]],
            goal=60,
        ),
        _Subject(
            name="Jacobian",
            ours=lambda: jacobian(chain, some.q, threads=1),
            peer="pin computeFrameJacobian, loop",
            theirs=lambda pin: deque(map(pin.jacobian, first[0]), maxlen=0),
            expected=lambda pin: [pin.jacobian(q) for q in first[0]],
            goal=45,
        ),
        _Subject(
            name="inverse dynamics",
            ours=lambda: inverse_dynamics(serial, some.q, some.qd, some.qdd, threads=1),
            peer="pin rneaInParallel, one thread",
            theirs=lambda pin: pin.torques_of_all(some),
            expected=lambda pin: [pin.torques(*one) for one in zip(*first, strict=True)],
            items=len(some.q),
            goal=30,
        ),
        _Subject(
            name="mass matrix",
            ours=lambda: mass_matrix(serial, some.q),
            peer="pin crba, loop",
            theirs=lambda pin: deque(map(pin.compose_masses, first[0]), maxlen=0),
            expected=lambda pin: [pin.masses(q) for q in first[0]],
        ),
    )
    for subject in subjects:
        yield subject.row(pin)
    yield two_threads(
        "forward kinematics", lambda n: forward_kinematics(chain, large.q, threads=n), len(large.q)
    )
    if options.peers:
        yield _any_geometry(20 if options.quick else 1000, np.random.default_rng(options.seed))


def _any_geometry(arms: int, rng: np.random.Generator) -> Figure:
    """Largest difference from pinocchio over random states of random arms."""
    worst = 0.0
    for _ in range(arms):
        arm = random_arm(rng)
        pin = Pinocchio(arm)
        q, qd, qdd = rng.uniform(-3.0, 3.0, (3, _STATES, 6))
        ours = (
            forward_kinematics(arm, q),
            jacobian(arm, q),
            inverse_dynamics(arm, q, qd, qdd),
            mass_matrix(arm, q),
        )
        for i in range(_STATES):
            theirs = pin.pose(q[i]), pin.jacobian(q[i]), pin.torques(q[i], qd[i], qdd[i]), pin.masses(q[i])
            worst = max(worst, *(float(np.abs(a[i] - b).max()) for a, b in zip(ours, theirs, strict=True)))
    return Figure(
        name=f"largest difference from pin, {arms * _STATES} states of {arms} random arms",
        value=worst,
        unit="SI",
        goal=_SAME,
        must_hold=True,
        note="pose, Jacobian, torques, mass matrix",
    )
