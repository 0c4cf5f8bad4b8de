"""Decides on requests: what fits the state of the cell is done, everything else is refused with what is allowed."""

import re
from collections.abc import Mapping
from functools import partial

from controller.execution.draft import PlanError
from controller.supervision.alarms import AlarmError
from controller.supervision.jog import Jogging
from controller.supervision.packml import Command, Mode, RefusedError, State
from controller.supervision.production import UNLOAD
from controller.supervision.requests import (
    EVERY_ARM,
    AcknowledgeAlarm,
    Answer,
    ConfirmPlace,
    EmptyTray,
    GiveCommand,
    Jog,
    LoadFeeder,
    PutBack,
    QueueOrder,
    Request,
    ScrapJoint,
    SetFeed,
    SetMode,
    SetSingleStep,
    ShelveAlarm,
    Step,
    TakeOut,
    WithdrawOrder,
)
from controller.supervision.shift import (
    NOTHING_DONE,
    Confirmed,
    Doubted,
    FeederLoaded,
    JointLeft,
    JournalError,
    OrderQueued,
    OrderWithdrawn,
    TrayEmptied,
)
from controller.supervision.supervisor import Supervisor

_DUE = re.compile(r"(\d{4}-\d{2}-\d{2}.*)?")
_LEAST_FEED = 0.01
_LARGEST_ORDER = 1_000_000


def decide(cell: Supervisor, request: Request, by: str) -> Answer:
    """Do what is asked, or say why not."""
    try:
        _act(cell, request, by)
    except (RefusedError, AlarmError, JournalError, PlanError, ValueError) as error:
        cell.outside.log.warning("refused", request=repr(request), by=by, reason=str(error))
        return Answer(accepted=False, reason=str(error), allowed=cell.unit.allowed)
    return Answer(accepted=True, allowed=cell.unit.allowed)


def _act(cell: Supervisor, request: Request, by: str) -> None:
    if not 1 <= len(by) <= 100:
        raise RefusedError("nobody asks (allowed: a name of 1 to 100 characters)")
    now = cell.outside.clock.now_ns
    match request:
        case GiveCommand():
            _command(cell, request.command, by)
        case SetMode():
            if cell.jogging.arm:
                raise RefusedError(f"{cell.jogging.arm} is being jogged (allowed: let go first)")
            cell.go(request.mode, "asked for", by)
        case QueueOrder():
            _order(cell, request, by)
        case WithdrawOrder():
            cell.book.record(OrderWithdrawn(order=request.order, by=by))
        case AcknowledgeAlarm():
            cell.annunciator.acknowledge(request.key, by, now)
        case ShelveAlarm():
            if not 0.0 <= request.for_s <= 1e6:
                raise RefusedError(f"for {request.for_s:g} s (allowed: 0 to 28800)")
            cell.annunciator.shelve(request.key, by, now, now + round(request.for_s * 1e9))
        case ConfirmPlace():
            _confirm(cell, request, by)
        case SetFeed():
            _feed(cell, request)
        case SetSingleStep():
            if request.on:
                _only_in_maintenance(cell, "single-step")
            cell.set_single_step(request.on)
        case Step():
            if not cell.single_step:
                raise RefusedError("there is no single-step (allowed: after it was switched on)")
            cell.step()
        case Jog():
            _jog(cell, cell.jogging, request)
        case TakeOut():
            _take_out(cell, request.arm, by)
        case PutBack():
            _put_back(cell, request.arm)
        case LoadFeeder():
            if request.feeder not in cell.production.feeders:
                known = ", ".join(sorted(cell.production.feeders))
                raise RefusedError(f"feeder {request.feeder!r} (allowed: {known})")
            cell.book.record(
                FeederLoaded(feeder=request.feeder, batch=request.batch, count=request.count, by=by)
            )
        case EmptyTray():
            cell.book.record(TrayEmptied(by=by))
        case ScrapJoint():
            _scrap(cell, request.serial, by)


def obstacles(cell: Supervisor) -> Mapping[Command, str]:
    """Commands that fit the state and would be refused all the same, with the reason and what helps."""
    found = {command: _obstacle(cell, command) for command in cell.unit.allowed}
    return {command: reason for command, reason in found.items() if reason}


def _command(cell: Supervisor, command: Command, by: str) -> None:
    reason = _obstacle(cell, command)
    if (
        command is Command.START and cell.jogging.arm
    ):  # no obstacle to show: the page must not move under the finger
        reason = f"{cell.jogging.arm} is being jogged"
    if command in cell.unit.allowed and reason:
        allowed = ", ".join(other.name for other in cell.unit.allowed if other is not command)
        raise RefusedError(f"{command.name}: {reason} (allowed: {allowed or 'nothing but to wait'})")
    if command is Command.SUSPEND:
        cell.suspended_by_itself = False
    cell.go(command, "asked for", by)


def _obstacle(cell: Supervisor, command: Command) -> str:
    """Why a command that fits the state cannot be followed yet; empty when it can."""
    if command in (Command.RESET, Command.START) and cell.book.shift.questions:
        serial, number = cell.book.shift.questions[0]
        return f"first say what became of operation {number} of {serial}"
    if command in (Command.CLEAR, Command.RESET, Command.START) and (outside := cell.outside.surroundings()):
        return ", ".join(f"{key.kind} of {key.source}: {detail}" for key, detail in outside.items())
    if command in (Command.START, Command.UNHOLD) and cell.book.failure:
        return f"the journal cannot be written: {cell.book.failure}"
    if command is Command.START and not cell.production.wanted:
        return "there is nothing to make, queue an order first"
    return ""


