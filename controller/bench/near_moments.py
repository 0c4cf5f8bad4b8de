"""At which moments of a delayed run two arms may be near each other, and where they are then.

Every trajectory is cut into short stretches with a box around all that moves in each; only moments at which the boxes
of two arms come near are sampled, every 2 ms of the run's time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cells.cell import Cell, CellArm
from cells.part import Part
from cells.tool_shape import hand_capsule
from controller.bench.delayed_run import DelayedRun, Piece
from controller.motion.shape import moving_capsules
from kinematics import Body, Trajectory, place_capsules

FloatArray = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP_NS = 2_000_000
_STRETCH_S = 0.05
_STRETCH_STEPS = 25  # samples of a stretch, 2 ms apart
_PAD_M = 0.01  # of boxes, for what lies between those samples: an arm faster than 10 m/s would be needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Moments of two arms with one shape each.

    Attributes:
        bodies: The arms with what they hold.
        q: (n, 2, 6) their joints [rad].
        times_ns: (n,) in the run.
    """

    bodies: tuple[Body, Body]
    q: FloatArray
    times_ns: Ints


class _Course:
    """One arm through a run: stretches in order, each with its box, and where the arm is in them."""

    def __init__(self, starts_ns: Ints, boxes: FloatArray, pieces: Sequence[Piece], piece_of: Ints) -> None:
        self.starts_ns, self.boxes, self.piece_of = starts_ns, boxes, piece_of
        self.pieces = pieces
        self.moving = np.array([piece.rate > 0.0 for piece in pieces])[piece_of]


class NearMoments:
    """Finds them in runs of one cell; shapes and boxes are kept from one run to the next."""

    def __init__(self, cell: Cell, within_m: float) -> None:
        self._arms = {arm.id: arm for arm in cell.arms}
        self._within_m = within_m
        self._bodies: dict[tuple[str, float], Body] = {}
        self._boxes: dict[tuple[str, int, float], FloatArray] = {}
        self._kept: list[Trajectory] = []  # they are known by identity

    def body(self, arm: str, held: Part | None) -> Body:
        """An arm with what it holds; parts of one length give one shape."""
        cell_arm = self._arms[arm]
        key = arm, _reach(cell_arm, held)
        if key not in self._bodies:
            capsules = moving_capsules(cell_arm, held)
            self._bodies[key] = Body(chain=cell_arm.arm.chain, X_WB=cell_arm.X_WB, capsules=capsules)
        return self._bodies[key]

    def of(self, run: DelayedRun) -> Iterator[Moments]:
        """All moments of a run at which two arms may be within the distance; one of those at which neither moves."""
        courses = {arm: self._course(arm, pieces) for arm, pieces in run.pieces.items()}
        names = tuple(courses)
        for index, one in enumerate(names):
            for two in names[index + 1 :]:
                yield from self._pair(run, one, courses[one], two, courses[two])

    def _pair(
        self, run: DelayedRun, one: str, first: _Course, two: str, second: _Course
    ) -> Iterator[Moments]:
        starts = np.union1d(first.starts_ns, second.starts_ns)
        i = np.searchsorted(first.starts_ns, starts, side="right") - 1
        j = np.searchsorted(second.starts_ns, starts, side="right") - 1
        a, b = first.boxes[i], second.boxes[j]
        gap = np.maximum(a[:, :3] - b[:, 3:], b[:, :3] - a[:, 3:]).clip(0.0)
        near = (gap**2).sum(axis=1) < self._within_m**2
        if not near.any():
            return
        lasts = np.append(starts[1:], run.end_ns).clip(max=run.end_ns)  # a run may end within a motion
        # Moments are those of one grid for all, so that none is counted twice or left out at a seam.
        begin, end = -(-starts[near] // STEP_NS), -(-lasts[near] // STEP_NS)
        moves = (first.moving[i] | second.moving[j])[near]
        moments = (end - begin).clip(min=0)
        count = np.where(moves, moments, np.minimum(moments, 1))
        offset = np.cumsum(count) - count
        times = STEP_NS * (np.repeat(begin - offset, count) + np.arange(count.sum()))
        pieces = np.stack([first.piece_of[i[near]], second.piece_of[j[near]]], axis=1)
        seams = np.flatnonzero((np.diff(pieces, axis=0) != 0).any(axis=1)) + 1
        for block in np.split(np.arange(len(pieces)), seams):
            p, r = pieces[block[0]].tolist()
            at = times[offset[block[0]] : offset[block[-1]] + count[block[-1]]]
            if len(at):
                yield Moments(
                    bodies=(
                        self.body(one, first.pieces[p].held),
                        self.body(two, second.pieces[r].held),
                    ),
                    q=np.stack([first.pieces[p].joints(at), second.pieces[r].joints(at)], axis=1),
                    times_ns=at,
                )

    def _course(self, arm: str, pieces: Sequence[Piece]) -> _Course:
        starts, boxes, piece_of = [], [], []
        for number, piece in enumerate(pieces):
            of_move = self._boxes_of(arm, piece.trajectory, piece.held)
            if piece.rate == 0.0:
                first, times = len(of_move) - 1, np.array([piece.start_ns])
            else:
                first = min(int(piece.own_s / _STRETCH_S), len(of_move) - 2)
                own = np.append(piece.own_s, _STRETCH_S * np.arange(first + 1, len(of_move) - 1))
                times = piece.start_ns + np.round((own - piece.own_s) / piece.rate * 1e9).astype(np.int64)
                if number + 1 < len(pieces):
                    times = times[times < pieces[number + 1].start_ns]
            starts.append(times)
            boxes.append(of_move[first : first + len(times)])
            piece_of.append(np.full(len(times), number))
        return _Course(np.concatenate(starts), np.concatenate(boxes), pieces, np.concatenate(piece_of))

    def _boxes_of(self, arm: str, move: Trajectory, held: Part | None) -> FloatArray:
        """Boxes (k + 1, 6) around the arm in k stretches of a motion and at its end: lower, upper corner [m]."""
        key = arm, id(move), _reach(self._arms[arm], held)
        if key not in self._boxes:
            self._kept.append(move)
            count = max(1, int(np.ceil(move.duration / _STRETCH_S)))
            t = np.append(np.linspace(0.0, count * _STRETCH_S, count * _STRETCH_STEPS + 1), move.duration)
            placed = place_capsules(self.body(arm, held), move.sample(t)[0])
            low = np.minimum(placed[..., :3], placed[..., 3:6]) - placed[..., 6:]
            high = np.maximum(placed[..., :3], placed[..., 3:6]) + placed[..., 6:]
            low, high = low.min(axis=1) - _PAD_M, high.max(axis=1) + _PAD_M
            rows = np.arange(count)[:, None] * _STRETCH_STEPS + np.arange(_STRETCH_STEPS + 1)
            boxes = [
                np.hstack([low[rows].min(axis=1), high[rows].max(axis=1)]),
                np.hstack([low[-1:], high[-1:]]),
            ]
            self._boxes[key] = np.concatenate(boxes)
        return self._boxes[key]


def _reach(arm: CellArm, held: Part | None) -> float:
    """What tells one hand's capsule from another's: where it ends [m]."""
    return hand_capsule(arm.tool, held).b_m[2]
