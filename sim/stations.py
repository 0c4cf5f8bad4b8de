"""Stations that work by themselves: feeders, press, bench, dial, end-of-line test and out tray.

A feeder is the only way a part comes into the world and the out tray the only way a joint leaves it. Each
kind of cycle is a generator: it receives the length of the next step, drives its machine for it, and
returns the outcome at its end. A cycle that was stopped is begun again; what has been done to the workpiece
by then stays done.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

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

Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """``record`` is called when the cycle ends: until then a stop can undo it."""

    verdict: str = ""
    record: Callable[[], None] = lambda: None
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
    following: StationCycle | None = None  # to begin as soon as the machine has come to rest


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
        self._not_fetched: set[str] = set()  # feeders that held a part when everything was stopped
        self._stopped: dict[str, StationCycle] = {}  # cycles that were stopped, until begun again
        self._half_done: dict[
            str, tuple[Workpiece, Any]
        ] = {}  # what is being done to whom, until it has ended

    # --- the driver's contract ---------------------------------------------------------------------------

    def start(self, cycle: StationCycle) -> None:
        """Begin a cycle.

        Raises:
            ValueError: When there is no such station, it is busy, or what it needs is not there.
        """
        running = self._running.get(cycle.station)
        if running is not None and running.abandoned and running.following is None:
            running.following = cycle
        elif running is not None:
            raise ValueError(f"station {cycle.station}: cycle {cycle.id} while one is running, must be idle")
        else:
            self._start(cycle)

    def read(self) -> tuple[StationResult, ...]:
        """Cycles that ended since the last reading."""
        results, self._results = tuple(self._results), []
        return results

    def stop(self, category: StopCategory) -> None:
        """Bring every station to rest; cycles are abandoned and what is carried stays clamped."""
        self._not_fetched |= {station for station in self.world.at if station.startswith("feeder_")}
        for station, running in tuple(self._running.items()):
            machine = self.dial if station == "dial" else self.shuttles.get(station)
            self._stopped[station] = running.order
            if running.abandoned:  # it comes to rest already
                running.following = None
                continue
            running.work.close()
            if machine is None:
                del self._running[station]
            else:
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
                    if running.following is not None:
                        self._start(running.following)
                continue
            end_ns = running.start_ns + round(running.order.duration_s * 1e9)
            if running.outcome is not None and time_ns >= end_ns:
                del self._running[station]
                self._half_done.pop(station, None)
                running.outcome.record()
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

    def _start(self, cycle: StationCycle) -> None:
        work = self._work(cycle)
        next(work)
        self._running[cycle.station] = _Running(order=cycle, start_ns=self.world.time_ns, work=work)

    def _repeats(self, cycle: StationCycle) -> bool:
        """Whether this is a cycle begun again that was stopped."""
        stopped = self._stopped.pop(cycle.station, None)
        return stopped is not None and (stopped.serial, stopped.model) == (cycle.serial, cycle.model)

    def _kept(self, station: str, workpiece: Workpiece, begin: Callable[[], Thing]) -> Thing:
        """What was begun with a workpiece before a stop; begun now where that is not so."""
        if station not in self._half_done or self._half_done[station][0] is not workpiece:
            self._half_done[station] = workpiece, begin()
        thing: Thing = self._half_done[station][1]
        return thing

    def _work(self, cycle: StationCycle) -> _Work:
        name = cycle.station
        if name == "dial":
            return self._index()
        if name.startswith("feeder_"):
            return self._present(cycle)
        if name in self.shuttles:
            return self._machine(cycle)
        if name == "out_tray":
            return self._take_away(cycle)
        if self.world.is_nest(name):
            return self._test(cycle)
        raise ValueError(f"station {name}: has no cycle of its own")

    def _present(self, cycle: StationCycle) -> _Work:
        """A feeder presents one part of a joint model."""
        world, name = self.world, cycle.station
        repeats = self._repeats(cycle)
        left = world.at.get(name)
        if left is not None and not repeats:
            if name not in self._not_fetched or left.serial == cycle.serial:
                raise ValueError(f"station {name}: has not been emptied yet")
            world.at.pop(name).vanish()  # the feeder takes back what nobody will come for any more
        self._not_fetched.discard(name)
        part = parts_of(load_joint_model(cycle.model))[name.removeprefix("feeder_")]
        yield
        if name in world.at:
            return _Outcome()  # before the stop
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

        def record() -> None:
            dial.settle()
            moved = {
                f"P{(p + 1) % dial.count}": world.at.pop(name)
                for p, name in nests.items()
                if name in world.at
            }
            world.at.update(moved)

        return _Outcome(record=record)

    def _machine(self, cycle: StationCycle) -> _Work:
        """Press or bench: shuttle out, work, shuttle back."""
        world, shuttle = self.world, self.shuttles[cycle.station]
        workpiece = world.at.get(cycle.station)
        if workpiece is None:
            raise ValueError(f"station {cycle.station}: is empty, nothing to work on")
        travel = max(world.cell.motion.shuttle_s, 0.1)
        yield
        shuttle.pick_up(workpiece, _SLIDE)
        yield from self._ram(shuttle, travel, 0.0)  # where a stop left it down
        yield from self._slide(shuttle, travel, SHUTTLE_M)
        working = cycle.duration_s - 2 * travel
        if cycle.station == "press":
            outcome = yield from self._press(workpiece, shuttle, max(working, _SHORTEST_S))
        else:
            outcome = yield from self._screw(cycle.station, workpiece, working)
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

    def _ram(self, shuttle: Shuttle, duration: float, end_m: float) -> Generator[None, float, None]:
        """Evenly from where it is; at once where that is there."""
        start, elapsed = shuttle.ram_m, 0.0
        while elapsed < duration and start != end_m:
            dt = yield
            elapsed += dt
            shuttle.ram_to(start + (end_m - start) * min(1.0, elapsed / duration), dt)

    def _begin_press(self, duration: float) -> Press:
        chip_m, self.chip_m = self.chip_m, 0.0
        return Press(duration, self._rng, chip_m)

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
        press = self._kept("press", workpiece, lambda: self._begin_press(0.9 * third))
        yield from self._ram(shuttle, third, _RAM_REST_M + press.depth_m)
        while press.result is None:
            dt = yield
            shuttle.ram_to(_RAM_REST_M + press.advance(dt), dt)
        result = press.result
        yield from self._ram(shuttle, third, 0.0)

        def record() -> None:
            if not result.ok:
                workpiece.faults.append("press-fit outside its force-travel window")

        measured = {"ok": float(result.ok), "force_n": result.force_n, "travel_m": result.travel_m}
        return _Outcome(measured=measured, record=record)

    def _screw(self, station: str, workpiece: Workpiece, duration: float) -> Generator[None, float, _Outcome]:
        model = load_joint_model(workpiece.model)
        screws = next(process.screws for process in recipe_for(model).processes if process.screws is not None)
        measured = {"ok": 1.0}
        each = max(duration / screws.count, _SHORTEST_S)
        driven: list[Screw] = self._kept(station, workpiece, list)
        for index in range(screws.count):
            if index == len(driven):
                driven.append(Screw(screws.torque_nm, each, self._rng))
            screw = driven[index]
            while screw.result is None:
                dt = yield
                screw.turn(dt)
            result = screw.result
            measured[f"torque_{index}_nm"] = result.torque_nm
            measured[f"angle_{index}_rad"] = result.angle_rad
            if not result.ok:
                measured["ok"] = 0.0

        def record() -> None:
            for index in range(screws.count):
                workpiece.screw_ratios.append(measured[f"torque_{index}_nm"] / screws.torque_nm)
            if not measured["ok"]:
                workpiece.faults.append("screw outside its window at the bench")

        return _Outcome(measured=measured, record=record)

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
        joint = self._kept(
            cycle.station, workpiece, lambda: draw(model, self._rng, assembly, workpiece.serial)
        )
        result = end_of_line_test(joint, EndOfLineLimits.for_model(model), self._rng, self._connect_joint)
        elapsed = 0.0
        while elapsed < sum(result.stage_s):
            elapsed += yield
        verdict = "; ".join([*workpiece.faults, *([] if result.good else [result.reason])])
        return _Outcome(verdict=verdict, tests=MappingProxyType(result.measurements))

    def _take_away(self, cycle: StationCycle) -> _Work:
        """The out tray takes a joint out of the world."""
        repeats = self._repeats(cycle)
        if "out_tray" not in self.world.at and not repeats:
            raise ValueError("station out_tray: is empty, nothing to take away")
        yield
        if "out_tray" not in self.world.at:
            return _Outcome()  # before the stop
        workpiece = self.world.at.pop("out_tray")
        workpiece.vanish()
        self.world.finished.append(workpiece)
        return _Outcome()
