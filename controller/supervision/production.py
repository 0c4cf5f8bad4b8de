"""Joints of orders on a line: which are given to it and when, and what becomes of them in the book.

Joints are planned a few at a time. What is planned is fixed; an order that is queued, withdrawn or put first takes effect
behind it, which is after at most `Lookahead.planned` joints have entered.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cells.joint_model import JointModel
from cells.recipe import Pick, recipe_for
from controller.execution.draft import Draft, JointToMake, PlanError
from controller.execution.handover import OvertakenError
from controller.execution.line import Line
from controller.execution.planning_thread import PlanningThread
from controller.execution.state import Course, Ended, Event, Given
from controller.motion.event_graph import Node
from controller.rearranging import NoArrangementError
from controller.supervision.accounts import Account, Entry
from controller.supervision.book import Book
from controller.supervision.demand import Wanted, next_wanted
from controller.supervision.metrics import CellMetrics
from controller.supervision.shift import (
    DIAL,
    DialBegun,
    DialIndexed,
    JointEntered,
    JointLeft,
    JournalError,
    OperationBegun,
    OperationEnded,
    PlanAdopted,
)

TRAY = "out_tray"
UNLOAD = "200"
_FEEDER = "feeder_"
_DIGITS = 5  # significant digits of measured values: sensors have fewer
_CYCLES_KEPT = 96
_LEAD_NS = 1_000_000_000  # of a plan with more joints: it takes some tenths of a second
_NODES_KEPT = 2000  # that have ended: some minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookahead:
    """How many joints are planned that have not entered: never fewer than ``least`` while there are orders.

    ``planned`` joints are the most; that many enter before a change of the orders takes effect.
    """

    least: int = 2
    planned: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A joint that has left the cell; times are the cell's and the time of day [ns]."""

    serial: str
    model: str
    time_ns: int
    utc_ns: int
    reject: str

    @property
    def good(self) -> bool:
        """Whether it passed."""
        return not self.reject


@dataclass(slots=True)
class Running:
    """A leg or cycle that its driver has; times are the cell's [ns].

    ``paused_ns`` is what `Production.paused_ns` was when it began.
    """

    node: Node
    planned_ns: int
    began_ns: int
    paused_ns: int
    ended_ns: int | None = None


@dataclass(slots=True)
class _Outcome:
    """What the legs of an operation have yielded so far."""

    verdict: str
    measured: dict[str, float | None]


