"""A cell to put a panel in front of: a recorded run (`record_golden`), played in real time, that obeys commands.

It is what `CellService` promises and no more: states and alarms by the product's own machines, motion and plan from the
record. Holding freezes the record where it is. When the record ends it begins anew.
"""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from cells.cell import Cell, load_cell
from cells.tool_shape import X_FT
from controller.supervision import alarms as alarm_life
from controller.supervision.accounts import Account, Entry
from controller.supervision.alarms import AlarmError, Alarms, Key
from controller.supervision.oee import Effectiveness
from controller.supervision.packml import Command, Done, Mode, RefusedError, State, Unit, advance
from controller.supervision.requests import (
    AcknowledgeAlarm,
    Answer,
    ConfirmPlace,
    EmptyTray,
    GiveCommand,
    Jog,
    LoadFeeder,
    QueueOrder,
    Request,
    SetFeed,
    SetMode,
    SetSingleStep,
    ShelveAlarm,
    Step,
    TakeOut,
    WithdrawOrder,
)
from controller.supervision.view import ArmView, Bar, CellView, CycleView, OrderView, Question, StationView
from kinematics import link_frames

GOLDEN = Path(__file__).parents[2] / "golden" / "panel" / "run.npz"
PERIOD_S, UNIT_RAD = 0.1, 2e-4
ACTING_S = 0.25
ROUND_S = 0.02
_ACTING = frozenset(State) - {
    State.STOPPED,
    State.IDLE,
    State.SUSPENDED,
    State.HELD,
    State.COMPLETE,
    State.ABORTED,
    State.EXECUTE,
}
_RUNNING = frozenset({State.EXECUTE, State.COMPLETING})
_BEHIND_S, _AHEAD_S = 62.0, 75.0
_CYCLES = 96


@cache
def _cell() -> Cell:
    return load_cell("six_arm")


@cache
def _stored() -> tuple[dict[str, Any], np.ndarray]:
    stored = np.load(GOLDEN)
    return json.loads(stored["facts"].tobytes()), stored["q"].astype(np.float64) * UNIT_RAD


