"""The six joint motors of a simulated arm: the maker's angles outside, those of the URDF inside."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cells.arm import Arm
from sim.bullet import pybullet
from sim.engine import Engine

FloatArray = NDArray[np.float64]

_JOINTS = tuple(range(6))
_STILL_RAD_PER_S = 1e-9


class Motors:
    """Joint motors that follow position with velocity feed-forward, under the arm's torque limits.

    ``still`` tells that the last command asked for no motion: the motors keep it until the next one.
    """

    def __init__(self, engine: Engine, body: int, arm: Arm, start: FloatArray) -> None:
        self._engine = engine
        self._body = body
        chain = arm.chain
        self._sign, self._zero = chain.signs, chain.offsets
        self._signs, self._zeros = chain.signs.tolist(), chain.offsets.tolist()
        self._torques = arm.torque_nm.tolist()
        self._setpoint = self._model(start)
        for joint, angle in enumerate(self._setpoint):
            pybullet.resetJointState(body, joint, angle, physicsClientId=engine.client)
        self._read_ns = -1
        self._read: Any = None
        self.still = True
        self.command(start, 1.0)

    def command(self, q: FloatArray, dt: float) -> None:
        """Servo from the last setpoint to (6,) joints at the end of a step of ``dt``."""
        target = self._model(q)
        speed = [(b - a) / dt for a, b in zip(self._setpoint, target, strict=True)]
        self._engine.drive(self._body, _JOINTS, self._setpoint, speed, self._torques)
        self._setpoint = target
        self.still = max(map(abs, speed)) < _STILL_RAD_PER_S

    def hold(self, q: FloatArray) -> None:
        """Stand at (6,) joints, whatever was asked for before."""
        self._setpoint = self._model(q)
        self.command(q, 1.0)

    def read(self, time_ns: int) -> tuple[FloatArray, FloatArray]:
        """Joints and their speeds, (6,) each, as the encoders read them [rad, rad/s]."""
        states = self._states(time_ns)
        q, qd = np.array([state[:2] for state in states]).T
        return self.as_read(q), qd * self._sign

    def angles(self, time_ns: int) -> list[float]:
        """The model's six angles as the engine has them [rad]."""
        return [state[0] for state in self._states(time_ns)]

    def as_read(self, angles: FloatArray) -> FloatArray:
        """The maker's angles (..., 6) for the model's."""
        return (angles + self._zero) * self._sign

    def following_error(self, time_ns: int) -> float:
        """Largest distance of a joint from its setpoint [rad]."""
        pairs = zip(self._states(time_ns), self._setpoint, strict=True)
        return float(max([abs(state[0] - at) for state, at in pairs]))

    def _states(self, time_ns: int) -> Any:
        """What the engine knows of the joints, asked once per time."""
        if time_ns != self._read_ns:
            self._read_ns = time_ns
            self._read = self._engine.joints(self._body, _JOINTS)
        return self._read

    def _model(self, q: FloatArray) -> list[float]:
        return [a * s - z for a, s, z in zip(q.tolist(), self._signs, self._zeros, strict=True)]
