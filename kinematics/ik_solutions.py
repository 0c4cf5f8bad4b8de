"""Results of the inverse kinematics: angles, and why a branch has none."""

from enum import IntEnum, IntFlag
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kinematics.arrays import Array

_FAILURE = np.uint8(7)  # the bits of a code that hold an IkFailure


class IkFailure(IntEnum):
    """Why a branch has no solution: out of reach, or the first joint with no angle within its limits."""

    NONE = 0
    JOINT_1 = 1
    JOINT_2 = 2
    JOINT_3 = 3
    JOINT_4 = 4
    JOINT_5 = 5
    JOINT_6 = 6
    OUT_OF_REACH = 7


class Singularity(IntFlag):
    """Where joints lose a direction: axes 4 and 6 in line, arm stretched or folded, wrist centre on axis 1."""

    WRIST = 8
    ELBOW = 16
    SHOULDER = 32


class IkSolutions(NamedTuple):
    """All solutions of the inverse kinematics within the joint limits; for a single pose without the batch axis.

    Attributes:
        table: (n, 8, 7) of each branch six joint angles [rad], NaN without a solution, and a code: an `IkFailure`, plus
            `Singularity` flags.
    """

    table: Array

    @property
    def q(self) -> Array:
        """(n, 8, 6) joint angles [rad]; NaN in all six joints where a branch has no solution."""
        return self.table[..., :6]

    @property
    def code(self) -> NDArray[np.uint8]:
        """(n, 8) codes."""
        return self.table[..., 6].astype(np.uint8)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(n, 8), which branches have a solution."""
        solved: NDArray[np.bool_] = self.failure == IkFailure.NONE
        return solved

    @property
    def failure(self) -> NDArray[np.uint8]:
        """(n, 8), an `IkFailure` for each branch."""
        return self.code & _FAILURE

    @property
    def singularity(self) -> NDArray[np.uint8]:
        """(n, 8), `Singularity` flags for each branch within 1e-6 of one, solved or not."""
        return self.code & ~_FAILURE

    def reasons(self) -> tuple[str, ...]:
        """Why each pose has no solution; an empty text where it has one."""
        return tuple(map(_reason, self.code.reshape(-1, 8)))


def _reason(codes: NDArray[np.uint8]) -> str:
    failures = set((codes & _FAILURE).tolist())
    if IkFailure.NONE in failures:
        return ""
    joints = sorted(failures - {IkFailure.OUT_OF_REACH})
    if not joints:
        return "out of reach"
    singular = ", singular" if (codes & ~_FAILURE).any() else ""
    return f"limit of joint {' or '.join(map(str, joints))}{singular}"