class ReplayedCell:
    """A recorded run behind the service's interface.

    Args:
        begin_s: Where in the record to begin.
        now_ns: A monotonic clock.
        utc_ns: Time of day at its zero; the true one by default.
    """

    def __init__(
        self,
        begin_s: float = 120.0,
        now_ns: Callable[[], int] = time.monotonic_ns,
        utc_ns: int | None = None,
        *,
        simulated: bool = True,
    ) -> None:
        self.cell = _cell()
        self._now_ns = now_ns
        self._lock = threading.RLock()
        self._origin_ns = now_ns()
        self._utc_origin_ns = time.time_ns() if utc_ns is None else utc_ns
        self._simulated = simulated
        self._read()
        self._unit, self._since_ns, self._cause, self._by = Unit(), 0, "the controller began", ""
        self._played_s, self._at_ns = begin_s, 0
        self._offsets: list[tuple[float, float]] = [
            (-1e9, -begin_s)
        ]  # (from this moment of the record, shift [s])
        self._alarms = Alarms()
        self._faults: dict[str, str] = {}
        self._jogged = {arm.id: np.zeros(6) for arm in self.cell.arms}
        self._jog: tuple[str, int, float, int] | None = None
        self._feeds = {arm.id: 1.0 for arm in self.cell.arms}
        self._single_step = False
        self._questions: tuple[Question, ...] = ()
        self._orders: dict[str, OrderView] = {}
        self._number = 0
        self._feeders: dict[str, tuple[str, int]] = {"feeder_rotor": ("RT-2611", 180)}
        self._tray = 7
        self._drifts: dict[int, float] = {}
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._last: CellView | None = None
        self._shown: CellView | None = None
        self._bars: tuple[tuple[int, int], tuple[Bar, ...]] = ((-1, -1), ())
        self._cycles: tuple[CycleView, ...] = ()
        self.asked: list[tuple[int, Request, str]] = []
        self.frozen = threading.Event()  # set: the cell's loop hangs
        self.slow_s = 0.0
        mix = sorted({node[4] for node in self._nodes if node[4]})
        self._queue("mixed-1", dict.fromkeys(mix, 8))

    def _read(self) -> None:
        facts, self._q = _stored()
        self._nodes = facts["nodes"]
        self._planned_cycle_s, self._bound_s = facts["planned_cycle_s"], facts["lower_bound_s"]
        self._length_s = len(self._q) * PERIOD_S
        self._chains = defaultdict(list)
        for node in self._nodes:
            self._chains[node[0]].append(node)
        self._starts = {name: np.array([node[12] for node in chain]) for name, chain in self._chains.items()}
        self._ends = sorted((node[13], node[0], node[1]) for node in self._nodes)
        self._end_times = np.array([end for end, _, _ in self._ends])
        self._left = sorted((node[13], node[3], node[4]) for node in self._nodes if node[8])
        self._X_FT = {arm.id: X_FT(arm.tool) for arm in self.cell.arms}

    # --- the service

    @property
    def view(self) -> CellView:
        """The newest picture; without a thread, one made now."""
        shown = self._shown
        if self._thread is not None and shown is not None:
            return shown
        return self._renewed()

    def __enter__(self) -> Self:
        """Run in a thread of its own, fifty rounds a second, as a real cell does."""
        self._renewed()
        self._thread = threading.Thread(target=self._run, name="cell", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while not self._ending.wait(ROUND_S):
            self._renewed()

    def _renewed(self) -> CellView:
        with self._lock:
            if self.frozen.is_set() and self._last is not None:
                return self._last
            now_ns = self._now_ns() - self._origin_ns
            if self._last is None or now_ns - self._last.time_ns >= 10_000_000 or not self._number:
                self._go_on(now_ns)
                self._last = self._shown = self._picture(now_ns)
            return self._last

    def ask(self, request: Request, by: str, timeout_s: float = 2.0) -> Answer:
        """Decide at once."""
        if self.frozen.is_set():
            time.sleep(min(timeout_s, 0.3))
            raise TimeoutError
        if self.slow_s:
            time.sleep(self.slow_s)
        with self._lock:
            now_ns = self._now_ns() - self._origin_ns
            self._go_on(now_ns)
            self.asked.append((time.perf_counter_ns(), request, by))
            self._last = None
            try:
                self._decide(request, by, now_ns)
            except (RefusedError, AlarmError, KeyError, ValueError) as error:
                words = error.args[0] if error.args else str(error)
                return Answer(accepted=False, reason=str(words), allowed=self._unit.allowed)
            self._renewed()
            return Answer(accepted=True, allowed=self._unit.allowed)

    # --- for tests

    def fault(self, arm: str, reason: str, kind: str = "arm_fault") -> None:
        """An arm faults: the cell aborts."""
        with self._lock:
            now_ns = self._now_ns() - self._origin_ns
            self._go_on(now_ns)
            self._faults[arm] = reason
            self._alarms = alarm_life.advance(
                self._alarms, alarm_life.Raised(time_ns=now_ns, key=Key(kind, arm), detail=reason)
            )
            if Command.ABORT in self._unit.allowed:
                self._move(advance(self._unit, Command.ABORT), f"{arm}: {reason}", "the cell", now_ns)
            self._last = None

    def raise_alarm(self, kind: str, source: str, detail: str = "") -> None:
        """An alarm that stops nothing."""
        with self._lock:
            key = Key(kind, source)
            now_ns = self._now_ns() - self._origin_ns
            self._alarms = alarm_life.advance(
                self._alarms, alarm_life.Raised(time_ns=now_ns, key=key, detail=detail)
            )
            self._last = None

    def wonder(self, serial: str, operation: str, text: str) -> None:
        """A place has to be looked at."""
        with self._lock:
            self._questions = (Question(serial=serial, operation=operation, text=text),)
            self._last = None

    # --- inside

    def _decide(self, request: Request, by: str, now_ns: int) -> None:
        match request:
            case GiveCommand(command=command):
                if command is Command.CLEAR and self._faults:
                    for arm in list(self._faults):
                        self._return(arm, now_ns)
                if command is Command.START and self._questions:
                    raise RefusedError("somebody has to look first: there is a question")
                self._move(advance(self._unit, command), f"{command.name.lower()} by {by}", by, now_ns)
            case SetMode(mode=mode):
                self._move(advance(self._unit, mode), f"mode {mode.name.lower()}", by, now_ns)
            case QueueOrder(order=order, lines=lines, priority=priority, due=due):
                if order in self._orders:
                    raise RefusedError(f"order {order} exists")
                self._queue(order, dict(lines), priority, due)
            case WithdrawOrder(order=order):
                if order not in self._orders:
                    raise RefusedError(f"there is no order {order}")
                del self._orders[order]
            case AcknowledgeAlarm(key=key):
                self._alarms = alarm_life.advance(
                    self._alarms, alarm_life.Acknowledged(time_ns=now_ns, key=key, by=by)
                )
            case ShelveAlarm(key=key, for_s=for_s):
                until = now_ns + int(for_s * 1e9)
                self._alarms = alarm_life.advance(
                    self._alarms, alarm_life.Shelved(time_ns=now_ns, key=key, by=by, until_ns=until)
                )
            case ConfirmPlace(serial=serial):
                left = tuple(question for question in self._questions if question.serial != serial)
                if len(left) == len(self._questions):
                    raise RefusedError(f"nothing is asked about {serial}")
                self._questions = left
            case SetFeed(share=share, arm=arm):
                if arm and arm not in self._feeds:
                    raise RefusedError(f"there is no arm {arm}")
                self._feeds |= dict.fromkeys([arm] if arm else list(self._feeds), share)
            case SetSingleStep(on=on):
                self._single_step = on
            case Step() if not self._single_step:
                raise RefusedError("single-step is off")
            case Jog(arm=arm, joint=joint, share=share):
                ready = self._unit.mode is Mode.MAINTENANCE and self._unit.state is State.IDLE
                if not ready or arm not in self._jogged:
                    raise RefusedError("jogging needs mode maintenance, state IDLE and an arm of the cell")
                self._jog = (arm, joint, share, now_ns) if share else None
            case LoadFeeder(feeder=feeder, batch=batch, count=count):
                if feeder not in self.cell.stations:
                    raise RefusedError(f"there is no feeder {feeder}")
                self._feeders[feeder] = (batch, count)
            case EmptyTray():
                self._tray = 0
            case TakeOut():
                raise RefusedError("the record knows six arms only")
            case _:
                pass

    def _return(self, arm: str, now_ns: int) -> None:
        del self._faults[arm]
        for key, alarm in list(self._alarms.by_key.items()):
            if key.source == arm and alarm.active:
                self._alarms = alarm_life.advance(self._alarms, alarm_life.Returned(time_ns=now_ns, key=key))

    def _queue(self, order: str, lines: dict[str, int], priority: int = 5, due: str = "") -> None:
        self._orders[order] = OrderView(
            order=order, lines=lines, priority=priority, due=due, entered={}, good=0, rejected=0
        )

    def _move(self, unit: Unit, cause: str, by: str, now_ns: int) -> None:
        ran = self._unit.state in _RUNNING
        self._unit, self._since_ns, self._cause, self._by = unit, now_ns, cause, by
        if not ran and unit.state in _RUNNING:
            self._offsets.append((self._played_s, now_ns * 1e-9 - self._played_s))

    def _go_on(self, now_ns: int) -> None:
        """Let time pass: acting states end, the record is played."""
        while self._unit.state in _ACTING and now_ns - self._since_ns >= ACTING_S * 1e9:
            at_ns = self._since_ns + int(ACTING_S * 1e9)
            self._play(at_ns)
            self._move(advance(self._unit, Done()), self._cause, self._by, at_ns)
        self._play(now_ns)

    def _play(self, now_ns: int) -> None:
        passed_s = (now_ns - self._at_ns) * 1e-9
        self._at_ns = now_ns
        if self._unit.state in _RUNNING:
            self._played_s += passed_s
            if self._played_s > self._length_s - _AHEAD_S:
                self._played_s = 60.0
                self._offsets = [(-1e9, now_ns * 1e-9 - 60.0)]
        if self._jog is not None:
            arm, joint, share, asked_ns = self._jog
            until_ns = min(now_ns, asked_ns + 250_000_000)
            turned_s = max(0.0, passed_s - max(0, now_ns - until_ns) * 1e-9)
            self._jogged[arm][joint] += share * 5.0 * turned_s
            if now_ns >= asked_ns + 250_000_000:
                self._jog = None

    def _cell_ns(self, record_s: float) -> int:
        shift = next(shift for begin, shift in reversed(self._offsets) if record_s >= begin)
        return int((record_s + shift) * 1e9)

    def _picture(self, now_ns: int) -> CellView:
        self._number += 1
        t = self._played_s
        index = min(int(t / PERIOD_S), len(self._q) - 2)
        share = t / PERIOD_S - index
        q = (1.0 - share) * self._q[index] + share * self._q[index + 1]
        arms = tuple(self._arm(k, q[k], t) for k in range(len(self.cell.arms)))
        shown = self._alarms.shown(now_ns)
        busy_s = max(1.0, t)
        good = 380 + len([1 for end, _, _ in self._left if end <= t])
        cycles = self._recent_cycles(t)
        return CellView(
            number=self._number,
            cell=self.cell.name,
            simulated=self._simulated,
            driver="fake" if self._simulated else "serial",
            time_ns=now_ns,
            utc_ns=self._utc_origin_ns + now_ns,
            state=self._unit.state,
            mode=self._unit.mode,
            since_ns=self._since_ns,
            cause=self._cause,
            by=self._by,
            allowed=self._unit.allowed,
            single_step=self._single_step,
            arms=arms,
            stations=self._stations(t),
            dial_rad=self._dial(t),
            alarms=shown if self._last is None or shown != self._last.alarms else self._last.alarms,
            consequences=len(self._alarms.by_key) - len(shown),
            questions=self._questions,
            orders=tuple(self._orders.values()),
            cycles=cycles,
            target_s=30.0,
            planned_cycle_s=self._planned_cycle_s,
            lower_bound_s=self._bound_s,
            since_last_s=t - max((end for end, _, _ in self._left if end <= t), default=0.0),
            oee=Effectiveness(
                planned_busy_s=busy_s * 32.0,
                production_s=busy_s * 32.0 * 0.964,
                ideal_cycle_s=30.0,
                produced=int(busy_s * 32.0 / 30.0),
                good=int(busy_s * 32.0 / 30.0 * 0.992),
            ),
            good=good,
            rejected=3,
            plan_number=len(self._offsets),
            bars=self._bars_round(t, now_ns),
            health=(),
            feeders=dict(self._feeders),
            tray=self._tray,
            obstacles=self._obstacles(),
        )

    def _obstacles(self) -> dict[Command, str]:
        if self._orders or Command.START not in self._unit.allowed:
            return {}
        return {Command.START: "there is nothing to make, queue an order first"}

    def _arm(self, k: int, q: np.ndarray, t: float) -> ArmView:
        arm = self.cell.arms[k]
        q = q + self._jogged[arm.id]
        frames = arm.X_WB @ link_frames(arm.arm.chain, q)
        tool = frames[-1] @ self._X_FT[arm.id]
        points = np.vstack([frames[:, :3, 3], tool[None, :3, 3]])
        chain, place = self._chains[arm.id], int(np.searchsorted(self._starts[arm.id], t, "right")) - 1
        node = chain[place] if place >= 0 and t < chain[place][13] else None
        running = self._unit.state in _RUNNING
        waits, whom = "", ""
        if node is None and place + 1 < len(chain):
            before = int(np.searchsorted(self._end_times, chain[place + 1][12] + 1e-3)) - 1
            _, whom, label = self._ends[max(before, 0)]
            waits = f"{whom} to end {label}" if whom != arm.id else "its turn"
        fault = self._faults.get(arm.id, "")
        entry = Entry(Account.WORKING)
        if fault:
            entry = Entry(Account.FAULT)
        elif not running:
            held = self._unit.state in (State.HELD, State.HOLDING, State.SUSPENDED)
            entry = Entry(Account.HOLD if held else Account.UNPLANNED)
        elif node is None:
            entry = Entry(Account.WAITING, whom)
        status = "fault" if fault else "running" if running and node else "idle"
        if self._unit.state in (State.STOPPED, State.ABORTED):
            status = "fault" if fault else "disabled"
        return ArmView(
            id=arm.id,
            model=arm.arm.name,
            status=status,
            fault=fault,
            q=q,
            points=points,
            operation=node[2] if node else "",
            serial=node[3] if node else "",
            leg=node[1] if node else "",
            progress=min(1.0, (t - node[12]) / max(node[11], 1e-3)) if node else 0.0,
            waits_for=waits if running else "",
            account=entry,
            feed=self._feeds[arm.id],
            late_s=max(0.0, node[12] - node[10] - self._drift(t)) if node else 0.0,
            holds=node[7] if node else "",
        )

    def _drift(self, t: float) -> float:
        """How late the cell as a whole was in that second of the record."""
        second = int(t)
        if second not in self._drifts:
            near = (node[12] - node[10] for node in self._nodes if abs(node[12] - t) < 8.0)
            self._drifts[second] = min(near, default=0.0)
        return self._drifts[second]

    def _stations(self, t: float) -> tuple[StationView, ...]:
        there, work = {}, {}
        for name, chain in self._chains.items():
            place = int(np.searchsorted(self._starts[name], t, "right")) - 1
            if place >= 0 and t < chain[place][13]:
                node = chain[place]
                if name.startswith("R") and node[6] and node[5] in ("inside", "before", "after"):
                    there[node[6]] = name
                elif not name.startswith("R"):
                    work[name] = node[3]
        places = {f"P{k}": self.cell.nest(k)[:3, 3] for k in range(self.cell.dial.positions)}
        places |= {name: station.X_WS[:3, 3] for name, station in self.cell.stations.items()}
        return tuple(
            StationView(
                id=name,
                x_m=float(place[0]),
                y_m=float(place[1]),
                z_m=float(place[2]),
                serial=work.get(name, ""),
                busy=name in work,
                occupied_by=there.get(name, ""),
            )
            for name, place in places.items()
        )

    def _dial(self, t: float) -> float:
        turns = 0.0
        for node in self._chains["dial"]:
            turns += min(max((t - node[12]) / max(node[13] - node[12], 1e-6), 0.0), 1.0)
        return float(turns * 2 * np.pi / self.cell.dial.positions)

    def _recent_cycles(self, t: float) -> tuple[CycleView, ...]:
        left = [entry for entry in self._left if entry[0] <= t]
        if len(left) == len(self._cycles):
            return self._cycles
        cycles = []
        for place, (end, serial, model) in enumerate(left):
            at_ns = self._cell_ns(end)
            cycles.append(
                CycleView(
                    serial=serial,
                    model=model,
                    left_ns=at_ns,
                    left_utc_ns=self._utc_origin_ns + at_ns,
                    cycle_s=None if place == 0 else end - left[place - 1][0],
                    good=serial != "J0009",
                )
            )
        known = {cycle.serial: cycle for cycle in self._cycles}
        self._cycles = tuple(known.get(cycle.serial, cycle) for cycle in cycles)[-_CYCLES:]
        return self._cycles

    def _bars_round(self, t: float, now_ns: int) -> tuple[Bar, ...]:
        key = (int(t * 5), len(self._offsets))
        if self._bars[0] == key:
            return self._bars[1]
        now_shift = now_ns * 1e-9 - t
        bars = []
        for (
            resource,
            label,
            operation,
            serial,
            _,
            _,
            _,
            _,
            _,
            critical,
            planned,
            length,
            start,
            end,
        ) in self._nodes:
            if end < t - _BEHIND_S or min(start, planned) > t + _AHEAD_S:
                continue
            shift = now_shift if start > t else self._cell_ns(start) * 1e-9 - start
            bars.append(
                Bar(
                    resource=resource,
                    label=label,
                    operation=operation,
                    serial=serial,
                    planned_ns=int((planned + shift) * 1e9),
                    planned_end_ns=int((planned + length + shift) * 1e9),
                    began_ns=int((start + shift) * 1e9) if start <= t else None,
                    ended_ns=int((end + shift) * 1e9) if end <= t else None,
                    critical=bool(critical),
                )
            )
        self._bars = (key, tuple(bars))
        return self._bars[1]
