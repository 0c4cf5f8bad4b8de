"""An arm taught by hand: go somewhere, fetch a part, insert it. What a plan does, for tests."""

import itertools

import numpy as np
from numpy.typing import NDArray

from cells.driver import (
    GripPart,
    InsertPart,
    Process,
    QueueStatus,
    ReleasePart,
    Segment,
    SegmentResult,
    StationCycle,
    StationResult,
    Status,
)
from cells.part import Part
from cells.tool_shape import X_FT, finger_open_m
from kinematics import Trajectory, forward_kinematics, inverse_kinematics, rest_to_rest, straight_line
from sim.sim_arm import SimArm
from sim.world import World

FloatArray = NDArray[np.float64]

ABOVE_M = 0.15
DOWN = np.diag([1.0, -1.0, -1.0, 1.0])
ZERO = np.zeros(6)
_ids = itertools.count(1)


class Hand:
    """One enabled arm of a world."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.arm: SimArm = world.arms[name]
        self.arm.enable()
        self.q = self.arm.read().q

    def over(self, X_WS: FloatArray, height_m: float, turn: float = 0.0) -> FloatArray:
        """Joints (6,) with the tool pointing down over a frame, its last joint near mid-range."""
        cell_arm = self.arm.cell_arm
        X_ST = DOWN.copy()
        c, s = np.cos(turn), np.sin(turn)
        X_ST[:2, :2] = np.array([[c, s], [s, -c]])
        X_ST[2, 3] = height_m
        X_BF = np.linalg.inv(cell_arm.X_WB) @ X_WS @ X_ST @ np.linalg.inv(X_FT(cell_arm.tool))
        found = inverse_kinematics(cell_arm.arm.chain, X_BF)
        assert found.valid.any(), "out of reach"
        q = found.q[found.valid]
        return q[np.abs(q - self.q)[:, :5].sum(axis=1).argmin()]

    def run(self, *segments: Segment, seconds: float = 20.0) -> tuple[SegmentResult, ...]:
        """Queue segments and step until the arm has done them, or has failed."""
        for segment in segments:
            assert self.arm.queue(segment) is QueueStatus.ACCEPTED
        results: list[SegmentResult] = []
        end = self.world.time_ns + round(seconds * 1e9)
        while self.arm.status is Status.RUNNING and self.world.time_ns < end:
            self.world.step()
            results += self.arm.read().results
        results += self.arm.read().results
        return tuple(results)

    def segment(
        self, trajectory: Trajectory | None, process: Process | None = None, finger_m: float | None = None
    ) -> Segment:
        """A segment with the next free id; the hand remembers where it ends."""
        if trajectory is not None:
            self.q = trajectory.q[-1]
        return Segment(id=next(_ids), trajectory=trajectory, process=process, finger_m=finger_m)

    def to(self, q: FloatArray, **more: object) -> Segment:
        """Through the air."""
        return self.segment(rest_to_rest(self.q, q, self.arm.limits), **more)  # type: ignore[arg-type]

    def line(self, dx: float, dy: float, dz: float, speed: float, process: Process | None = None) -> Segment:
        """Straight in the world by a displacement [m]."""
        chain = self.arm.cell_arm.arm.chain
        start = forward_kinematics(chain, self.q)
        end = start.copy()
        end[:3, 3] += self.arm.cell_arm.X_WB[:3, :3].T @ np.array([dx, dy, dz])
        return self.segment(straight_line(chain, self.arm.limits, start, end, self.q, speed, 4.0), process)

    def fetch(
        self, station: str, part: Part, turn: float = 0.0, force_n: float = 150.0
    ) -> tuple[Segment, ...]:
        """Above a station, down, grip, up again."""
        X_WS = self.world.seat(station)
        height = part.grip.height_m
        grip = GripPart(
            station=station,
            radius_m=part.grip.radius_m,
            internal=part.grip.internal,
            force_n=force_n,
            duration_s=0.25,
        )
        return (
            self.to(self.over(X_WS, ABOVE_M, turn), finger_m=finger_open_m(part)),
            self.line(0.0, 0.0, height - ABOVE_M, 0.5),
            self.segment(None, grip),
            self.line(0.0, 0.0, ABOVE_M - height, 0.5),
        )

    def place(
        self,
        station: str,
        part: Part,
        entry_m: float,
        turn: float = 0.0,
        miss: tuple[float, float] = (0.0, 0.0),
        window: tuple[float, float] | None = None,
    ) -> tuple[Segment, ...]:
        """Above a station, quickly to the entry, slowly to the seat; ``miss`` is a sideways error [m]."""
        X_WS = self.world.seat(station).copy()
        X_WS[:2, 3] += miss
        height = part.grip.height_m
        slow = entry_m + 0.003
        low, high = window or (part.fit.force_low_n, part.fit.force_high_n)
        insert = InsertPart(
            station=station, entry_m=entry_m, force_low_n=low, force_high_n=high, duration_s=slow / 0.04
        )
        return (
            self.to(self.over(X_WS, ABOVE_M, turn)),
            self.line(0.0, 0.0, height + slow - ABOVE_M, 0.5),
            self.line(0.0, 0.0, -slow, 0.04, insert),
        )

    def leave(self, station: str, part: Part) -> tuple[Segment, ...]:
        """Let go and straight up."""
        release = ReleasePart(station=station, duration_s=0.15)
        return (self.segment(None, release), self.line(0.0, 0.0, ABOVE_M - part.grip.height_m, 0.5))


def cycle(
    world: World, station: str, duration_s: float = 0.1, *, model: str = "", serial: str = ""
) -> StationResult:
    """Run one cycle of a station to its end."""
    world.stations.start(
        StationCycle(id=next(_ids), station=station, duration_s=duration_s, model=model, serial=serial)
    )
    while True:
        world.step()
        results = world.stations.read()
        if results:
            return results[0]
