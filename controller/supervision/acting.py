"""What the cell does in each PackML state.

Clearing and resetting make ready and never move. Starting plans anew from where everything is. Holding stays on the path,
stopping and aborting void whatever was planned. All of it are process commands, never a safety function.
"""

from collections.abc import Callable, Mapping

from cells.driver import ArmDriver, Clock, Status, StopCategory
from controller.execution.draft import PlanError
from controller.execution.line import Line
from controller.supervision.alarms import Key
from controller.supervision.packml import State
from controller.supervision.production import Production
from controller.supervision.shift import CELL

_LONGEST_STOP_NS = 2_000_000_000
_LONGEST_WAIT_NS = 10_000_000_000  # for drivers to connect or to power up
GIVES = frozenset({State.EXECUTE, State.COMPLETING})


class WorkError(Exception):
    """The work of a state cannot be done: which alarm, and why."""

    def __init__(self, key: Key, reason: str) -> None:
        super().__init__(reason)
        self.key = key


class Acting:
    """The work of the states of one cell.

    Args:
        line: What moves.
        production: What is made.
        arms: Drivers by name, to connect and to power up.
        clock: Time of the cell.
        unknown: Why it is not known yet what the cell does without some arms; Starting waits for that.

    Attributes:
        out: Arms that the cell goes on without.
        feeds: Wanted share of the planned speed of every arm.
        cap: Largest share, by mode.
        single_step: Nothing is given but what `Line.step` gives.
    """

    def __init__(
        self,
        line: Line,
        production: Production,
        arms: Mapping[str, ArmDriver],
        clock: Clock,
        unknown: Callable[[frozenset[str]], str],
    ) -> None:
        self.unknown = unknown
        self.out: set[str] = set()
        self.feeds = dict.fromkeys(arms, 1.0)
        self.cap = 1.0
        self.single_step = False
        self._line = line
        self._production = production
        self._arms = arms
        self._clock = clock
        self._since_ns = clock.now_ns
        self._drains = False

    # --- on entering a state -------------------------------------------------------------------------------

    def enter(self, state: State) -> None:
        """Begin the work of a state.

        Raises:
            WorkError: When it cannot be begun.
        """
        self._since_ns = self._clock.now_ns
        self._drains = False
        self.give(state)
        match state:
            case State.CLEARING:
                self._reconnect()
            case State.STARTING:
                for name in self._present():
                    self._arms[name].enable()
            case State.EXECUTE:
                self.apply_feeds()
            case State.HOLDING:
                self._line.feed(0.0)
            case State.STOPPING:
                self._production.forget()
                self._line.halt(StopCategory.STOP_THEN_POWER_OFF)
            case State.ABORTING:
                self._production.forget()
                self._line.halt(StopCategory.POWER_OFF)
            case State.COMPLETING:
                self._production.forget()
                self._drains = self._production.waiting
                self.give(state)

    def give(self, state: State) -> None:
        """Whether the line gives out what may start."""
        self._line.giving = state in GIVES and not self.single_step and not self._drains

    def _reconnect(self) -> None:
        """Close every driver that has faulted and connect to its arm again."""
        for name in self._present():
            if self._line.readings[name].status is Status.FAULT:
                arm = self._arms[name]
                try:
                    arm.__exit__(None, None, None)
                    arm.__enter__()
                except Exception as error:
                    raise WorkError(Key("arm_lost", name), f"cannot connect: {error}") from error

    def apply_feeds(self) -> None:
        """Let every arm move at its wanted share of the planned speed."""
        for name in self._present():
            self._line.feed(min(self.feeds[name], self.cap), name)

    # --- in every round of a state -------------------------------------------------------------------------

    def work(self, state: State) -> bool:
        """Go on with the work of a state; whether it is done.

        Raises:
            WorkError: When it cannot be done.
        """
        line = self._line
        match state:
            case State.CLEARING:
                return self._ready({Status.FAULT}, "still reports a fault")
            case State.RESETTING:
                return self._ready({Status.FAULT, Status.RUNNING}, "is not at rest")
            case State.STARTING:
                not_powered = {Status.FAULT, Status.DISABLED, Status.STOPPED}
                powered = self._ready(not_powered, "cannot be powered up")
                return powered and not self.unknown(frozenset(self.out)) and self._plan(enter=True)
            case State.UNHOLDING | State.UNSUSPENDING:
                return True
            case State.HOLDING:
                return line.at_rest and not self._stations_busy()
            case State.SUSPENDING:
                return line.at_rest and line.idle
            case State.STOPPING | State.ABORTING:
                return self._stopped()
            case State.COMPLETING:
                return self._completed()
            case State.EXECUTE:
                return self._executed()
        return False

    def _ready(self, unwanted: set[Status], otherwise: str) -> bool:
        """Whether no arm is in an unwanted state; the arms have a while to leave it."""
        for name in self._present():
            reading = self._line.readings[name]
            if reading.status in unwanted:
                if self._clock.now_ns - self._since_ns > _LONGEST_WAIT_NS:
                    raise WorkError(
                        Key("arm_fault", name), f"{name} {otherwise}: {reading.fault}".rstrip(": ")
                    )
                return False
        return True

    def _plan(self, *, enter: bool) -> bool:
        try:
            if not self._production.begin(enter=enter):
                return False
        except PlanError as error:
            raise WorkError(Key("no_plan", CELL), str(error)) from error
        self.apply_feeds()
        return True

    def _stopped(self) -> bool:
        if self._line.at_rest:
            return True
        if self._clock.now_ns - self._since_ns <= _LONGEST_STOP_NS:
            return False
        moving = [name for name in self._present() if self._line.readings[name].status is Status.RUNNING]
        raise WorkError(
            Key("arm_fault", moving[0] if moving else CELL),
            f"not at rest {_LONGEST_STOP_NS / 1e9:g} s after a stop",
        )

    def _completed(self) -> bool:
        """Nothing new enters: joints that are planned but have not entered fall out of a new plan."""
        if self._drains:
            if not self._line.idle or not self._line.at_rest:
                return False
            if not self._production.book.shift.joints:
                return True
            if self._plan(enter=False):
                self._drains = False
                self.give(State.COMPLETING)
            return False
        return self._line.exhausted

    def _executed(self) -> bool:
        production = self._production
        try:
            production.extend()
        except PlanError as error:
            raise WorkError(Key("no_plan", CELL), str(error)) from error
        if self._line.stuck:
            raise WorkError(Key("no_plan", CELL), "nothing of the plan can start")
        return self._line.exhausted and not production.wanted

    def _stations_busy(self) -> bool:
        return any(
            progress.given > progress.ended
            for name, progress in self._line.state.progress.items()
            if name not in self._arms
        )

    def _present(self) -> list[str]:
        return [name for name in self._arms if name not in self.out]
