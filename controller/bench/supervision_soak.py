"""A simulated day at fast-forward with faults at random: drops, jams, links that are lost, empty feeders, open guards.

An operator sees to everything a minute after it happened: acknowledges, answers what the cell asks, fills, clears, starts.
"""

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from controller.bench.fast_cell import MODELS, FastCell, Found, warm
from controller.bench.row import Figure, Options, Row
from controller.execution.fake import FakeClock
from controller.supervision.accounts import Account
from controller.supervision.alarms import Key
from controller.supervision.packml import Command, State
from controller.supervision.requests import AcknowledgeAlarm, LoadFeeder
from controller.supervision.times import effectiveness

_HOURS, _FEW_HOURS = 24.0, 0.5
_FAULT_EVERY_S = 1800.0
_OPERATOR_AFTER_NS = 60_000_000_000
_LONGEST_NS = 5_000_000_000  # that the clock jumps: an operator's minute takes a few rounds
_JAM_S = 40.0
_BATCH = 90  # caps that a feeder holds
_ORDER = 60
_YEAR_JOINTS = 1_000_000
_LEG_TROUBLES = {
    "drop": "lost stator",
    "link": "lost: no answer for 0.5 s",
    "jam": "force 212 N, limit 150 N",
}


@dataclass
class Soaked:
    """What came of it.

    Attributes:
        hours: Simulated time.
        ordered: Joints of all orders; ``good`` were made, ``rejected`` besides, ``in_work`` are in the cell.
        troubles: How often what went wrong.
        memory_mb: Resident memory once an hour (or tenth of the time).
        unaccounted_ns: Time in no account or in two.
        share: Sum of all accounts of all arms as a share of the time [%].
        findings: What was wrong, in words.
    """

    hours: float = 0.0
    ordered: int = 0
    good: int = 0
    rejected: int = 0
    in_work: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    memory_mb: list[float] = field(default_factory=list)
    unaccounted_ns: int = 0
    share: float = 0.0
    oee: float = 0.0
    capacity: int = 0
    findings: list[str] = field(default_factory=list)

    @property
    def growth(self) -> float:
        """Growth of memory in the last half [%]."""
        half = self.memory_mb[len(self.memory_mb) // 2 :]
        return 100.0 * (half[-1] / half[0] - 1.0) if len(half) > 1 else 0.0


def rows(options: Options) -> Iterator[Row]:
    """The figures of the study."""
    warm()
    with TemporaryDirectory() as directory:
        result = soaked(Path(directory), _FEW_HOURS if options.quick else _HOURS, options.seed)
    happened = ", ".join(f"{count} {name}" for name, count in sorted(result.troubles.items()))
    name = f"{result.hours:g} simulated hours with faults at random"
    yield Figure(
        name=f"{name}: orders that are not accounted for to the joint",
        value=len(result.findings),
        goal=0,
        must_hold=True,
        note="; ".join(result.findings[:3])
        or f"{result.good} good of {result.ordered} ordered, {result.rejected} rejected, {result.in_work} in work; "
        f"{happened}",
    )
    yield Figure(
        name=f"{name}: growth of memory in the last half",
        value=result.growth,
        unit="%",
        goal=5.0,
        note=f"from {result.memory_mb[0]:.0f} to {result.memory_mb[-1]:.0f} MB",
    )
    yield Figure(
        name=f"{name}: accounts of time, sum",
        value=result.share,
        unit="%",
        goal=100.0,
        at_least=True,
        must_hold=True,
        note=f"{result.unaccounted_ns} ns are in no account or in two",
    )
    yield Figure(
        name=f"{name}: joints a year at the pace measured",
        value=result.capacity,
        goal=_YEAR_JOINTS,
        at_least=True,
        note=f"OEE {100 * result.oee:.1f} % at an ideal cycle of 30 s, with the plain schedule of the study",
    )


def soaked(directory: Path, hours: float, seed: int) -> Soaked:
    """Run for so long."""
    rng, result = np.random.default_rng(seed), Soaked(hours=hours)
    jams: list[float] = []
    fast = FastCell(directory, clock=FakeClock(_LONGEST_NS), delay=lambda: jams.pop() if jams else 0.0)
    operator = _Operator(fast, result, rng)
    end_ns = fast.clock.now_ns + round(hours * 3.6e12)
    fault_ns = fast.clock.now_ns
    look_ns = fast.clock.now_ns + round(hours * 3.6e12 / 24)
    while fast.clock.now_ns < end_ns:
        if fast.clock.now_ns >= fault_ns:
            if fault_ns:
                _trouble(fast, result, rng, jams)
            fault_ns = fast.clock.now_ns + round(rng.exponential(_FAULT_EVERY_S) * 1e9)
        if fast.clock.now_ns >= look_ns:
            look_ns += round(hours * 3.6e12 / 24)
            result.memory_mb.append(_resident_mb())
        operator.look()
        fast.supervisor.round()
    _reckon(fast, result)
    fast.end()
    return result


def _trouble(fast: FastCell, result: Soaked, rng: np.random.Generator, jams: list[float]) -> None:
    if fast.state is not State.EXECUTE:
        return
    kinds = (*_LEG_TROUBLES, "slow leg", "guard", "hold")
    kind = kinds[int(rng.integers(len(kinds)))]
    result.troubles[kind] += 1
    if kind in _LEG_TROUBLES:
        fast.fail(f"R{rng.integers(1, 7)}", _LEG_TROUBLES[kind])
    elif kind == "slow leg":
        jams.append(_JAM_S)
    elif kind == "guard":
        fast.conditions[Key("protective_stop", "guard")] = "open"
    else:
        fast.give(Command.HOLD)


class _Operator:
    """Somebody who comes a minute after the cell has come to a halt, and always keeps an order ahead."""

    def __init__(self, fast: FastCell, result: Soaked, rng: np.random.Generator) -> None:
        self._fast, self._result, self._rng = fast, result, rng
        self._came_ns: int | None = None

    def look(self) -> None:
        """Whatever is to be done now."""
        fast = self._fast
        if sum(sum(order.missing.values()) for order in fast.shift.orders.values()) < _ORDER // 2:
            self._order()
        if fast.state not in (
            State.STOPPED,
            State.IDLE,
            State.HELD,
            State.SUSPENDED,
            State.ABORTED,
            State.COMPLETE,
        ):
            self._came_ns = None
            return
        if self._came_ns is None:
            self._came_ns = fast.clock.now_ns + _OPERATOR_AFTER_NS
        if fast.clock.now_ns >= self._came_ns:
            self._act()

    def _order(self) -> None:
        name = f"A{self._result.ordered}"
        counts = self._rng.multinomial(_ORDER, [1 / len(MODELS)] * len(MODELS))
        lines = {model: int(count) for model, count in zip(MODELS, counts, strict=True) if count}
        if self._fast.order(name, lines).accepted:
            self._result.ordered += _ORDER

    def _act(self) -> None:
        fast = self._fast
        fast.conditions.clear()
        for alarm in fast.supervisor.annunciator.alarms.shown(fast.clock.now_ns):
            fast.ask(AcknowledgeAlarm(key=alarm.key))
        match fast.state:
            case State.SUSPENDED:
                self._result.troubles["empty feeder"] += 1
                fast.ask(LoadFeeder(feeder="feeder_cap", batch=f"C{fast.clock.now_ns}", count=_BATCH))
            case State.HELD:
                fast.give(Command.UNHOLD)
            case State.ABORTED:
                fast.give(Command.CLEAR)
            case State.STOPPED | State.COMPLETE:
                fast.answer(self._found)
                if "feeder_cap" not in fast.shift.feeders:
                    fast.ask(LoadFeeder(feeder="feeder_cap", batch="C0", count=_BATCH))
                fast.give(Command.RESET)
            case State.IDLE:
                fast.give(Command.START)

    def _found(self, serial: str, number: str) -> Found:
        draw = self._rng.random()
        if serial not in self._fast.shift.joints:
            return "done" if draw < 0.5 else "not_done"  # the dial
        return "scrap" if draw < 0.2 else "done" if draw < 0.6 else "not_done"


def _reckon(fast: FastCell, result: Soaked) -> None:
    cell, now = fast.supervisor, fast.clock.now_ns
    result.unaccounted_ns = cell.times.unaccounted_ns(now)
    cell.book_times()
    cell.book.commit()
    shift = fast.shift
    result.good, result.rejected, result.in_work = shift.good, shift.rejected, len(shift.joints)
    missing = sum(sum(order.missing.values()) for order in shift.orders.values())
    if result.ordered != result.good + result.in_work + missing:
        result.findings.append(
            f"{result.ordered} ordered, {result.good} + {result.in_work} + {missing} accounted for"
        )
    if (replayed := fast.archive.journal.replay()) != shift:
        result.findings.append("the journal does not replay to the state")
    if cell.annunciator.active("controller_failed"):
        result.findings.append(f"the controller failed: {cell.cause}")
    spent = [sum(accounts.values()) for accounts in shift.times_ns.values()]
    result.share = 100.0 * sum(spent) / (len(spent) * now)
    figures = effectiveness(replayed, cell.settings.ideal_cycle_s)
    result.oee, result.capacity = figures.oee, figures.yearly_capacity
    known = {account.value for account in Account}
    if unknown := {
        name for accounts in shift.times_ns.values() for name in accounts if name.split()[0] not in known
    }:
        result.findings.append(f"accounts {unknown}")
    fast.archive.journal.check()


def _resident_mb() -> float:
    gc.collect()
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0
