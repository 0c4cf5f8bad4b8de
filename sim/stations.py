"""Stations that work by themselves: feeders, press, bench, dial, end-of-line test and out tray.

A feeder is the only way a part comes into the world and the out tray the only way a joint leaves it. Each
kind of cycle is a generator: it receives the length of the next step, drives its machine for it, and
returns the outcome at its end.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from cells.driver import StationCycle, StationResult, StopCategory
from cells.fixtures import SHUTTLE_M
from cells.joint_bus import ConnectJoint
from cells.joint_model import load_joint_model
from cells.measurement import Measurement
from cells.part import parts_of
from cells.recipe import recipe_for
from sim.body import Workpiece
from sim.end_of_line import EndOfLineLimits, end_of_line_test
from sim.joint_under_test import Assembly, draw
from sim.machine import Dial, Machine, Shuttle
from sim.press import Press
from sim.profile import smooth
from sim.screwdriving import Screw
from sim.workpiece import Placed

if TYPE_CHECKING:
    from sim.world import World

_SHORTEST_S = 0.2  # of a pressing or a screw, however short the cycle
_MOTION_SHARE = 0.92  # of the index time; the rest is settling
_RAM_REST_M = 0.05  # from the ram's rest to first touch (E)
_SLIDE = 0
_STOP_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    verdict: str = ""
    measured: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    tests: Mapping[str, Measurement] = field(default_factory=lambda: MappingProxyType({}))


_Work = Generator[None, float, _Outcome]


@dataclass(slots=True)
class _Running:
    order: StationCycle
    start_ns: int
    work: _Work
    outcome: _Outcome | None = None
    abandoned: bool = False


class SimStations:
    """All stations of a `World`; also the `StationDriver` that the controller talks to."""

    def __init__(self, world: "World", rng: np.random.Generator, connect_joint: ConnectJoint) -> None:
        self.world = world
        self._connect_joint = connect_joint
        self.dial = Dial(world.engine, world.cell, world.fixtures)
        self.shuttles = {
            station.id: Shuttle(world.engine, station)
            for station in world.cell.stations.values()
            if station.kind in ("press", "bench")
        }
        self.chip_m = 0.0  # dirt under the next pressing
        self._rng = rng
        self._running: dict[str, _Running] = {}
        self._results: list[StationResult] = []

    # --- the driver's contract ---------------------------------------------------------------------------

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle.

        Raises:
            ValueError: When there is no such station, it is busy, or what it needs is not there.
        """
        if cycle.station in self._running:
            raise ValueError(f"station {cycle.station}: cycle {cycle.id} while one is running, must be idle")
        work = self._work(cycle)
        next(work)
        self._running[cycle.station] = _Running(order=cycle, start_ns=self.world.time_ns, work=work)

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that ended since the last reading."""
        results, self._results = tuple(self._results), []
        return results

    def stop(self, category: StopCategory) -> None:
        """Bring every station to rest; cycles are abandoned and what is carried stays clamped."""
        for station, running in tuple(self._running.items()):
            running.work.close()
            machine = self.dial if station == "dial" else self.shuttles.get(station)
            if machine is None:
                del self._running[station]
            elif not running.abandoned:
                running.abandoned, running.outcome = True, None
                running.work = self._come_to_rest(machine)
                next(running.work)

    # --- called by the world -----------------------------------------------------------------------------

    def command(self, time_ns: int, dt: float) -> None:
        """Drive machines for the step that ends at ``time_ns``; report cycles that have ended."""
        if not self._running:
            return
        for station, running in tuple(self._running.items()):
            if running.outcome is None:
                try:
                    running.work.send(dt)
                except StopIteration as end:
                    running.outcome = end.value
            if running.abandoned:
                if running.outcome is not None:
                    del self._running[station]
                continue
            end_ns = running.start_ns + round(running.order.duration_s * 1e9)
            if running.outcome is not None and time_ns >= end_ns:
                del self._running[station]
                self.world.notice()
                self._results.append(
                    StationResult(
                        id=running.order.id,
                        start_ns=running.start_ns,
                        end_ns=max(end_ns, running.start_ns),
                        verdict=running.outcome.verdict,
                        measured=running.outcome.measured,
                        tests=running.outcome.tests,
                    )
                )

    # --- cycles -------------------------------------------------------------------------------------------

    def _work(self, cycle: StationCycle) -> _Work:
        name = cycle.station
        if name == "dial":
            return self._index()
        if name.startswith("feeder_"):
            return self._present(cycle)
        if name in self.shuttles:
            return self._machine(cycle)
        if name == "out_tray":
            return self._take_away()
        if self.world.is_nest(name):
            return self._test(cycle)
        raise ValueError(f"station {name}: has no cycle of its own")

    def _present(self, cycle: StationCycle) -> _Work:
        """A feeder presents one part of a joint model."""
        world, name = self.world, cycle.station
        if name in world.at:
            raise ValueError(f"station {name}: has not been emptied yet")
        part = parts_of(load_joint_model(cycle.model))[name.removeprefix("feeder_")]
        yield
        parts = (Placed(part=part, X_0P=np.eye(4)),)
        workpiece = Workpiece(world.engine, cycle.serial, cycle.model, parts)
        workpiece.rest(world.seat(name))
        world.at[name] = workpiece
        return _Outcome()

    def _index(self) -> _Work:
        """The dial turns by one position; a trunnion turns its joint over where the side changes."""
        world, dial = self.world, self.dial
        duration = _MOTION_SHARE * world.cell.dial.index_s
        yield
        nests = {p: f"P{p}" for p in range(dial.count)}
        for position, name in nests.items():
            if name in world.at:
                dial.pick_up(world.at[name], dial.nest_link(position))
        dial.begin()
        elapsed = 0.0
        while elapsed < duration:
            dt = yield
            elapsed += dt
            dial.index_to(elapsed / duration, dt)
        while elapsed < world.cell.dial.index_s:
            dt = yield
            elapsed += dt
            dial.index_to(1.0, dt)
        dial.set_down()
        dial.settle()
        moved = {
            f"P{(p + 1) % dial.count}": world.at.pop(name) for p, name in nests.items() if name in world.at
        }
        world.at.update(moved)
        return _Outcome()

    def _machine(self, cycle: StationCycle) -> _Work:
        """Press or bench: shuttle out, work, shuttle back."""
        world, shuttle = self.world, self.shuttles[cycle.station]
        workpiece = world.at.get(cycle.station)
        if workpiece is None:
            raise ValueError(f"station {cycle.station}: is empty, nothing to work on")
        travel = max(world.cell.motion.shuttle_s, 0.1)
        yield
        shuttle.pick_up(workpiece, _SLIDE)
        yield from self._slide(shuttle, travel, SHUTTLE_M)
        working = cycle.duration_s - 2 * travel
        if cycle.station == "press":
            outcome = yield from self._press(workpiece, shuttle, max(working, _SHORTEST_S))
        else:
            outcome = yield from self._screw(workpiece, working)
        yield from self._slide(shuttle, travel, 0.0)
        shuttle.set_down()
        return outcome

    def _slide(self, shuttle: Shuttle, duration: float, end_m: float) -> Generator[None, float, None]:
        start, elapsed = shuttle.slid_m, 0.0
        while elapsed < duration:
            dt = yield
            elapsed += dt
            shuttle.slide_to(start + (end_m - start) * smooth(elapsed / duration), dt)
        dt = yield
        shuttle.slide_to(end_m, dt)

    def _come_to_rest(self, machine: Machine) -> _Work:
        """Slow down within a fraction of a second, then clamp what is carried where it is."""
        yield
        left = 1.0
        while left > 0.0:
            dt = yield
            slower = max(0.0, left - dt / _STOP_S)
            machine.slow(slower / left, dt)
            left = slower
        yield
        machine.set_down()
        return _Outcome()

    def _press(
        self, workpiece: Workpiece, shuttle: Shuttle, duration: float
    ) -> Generator[None, float, _Outcome]:
        third = duration / 3  # down to the part, pressing, up again
        press = Press(0.9 * third, self._rng, self.chip_m)
        self.chip_m = 0.0
        elapsed = 0.0
        while elapsed < third:
            dt = yield
            elapsed += dt
            shuttle.ram_to(_RAM_REST_M * min(1.0, elapsed / third), dt)
        while press.result is None:
            dt = yield
            shuttle.ram_to(_RAM_REST_M + press.advance(dt), dt)
        result, elapsed = press.result, 0.0
        while elapsed < third:
            dt = yield
            elapsed += dt
            shuttle.ram_to((_RAM_REST_M + result.travel_m) * max(0.0, 1.0 - elapsed / third), dt)
        if not result.ok:
            workpiece.faults.append("press-fit outside its force-travel window")
        return _Outcome(
            measured={"ok": float(result.ok), "force_n": result.force_n, "travel_m": result.travel_m}
        )

    def _screw(self, workpiece: Workpiece, duration: float) -> Generator[None, float, _Outcome]:
        model = load_joint_model(workpiece.model)
        screws = next(process.screws for process in recipe_for(model).processes if process.screws is not None)
        measured = {"ok": 1.0}
        for index in range(screws.count):
            screw = Screw(screws.torque_nm, max(duration / screws.count, _SHORTEST_S), self._rng)
            while screw.result is None:
                dt = yield
                screw.turn(dt)
            result = screw.result
            measured[f"torque_{index}_nm"] = result.torque_nm
            measured[f"angle_{index}_rad"] = result.angle_rad
            workpiece.screw_ratios.append(result.torque_nm / screws.torque_nm)
            if not result.ok:
                measured["ok"] = 0.0
                workpiece.faults.append("screw outside its window at the bench")
        return _Outcome(measured=measured)

    def _test(self, cycle: StationCycle) -> _Work:
        """End-of-line test of the joint in a nest; what went wrong on the way rejects it as well."""
        workpiece = self.world.at.get(cycle.station)
        if workpiece is None:
            raise ValueError(f"station {cycle.station}: is empty, nothing to test")
        yield
        model = load_joint_model(workpiece.model)
        assembly = Assembly(
            flexspline_offset_m=max(
                (
                    s.offset_m
                    for s in workpiece.seatings
                    if s.part == "flexspline" and self.world.is_nest(s.station)
                ),
                default=0.0,
            ),
            screw_torque_fraction=min(workpiece.screw_ratios, default=1.0),
        )
        joint = draw(model, self._rng, assembly, workpiece.serial)
        result = end_of_line_test(joint, EndOfLineLimits.for_model(model), self._rng, self._connect_joint)
        elapsed = 0.0
        while elapsed < sum(result.stage_s):
            elapsed += yield
        verdict = "; ".join([*workpiece.faults, *([] if result.good else [result.reason])])
        return _Outcome(verdict=verdict, tests=MappingProxyType(result.measurements))

    def _take_away(self) -> _Work:
        """The out tray takes a joint out of the world."""
        if "out_tray" not in self.world.at:
            raise ValueError("station out_tray: is empty, nothing to take away")
        yield
        workpiece = self.world.at.pop("out_tray")
        workpiece.vanish()
        self.world.finished.append(workpiece)
        return _Outcome()
