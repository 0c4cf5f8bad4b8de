"""Recognise an arm with ortho-parallel base and spherical wrist in any serial chain, and find its parameters."""

from dataclasses import dataclass

import numpy as np

from kinematics.arrays import Array
from kinematics.chain import Chain
from kinematics.errors import KinematicsError
from kinematics.forward import forward_kinematics
from kinematics.joint_axes import axis_lines, meeting, turn_about
from kinematics.serial_chain import SerialChain

_EXACT = 1e-9  # [m, rad]: how far axes may be from parallel, at right angles or meeting


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OpwFit:
    """An OPW chain that moves like a serial one: ``X_BF(serial) = X_BM @ X_BF(chain) @ X_MF`` for all q.

    Attributes:
        chain: The OPW parameters, joint conventions and limits.
        X_BM: (4, 4) its base in the serial chain's; identity where axis 1 is the base's z.
        X_MF: (4, 4) the serial chain's flange in its flange; identity where axis 6 is the flange's z.
    """

    chain: Chain
    X_BM: Array
    X_MF: Array


def fit_opw(serial: SerialChain) -> OpwFit:
    """Parameters of an OPW arm from its joint axes.

    Raises:
        KinematicsError: If the axes do not lie like that to 1e-9; which, and by how much.
    """
    z, p, X_BF = axis_lines(serial)
    wrist, gap5 = meeting(p[3], z[3], p[4], z[4])
    off: dict[str, float] = {
        "axes 1 and 2 at right angles": abs(float(z[0] @ z[1])),
        "axes 2 and 3 parallel": float(np.linalg.norm(np.cross(z[1], z[2]))),
        "axes 3 and 4 at right angles": abs(float(z[2] @ z[3])),
        "axes 4 and 5 at right angles": abs(float(z[3] @ z[4])),
        "axes 5 and 6 at right angles": abs(float(z[4] @ z[5])),
        "axes 4 and 5 meeting": gap5,
        "axis 6 through the wrist centre": float(np.linalg.norm(np.cross(wrist - p[5], z[5]))),
    }
    for what, by in off.items():
        if not by <= _EXACT:
            raise KinematicsError(f"chain.X_joint: {by:.3g} off from {what}, expected at most {_EXACT:g}")

    up = z[0] if z[0][2] >= 0.0 else -z[0]
    origin = p[0] + (up @ -p[0]) * up  # of axis 1, nearest to the base's
    forward = np.cross(z[1], up)
    lean = 1.0 if (p[1] - origin) @ forward >= -_EXACT else -1.0  # axis 2 is not behind axis 1
    y, forward = lean * z[1], lean * forward
    flat = p[2] - p[1] - ((p[2] - p[1]) @ y) * y
    c2 = float(np.linalg.norm(flat))
    upper = flat / max(c2, _EXACT)
    fore = z[3] if (wrist - p[2]) @ z[3] >= 0.0 else -z[3]
    out = z[5] if (X_BF[:3, 3] - wrist) @ z[5] >= -_EXACT else -z[5]
    axis5 = z[4] if y @ z[4] >= -_EXACT else -z[4]
    X_BM = np.eye(4)
    if np.linalg.norm(up - (0.0, 0.0, 1.0)) > _EXACT or np.linalg.norm(origin) > _EXACT:
        X_BM[:3] = np.column_stack([forward, y, up, origin])
    level = X_BF[:3, 0] if np.linalg.norm(X_BF[:3, 2] - out) <= _EXACT else np.cross(axis5, out)
    turns = (
        turn_about(up, X_BM[:3, 0], forward),
        turn_about(y, up, upper),
        turn_about(y, upper, fore),
        turn_about(fore, y, axis5),
        turn_about(axis5, fore, out),
        turn_about(out, np.cross(axis5, out), level),
    )
    chain = Chain(
        a1=_rounded(float((p[1] - origin) @ forward)),
        a2=_rounded(float((wrist - p[2]) @ np.cross(y, fore))),
        b=_rounded(float((wrist - origin) @ y)),
        c1=_rounded(float((p[1] - origin) @ up)),
        c2=_rounded(c2),
        c3=_rounded(float((wrist - p[2]) @ fore)),
        c4=_rounded(float((X_BF[:3, 3] - wrist) @ out)),
        offsets=-np.array(turns),
        signs=np.sign([z[0] @ up, z[1] @ y, z[2] @ y, z[3] @ fore, z[4] @ axis5, z[5] @ out]),
        q_min=serial.q_min,
        q_max=serial.q_max,
    )
    return OpwFit(
        chain=chain, X_BM=X_BM, X_MF=np.linalg.inv(X_BM @ forward_kinematics(chain, np.zeros(6))) @ X_BF
    )


def _rounded(length: np.float64 | float) -> float:
    """A length without the rounding of the geometry: to a picometre."""
    return round(float(length), 12) + 0.0
