"""Runs a cell: takes requests, lets the line work, and sees to it that what happens is written, counted and shown.

One round of the loop: requests, line, conditions, the work of the present state, accounts, journal, picture. Everything
runs in one thread (`controller.supervision.cell_thread`); the line, the clock and all else that is not pure is passed in.
"""

from cells.driver import ArmState, Status
from controller.execution.planning_thread import PlanningThread
from controller.execution.state import Event, Faulted
from controller.supervision.accounts import Account, Entry
from controller.supervision.acting import GIVES, Acting, WorkError
from controller.supervision.alarms import Key
from controller.supervision.annunciator import Annunciator
from controller.supervision.archive import Archive
from controller.supervision.book import Book
from controller.supervision.faults import TRIPS, alarm_of
from controller.supervision.jog import Jogging
from controller.supervision.outside import Outside
from controller.supervision.packml import Command, Done, Mode, State, Unit, advance
from controller.supervision.production import TRAY, Lookahead, Production
from controller.supervision.settings import CellSettings
from controller.supervision.shift import CELL, Doubted, JournalError, Restarted, UnitChanged
from controller.supervision.times import Times
from controller.supervision.watch import Watch, lost_arms, silent_arms

_FOLLOWS = frozenset({State.STARTING, State.EXECUTE, State.COMPLETING})  # in which a plan is adopted
_BOOKED_EVERY_NS = 60_000_000_000
_MAINTENANCE_FEED = 0.1
_QUIET_ROUNDS = 2  # what ended in a round may let something begin in the next
_LAST_ROUNDS = 10_000
BY_ITSELF = "cell"


