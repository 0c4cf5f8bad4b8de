"""What a cell does without some of its arms: who takes over their work, and how what is in work is finished.

Joints in work finish first, each at the places that it has not passed yet; those that follow are made by what is decided
anew for the arms that are left (and again when an arm comes back).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cells.joint_model import JointModel
from controller.choice import Choice
from controller.motion.coordinate import DeadlockError
from controller.motion.plan import MotionPlanner
from controller.motion.unroll import Entering
from controller.motion.volumes import CollisionError
from controller.scheduling.bound import lower_bound
from controller.scheduling.build import build_mix, build_problem, kind, slowest
from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.finishing import finish, without
from controller.scheduling.mix import Mix
from controller.scheduling.problem import NO_ARM, Mode, ProblemError, SchedulingProblem
from controller.scheduling.running import Finishing, JointInWork, Lost, RunningCell
from controller.scheduling.schedule import Schedule, ScheduledOperation
from controller.scheduling.solve import schedule_of, search

_CANDIDATES = 12
_ITERATIONS = 5_000
_TRIAL_JOINTS = 6  # besides one for every position of the dial
_SEED = 0
_NOTHING = Lost()


class NoArrangementError(Exception):
    """The arms that are left cannot make joints; the message names what none of them can do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a cell finishes what is in work.

    Attributes:
        schedules: By serial number who does what is left, and when, see `controller.motion.unroll.Entering`.
        scrapped: By serial number why a joint cannot be finished; it is taken off the dial unfinished.
    """

    schedules: Mapping[str, Schedule]
    scrapped: Mapping[str, str]


class Arrangements:
    """Who does what in one cell, by the arms that are missing.

    Args:
        planner: Plans the cell's motion.
        models: All models of the mix.
        choice: What is decided for the whole cell; None while it is being found.
    """

    def __init__(self, planner: MotionPlanner, models: Sequence[JointModel], choice: Choice | None) -> None:
        self._planner = planner
        self._models = tuple(models)
        self._choices: dict[frozenset[str], Choice] = {} if choice is None else {frozenset(): choice}
        self._refused: dict[frozenset[str], str] = {}
        self._better: Choice | None = None
        self._whole: Mix | None = None
        self._mixes: dict[frozenset[str], Mix] = {}

    def prepare(self, progress: Callable[[int, int], None] = lambda done, of: None) -> Mix:
        """Find out who could do what, which takes seconds."""
        if self._whole is None:
            self.put_mix(build_mix(self._planner.cell, self._models, progress, self._planner.visits))
        assert self._whole is not None
        return self._whole

    # --- what is found elsewhere ---------------------------------------------------------------------------

    def put_mix(self, mix: Mix) -> None:
        """Who could do what."""
        self._mixes[frozenset()] = mix
        self._whole = mix

    def put(self, missing: frozenset[str], choice: Choice, *, quick: bool = False) -> None:
        """What is decided without some arms. Of two for the whole cell the later one waits for `settle`."""
        if not missing and not quick and missing in self._choices:
            self._better = choice
        else:
            self._choices[missing] = choice

    def refuse(self, missing: frozenset[str], reason: str) -> None:
        """Why the cell cannot do without some arms."""
        self._refused[missing] = reason

    def settle(self) -> None:
        """Nothing is in work: what is better takes effect."""
        if self._better is not None:
            self._choices[frozenset()], self._better = self._better, None

    @property
    def waits_for_better(self) -> str:
        """In words, that a better plan is known which is not followed yet; empty when none is."""
        better = self._better
        if better is None:
            return ""
        return (
            f"a better plan is there, {better.cycle_s:.1f} s instead of {self._choices[frozenset()].cycle_s:.1f} s: "
            "it is followed as soon as the cell is empty"
        )

    @property
    def promised(self) -> tuple[float, float]:
        """Cycle time of the whole cell as decided, and what no order can beat [s]; 0 while nobody knows."""
        choice = self._choices.get(frozenset())
        return (0.0, 0.0) if choice is None else (choice.cycle_s, choice.lower_bound_s)

    def known(self, missing: frozenset[str]) -> bool:
        """Whether `choice` answers at once."""
        return missing in self._choices or missing in self._refused

    # --- what is decided -----------------------------------------------------------------------------------

    def choice(self, missing: frozenset[str]) -> Choice:
        """What is decided for the cell without some of its arms; it is found, in some ten seconds, unless it is known.

        Raises:
            NoArrangementError: When there is something that none of the others can do, or no schedule can be coordinated.
        """
        if missing in self._refused:
            raise NoArrangementError(self._refused[missing])
        if missing not in self._choices:
            self._choices[missing] = self._found(missing)
        return self._choices[missing]

    def finishing(
        self,
        joints: Sequence[Entering],
        indices: int,
        missing: frozenset[str],
        until: int,
        busy: Mapping[int, int],
        fixed: Mapping[tuple[str, str], Mode],
    ) -> Finish:
        """How joints in work are finished.

        Args:
            joints: Them, with what they have behind them.
            indices: The window in which the dial stands.
            missing: Arms to do without.
            until: Place from which on joints are made by `choice`; all of this comes before them.
            busy: By number of an arm, how often the dial turns before it can do anything else on it.
            fixed: By serial and operation, how what arms have in their hands is used.

        Raises:
            NoArrangementError: When the joints contradict what is known of the cell.
        """
        choice = self.choice(missing)
        kinds = list(dict.fromkeys(kind(model) for model in self._models))
        mix = self._mix(missing)
        names = {operation.name for operation in mix.problems[0].operations}
        state = RunningCell(
            joints=tuple(
                JointInWork(
                    kind=kinds.index(kind(joint.model)),
                    position=indices - joint.place,
                    done=joint.done & names,
                )
                for joint in joints
            ),
            arm_poses=(0,) * mix.problems[0].arms,
        )
        arms = self._planner.cell.arms
        kept = [
            item
            for item in self._choices[frozenset()].schedule.operations
            if item.mode.arm == NO_ARM or arms[item.mode.arm].id not in missing
        ]
        numbers = {joint.serial: number for number, joint in enumerate(joints)}
        modes = {(numbers[serial], name): mode for (serial, name), mode in fixed.items() if serial in numbers}
        places = {
            item.operation: (item.mode.arm, item.mode.position)
            for item in (*choice.schedule.operations, *kept)
        }
        try:
            found = finish(mix, state, places, _NOTHING, busy, modes)
        except ProblemError as error:
            serials = ", ".join(joint.serial for joint in joints)
            whom = f" without {', '.join(sorted(missing))}" if missing else ""
            raise NoArrangementError(f"{serials} cannot be finished{whom}: {error}") from error
        return Finish(
            schedules=_schedules(choice.schedule, joints, indices, until, found),
            scrapped={joints[item.joint].serial: item.reason for item in found.scrapped},
        )

    def _mix(self, missing: frozenset[str]) -> Mix:
        whole = self.prepare()
        if missing not in self._mixes:
            problems = whole.problems
            for number, arm in enumerate(self._planner.cell.arms):
                if arm.id in missing:
                    problems = tuple(without(problem, Lost(arm=number)) for problem in problems)
            self._mixes[missing] = replace(whole, problems=problems)
        return self._mixes[missing]

    def _found(self, missing: frozenset[str]) -> Choice:
        """The best of a few schedules once it is coordinated, its arms drawing back after every visit."""
        kinds = list(dict.fromkeys(kind(model) for model in self._models))
        hardest = slowest(self._models)
        names = ", ".join(sorted(missing))
        gone = self._left_undone(missing)
        if gone:
            raise NoArrangementError(f"without {names} nobody can do operation {', '.join(gone)}")
        problem = self._mix(missing).problems[kinds.index(kind(hardest))]
        reasons: list[str] = []
        try:
            found = list(_coordinated(self._planner, problem, hardest, missing, reasons))
        except InfeasibleProblemError as error:
            raise NoArrangementError(f"without {names}: {error}") from error
        if not found:
            raise NoArrangementError(f"without {names}: {reasons[0]}")
        return min(found, key=lambda choice: choice.cycle_s)

    def _left_undone(self, missing: frozenset[str]) -> list[str]:
        """Operations that only missing arms can do."""
        numbers = {k for k, arm in enumerate(self._planner.cell.arms) if arm.id in missing}
        return sorted(
            operation.name
            for operation in self.prepare().problems[0].operations
            if all(mode.arm in numbers for mode in operation.modes)
        )


def quick_choice(planner: MotionPlanner, models: Sequence[JointModel]) -> Choice | None:
    """The first schedule that can be coordinated, for the slowest model: good enough to begin with; None without one."""
    hardest = slowest(models)
    problem = build_problem(planner.cell, [hardest])
    return next(_coordinated(planner, problem, hardest, frozenset(), []), None)


def _coordinated(
    planner: MotionPlanner,
    problem: SchedulingProblem,
    model: JointModel,
    missing: frozenset[str],
    reasons: list[str],
) -> Iterator[Choice]:
    """Schedules that are coordinated in a short order of a model, one by one, with the missing arms out of use.

    Raises:
        InfeasibleProblemError: When there is no schedule.
    """
    arms = planner.cell.arms
    trial = [model] * (planner.cell.dial.positions + _TRIAL_JOINTS)
    for rng in np.random.default_rng(_SEED).spawn(_CANDIDATES):
        pattern, _ = search(problem, rng=rng, iterations=_ITERATIONS)
        schedule = schedule_of(problem, pattern, lower_bound(problem))
        everywhere = frozenset(
            (arms[item.mode.arm].id, item.operation)
            for item in schedule.operations
            if item.mode.arm != NO_ARM
        )
        try:
            plan = planner.plan(
                schedule, trial, retreats=everywhere, improvements=1, out_of_use=sorted(missing)
            )
        except (CollisionError, DeadlockError) as error:
            reasons.append(str(error))
            continue
        steady = np.diff(plan.finished_s())[1:_TRIAL_JOINTS]  # the dial is full
        yield Choice(
            cycle_s=float(steady.mean()),
            schedule=schedule,
            retreats=frozenset(plan.retreats),
            rules=plan.rules,
        )


def _schedules(
    shared: Schedule, joints: Sequence[Entering], indices: int, until: int, found: Finishing
) -> Mapping[str, Schedule]:
    """The visits of each joint in ticks of the shared schedule, where only their order counts: all before `until`."""
    begin, cycle = indices * shared.cycle_time, shared.cycle_time
    room = until * cycle + min(item.start for item in shared.operations) - begin
    squeeze = min(1.0, 0.9 * room / max([visit.end for visit in found.visits], default=1))
    operations: dict[int, list[ScheduledOperation]] = {number: [] for number in range(len(joints))}
    for visit in found.visits:
        zero = begin - joints[visit.joint].place * cycle
        operations[visit.joint].append(
            ScheduledOperation(
                operation=visit.operation,
                mode=visit.mode,
                window=visit.cycle,
                start=zero + int(visit.start * squeeze),
                enter=zero + int(visit.enter * squeeze),
                leave=zero + int(visit.leave * squeeze),
                end=zero + int(visit.end * squeeze),
            )
        )
    return {
        joint.serial: replace(shared, operations=tuple(operations[number]))
        for number, joint in enumerate(joints)
    }
