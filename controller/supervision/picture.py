"""Makes the picture of a running cell that panel, command line and metrics read."""

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np

from cells.cell import CellArm
from cells.recipe import recipe_for
from cells.tool_shape import X_FT
from controller.motion.edge_words import doing
from controller.motion.event_graph import Key
from controller.supervision.accounts import Account
from controller.supervision.alarms import Alarm
from controller.supervision.deciding import obstacles
from controller.supervision.demand import ranked
from controller.supervision.production import Left, Running
from controller.supervision.shift import CELL, DIAL, advance
from controller.supervision.supervisor import Supervisor
from controller.supervision.times import effectiveness
from controller.supervision.view import (
    ArmView,
    Bar,
    CellView,
    CycleView,
    FloatArray,
    OrderView,
    Question,
    StationView,
)
from kinematics import link_frames

_BARS_BACK_NS = 60_000_000_000


class Painter:
    """Draws one cell again and again; bars are drawn anew only when something has begun or ended."""

    def __init__(self, cell: Supervisor) -> None:
        self._cell = cell
        self._number = 0
        self._tools = {arm.id: X_FT(arm.tool) for arm in cell.outside.cell.arms}
        self._bars: tuple[Bar, ...] = ()
        self._bars_of = (-1, 0)
        self._critical: frozenset[Key] = frozenset()
        self._critical_of = -1
        self._last_left = ""
        self._ran_before_ns = 0  # up to when the last joint left

    def picture(self) -> CellView:
        """The cell now."""
        cell, outside, shift = self._cell, self._cell.outside, self._cell.book.shift
        now = outside.clock.now_ns
        self._number += 1
        planned_s, bound_s = outside.promised()
        live = advance(shift, cell.times.unbooked(now))
        cycles = _cycles(tuple(cell.production.left))
        alarms = cell.annunciator.alarms
        shown: tuple[Alarm, ...] = alarms.shown(now)
        silent = cell.silent()
        return CellView(
            number=self._number,
            cell=outside.cell.name,
            simulated=outside.simulated,
            driver=outside.driver,
            time_ns=now,
            utc_ns=outside.utc_ns(),
            state=cell.unit.state,
            mode=cell.unit.mode,
            since_ns=cell.since_ns,
            cause=cell.cause,
            by=cell.by,
            allowed=cell.unit.allowed,
            single_step=cell.single_step,
            arms=tuple(self._arm(arm, live.times_ns.get(arm.id, {})) for arm in outside.cell.arms),
            stations=self._stations(),
            dial_rad=shift.indices * 2 * np.pi / outside.cell.dial.positions,
            alarms=shown,
            consequences=sum(alarm.under is not None for alarm in alarms.by_key.values()),
            questions=self._questions(),
            orders=self._orders(),
            cycles=cycles,
            target_s=cell.settings.ideal_cycle_s,
            planned_cycle_s=planned_s,
            lower_bound_s=bound_s,
            preparing=outside.preparing(),
            since_last_s=self._running_since_last_ns(now) * 1e-9,
            oee=effectiveness(live, cell.settings.ideal_cycle_s) if CELL in live.times_ns else None,
            good=shift.good,
            rejected=shift.rejected,
            plan_number=cell.production.plan_number,
            bars=self._drawn_bars(now),
            health=cell.watch.health(silent, cell.waiting_requests, cell.book.pending),
            feeders=MappingProxyType({name: (f.batch, f.left) for name, f in shift.feeders.items()}),
            tray=shift.tray,
            obstacles=MappingProxyType(obstacles(cell)),
        )

    def _running_since_last_ns(self, now_ns: int) -> int:
        """Time in which the cell ran since the last joint left."""
        ran_ns = self._cell.times.spent_ns(CELL, Account.WORKING, now_ns)
        left = self._cell.production.left
        if left and left[-1].serial != self._last_left:
            self._last_left = left[-1].serial
            self._ran_before_ns = max(self._ran_before_ns, ran_ns - (now_ns - left[-1].time_ns))
        return ran_ns - self._ran_before_ns

    def _arm(self, arm: CellArm, times_ns: Mapping[str, int]) -> ArmView:
        cell, name = self._cell, arm.id
        reading = cell.line.readings[name]
        entry, waits = cell.times.entry(name), cell.line.waits_for(name)
        running = cell.production.running.get(name)
        leg = running[0] if running else None
        facts = {} if leg is None else _leg_facts(leg, cell.outside.clock.now_ns)
        return ArmView(
            id=name,
            model=arm.arm.name,
            status="out" if name in cell.acting.out else reading.status.value,
            fault=reading.fault,
            q=reading.q,
            points=self._points(arm, reading.q),
            waits_for="" if leg or waits is None or entry.account is not Account.WAITING else doing(waits),
            account=entry,
            feed=min(cell.acting.feeds[name], cell.acting.cap),
            link=cell.outside.links().get(name, {}),
            times_s=MappingProxyType({account: spent * 1e-9 for account, spent in times_ns.items()}),
            **facts,
        )

    def _points(self, arm: CellArm, q: FloatArray) -> FloatArray:
        """(8, 3) base, link origins and tool centre point in the world [m]."""
        X_WL = arm.X_WB @ link_frames(arm.arm.chain, q)
        tip = X_WL[-1] @ self._tools[arm.id]
        return np.vstack([X_WL[:, :3, 3], tip[None, :3, 3]])

    def _stations(self) -> tuple[StationView, ...]:
        cell, shift = self._cell, self._cell.book.shift
        busy = {name: running[0].node for name, running in cell.production.running.items() if running}
        at = {node.leg.station: name for name, node in busy.items() if node.leg is not None}
        nests = {shift.position(serial): serial for serial in shift.joints}
        places = {name: (station.X_WS[:3, 3], "") for name, station in cell.outside.cell.stations.items()}
        for position in range(cell.outside.cell.dial.positions):
            X_WN = cell.outside.cell.nest(position)
            places[f"P{position}"] = (X_WN[:3, 3], nests.get(position, ""))
        return tuple(
            StationView(
                id=name,
                x_m=float(p_W[0]),
                y_m=float(p_W[1]),
                z_m=float(p_W[2]),
                serial=serial or (busy[name].serial if name in busy else ""),
                busy=name in busy,
                occupied_by=at.get(name, ""),
            )
            for name, (p_W, serial) in places.items()
        )

    def _questions(self) -> tuple[Question, ...]:
        shift, models = self._cell.book.shift, self._cell.outside.models
        found = []
        for serial, number in shift.questions:
            if serial == DIAL:
                text = (
                    f"The dial was on its way from window {shift.indices} to the next. Look: has it turned?"
                )
                found.append(Question(serial=serial, operation=number, text=text))
                continue
            model = models.get(shift.joints[serial].model)
            what = f" ({recipe_for(model).operation(number).name})" if model else ""
            position = shift.position(serial)
            where = f"at P{position}" if position >= 0 else "whose parts are at press and bench"
            text = f"Operation {number}{what} of {serial}, {where}, had begun. Look: is it done?"
            found.append(Question(serial=serial, operation=number, text=text))
        return tuple(found)

    def _orders(self) -> tuple[OrderView, ...]:
        shift = self._cell.book.shift
        first = ranked(shift)
        names = [*first, *(name for name in shift.orders if name not in first)]
        return tuple(
            OrderView(
                order=name,
                lines=shift.orders[name].lines,
                priority=shift.orders[name].priority,
                due=shift.orders[name].due,
                entered=shift.orders[name].entered,
                good=shift.orders[name].good,
                rejected=shift.orders[name].rejected,
            )
            for name in names
        )

    def _drawn_bars(self, now_ns: int) -> tuple[Bar, ...]:
        production = self._cell.production
        drawn_of = (production.plan_number, self._cell.events)
        if drawn_of == self._bars_of:
            return self._bars
        line = self._cell.line
        if production.plan_number != self._critical_of:
            self._critical_of = production.plan_number
            critical = line.graph.critical(line.starts_s) if line.graph.nodes else ()
            self._critical = frozenset(line.graph.nodes[node].key for node in critical)
        over = [one for one in production.over if (one.ended_ns or 0) >= now_ns - _BARS_BACK_NS]
        under_way = [one for running in production.running.values() for one in running]
        known = {one.node.key for one in (*over, *under_way)}
        to_come = [
            Running(
                node=node,
                planned_ns=line.origin_ns + round(float(line.starts_s[node.id]) * 1e9),
                began_ns=-1,
                paused_ns=0,
            )
            for node in line.graph.nodes
            if node.key not in known and not production.course.has_ended(line.state, node.id)
        ]
        self._bars = tuple(self._bar(one) for one in (*over, *under_way, *to_come))
        self._bars_of = drawn_of
        return self._bars

    def _bar(self, one: Running) -> Bar:
        node = one.node
        return Bar(
            resource=node.resource,
            label=node.label,
            operation=node.operation,
            serial=node.serial,
            planned_ns=one.planned_ns,
            planned_end_ns=one.planned_ns + round(node.duration_s * 1e9),
            began_ns=one.began_ns if one.began_ns >= 0 else None,
            ended_ns=one.ended_ns,
            critical=node.key in self._critical,
        )


def _leg_facts(leg: Running, now_ns: int) -> dict[str, Any]:
    node = leg.node
    return {
        "operation": node.operation,
        "serial": node.serial,
        "leg": node.label,
        "progress": _share(now_ns - leg.began_ns, node.duration_s),
        "late_s": (leg.began_ns - leg.planned_ns) * 1e-9,
        "holds": node.leg.held.name if node.leg is not None and node.leg.held is not None else "",
    }


def _cycles(left: tuple[Left, ...]) -> tuple[CycleView, ...]:
    durations = [None, *((two.time_ns - one.time_ns) * 1e-9 for one, two in pairwise(left))]
    return tuple(
        CycleView(
            serial=joint.serial,
            model=joint.model,
            left_ns=joint.time_ns,
            left_utc_ns=joint.utc_ns,
            cycle_s=cycle_s,
            good=joint.good,
        )
        for joint, cycle_s in zip(left, durations, strict=False)
    )


def _share(spent_ns: int, planned_s: float) -> float:
    return min(1.0, max(0.0, spent_ns * 1e-9 / planned_s)) if planned_s > 0.0 else 1.0
