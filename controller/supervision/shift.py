"""What the cell has done and holds, advanced by the events of the journal alone: orders, joints, the dial, its operators.

This is the state that outlives a power cut. It is coarser than the state of a run (`controller.execution.state`): an
operation has not begun, has begun, or has ended. `advance` is pure and refuses events that contradict what came before,
so a journal that replays cleanly never counts a joint twice, loses one, or repeats a completed operation.
"""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field

from controller.supervision.shift_events import (
    AlarmChanged,
    Confirmed,
    DialBegun,
    DialIndexed,
    Doubted,
    FeederLoaded,
    Frozen,
    JointEntered,
    JointLeft,
    OperationBegun,
    OperationEnded,
    OrderQueued,
    OrderWithdrawn,
    PlanAdopted,
    Restarted,
    TimesBooked,
    TrayEmptied,
    UnitChanged,
)

T = TypeVar("T", bound=BaseModel)

__all__ = (
    "CELL",
    "DIAL",
    "INDEX",
    "NOTHING_DONE",
    "AlarmChanged",
    "Carried",
    "Confirmed",
    "DialBegun",
    "DialIndexed",
    "Doubted",
    "Event",
    "Feeder",
    "FeederLoaded",
    "JointEntered",
    "JointInWork",
    "JointLeft",
    "JournalError",
    "OperationBegun",
    "OperationEnded",
    "Order",
    "OrderQueued",
    "OrderWithdrawn",
    "PlanAdopted",
    "Restarted",
    "Shift",
    "TimesBooked",
    "TrayEmptied",
    "UnitChanged",
    "advance",
)

CELL = "cell"  # the cell as a whole, among the names of times
DIAL, INDEX = "dial", "index"
NOTHING_DONE = "before 10"  # in place of an operation, of a joint that was taken out before any
_FINISHED_KEPT = 50
_TRAILING_NUMBER = re.compile(r"[0-9]{1,15}$")


class JournalError(Exception):
    """An event that contradicts what came before, or a journal that cannot be read or written."""


class Order(Frozen):
    """An order with what was made of it; rejected joints are made again."""

    lines: Mapping[str, int]
    priority: int
    due: str
    entered: Mapping[str, int] = Field(default_factory=dict)
    good: int = 0
    rejected: int = 0
    withdrawn: bool = False

    @property
    def in_work(self) -> int:
        """Joints of the order that are in the cell."""
        return sum(self.entered.values()) - self.good

    @property
    def finished(self) -> bool:
        """Whether nothing of it is in work and nothing is left to be made."""
        return self.in_work == 0 and not self.missing

    @property
    def missing(self) -> Mapping[str, int]:
        """Joints by model that have not been begun yet; none of an order that was withdrawn."""
        if self.withdrawn:
            return {}
        left = {model: wanted - self.entered.get(model, 0) for model, wanted in self.lines.items()}
        return {model: count for model, count in left.items() if count > 0}


class JointInWork(Frozen):
    """A joint in the cell: which operations are done, which have begun and by what, and which nobody can know about."""

    model: str
    order: str
    place: int
    done: tuple[str, ...] = ()
    begun: Mapping[str, str] = Field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    reject: str = ""


class Feeder(Frozen):
    """What a feeder holds: parts of one batch."""

    batch: str
    left: int


class Shift(Frozen):
    """Orders and joints, how often the dial has moved, and the counts that figures are made from.

    Attributes:
        orders: Open orders and the last that were finished, in the order in which they came.
        joints: Joints in the cell, in the order in which they entered.
        indices: The dial's window: how often it has moved.
        good: Good joints since the journal began; ``rejected`` likewise.
        bad_in_a_row: Rejects since the last good joint.
        highest: Highest number at the end of a serial number.
        feeders: What was loaded into a feeder; one that is not here is not counted.
        tray: Joints in the out tray.
        dial: Whether the dial stands where ``indices`` says, is on its way from there to the next, or one of both.
        plan: SHA-256 of the plan that is run.
        times_ns: By name of an arm (or `CELL`) and account.
    """

    orders: Mapping[str, Order] = Field(default_factory=dict)
    joints: Mapping[str, JointInWork] = Field(default_factory=dict)
    indices: int = 0
    good: int = 0
    rejected: int = 0
    bad_in_a_row: int = 0
    highest: int = 0
    feeders: Mapping[str, Feeder] = Field(default_factory=dict)
    tray: int = 0
    dial: Literal["at_rest", "turning", "unknown"] = "at_rest"
    plan: str = ""
    times_ns: Mapping[str, Mapping[str, int]] = Field(default_factory=dict)

    @property
    def questions(self) -> tuple[tuple[str, str], ...]:
        """(serial, operation) that an operator has to look at before anything may move."""
        dial = ((DIAL, INDEX),) if self.dial == "unknown" else ()
        return dial + tuple(
            (serial, number) for serial, joint in self.joints.items() for number in joint.unknown
        )

    def position(self, serial: str) -> int:
        """Dial position of a joint in work; below 0 while its first parts wait at press or bench."""
        return self.indices - self.joints[serial].place


