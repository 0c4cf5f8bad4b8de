"""Where the tool of an arm is in the world, by pinocchio and the arm's joint table alone."""

import numpy as np
import pinocchio
from numpy.typing import NDArray

from cells.cell import CellArm
from tests.reference.arms import pinocchio_model

FloatArray = NDArray[np.float64]


class ReferenceArm:
    """One arm of a cell as a pinocchio model."""

    def __init__(self, arm: CellArm) -> None:
        self.arm = arm
        self._model = pinocchio_model(arm.arm.chain)
        self._data = self._model.createData()
        self._flange = self._model.getFrameId("flange")

    def tool(self, q: FloatArray) -> FloatArray:
        """Pose (4, 4) of the tool centre point in the world at the maker's angles ``q`` (6,)."""
        chain = self.arm.arm.chain
        pinocchio.framesForwardKinematics(self._model, self._data, q * chain.signs - chain.offsets)
        X_WF = self.arm.X_WB @ self._data.oMf[self._flange].homogeneous
        X_WT = X_WF.copy()
        X_WT[:3, 3] += X_WF[:3, 2] * self.arm.tool.length_m
        return X_WT

    def elbow_rise_m(self, q: FloatArray) -> float:
        """How far the elbow lies above the straight line from shoulder to wrist, along the vertical [m]."""
        self.tool(q)
        shoulder, elbow, wrist = (self._data.oMi[joint].translation for joint in (2, 3, 5))
        share = (elbow - shoulder) @ (wrist - shoulder) / ((wrist - shoulder) @ (wrist - shoulder))
        return float((elbow - shoulder - share * (wrist - shoulder))[2])
