"""Random commands, faults and inputs: only transitions of the model, and nothing moves in a state that must not move."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from controller.bench.fast_cell import MODELS, FastCell, warm
from controller.bench.row import Figure, Options, Row
from controller.execution.fake import FakeClock
from controller.supervision.alarms import Key
from controller.supervision.packml import Command, Mode, State
from controller.supervision.requests import Jog, LoadFeeder, SetFeed, SetMode, SetSingleStep, Step
from controller.supervision.shift import DIAL

_SEQUENCES, _FEW = 100_000, 300
_GUARD = Key("protective_stop", "guard")
_LONGEST_NS = 200_000_000
# The model of ISA-TR88.00.02 a third time, as pairs of states: what may follow what.
_AFTER = {
    "STOPPED": "RESETTING ABORTING",
    "RESETTING": "IDLE STOPPING ABORTING",
    "IDLE": "STARTING STOPPING ABORTING",
    "STARTING": "EXECUTE STOPPING ABORTING",
    "EXECUTE": "HOLDING SUSPENDING COMPLETING STOPPING ABORTING",
    "HOLDING": "HELD STOPPING ABORTING",
    "HELD": "UNHOLDING STOPPING ABORTING",
    "UNHOLDING": "EXECUTE STOPPING ABORTING",
    "SUSPENDING": "SUSPENDED STOPPING ABORTING",
    "SUSPENDED": "UNSUSPENDING STOPPING ABORTING",
    "UNSUSPENDING": "EXECUTE STOPPING ABORTING",
    "COMPLETING": "COMPLETE STOPPING ABORTING",
    "COMPLETE": "RESETTING STOPPING ABORTING",
    "STOPPING": "STOPPED ABORTING",
    "ABORTING": "ABORTED",
    "ABORTED": "CLEARING",
    "CLEARING": "STOPPED ABORTING",
}
_STILL = ["STOPPED", "IDLE", "SUSPENDED", "HELD", "COMPLETE", "ABORTED", "CLEARING", "RESETTING"]


@dataclass
class Commanded:
    """What came of it.

    Attributes:
        sequences: How many sequences of a command, fault or input and some rounds after it there were.
        states: How often each state was entered.
        findings: What was wrong, in words.
    """

    sequences: int = 0
    states: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


def rows(options: Options) -> Iterator[Row]:
    """The figures of the study."""
    warm()
    with TemporaryDirectory() as directory:
        result = commanded(Path(directory), _FEW if options.quick else _SEQUENCES, options.seed)
    yield Figure(
        name=f"{result.sequences} random commands, faults and inputs: forbidden transitions or motions",
        value=len(result.findings),
        goal=0,
        must_hold=True,
        note="; ".join(result.findings[:3])
        or f"{len(result.states)} of 17 states, {sum(result.states.values())} changes",
    )


def commanded(directory: Path, sequences: int, seed: int) -> Commanded:
    """Run so many sequences, one after the other, on one cell."""
    rng, result = np.random.default_rng(seed), Commanded()
    fast = FastCell(directory, clock=FakeClock(_LONGEST_NS), changes={"lookahead_joints": 2})
    watched = _Watched(fast, result)
    while result.sequences < sequences and not result.findings:
        _happens(fast, rng)
        for _ in range(int(rng.integers(1, 30))):
            watched.round()
        watched.changes()
        result.sequences += 1
    fast.end()
    return result


class _Watched:
    """Looks at every round of a cell."""

    def __init__(self, fast: FastCell, result: Commanded) -> None:
        self._fast = fast
        self._result = result
        self._seq = 0
        self._state = "STOPPED"
        self._halted_plan = 0

    def round(self) -> None:
        """One round: nothing has moved when the cell was in a state of rest before and after it."""
        fast = self._fast
        state, jogged, stood = fast.state.name, fast.supervisor.jogging.arm, self._poses()
        fast.supervisor.round()
        if state == fast.state.name and state in _STILL:
            moved = [name for name, q in self._poses().items() if (q != stood[name]).any() and name != jogged]
            if moved:
                self._result.findings.append(f"{', '.join(moved)} moved in {state}")

    def changes(self) -> None:
        """The states that the journal has seen since the last time."""
        for entry in self._fast.archive.journal.read(self._seq):
            self._seq = entry.seq
            if entry.event.kind != "unit_changed":
                continue
            state = State(entry.event.state).name
            if state not in (self._state, *_AFTER[self._state].split()):
                self._result.findings.append(f"{state} after {self._state}: {entry.event.cause}")
            self._result.states[state] += state != self._state
            self._state = state
        number = self._fast.supervisor.production.plan_number
        if self._state in ("STOPPING", "STOPPED", "ABORTING", "ABORTED"):
            self._halted_plan = number
        if self._state == "EXECUTE" and number <= self._halted_plan:
            self._result.findings.append("an old plan goes on after a stop")
        for alarm in self._fast.supervisor.annunciator.active("controller_failed"):
            self._result.findings.append(f"the controller failed: {alarm.detail}")
        if lost := self._fast.supervisor.times.unaccounted_ns(self._fast.clock.now_ns):
            self._result.findings.append(f"{lost} ns are in no account or in two")

    def _poses(self) -> dict[str, np.ndarray]:
        return {name: arm.read().q for name, arm in self._fast.arms.items()}


def _happens(fast: FastCell, rng: np.random.Generator) -> None:
    """A command (often one that leads somewhere), a fault, or an input."""
    arm = f"R{rng.integers(1, 7)}"
    draw = rng.random()
    if draw < 0.35:
        fast.give(Command(int(rng.integers(1, 11))))
    elif draw < 0.6:
        if allowed := [c for c in fast.supervisor.unit.allowed if c not in (Command.STOP, Command.ABORT)]:
            fast.give(allowed[int(rng.integers(len(allowed)))])
    elif draw < 0.7:
        fast.answer(lambda serial, number: "done" if serial == DIAL or rng.random() < 0.5 else "not_done")
    else:
        others: tuple[Callable[[], object], ...] = (
            lambda: fast.fail(arm, "following error"),
            lambda: fast.conditions.update({_GUARD: "open"}),
            fast.conditions.clear,
            lambda: fast.order(f"A{rng.integers(1_000_000_000)}", {MODELS[int(rng.integers(3))]: 1}),
            lambda: fast.ask(SetMode(mode=Mode(int(rng.integers(1, 4))))),
            lambda: fast.ask(SetFeed(share=float(rng.uniform(0.0, 1.2)), arm=arm)),
            lambda: fast.ask(SetSingleStep(on=bool(rng.integers(2)))),
            lambda: fast.ask(Step()),
            lambda: fast.ask(Jog(arm=arm, joint=int(rng.integers(6)), share=float(rng.uniform(-0.12, 0.12)))),
            lambda: fast.ask(LoadFeeder(feeder="feeder_cap", batch="C", count=int(rng.integers(1, 3)))),
        )
        others[int(rng.integers(len(others)))]()