class Carried(Frozen):
    """A journal goes on from an earlier one: the state at its end."""

    kind: Literal["carried"] = "carried"
    shift: Shift


Event = Annotated[
    OrderQueued
    | JointEntered
    | OperationBegun
    | OperationEnded
    | DialIndexed
    | JointLeft
    | Restarted
    | Confirmed
    | PlanAdopted
    | UnitChanged
    | AlarmChanged
    | TimesBooked
    | Carried
    | OrderWithdrawn
    | FeederLoaded
    | TrayEmptied
    | Doubted
    | DialBegun,
    Field(discriminator="kind"),
]


def advance(shift: Shift, event: Event) -> Shift:
    """The state after an event.

    Raises:
        JournalError: When the event contradicts the state.
    """
    match event:
        case OrderQueued():
            _require(event.order not in shift.orders, event, "the order exists")
            _require(bool(event.lines), event, "the order asks for nothing")
            order = Order(lines=event.lines, priority=event.priority, due=event.due)
            return _with(shift, orders=_kept({**shift.orders, event.order: order}))
        case OrderWithdrawn():
            known = shift.orders.get(event.order)
            if known is None or known.finished:
                raise _contradiction(event, "there is no such open order")
            return _with(shift, orders={**shift.orders, event.order: _with(known, withdrawn=True)})
        case FeederLoaded():
            loaded = Feeder(batch=event.batch, left=event.count)
            return _with(shift, feeders={**shift.feeders, event.feeder: loaded})
        case TrayEmptied():
            return _with(shift, tray=0)
        case JointEntered():
            return _entered(shift, event)
        case Confirmed() if event.serial == DIAL:
            _require(
                shift.dial == "unknown" and event.operation == INDEX, event, "the dial is not in question"
            )
            _require(event.found != "scrap", event, "a dial cannot be taken out")
            return _with(shift, indices=shift.indices + (event.found == "done"), dial="at_rest")
        case OperationBegun() | OperationEnded() | Confirmed():
            return _worked(shift, event)
        case JointLeft():
            return _left(shift, event.serial, event.reject, event)
        case DialBegun():
            _require(shift.dial == "at_rest", event, f"the dial is {shift.dial}")
            return _with(shift, dial="turning")
        case DialIndexed():
            _require(shift.dial == "turning", event, f"the dial is {shift.dial}")
            return _with(shift, indices=shift.indices + 1, dial="at_rest")
        case Restarted():
            return _doubted(shift, lambda resource: True)
        case Doubted():
            return _doubted(shift, lambda resource: resource == event.resource)
        case PlanAdopted():
            return _with(shift, plan=event.sha256)
        case TimesBooked():
            times = dict(shift.times_ns)
            for name, accounts in event.accounts_ns.items():
                booked = dict(times.get(name, {}))
                for account, spent in accounts.items():
                    booked[account] = booked.get(account, 0) + spent
                times[name] = booked
            return _with(shift, times_ns=times)
        case Carried():
            _require(shift == Shift(), event, "only the first event of a journal carries a state on")
            return event.shift
        case UnitChanged() | AlarmChanged():
            return shift


def _kept(orders: dict[str, Order]) -> dict[str, Order]:
    """Without the oldest finished orders, so that the state stays small for years."""
    finished = [name for name, order in orders.items() if order.finished]
    for name in finished[: max(0, len(finished) - _FINISHED_KEPT)]:
        del orders[name]
    return orders


