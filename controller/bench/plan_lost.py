"""An arm is lost at a random moment: the others go on without it, or whatever keeps them from it is named.

A supervised cell of drivers without physics makes an order; one of its arms stops answering somewhere in its work and is
taken out where it stands. The time that counts is from there until the new plan runs. Then all arms, the lost one too, are
compared for a while, every tenth of a second.
"""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from controller.bench.fast_cell import MODELS, FastCell, arrangements, cell, planner, warm
from controller.bench.row import Figure, Options, Row
from controller.execution.fake import FakeClock
from controller.motion.shape import moving_capsules
from controller.rearranging import NoArrangementError
from controller.supervision.packml import Command, State
from controller.supervision.requests import ScrapJoint, TakeOut
from kinematics import Body, Scene, clearance

_TRIALS, _FEW = 200, 4
_STEP_NS = 100_000_000
_MOMENT_S = (5.0, 250.0)
_WATCHED_S = 60.0
_GOAL_S = 5.0


@dataclass
class Lost:
    """What came of all trials.

    Attributes:
        trials: How many there were.
        planned_s: Processor time until the new plan ran, of those in which there is one [s].
        by_hand: What had to be taken away by hand before those plans, because it was named: joints that could not be
            finished, arms that stood in the way.
        irreplaceable: Arms that the others cannot do without, with the reason given.
        in_the_way: Reasons given for which there was no plan from just there.
        unexplained: What went wrong without a reason that names arm or joint.
        collisions: Moments at which two arms met.
        smallest_m: The smallest distance of two arms [m].
    """

    trials: int = 0
    planned_s: list[float] = field(default_factory=list)
    by_hand: Counter[str] = field(default_factory=Counter)
    irreplaceable: dict[str, str] = field(default_factory=dict)
    in_the_way: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    collisions: int = 0
    smallest_m: float = np.inf


def lose_arms(trials: int, seed: int) -> Lost:
    """Lose a random arm at a random moment, again and again."""
    rng = np.random.default_rng(seed)
    lost = Lost()
    for one in cell().arms:  # found out once, as a served cell does in a process of its own
        try:
            arrangements().choice(frozenset({one.id}))
        except NoArrangementError as error:
            arrangements().refuse(frozenset({one.id}), str(error))
    for _ in range(trials):
        arm = str(rng.choice([arm.id for arm in cell().arms]))
        with TemporaryDirectory() as folder:
            plant = FastCell(Path(folder), clock=FakeClock(_STEP_NS))
            _lose(plant, arm, float(rng.uniform(*_MOMENT_S)), lost)
            plant.end()
        lost.trials += 1
    return lost


def _lose(plant: FastCell, arm: str, moment_s: float, lost: Lost) -> None:
    where = f"{arm} at {moment_s:.1f} s"
    plant.order(lines=dict.fromkeys(MODELS, 4))
    plant.start_up()
    while plant.clock.now_ns < moment_s * 1e9:
        plant.rounds(1)
    plant.fail(arm, "lost: no answer for 0.5 s")
    plant.until(State.ABORTED)
    began = time.process_time()
    answer = plant.ask(TakeOut(arm=arm))
    if not answer.accepted:
        lost.irreplaceable[arm] = answer.reason
        if arm not in answer.reason:
            lost.unexplained.append(f"{where}: {answer.reason}")
        return
    plant.answer(lambda serial, number: "not_done")
    plant.give(Command.CLEAR)
    plant.until(State.STOPPED)
    by_hand = _start_without(plant, arm)
    if plant.state is State.STOPPED:
        reason = plant.supervisor.cause
        lost.in_the_way.append(f"{where}: {reason}")
        named = [*plant.arms, *plant.shift.joints]
        if not any(name in reason for name in named):
            lost.unexplained.append(f"{where}: {reason}")
        return
    lost.planned_s.append(time.process_time() - began)
    lost.by_hand += by_hand
    poses = []
    end_ns = plant.clock.now_ns + round(_WATCHED_S * 1e9)
    while plant.clock.now_ns < end_ns and plant.state is State.EXECUTE:
        plant.rounds(1)
        poses.append([plant.supervisor.line.readings[one.id].q for one in cell().arms])
    if plant.state not in (State.EXECUTE, State.COMPLETING, State.COMPLETE):
        lost.unexplained.append(f"{where}: {plant.state.name}, {plant.supervisor.cause}")
    distances = _distances(np.array(poses))
    lost.collisions += int((distances < 0.0).sum())
    lost.smallest_m = min(lost.smallest_m, float(distances.min()))


def _start_without(plant: FastCell, arm: str) -> Counter[str]:
    """Start again; what is named as hopeless or in the way is first taken away by hand. How much of it there was."""
    by_hand: Counter[str] = Counter()
    while True:
        plant.give(Command.RESET)
        plant.until(State.IDLE, State.STOPPED)
        if plant.state is State.IDLE:
            plant.give(Command.START)
            plant.until(State.EXECUTE, State.STOPPED)
        cause = plant.supervisor.cause
        if plant.state is not State.STOPPED:
            return by_hand
        hopeless = [serial for serial in plant.shift.joints if serial in cause]
        if f"{arm} where it stands" in cause or f"{arm} stands in" in cause:
            if by_hand["arm"]:
                return by_hand
            plant.move_by_hand(arm, planner().aside(arm))
            by_hand["arm"] += 1
        elif hopeless and plant.ask(ScrapJoint(serial=hopeless[0])).accepted:
            by_hand["joint"] += 1
        else:
            return by_hand


def _distances(q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, pairs) distances of arms at joints (n, arms, 6) [rad] [m]."""
    bodies = [Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=moving_capsules(arm)) for arm in cell().arms]
    return np.stack(
        [
            clearance(Scene(bodies=(bodies[one], bodies[two])), q[:, [one, two]])
            for one, two in combinations(range(len(bodies)), 2)
        ],
        axis=1,
    )


def rows(options: Options) -> Iterator[Row]:
    """So many trials."""
    warm()
    lost = lose_arms(_FEW if options.quick else _TRIALS, options.seed)
    kinds = Counter(reason.split(": ", 1)[1] for reason in lost.in_the_way)
    promised_mm = 1000 * cell().clearance.arms_m
    yield Figure(
        name="an arm lost: processor time until the new plan runs, longest",
        value=max(lost.planned_s, default=None),
        unit="s",
        goal=_GOAL_S,
        note=f"{len(lost.planned_s)} of {lost.trials} trials, {lost.by_hand['joint']} joints taken out and "
        f"{lost.by_hand['arm']} arms moved aside by hand; "
        + ("; ".join(f"{arm}: {why}" for arm, why in sorted(lost.irreplaceable.items())) or "no arm refused"),
    )
    yield Figure(
        name="an arm lost: neither a new plan nor a reason that names arm or joint",
        value=len(lost.unexplained),
        goal=0,
        must_hold=True,
        note="; ".join(lost.unexplained[:2]),
    )
    yield Figure(
        name="an arm lost: no plan from where it stands, by name",
        value=len(lost.in_the_way),
        note="; ".join(f"{count} x {reason}" for reason, count in kinds.most_common(4)),
    )
    yield Figure(
        name="an arm lost: moments at which arms met",
        value=lost.collisions,
        goal=0,
        must_hold=True,
    )
    yield Figure(
        name="an arm lost: smallest distance of arms",
        value=1000 * lost.smallest_m if lost.planned_s else None,
        unit="mm",
        goal=promised_mm,
        at_least=True,
        must_hold=True,
        note=f"{_WATCHED_S:.0f} s after each loss, every {_STEP_NS / 1e9:g} s",
    )