def _order(cell: Supervisor, request: QueueOrder, by: str) -> None:
    models = cell.outside.models
    for model, count in request.lines.items():
        if model not in models:
            raise RefusedError(f"model {model!r} (allowed: {', '.join(models)})")
        if not 1 <= count <= _LARGEST_ORDER:
            raise RefusedError(f"{count} of {model} (allowed: 1 to {_LARGEST_ORDER})")
    if not _DUE.fullmatch(request.due):
        raise RefusedError(f"due {request.due!r} (allowed: a date such as 2026-12-31, or nothing)")
    cell.book.record(
        OrderQueued(
            order=request.order, lines=dict(request.lines), priority=request.priority, due=request.due, by=by
        )
    )


def _confirm(cell: Supervisor, request: ConfirmPlace, by: str) -> None:
    confirmed = Confirmed(serial=request.serial, operation=request.operation, found=request.found, by=by)
    if request.operation == UNLOAD and request.found == "done":
        joint = cell.book.shift.joints.get(request.serial)
        reject = joint.reject if joint is not None else ""
        cell.book.record(confirmed, JointLeft(serial=request.serial, reject=reject))
    else:
        cell.book.record(confirmed)
    if request.found == "not_done":
        cell.production.found_undone(request.serial, request.operation)


def _scrap(cell: Supervisor, serial: str, by: str) -> None:
    joint = cell.book.shift.joints.get(serial)
    if joint is None:
        known = ", ".join(cell.book.shift.joints) or "none is in the cell"
        raise RefusedError(f"joint {serial!r} (allowed: {known})")
    _only_at_rest(cell, f"taking out {serial}")
    at = next(iter((*joint.unknown, *joint.begun, *reversed(joint.done))), NOTHING_DONE)
    cell.book.record(Confirmed(serial=serial, operation=at, found="scrap", by=by))


def _feed(cell: Supervisor, request: SetFeed) -> None:
    if not _LEAST_FEED <= request.share <= 1.0:
        raise RefusedError(f"feed {request.share:g} (allowed: {_LEAST_FEED:g} to 1)")
    arms = list(cell.outside.arms) if request.arm == EVERY_ARM else [request.arm]
    if unknown := set(arms) - cell.outside.arms.keys():
        raise RefusedError(f"arm {min(unknown)!r} (allowed: {', '.join(cell.outside.arms)})")
    cell.acting.feeds.update(dict.fromkeys(arms, request.share))
    if cell.unit.state in (State.EXECUTE, State.COMPLETING, State.SUSPENDING):
        cell.acting.apply_feeds()


def _jog(cell: Supervisor, jogging: Jogging, request: Jog) -> None:
    _only_in_maintenance(cell, "jogging")
    if cell.unit.state is not State.IDLE:
        raise RefusedError(f"jogging in state {cell.unit.state.name} (allowed in: IDLE)")
    if not cell.outside.simulated and not cell.settings.allow_jog_real:
        raise RefusedError("jogging of real arms (allowed: with allow_jog_real = true in the settings)")
    if reason := jogging.refusal(request.arm, request.joint, request.share):
        raise RefusedError(reason)
    if request.arm in cell.acting.out:
        raise RefusedError(f"{request.arm} was taken out")
    jogging.ask(request.arm, request.joint, request.share)


def _take_out(cell: Supervisor, arm: str, by: str) -> None:
    present = [name for name in cell.outside.arms if name not in cell.acting.out]
    if arm not in present:
        raise RefusedError(f"arm {arm!r} (allowed: {', '.join(present)})")
    _only_at_rest(cell, f"taking out {arm}")
    _only_if_known(cell, cell.acting.out | {arm})
    cell.production.planning.in_turn(partial(cell.line.drop, arm))
    cell.acting.out.add(arm)
    cell.book.note(Doubted(resource=arm, cause=f"taken out by {by}"))


def _put_back(cell: Supervisor, arm: str) -> None:
    if arm not in cell.acting.out:
        raise RefusedError(f"arm {arm!r} (allowed: {', '.join(sorted(cell.acting.out)) or 'none is out'})")
    _only_at_rest(cell, f"putting back {arm}")
    _only_if_known(cell, cell.acting.out - {arm})
    cell.production.planning.in_turn(partial(cell.line.readmit, arm))
    cell.acting.out.remove(arm)


def _only_at_rest(cell: Supervisor, what: str) -> None:
    states = (State.ABORTED, State.STOPPED, State.IDLE)
    if cell.unit.state not in states:
        names = ", ".join(state.name for state in states)
        raise RefusedError(f"{what} in state {cell.unit.state.name} (allowed in: {names})")


def _only_if_known(cell: Supervisor, out: set[str]) -> None:
    if reason := cell.outside.unknown(frozenset(out)):
        raise RefusedError(reason)


def _only_in_maintenance(cell: Supervisor, what: str) -> None:
    if cell.unit.mode is not Mode.MAINTENANCE:
        raise RefusedError(f"{what} in mode {cell.unit.mode.name} (allowed in: MAINTENANCE)")
