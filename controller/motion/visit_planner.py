"""Plans a visit: walks through an operation's steps and adds a leg for each stretch of motion.

The process' core time is filled up by a dwell before the fingers open. Straight lines lead down to and up from parts, so
that fingers never touch what they do not grip; everything else is blended past via points.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell
from cells.driver import DriveScrews, Dwell, GripPart, InsertPart, Process, ReleasePart
from cells.part import Part, parts_of
from cells.recipe import NEST, Dispense, Operation, Pick, Place, Recipe, Screw, Work
from cells.tool_shape import finger_open_m
from controller.motion.poses import ArmPoses
from controller.motion.straight_end import off_line
from controller.motion.visit import Leg, Visit, Zone, still
from kinematics import Trajectory, forward_kinematics, rest_to_rest, straight_line, through

FloatArray = NDArray[np.float64]

_INSERT_ABOVE_M = 0.003  # slow motion begins this far above the entry
_STATION_ENTRY_M = 0.003  # a part meets a plain station this far above its seat
_TURN_SPEED = 1.0  # rad/s, below the 10 rpm at which a flexspline may be turned in (V)
_WORK_HEIGHT_M = 0.030  # of the tool centre point above the joint's rim, for work without a part
_SCREW_HEIGHT_M = 0.025


class VisitPlanner:
    """Plans the visits of one arm."""

    def __init__(self, cell: Cell, poses: ArmPoses) -> None:
        self.cell = cell
        self.poses = poses
        self.arm = poses.arm
        self._kept: dict[tuple[object, ...], Trajectory] = {}

    def keep(self, make: Callable[[], Trajectory], *key: object) -> Trajectory:
        """A motion that many visits share, made once."""
        if key not in self._kept:
            self._kept[key] = make()
        return self._kept[key]

    def plan(self, recipe: Recipe, operation: Operation, position: int | None) -> Visit:
        """Plan one visit.

        Raises:
            UnreachableError: When the arm cannot take one of the poses.
            KinematicsError: When it cannot follow a straight line between them.
        """
        return _Sketch(self, recipe, operation, position).visit()


class _Sketch:
    """A visit in the making: the pose and the part in hand after each leg."""

    def __init__(
        self, planner: VisitPlanner, recipe: Recipe, operation: Operation, position: int | None
    ) -> None:
        self.planner = planner
        self.cell, self.poses, self.arm = planner.cell, planner.poses, planner.arm
        self.operation, self.position, self.recipe = operation, position, recipe
        self.parts = parts_of(recipe.model)
        self.limits = self.arm.arm.limits
        self.half_m = recipe.model.length_m / 2
        self.approach: list[FloatArray] = []
        self.final: Trajectory | None = None
        self.legs: list[Leg] = []
        self.held: Part | None = None
        self.zone = Zone.BEFORE
        self.q6 = self._start_q6()
        self.q = np.zeros(6)

    def visit(self) -> Visit:
        """Walk through the operation's steps."""
        for index, step in enumerate(self.operation.steps):
            if isinstance(step, Pick):
                self._pick(step)
            elif isinstance(step, Dispense):
                self._dispense(step)
            elif isinstance(step, Place):
                self._place(step, last=not self._screws_after(index))
            elif isinstance(step, Screw):
                self._screw(step, placed=index > 0)
            else:
                self._work(step)
        return Visit(
            operation=self.operation,
            arm=self.arm.id,
            position=self.position,
            approach=np.array(self.approach),
            final=self.final,
            first=self.legs[0],
            rest=tuple(self.legs[1:]),
            _poses=self.poses,
        )

    def _start_q6(self) -> float:
        """Last joint at the start: that of the nest, but half a turn off where a nozzle asks for a whole one."""
        if self.position is None:
            low, high = self.poses.chain_limits
            return float(low[5] + high[5]) / 2
        q6 = self.poses.nest_q6(self.position)
        turns = any(isinstance(step, Dispense) for step in self.operation.steps)
        return q6 + (np.pi if turns and q6 < self._middle_q6() else -np.pi if turns else 0.0)

    def _middle_q6(self) -> float:
        low, high = self.poses.chain_limits
        return float(low[5] + high[5]) / 2

    def _screws_after(self, index: int) -> bool:
        return any(isinstance(step, Screw) for step in self.operation.steps[index + 1 :])

    # --- places -------------------------------------------------------------------------------------------

    def _station(self, station: str) -> tuple[str, FloatArray]:
        """Name and frame of a station; the nest is the dial position of the visit."""
        if station == NEST:
            assert self.position is not None
            return f"P{self.position}", self.cell.nest(self.position)
        return station, self.cell.stations[station].X_WS

    def _at(self, station: str, height_m: float) -> FloatArray:
        name, X_WS = self._station(station)
        return self.poses.at(X_WS, height_m, self.q6, name)

    def _workpiece(self, station: str) -> Part:
        """The part by which the workpiece at a station is gripped."""
        gripped = {"press": "rotor", "bench": "output_flange", NEST: "cap"}
        return self.parts[gripped.get(station, station.removeprefix("feeder_"))]

    # --- legs ---------------------------------------------------------------------------------------------

    def _add(
        self,
        name: str,
        trajectory: Trajectory,
        *,
        process: Process | None = None,
        finger_m: float | None = None,
        station: str = "",
        zone: Zone | None = None,
        part: Part | None = None,
    ) -> None:
        self.legs.append(
            Leg(
                name=name,
                zone=zone or self.zone,
                trajectory=trajectory,
                process=process,
                finger_m=finger_m,
                held=self.held,
                held_after=part if isinstance(process, GripPart) else self.held,
                station=station,
            )
        )
        self.q = trajectory.q[-1]

    def _stay(self) -> Trajectory:
        return still(self.q)

    def _travel(self, *waypoints: FloatArray) -> Trajectory:
        return through(np.vstack([self.q, *waypoints]), self.limits)

    def _line(
        self, station: str, height_m: float, *, speed: float | None = None, turn: float = 0.0
    ) -> Trajectory:
        """Straight up or down over a station from the present height, turning the last joint meanwhile."""
        name, X_WS = self._station(station)
        X_WF = self._flange()
        end = self.poses.at(X_WS, height_m, self.q6 + turn, name)
        X_end = self._flange(end)
        motion = self.cell.motion
        speed, start = speed or motion.approach_m_per_s, self.q
        self.q6 += turn
        return self.planner.keep(
            lambda: straight_line(
                self.arm.arm.chain, self.limits, X_WF, X_end, start, speed, motion.approach_m_per_s2
            ),
            start.tobytes(),
            end.tobytes(),
            speed,
        )

    def _flange(self, q: FloatArray | None = None) -> FloatArray:
        return forward_kinematics(self.arm.arm.chain, self.q if q is None else q)

    # --- steps --------------------------------------------------------------------------------------------

    def _go_above(self, station: str, finger_m: float | None) -> None:
        """The way to a station from wherever the arm is."""
        above = self._at(station, self.poses.above_m)
        if not self.legs:
            self.approach.append(above)
            self.q = above
            self._add("approach", self._stay(), finger_m=finger_m, zone=Zone.BEFORE)
        else:
            self._add("carry", self._travel(above))

    def _pick(self, step: Pick) -> None:
        part = self._workpiece(step.station)
        name, _ = self._station(step.station)
        open_m = finger_open_m(part)
        grip = GripPart(
            station=name,
            radius_m=part.grip.radius_m,
            internal=part.grip.internal,
            force_n=self.arm.tool.grip_force_n,
            duration_s=self.cell.motion.grip_s,
        )
        if step.station == NEST:
            self._go_above(NEST, open_m)
            self.zone = Zone.INSIDE
            enter = self._line(NEST, part.grip.height_m)
            self._add("enter", enter, process=grip, station=name, part=part)
            self.held = part
            self._fill_and_leave(name)
            self.zone = Zone.AFTER
            return
        # Off the dial the ways down and up are blended with the travel; beside the part they are straight.
        above = self._at(step.station, self.poses.above_m)
        self.approach.append(above)
        self.q = above
        self.final = self._line(step.station, part.grip.height_m)
        self._add("fetch", self.final, process=grip, finger_m=open_m, station=name, part=part)
        self.held = part
        following = self.operation.steps[1]
        assert isinstance(following, Place | Dispense)
        self._lift_and_go("carry", step.station, following.station)

    def _lift_and_go(self, leg: str, station: str, target: str) -> None:
        """Straight up, then over another station."""
        name, _ = self._station(station)
        lift = self._line(station, self.poses.above_m)
        self.q = lift.q[-1]
        above = self._at(target, self.poses.above_m)
        lifted = self.planner.keep(
            lambda: off_line(lift, self._travel(above), self.arm.arm), id(lift), above.tobytes()
        )
        self._add(leg, lifted, station=name)

    def _dispense(self, step: Dispense) -> None:
        name, _ = self._station(step.station)
        down = self._at(step.station, 0.0 if self.held is None else self.held.grip.height_m)
        self._add("dip", self._travel(down), station=name)
        turn = -step.turn_rad if self.q6 > self._middle_q6() else step.turn_rad
        self.q6 += turn
        goal = self.q.copy()
        goal[5] = self.q6
        spin = rest_to_rest(self.q, goal, self.limits)
        self._add("dispense", spin.stretched(max(1.0, step.core_s / spin.duration)), station=name)
        following = self.operation.steps[self.operation.steps.index(step) + 1]
        assert isinstance(following, Place)
        self._lift_and_go("bring", step.station, following.station)

    def _place(self, step: Place, *, last: bool) -> None:
        part = self.held
        assert part is not None
        name, _ = self._station(step.station)
        in_nest = step.station == NEST
        if in_nest:
            self.zone = Zone.INSIDE
        elif self.operation.at_nest:
            self.zone = Zone.AFTER
            self._add("bring", self._travel(self._at(step.station, self.poses.above_m)))
        else:
            self.zone = Zone.INSIDE
        entry = max(part.fit.entry_m, _STATION_ENTRY_M) if in_nest else _STATION_ENTRY_M
        slow = entry + _INSERT_ABOVE_M
        self._add("enter", self._line(step.station, part.grip.height_m + slow), station=name)
        speed = self.cell.motion.insert_m_per_s
        if step.turn_rad:
            speed = min(speed, slow / (step.turn_rad / _TURN_SPEED))
        turn = step.turn_rad if self.q6 + step.turn_rad <= self.poses.chain_limits[1][5] else -step.turn_rad
        line = self._line(step.station, part.grip.height_m, speed=speed, turn=turn)
        insert = InsertPart(
            station=name,
            entry_m=entry,
            force_low_n=part.fit.force_low_n if in_nest else 0.0,
            force_high_n=part.fit.force_high_n,
            duration_s=line.duration,
        )
        self._add("insert", line, process=insert, station=name)
        up = self._line(step.station, self.poses.above_m)
        release = self.cell.motion.release_s
        dwell = self.operation.core_s - self._inside_s() - release - up.duration if in_nest and last else 0.0
        if dwell > 0.0:
            self._add("dwell", self._stay(), process=Dwell(duration_s=dwell), station=name)
        self._add(
            "release", self._stay(), process=ReleasePart(station=name, duration_s=release), station=name
        )
        self.held = None
        if last:
            self._add("leave", self._from_here(step.station), station=name)

    def _screw(self, step: Screw, *, placed: bool) -> None:
        name, _ = self._station(NEST)
        if not placed:
            self._go_above(NEST, None)
            self.zone = Zone.INSIDE
            self._add("enter", self._line(NEST, self.half_m + _SCREW_HEIGHT_M), station=name)
        stroke_turn = 2 * np.pi / step.count if step.count > 1 else 0.0
        direction = -1.0 if self.q6 > self._middle_q6() else 1.0
        goal = self.q.copy()
        goal[5] += direction * stroke_turn
        turn_s = rest_to_rest(self.q, goal, self.limits).duration if stroke_turn else 0.0
        for stroke in range(step.strokes):
            if stroke:
                self.q6 += direction * stroke_turn
                goal = self.q.copy()
                goal[5] = self.q6
                self._add("turn", rest_to_rest(self.q, goal, self.limits), station=name)
            drive = DriveScrews(
                station=name,
                count=min(step.at_once, step.count - stroke * step.at_once),
                torque_nm=step.torque_nm,
                duration_s=step.core_s / step.strokes - (turn_s if step.strokes > 1 else 0.0),
            )
            self._add("screw", self._stay(), process=drive, station=name)
        self._fill_and_leave(name)

    def _work(self, step: Work) -> None:
        name, _ = self._station(NEST)
        self._go_above(NEST, None)
        self.zone = Zone.INSIDE
        height = self.half_m + _WORK_HEIGHT_M
        self._add("enter", self._line(NEST, height), station=name)
        direction = -1.0 if self.q6 > self._middle_q6() else 1.0
        there, back = self.q.copy(), self.q.copy()
        there[5] += direction * step.turn_rad
        self._add("work", self._travel(there, back), station=name)
        self._add("work", self._line(NEST, height - step.stroke_m), station=name)
        self._add("work", self._line(NEST, height), station=name)
        self._fill_and_leave(name)

    def _fill_and_leave(self, name: str) -> None:
        up = self._from_here(NEST)
        dwell = self.operation.core_s - self._inside_s() - up.duration
        if dwell > 0.0:
            self._add("dwell", self._stay(), process=Dwell(duration_s=dwell), station=name)
        self._add("leave", up, station=name)

    def _from_here(self, station: str) -> Trajectory:
        """Straight up to travelling height."""
        return self._line(station, self.poses.above_m)

    def _inside_s(self) -> float:
        return sum(leg.duration_s for leg in self.legs if leg.zone is Zone.INSIDE)