class Supervisor:
    """One running cell.

    Args:
        outside: What it runs.
        settings: How.
        archive: Where the journal is kept.

    Raises:
        JournalError: When the journal cannot be read.
    """

    def __init__(self, outside: Outside, settings: CellSettings, archive: Archive) -> None:
        self.outside = outside
        self.settings = settings
        self.unit = Unit()
        self.cause, self.by = "the controller began", BY_ITSELF
        self.since_ns = outside.clock.now_ns
        self.single_step = False
        self.suspended_by_itself = False
        self.waiting_requests = 0
        self.book = Book(archive, outside.utc_ns)
        self.annunciator = Annunciator(self.book)
        self.production = Production(
            self.book,
            outside.models,
            outside.software,
            tray_places=settings.tray_places,
            lookahead=Lookahead(least=settings.lookahead_joints // 2, planned=settings.lookahead_joints),
            planning=PlanningThread(outside.clock, simulated=outside.time_waits),
            metrics=outside.metrics,
        )
        self.line = self.production.line = outside.make_line(self._happened, self.production.permit)
        self.times = Times(outside.arms, outside.clock.now_ns)
        self.line.giving = False
        self.line.tick()  # every arm says where it is
        self.acting = Acting(self.line, self.production, outside.arms, outside.clock, outside.unknown)
        self.jogging = Jogging(
            {arm.id: arm for arm in outside.cell.arms},
            outside.arms,
            lambda: self.line.readings,
            outside.clock,
        )
        self.watch = Watch(
            settings.journal,
            outside.monotonic_ns,
            outside.utc_ns,
            disk_low_bytes=round(settings.disk_low_gb * 1e9),
        )
        self.events = 0  # of the line: pictures are drawn anew when there are more
        self._booked_ns = self._last_ns = outside.clock.now_ns
        self._failures: dict[Key, str] = {}  # conditions that stay until they are cleared
        self._line_faults: dict[str, str] = {}  # what the line met with, until it plans again
        self._doubted: set[str] = set()
        self._quiet_rounds = 0
        if not self.book.empty:
            self.book.note(Restarted(software=outside.software))
        self._note_unit()
        self.book.commit()

    def round(self) -> None:
        """One round of the loop; a fault of this program aborts whatever goes on, and is an alarm."""
        try:
            self._round()
        except Exception as error:
            self.outside.log.error("a round of the loop failed", error)
            self._failures[Key("controller_failed", CELL)] = f"{type(error).__name__}: {error}"
            self._trip("controller_failed")

    def _round(self) -> None:
        if jump := self.watch.look():
            self.annunciator.tell(Key("clock_jump", CELL), f"by {jump:+.1f} s", self._now)
        if self.unit.state not in _FOLLOWS or not self.production.planning.keeps_time():
            self.line.tick()
        self.jogging.round()
        self._notice()
        self._work()
        self._account()
        self.book.commit()
        if self.book.failure and self.unit.state is State.EXECUTE:
            self.go(Command.HOLD, "the journal cannot be written", BY_ITSELF)

    @property
    def _now(self) -> int:
        return self.outside.clock.now_ns

    # --- conditions ----------------------------------------------------------------------------------------

    def _notice(self) -> None:
        """Raise and return alarms; whatever has to stop the cell does."""
        faulted = self._faulted()
        for resource in faulted.keys() - self._doubted:
            self.book.note(Doubted(resource=resource, cause=faulted[resource][:1000]))
            self._doubted.add(resource)
        self._doubted &= faulted.keys()
        conditions = {
            **{alarm_of(name, reason, self.outside.arms): reason for name, reason in faulted.items()},
            **self.outside.surroundings(),
            **lost_arms(self._present_readings(), self._now),
            **self._failures,
        }
        trips = [key for key in conditions if key.kind in TRIPS]
        conditions |= self.watch.conditions() | self._late() | self._lacking() | self._asked()
        if self.book.failure:
            conditions[Key("journal_failed", CELL)] = self.book.failure
        self.annunciator.hold(conditions, self._now)
        if trips and self.unit.state not in (State.ABORTING, State.ABORTED, State.CLEARING):
            self._trip(", ".join(f"{key.kind} of {key.source}: {conditions[key]}" for key in trips))

    def _faulted(self) -> dict[str, str]:
        faulted = {
            name: reading.fault or "fault"
            for name, reading in self._present_readings().items()
            if reading.status is Status.FAULT
        }
        return self._line_faults | faulted

    def _present_readings(self) -> dict[str, ArmState]:
        return {n: r for n, r in self.line.readings.items() if n not in self.acting.out}

    def _late(self) -> dict[Key, str]:
        """Legs and cycles that take longer than planned by more than their allowance."""
        if self.unit.state not in (State.EXECUTE, State.COMPLETING):
            return {}
        found = {}
        for resource, running in self.production.running.items():
            if not running:
                continue
            node = running[0].node
            paused_ns = self.production.paused_ns - running[0].paused_ns
            took = (self._now - running[0].began_ns - paused_ns) * 1e-9
            feed = min(self.acting.feeds.get(resource, 1.0), self.acting.cap)
            over = took - node.duration_s / feed
            if over > self.settings.late_s:
                found[Key("late", resource)] = (
                    f"{node.label} {node.serial} takes {over:.0f} s longer than planned"
                )
        return found

    def _lacking(self) -> dict[Key, str]:
        found = {}
        for feeder, stock in self.book.shift.feeders.items():
            if stock.left == 0:
                found[Key("feeder_empty", feeder)] = f"batch {stock.batch} is used up"
        if self.settings.tray_places and self.book.shift.tray >= self.settings.tray_places:
            found[Key("tray_full", TRAY)] = f"{self.book.shift.tray} joints"
        if self.book.shift.bad_in_a_row >= self.settings.rejects_in_a_row:
            found[Key("rejects_in_a_row", CELL)] = f"{self.book.shift.bad_in_a_row} joints"
        return found

    def _asked(self) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for serial, number in self.book.shift.questions:
            key = Key("place_unknown", serial)
            found[key] = f"{found[key]}, {number}" if key in found else f"operation {number}"
        return found

    # --- states --------------------------------------------------------------------------------------------

    def go(self, event: Command | Done | Mode, cause: str, by: str) -> None:
        """Change the state or mode.

        Raises:
            RefusedError: When it does not fit the present one.
        """
        before, self.unit = self.unit, advance(self.unit, event)
        self.cause, self.by, self.since_ns = cause, by, self._now
        self._note_unit()
        self.outside.log.info(
            "state",
            was=before.state.name,
            state=self.unit.state.name,
            mode=self.unit.mode.name,
            cause=cause,
            by=by,
        )
        if isinstance(event, Mode):
            self.acting.cap = _MAINTENANCE_FEED if event is Mode.MAINTENANCE else 1.0
            self.set_single_step(False)
            return
        if event is Command.STOP or event is Command.ABORT:
            self.jogging.stop()
        if event is Command.CLEAR:
            self._failures.clear()
            self._line_faults.clear()
        try:
            self.acting.enter(self.unit.state)
        except WorkError as error:
            self._could_not(error)

    def _note_unit(self) -> None:
        self.book.note(
            UnitChanged(state=self.unit.state, mode=self.unit.mode, cause=self.cause[:1000], by=self.by)
        )

    def _trip(self, cause: str) -> None:
        if Command.ABORT in self.unit.allowed:
            self.go(Command.ABORT, cause, BY_ITSELF)

    def _work(self) -> None:
        state = self.unit.state
        try:
            if self.acting.work(state):
                self.go(Done(), self._why_done(state), BY_ITSELF)
        except WorkError as error:
            self._could_not(error)
        if self.unit.state is State.EXECUTE:
            self._suspend()
        elif self.unit.state is State.SUSPENDED and self.suspended_by_itself and not self.production.lacking:
            self.go(Command.UNSUSPEND, "there are parts and room again", BY_ITSELF)

    def _why_done(self, state: State) -> str:
        return "every order is made" if state is State.EXECUTE else self.cause

    def _could_not(self, error: WorkError) -> None:
        """The work of a state cannot be done: an alarm, and no plan is followed any more."""
        self.annunciator.tell(error.key, str(error), self._now)
        if error.key.kind in TRIPS:
            if self.unit.state is State.ABORTING:
                self.go(Done(), str(error), BY_ITSELF)
            else:
                self._trip(str(error))
        elif Command.STOP in self.unit.allowed:
            self.go(Command.STOP, str(error), BY_ITSELF)

    def _suspend(self) -> None:
        """Suspend when parts or room outside are lacking and everything that can go on without has ended."""
        quiet = self.line.idle and self.line.at_rest
        self._quiet_rounds = self._quiet_rounds + 1 if quiet and self.production.lacking else 0
        if self._quiet_rounds >= _QUIET_ROUNDS and Command.SUSPEND in self.unit.allowed:
            whom = sorted({f"{entry.account} by {entry.whom}" for entry in self.production.lacks.values()})
            self.suspended_by_itself = True
            self.go(Command.SUSPEND, ", ".join(whom), BY_ITSELF)

    def set_single_step(self, on: bool) -> None:
        """Whether every arm waits after each leg."""
        self.single_step = self.acting.single_step = on
        self.acting.give(self.unit.state)

    def step(self) -> None:
        """Let every resource that waits do one leg or cycle more."""
        if self.unit.state in GIVES:
            self.line.step()

    # --- what the line says --------------------------------------------------------------------------------

    def _happened(self, event: Event) -> None:
        self.events += 1
        if isinstance(event, Faulted):
            self._line_faults[event.resource] = event.reason
        before = self.production.left[-1] if self.production.left else None
        left = self.production.happened(event, self.outside.utc_ns())
        if left is None:
            return
        self.outside.log.cycle += 1
        cycle_s = None if before is None else (left.time_ns - before.time_ns) * 1e-9
        self.outside.metrics.left(left.model, left.good, cycle_s)
        self.outside.log.info(
            "joint left", joint=left.serial, model=left.model, good=left.good, cycle_s=cycle_s
        )
        if not left.good:
            self.annunciator.tell(Key("joint_rejected", left.serial), left.reject, self._now)

    # --- accounts of time ----------------------------------------------------------------------------------

    def _account(self) -> None:
        now, whole = self._now, self._entry_of_cell()
        if whole.account is Account.HOLD:
            self.production.paused_ns += now - self._last_ns
        self._last_ns = now
        self.times.switch(CELL, whole, now)
        for name in self.outside.arms:
            self.times.switch(name, self._entry_of(name, whole), now)
        if now - self._booked_ns >= _BOOKED_EVERY_NS:
            self.book_times()

    def book_times(self) -> None:
        """Take the time that has passed into the book."""
        now = self._now
        self.book.note(self.times.unbooked(now))
        self.times.booked(now)
        self._booked_ns = now

    def _entry_of_cell(self) -> Entry:
        state = self.unit.state
        match state:
            case State.HOLDING | State.HELD | State.UNHOLDING:
                return Entry(Account.HOLD)
            case State.SUSPENDING | State.SUSPENDED | State.UNSUSPENDING:
                return min(self.production.lacks.values(), default=Entry(Account.STARVED, "operator"))
            case State.ABORTING | State.ABORTED | State.CLEARING:
                return Entry(Account.FAULT)
            case State.EXECUTE | State.COMPLETING:
                return Entry(Account.WORKING)
        return Entry(Account.STOPPED if self.production.wanted else Account.UNPLANNED)

    def _entry_of(self, arm: str, whole: Entry) -> Entry:
        if arm in self.acting.out:
            return Entry(Account.FAULT)
        if whole.account is not Account.WORKING or self.production.running.get(arm):
            return whole
        if arm in self.production.lacks:
            return self.production.lacks[arm]
        whom = self.line.waits_for(arm)
        return Entry(Account.WAITING, "work" if whom is None else whom.resource)

    def silent(self) -> dict[str, float]:
        """Arms that have not been heard of, and for how long [s]."""
        return silent_arms(self._present_readings(), self._now)

    def close(self) -> None:
        """Bring everything to rest and write down what is known.

        Raises:
            JournalError: When the journal cannot be written.
        """
        if Command.STOP in self.unit.allowed and self.unit.state is not State.IDLE:
            self.go(Command.STOP, "the controller ends", BY_ITSELF)
        self.jogging.stop()
        rounds = 0
        while (
            self.unit.state in (State.STOPPING, State.ABORTING) or self.jogging.arm
        ) and rounds < _LAST_ROUNDS:
            self.round()
            rounds += 1
        self.book_times()
        if not self.book.commit():
            raise JournalError(self.book.failure)
