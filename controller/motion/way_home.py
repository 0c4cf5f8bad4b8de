"""Safe ways of arms that stand anywhere, one arm after the other while the others rest.

An arm that stands low first rises straight up, since it may be among parts and fixtures; then it goes among them with a
path search that keeps its distance from arms, fixtures and the room over nests and stations in which parts may stand.
Where it stands nearer to something than that, after a jog or a stop, it keeps less: half, a quarter, or an eighth.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.fixtures import Fixture, fixtures_of
from cells.tool_shape import X_FT
from controller.motion.poses import ArmPoses
from controller.motion.renewal import Stand
from controller.motion.shape import moving_capsules
from controller.motion.volumes import boxes_of, column
from kinematics import (
    Body,
    KinematicsError,
    PathStatus,
    Scene,
    Trajectory,
    clearance,
    collides,
    concatenate,
    forward_kinematics,
    plan_path,
    rest_to_rest,
    straight_line,
)

FloatArray = NDArray[np.float64]

HOME, RETURN = (
    "home",
    "return",
)  # legs that lead to the parking place, or back to where an arm was interrupted

_NEAR_RAD = (
    0.03  # so far from its goal an arm goes there straight: it has overshot, or a brake has let it sink
)
_SPEED = 0.25  # share of the arm's limits: nobody is in a hurry on these ways
_RISE_M_PER_S, _RISE_M_PER_S2 = 0.1, 0.5
_PART_HALF_M = 0.06  # half width of the room over a seat in which a part may stand (E)
_PART_HIGH_M = 0.06  # and its height (E)
_SAME_M = 1e-4  # of two distances
_ITERATIONS = 20_000
_BEYOND_RAD = 1e-3  # of a limit: as much as drivers accept between where an arm is and where a motion starts
_SHARES = (1.0, 0.5, 0.25, 0.125)  # of the clearance, the first that start and goal have
_SEED = 0


class NoWayError(Exception):
    """Arms that find no way; the message names each with what is in the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way of one arm, from where it stands to where it shall stand."""

    arm: str
    trajectory: Trajectory


def ways(
    cell: Cell, poses: Mapping[str, ArmPoses], stands: Mapping[str, Stand], goals: Mapping[str, FloatArray]
) -> list[Way]:
    """Ways to goals, in the order in which they have to be gone.

    Args:
        cell: The cell.
        poses: Of every arm.
        stands: Where every arm stands.
        goals: Joints (6,) of arms that have to move [rad].

    Raises:
        NoWayError: When arms are left that cannot go.
    """
    search = _Search(cell, poses, stands)
    found: list[Way] = []
    left = dict(goals)
    while left:
        reasons: dict[str, str] = {}
        for arm, goal in left.items():
            try:
                found.append(Way(arm=arm, trajectory=search.go(arm, goal)))
            except (NoWayError, KinematicsError) as error:
                reasons[arm] = str(error)
        if len(reasons) == len(left):
            raise NoWayError("; ".join(f"{arm} finds no way: {reason}" for arm, reason in reasons.items()))
        left = {arm: left[arm] for arm in reasons}
    return found


def nests_reached_into(cell: Cell, arm: CellArm, stand: Stand) -> list[str]:
    """Nests of the dial that an arm reaches into where it stands: the dial cannot turn then."""
    body = Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=moving_capsules(arm, stand.held))
    nests = [f"P{position}" for position in range(cell.dial.positions)]
    return [
        nest
        for nest, room in zip(nests, _rooms(cell), strict=False)
        if collides(Scene(bodies=(body,), boxes=boxes_of([room])), stand.q[None])
    ]


class _Search:
    """The arms where they stand at present."""

    def __init__(self, cell: Cell, poses: Mapping[str, ArmPoses], stands: Mapping[str, Stand]) -> None:
        self._cell, self._poses = cell, poses
        self._arms: Sequence[CellArm] = cell.arms
        self._q = np.array([stands[arm.id].q for arm in cell.arms])
        self._solids = (*fixtures_of(cell), *(column(arm) for arm in cell.arms))
        self._rooms = _rooms(cell)
        self._bodies = tuple(
            Body(chain=arm.arm.chain, X_WB=arm.X_WB, capsules=moving_capsules(arm, stands[arm.id].held))
            for arm in cell.arms
        )
        self._arms_alone = Scene(bodies=self._bodies)

    def go(self, name: str, goal: FloatArray) -> Trajectory:
        """The way of an arm to its goal; it stands there afterwards."""
        index = next(k for k, arm in enumerate(self._arms) if arm.id == name)
        start, limits = self._inside(index), self._arms[index].arm.limits
        if np.abs(goal - start).max() <= _NEAR_RAD:
            trajectory = rest_to_rest(start, goal, limits, straight=True).stretched(1 / _SPEED)
        else:
            rise, settle = self._rise(index, start), self._rise(index, goal)
            first = start if rise is None else rise.q[-1]
            last = goal if settle is None else settle.q[-1]
            corners = [
                rest_to_rest(a, b, limits, straight=True).stretched(1 / _SPEED)
                for a, b in pairwise(self._corners(index, first, last))
            ]
            back = None if settle is None else _reversed(settle)
            trajectory = reduce(concatenate, (piece for piece in (rise, *corners, back) if piece is not None))
        self._q[index] = goal
        return trajectory

    def _inside(self, index: int) -> FloatArray:
        """Where an arm stands, or the nearest joints within its limits, which it can be beyond by a trifle."""
        chain, q = self._arms[index].arm.chain, self._q[index]
        inside: FloatArray = np.clip(q, chain.q_min, chain.q_max)
        if (off := np.abs(inside - q)).max() > _BEYOND_RAD:
            k = int(off.argmax())
            raise NoWayError(f"joint {k + 1} is {off[k]:.4f} rad beyond its limit, bring it back by hand")
        return inside

    def _corners(self, index: int, first: FloatArray, last: FloatArray) -> FloatArray:
        """Corners (k, 6) of a path [rad].

        Raises:
            NoWayError: When there is none.
        """
        scene, states = self._scene(index, np.stack([first, last])), self._q.copy()
        states[index] = first
        for share in _SHARES:
            path = plan_path(
                scene,
                states,
                last,
                np.random.default_rng(_SEED),
                arm=index,
                clearance=share * self._cell.clearance.arms_m,
                iterations=_ITERATIONS,
            )
            if path.status not in (PathStatus.START_BLOCKED, PathStatus.GOAL_BLOCKED):
                break
        if path.status is not PathStatus.FOUND:
            raise NoWayError(path.reason)
        return path.q

    def _among_parts(self, index: int, q: FloatArray) -> bool:
        """Whether an arm reaches into the room over a nest or station."""
        alone = Scene(bodies=(self._bodies[index],), boxes=boxes_of(list(self._rooms)))
        return bool(collides(alone, q[None, None], self._cell.clearance.arms_m).any())

    def _scene(self, index: int, ends: FloatArray) -> Scene:
        """All that an arm can run into, without the rooms that it reaches into from above at its ends (2, 6)."""
        body, own = self._bodies[index], f"{self._arms[index].id}."
        solids = [solid for solid in self._solids if not solid.name.startswith(own)]
        for room in self._rooms:
            alone = Scene(bodies=(body,), boxes=boxes_of([room]))
            if not collides(alone, ends[:, None], self._cell.clearance.arms_m).any():
                solids.append(room)
        return Scene(bodies=self._bodies, boxes=boxes_of(solids))

    def _rise(self, index: int, q: FloatArray) -> Trajectory | None:
        """Straight up to travelling height; None for an arm that is that high, or cannot rise and is not among parts."""
        arm = self._arms[index]
        chain = arm.arm.chain
        X_BF = forward_kinematics(chain, q)
        height = (arm.X_WB @ X_BF @ X_FT(arm.tool))[2, 3]
        missing = self._cell.work_height_m + self._poses[arm.id].above_m - height
        if missing <= 0.0:
            return None
        X_WF = arm.X_WB @ X_BF
        X_WF[2, 3] += missing
        X_up = np.linalg.inv(arm.X_WB) @ X_WF
        try:
            rise = straight_line(chain, arm.arm.limits, X_BF, X_up, q, _RISE_M_PER_S, _RISE_M_PER_S2)
            self._make_sure_of(index, rise)
        except (KinematicsError, NoWayError):
            if self._among_parts(index, q):
                raise
            return None
        return rise

    def _make_sure_of(self, index: int, piece: Trajectory) -> None:
        """That no other arm is touched on a straight way, and no fixture that was not as near at its beginning."""
        states = np.repeat(self._q[None], len(piece.t), axis=0)
        states[:, index] = piece.q
        if collides(self._arms_alone, states).any():
            raise NoWayError("another arm is over it")
        own = f"{self._arms[index].id}."
        enough = self._cell.clearance.fixtures_m
        for solid in self._solids:
            if not solid.name.startswith(own):
                scene = Scene(bodies=(self._bodies[index],), boxes=boxes_of([solid]))
                apart = clearance(scene, piece.q[:, None], enough)
                if apart.min() < min(apart[0], enough) - _SAME_M:
                    raise NoWayError(f"{solid.name} is over it")


def _rooms(cell: Cell) -> list[Fixture]:
    """The room over every nest and station in which a part may stand."""
    seats = {f"P{position}": cell.nest(position) for position in range(cell.dial.positions)}
    seats |= {name: station.X_WS for name, station in cell.stations.items()}
    high = _PART_HIGH_M / 2
    rooms = []
    for name, X_WS in seats.items():
        X_WO = X_WS.copy()
        X_WO[2, 3] += high
        rooms.append(Fixture(name=f"parts at {name}", X_WO=X_WO, half_m=(_PART_HALF_M, _PART_HALF_M, high)))
    return rooms


def _reversed(move: Trajectory) -> Trajectory:
    return Trajectory(t=move.duration - move.t[::-1], q=move.q[::-1], qd=-move.qd[::-1], qdd=move.qdd[::-1])