def _doubted(shift: Shift, failed: Callable[[str], bool]) -> Shift:
    joints = {}
    for serial, joint in shift.joints.items():
        begun = {number: resource for number, resource in joint.begun.items() if not failed(resource)}
        asked = tuple(number for number in joint.begun if number not in begun)
        joints[serial] = _with(joint, begun=begun, unknown=(*joint.unknown, *asked)) if asked else joint
    dial = "unknown" if shift.dial == "turning" and failed(DIAL) else shift.dial
    return _with(shift, joints=joints, dial=dial)


def _entered(shift: Shift, event: JointEntered) -> Shift:
    _require(event.serial not in shift.joints, event, "the joint is in the cell")
    order = shift.orders.get(event.order)
    if order is None:
        raise _contradiction(event, f"there is no order {event.order!r}")
    left = order.lines.get(event.model, 0) - order.entered.get(event.model, 0)
    _require(left > 0, event, f"the order wants no more of {event.model}")  # planned before it was withdrawn
    entered = {**order.entered, event.model: order.entered.get(event.model, 0) + 1}
    taken = {joint.place for joint in shift.joints.values()}
    _require(event.place not in taken, event, f"place {event.place} is another joint's")
    joint = JointInWork(model=event.model, order=event.order, place=event.place)
    number = _TRAILING_NUMBER.search(event.serial)
    return _with(
        shift,
        orders={**shift.orders, event.order: _with(order, entered=entered)},
        joints={**shift.joints, event.serial: joint},
        highest=max(shift.highest, int(number.group()) if number else 0),
    )


def _worked(shift: Shift, event: OperationBegun | OperationEnded | Confirmed) -> Shift:
    joint = shift.joints.get(event.serial)
    if joint is None:
        raise _contradiction(event, "the joint is not in the cell")
    number = event.operation
    if isinstance(event, OperationBegun):
        _require(
            number not in (*joint.done, *joint.begun, *joint.unknown),
            event,
            f"operation {number} was begun before",
        )
        joint = _with(joint, begun={**joint.begun, number: event.resource})
        if (feeder := shift.feeders.get(event.feeder)) is not None:
            _require(feeder.left > 0, event, f"{event.feeder} is empty")
            rest = _with(feeder, left=feeder.left - 1)
            shift = _with(shift, feeders={**shift.feeders, event.feeder: rest})
    elif isinstance(event, OperationEnded):
        _require(number in joint.begun, event, f"operation {number} was not begun")
        reject = joint.reject or (f"{number}: {event.verdict}" if event.verdict else "")
        begun = {other: resource for other, resource in joint.begun.items() if other != number}
        joint = _with(joint, begun=begun, done=(*joint.done, number), reject=reject)
    else:
        scrapped = (
            event.found == "scrap"
        )  # a joint may be taken out whether or not anything is asked about it
        _require(scrapped or number in joint.unknown, event, f"operation {number} is not in question")
        unknown = tuple(other for other in joint.unknown if other != number)
        done = (*joint.done, number) if event.found == "done" else joint.done
        joint = _with(joint, unknown=unknown, done=done)
        if scrapped:
            return _left(shift, event.serial, f"{number}: scrapped by {event.by}", event)
    return _with(shift, joints={**shift.joints, event.serial: joint})


def _left(shift: Shift, serial: str, reject: str, event: JointLeft | Confirmed) -> Shift:
    joint = shift.joints.get(serial)
    if joint is None:
        raise _contradiction(event, "the joint is not in the cell")
    order = shift.orders[joint.order]
    bad = bool(reject or joint.reject)
    if bad:  # it has to be made again
        entered = {**order.entered, joint.model: order.entered[joint.model] - 1}
        order = _with(order, entered=entered, rejected=order.rejected + 1)
    else:
        order = _with(order, good=order.good + 1)
    return _with(
        shift,
        orders={**shift.orders, joint.order: order},
        joints={other: kept for other, kept in shift.joints.items() if other != serial},
        good=shift.good + (not bad),
        rejected=shift.rejected + bad,
        bad_in_a_row=shift.bad_in_a_row + 1 if bad else 0,
        tray=shift.tray + isinstance(event, JointLeft),
    )


def _require(holds: bool, event: BaseModel, otherwise: str) -> None:
    if not holds:
        raise _contradiction(event, otherwise)


def _contradiction(event: BaseModel, why: str) -> JournalError:
    facts = event.model_dump()
    return JournalError(f"{facts['kind']} {facts.get('serial') or facts.get('order') or ''}: {why}")


def _with(record: T, **changes: object) -> T:
    return record.model_copy(update=changes)