class Production:
    """What the line works on.

    Args:
        book: Orders, joints and journal.
        models: Joint models that may be ordered, by name.
        software: Version of this software, for the genealogy.
        tray_places: Joints that the out tray holds; 0: any number.
        lookahead: How far ahead joints are planned.
        planning: Makes the plans.
        metrics: Where times of planning are counted.

    Attributes:
        line: Set once, before anything else is called.
        plan_number: Rises with every plan.
        course: The present plan as its resources see it.
        running: What every resource has been given and has not ended, the one under way first.
        over: What has ended lately, oldest first.
        lacks: What keeps a resource from going on that is not of the cell: parts or room.
        paused_ns: For how long everything was held so far.
        left: The last joints that left, the newest last.
        feeder_of: The feeder from which an operation of a model, by number, takes its part.
    """

    line: Line

    def __init__(
        self,
        book: Book,
        models: Mapping[str, JointModel],
        software: str,
        *,
        tray_places: int,
        lookahead: Lookahead,
        planning: PlanningThread,
        metrics: CellMetrics,
    ) -> None:
        self.book = book
        self.planning = planning
        self.plan_number = 0
        self.course: Course
        self.running: dict[str, deque[Running]] = {}
        self.over: deque[Running] = deque(maxlen=_NODES_KEPT)
        self.lacks: dict[str, Entry] = {}
        self.paused_ns = 0
        self.left: deque[Left] = deque(maxlen=_CYCLES_KEPT)
        recipes = {name: recipe_for(model) for name, model in models.items()}
        self._operations = {name: [o.number for o in recipe.operations] for name, recipe in recipes.items()}
        self.feeder_of = {
            (name, operation.number): step.station
            for name, recipe in recipes.items()
            for operation in recipe.operations
            for step in operation.steps
            if isinstance(step, Pick) and step.station.startswith(_FEEDER)
        }
        self._software = software
        self._tray_places = tray_places
        self._lookahead = lookahead
        self._metrics = metrics
        self._planned: dict[str, tuple[Wanted, int]] = {}  # serial -> order and place of those not entered
        self._outcomes: dict[tuple[str, str], _Outcome] = {}
        self._again: set[tuple[str, str]] = set()  # begun in this process, and found not done
        self._drafted: list[str] = []  # of them, those of a plan that is being made
        self._last_try = False  # it is made for an empty line
        self._highest = book.shift.highest

    # --- plans -------------------------------------------------------------------------------------------

    @property
    def feeders(self) -> frozenset[str]:
        """Feeders that can be loaded."""
        return frozenset(self.feeder_of.values())

    @property
    def waiting(self) -> bool:
        """Whether joints are planned that have not entered."""
        return bool(self._planned)

    @property
    def wanted(self) -> bool:
        """Whether there is anything to make or to finish."""
        return bool(self.book.shift.joints) or bool(next_wanted(self.book.shift, (), 1))

    def begin(self, *, enter: bool = True) -> bool:
        """A new plan from where everything is; without ``enter`` only for the joints that are in the cell.

        To be called in every round until it says that the plan is followed. Everything is at rest meanwhile.

        Raises:
            PlanError: When there is none.
        """
        if not self.planning.busy:
            self._planned = {}
            shift = self.book.shift
            self._outcomes = {key: kept for key, kept in self._outcomes.items() if key[0] in shift.joints}
            joints = [
                JointToMake(serial=serial, model=joint.model, place=joint.place, done=frozenset(joint.done))
                for serial, joint in sorted(shift.joints.items(), key=lambda item: item[1].place)
            ]
            try:
                drafting = self.line.drafting()
                joints += self._next(self._lookahead.planned) if enter else []
            except NoArrangementError as error:
                raise PlanError(str(error)) from error
            self.planning.ask(partial(drafting.begin, joints, shift.indices))
        if not self.planning.ready:
            return False
        self._adopt(self.planning.take())
        self.running, self.lacks = {}, {}
        return True

    def extend(self) -> None:
        """Plan more joints when few are left that have not entered, and follow that plan when it is there.

        What cannot be planned while others are in work is tried again.

        Raises:
            PlanError: When joints cannot be planned though nothing is in the way of them any more.
        """
        if not self.planning.busy:
            if len(self._planned) < self._lookahead.least:
                joints = self._next(self._lookahead.planned - len(self._planned))
                if joints:
                    self._drafted = [joint.serial for joint in joints]
                    self._last_try = self.line.exhausted
                    self.planning.ask(partial(self.line.drafting().extend, joints), _LEAD_NS)
        elif self.planning.ready:
            try:
                self._adopt(self.planning.take())
            except OvertakenError:
                self._metrics.overtaken()
                self._undo()
            except PlanError:
                self._undo()
                if self._last_try:
                    raise

    def forget(self) -> None:
        """A plan that is being made is not wanted any more."""
        self.planning.forget()
        self._undo()

    def _undo(self) -> None:
        """Joints of a plan that is not followed are to come again."""
        for serial in self._drafted:
            self._planned.pop(serial, None)
        self._drafted = []

    def _next(self, most: int) -> list[JointToMake]:
        """The joints that come next, behind all that have a place."""
        shift = self.book.shift
        taken = [place for _, place in self._planned.values()] + [j.place for j in shift.joints.values()]
        place = max([self.line.next_place, shift.indices, *(place + 1 for place in taken)])
        joints = []
        for wanted in next_wanted(shift, [one for one, _ in self._planned.values()], most):
            self._highest = max(self._highest, shift.highest) + 1
            serial = f"J{self._highest:07d}"
            self._planned[serial] = wanted, place
            joints.append(JointToMake(serial=serial, model=wanted.model, place=place))
            place += 1
        return joints

    def _adopt(self, draft: Draft) -> None:
        self.line.adopt(draft)
        self._drafted = []
        self.plan_number += 1
        self.course = draft.course
        self._metrics.planned(self.planning.took_s)
        self.book.note(PlanAdopted(sha256=draft.sha256, software=self._software))

    # --- before a leg or cycle is given to its driver ----------------------------------------------------

    def permit(self, node: Node) -> bool:
        """Whether a leg or cycle may be given to its driver now; an operation that it begins is on the disk then."""
        if node.resource == DIAL and self.book.shift.dial == "at_rest":
            return self._recorded(DialBegun())
        if not self._begins(node):
            return True
        shift, operation = self.book.shift, (node.serial, node.operation)
        feeder = self.feeder_of.get((node.model, node.operation), "")
        stock = shift.feeders.get(feeder)
        if stock is not None and stock.left == 0:
            self.lacks[node.resource] = Entry(Account.STARVED, feeder)
            return False
        if node.operation == UNLOAD and self._tray_places and shift.tray >= self._tray_places:
            self.lacks[node.resource] = Entry(Account.BLOCKED, TRAY)
            return False
        begun = OperationBegun(
            serial=node.serial,
            operation=node.operation,
            resource=node.resource,
            feeder=feeder,
            batch="" if stock is None else stock.batch,
        )
        if not self._recorded(*self._entering(node), begun):
            return False
        self.lacks.pop(node.resource, None)
        self._planned.pop(node.serial, None)
        self._again.discard(operation)
        return True

    def _recorded(self, *events: Any) -> bool:
        """Write what is about to happen; whether it is on the disk."""
        try:
            self.book.record(*events)
        except JournalError:
            if not self.book.failure:
                raise  # not the disk: the plan contradicts the book
            return False
        return True

    @property
    def lacking(self) -> bool:
        """Whether something is lacking, and nothing of it has come meanwhile."""
        shift = self.book.shift
        return bool(self.lacks) and all(
            shift.tray >= self._tray_places
            if entry.account is Account.BLOCKED
            else shift.feeders[entry.whom].left == 0
            for entry in self.lacks.values()
        )

    def _begins(self, node: Node) -> bool:
        """Whether an operation begins with this node, as far as the book knows."""
        joint = self.book.shift.joints.get(node.serial)
        if not node.operation or (joint is not None and node.operation in (*joint.begun, *joint.done)):
            return False
        return node.begins or (node.serial, node.operation) in self._again

    def _entering(self, node: Node) -> tuple[JointEntered, ...]:
        if node.serial in self.book.shift.joints:
            return ()
        wanted, place = self._planned[node.serial]
        return (JointEntered(serial=node.serial, model=node.model, order=wanted.order, place=place),)

    def found_undone(self, serial: str, operation: str) -> None:
        """Somebody looked: an operation of a joint is to be done again, from whichever leg the line chooses."""
        self._again.add((serial, operation))

    # --- after ---------------------------------------------------------------------------------------------

    def happened(self, event: Event, utc_ns: int) -> Left | None:
        """Take in an event of the line; returns the joint that left with it."""
        if isinstance(event, Given):
            self._given(self.line.graph.nodes[event.node], event)
        if not isinstance(event, Ended):
            return None
        node = self.line.graph.nodes[event.node]
        self._over(node, event)
        if node.resource == DIAL:
            self.book.note(DialIndexed())
        if not node.serial or node.serial not in self.book.shift.joints:
            return None
        outcome = self._outcomes.setdefault((node.serial, node.operation), _Outcome("", {}))
        outcome.verdict = outcome.verdict or (f"{node.label}: {event.verdict}" if event.verdict else "")
        outcome.measured |= {name: _rounded(value) for name, value in event.measured.items()}
        outcome.measured |= {name: _rounded(test.value) for name, test in event.tests.items()}
        if node.operation in self.book.shift.joints[node.serial].begun and (node.finishes or node.ends):
            self._complete(node)
        return self._leaves(node, event.end_ns, utc_ns) if node.finishes else None

    def _given(self, node: Node, event: Given) -> None:
        planned_ns = self.line.origin_ns + round(float(self.line.starts_s[node.id]) * 1e9)
        running = Running(node=node, planned_ns=planned_ns, began_ns=event.time_ns, paused_ns=self.paused_ns)
        self.running.setdefault(node.resource, deque()).append(running)

    def _over(self, node: Node, event: Ended) -> None:
        running = self.running[node.resource].popleft()
        running.began_ns, running.ended_ns = event.start_ns, event.end_ns
        self.over.append(running)
        if self.running[node.resource]:
            self.running[node.resource][0].began_ns = event.end_ns
            self.running[node.resource][0].paused_ns = self.paused_ns

    def _complete(self, node: Node) -> None:
        outcome = self._outcomes.pop((node.serial, node.operation))
        # What press or bench found out about the parts of a joint belongs to the operation that takes them.
        station = self._outcomes.pop((node.serial, ""), _Outcome("", {}))
        self.book.note(
            OperationEnded(
                serial=node.serial,
                operation=node.operation,
                verdict=outcome.verdict or station.verdict,
                measured=station.measured | outcome.measured,
            )
        )

    def _leaves(self, node: Node, end_ns: int, utc_ns: int) -> Left:
        joint = self.book.shift.joints[node.serial]
        undone = [number for number in self._operations[joint.model] if number not in joint.done]
        reject = joint.reject or (f"unfinished: {', '.join(undone)}" if undone else "")
        self.book.note(JointLeft(serial=node.serial, reject=reject))
        left = Left(serial=node.serial, model=node.model, time_ns=end_ns, utc_ns=utc_ns, reject=reject)
        self.left.append(left)
        return left


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if abs(value) < float("inf") else None
