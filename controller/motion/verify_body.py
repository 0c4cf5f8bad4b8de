"""Where the capsules of an arm are, by pinocchio, and how far they move within a piece of a motion.

Frame k of an arm sits on joint k's axis: see the table in `kinematics.chain`, of which only the figures are
used here.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from controller.motion.plan_document import ArmRecord, CapsuleRecord, HandRecord, LinkRecord
from controller.motion.verify_trajectory import Cells, Quintics, States

FloatArray = NDArray[np.float64]

_GRAVITY = 9.80665  # standard gravity [m/s²]
_INSTALL = "checking a plan needs pinocchio and coal: pip install 'jointcell[verify]'"


class MissingLibraryError(Exception):
    """A library of the ``verify`` extra is not installed; the message says how to get it."""


def libraries() -> tuple[Any, Any]:
    """Pinocchio and coal, imported on first use: nothing but the check of a plan needs them.

    Raises:
        MissingLibraryError: When one of them is not installed.
    """
    try:
        import coal
        import pinocchio
    except ImportError as error:
        raise MissingLibraryError(f"{_INSTALL} ({error})") from error
    return pinocchio, coal


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Capsules of n pieces of a motion in the world.

    Attributes:
        ends: (n, m, 2, 3) end points of the axes in the middle of each piece [m].
        radius: (m,) [m].
        margin: (n, m) how far any point can move away from there within the piece [m].
    """

    ends: FloatArray
    radius: FloatArray
    margin: FloatArray


class ArmBody:
    """One arm as a pinocchio model."""

    def __init__(self, arm: ArmRecord) -> None:
        pinocchio, _ = libraries()
        length = arm.lengths_m
        self.arm = arm
        self._pin = pinocchio
        self._axes = (2, 1, 1, 2, 1, 2)
        origins = (
            (0.0, 0.0, 0.0),
            (length.a1, 0.0, length.c1),
            (0.0, 0.0, length.c2),
            (length.a2, length.b, 0.0),
            (0.0, 0.0, length.c3),
            (0.0, 0.0, length.c4),
        )
        self._model = pinocchio.Model()
        self._model.gravity.linear = np.array([0.0, 0.0, -_GRAVITY])
        parent, X_WB = 0, pinocchio.SE3(np.array(arm.X_WB))
        for index, (origin, axis) in enumerate(zip(origins, self._axes, strict=True)):
            joint = pinocchio.JointModelRZ() if axis == 2 else pinocchio.JointModelRY()
            place = pinocchio.SE3(np.eye(3), np.array(origin))
            parent = self._model.addJoint(
                parent, joint, X_WB * place if index == 0 else place, f"joint{index + 1}"
            )
            self._model.appendBodyToJoint(parent, self._inertia(arm.links[index]), pinocchio.SE3.Identity())
        self._last_link = self._model.inertias[parent].copy()
        self._data = self._model.createData()
        self.column = tuple(capsule for capsule in arm.capsules if capsule.link == 0)
        self._links = tuple(capsule for capsule in arm.capsules if capsule.link > 0)

    def torques(self, hand: HandRecord, states: States) -> FloatArray:
        """Sizes of the joint torques (n, 6) that move the arm with its load, friction and rotors left out [N m]."""
        self._model.inertias[6] = self._last_link + self._inertia(hand)
        signs = np.array(self.arm.signs)
        model = states.q * signs - np.array(self.arm.offsets_rad)
        tau = [
            self._pin.rnea(self._model, self._data, *row)
            for row in zip(model, states.qd * signs, states.qdd * signs, strict=True)
        ]
        sizes: FloatArray = np.abs(np.array(tau))
        return sizes

    def _inertia(self, body: LinkRecord | HandRecord) -> Any:
        return self._pin.Inertia(body.mass_kg, np.array(body.com_m), np.diag(body.inertia_kgm2))

    def place(self, hand: CapsuleRecord, cells: Cells) -> Placed:
        """The moving capsules, the hand's last."""
        frames = self._frames(cells.q)
        link = np.array([capsule.link for capsule in (*self._links, hand)])
        placed = self._ends(frames, hand)
        return Placed(
            ends=placed,
            radius=self.radii(hand),
            margin=self._margin(frames, placed, link, cells.delta),
        )

    def axes(self, hand: CapsuleRecord, q: FloatArray) -> FloatArray:
        """Ends (n, m, 2, 3) of the moving capsules' axes at joints (n, 6), the hand's last [m]."""
        return self._ends(self._frames(q), hand)

    def radii(self, hand: CapsuleRecord) -> FloatArray:
        """Radii (m,) of the moving capsules, the hand's last [m]."""
        return np.array([capsule.radius_m for capsule in (*self._links, hand)])

    def pieces(self, hand: CapsuleRecord, quintics: Quintics, margin_m: float) -> tuple[Cells, Placed]:
        """A whole trajectory in pieces within which no point moves by more than a margin, and the capsules there."""
        cells = quintics.cells()
        placed = self.place(hand, cells)
        while (largest := placed.margin.max(axis=1)).max() > margin_m:
            cells, _ = quintics.split(cells, np.ceil(largest / margin_m).astype(np.int64).clip(1))
            placed = self.place(hand, cells)
        return cells, placed

    def column_ends(self) -> list[tuple[FloatArray, float]]:
        """Axis (2, 3) and radius of each capsule of the base [m]."""
        X_WB = np.array(self.arm.X_WB)
        return [(np.array([c.a_m, c.b_m]) @ X_WB[:3, :3].T + X_WB[:3, 3], c.radius_m) for c in self.column]

    def _ends(self, frames: FloatArray, hand: CapsuleRecord) -> FloatArray:
        link = np.array([capsule.link for capsule in (*self._links, hand)])
        ends = np.array([(capsule.a_m, capsule.b_m) for capsule in (*self._links, hand)])
        turned = np.einsum("nmxy,mey->nmex", frames[:, link - 1, :, :3], ends)
        placed: FloatArray = turned + frames[..., 3][:, link - 1, None]
        return placed

    def _frames(self, q: FloatArray) -> FloatArray:
        """Poses (n, 6, 3, 4) of the links' frames in the world."""
        model = q * np.array(self.arm.signs) - np.array(self.arm.offsets_rad)
        frames = np.empty((len(q), 6, 3, 4))
        for k, row in enumerate(model):
            self._pin.forwardKinematics(self._model, self._data, row)
            for joint in range(6):
                pose = self._data.oMi[joint + 1]
                frames[k, joint, :, :3], frames[k, joint, :, 3] = pose.rotation, pose.translation
        return frames

    def _margin(
        self, frames: FloatArray, ends: FloatArray, link: NDArray[np.int64], delta: FloatArray
    ) -> FloatArray:
        """How far points move (n, m) [m].

        Joints turn one after the other, the last first: each moves a point by at most the angle times its
        distance to the axis. That is that in the middle of the piece and what the point has moved by then. A
        segment moves no further than its ends.
        """
        moved = np.zeros(ends.shape[:3])
        for joint in reversed(range(6)):
            axis = frames[:, joint, :, self._axes[joint]]
            arms = ends - frames[:, joint, None, None, :, 3]
            distance = np.linalg.norm(np.cross(arms, axis[:, None, None, :]), axis=-1)
            turned = delta[:, joint, None, None] * (distance + moved)
            moved += np.where((link > joint)[None, :, None], turned, 0.0)
        margin: FloatArray = moved.max(axis=2)
        return margin
