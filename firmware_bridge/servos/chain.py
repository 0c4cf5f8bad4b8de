"""What an arm needs of its six servos, whatever their protocol."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class ServoError(Exception):
    """A servo refused, is of the wrong kind, or is set up in another way than the arm's file says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Six servos at one moment.

    Attributes:
        q: (6,) joint positions [rad].
        qd: (6,) joint velocities [rad/s].
        current_a: (6,) motor currents [A].
        voltage_v: (6,) supply [V].
        temperature_c: (6,) temperatures [degrees Celsius].
        faults: What servos report as wrong, in words; empty when all is well.
    """

    q: FloatArray
    qd: FloatArray
    current_a: FloatArray
    voltage_v: FloatArray
    temperature_c: FloatArray
    faults: tuple[str, ...] = ()


class ServoChain(Protocol):
    """Six servos on a bus. Every call is one or a few exchanges on the line, and blocks for them."""

    @property
    def resolution_rad(self) -> float:
        """One step of the position encoding [rad]."""
        ...

    @property
    def watchdog_s(self) -> float | None:
        """How long the servos keep going without instructions [s]; None: for ever."""
        ...

    def open(self) -> None:
        """Open the port, look for the servos, check them against the arm, set them up; torque is off then.

        Raises:
            LinkError: When a servo does not answer.
            ServoError: When a servo is not what the arm's file says.
        """
        ...

    def close(self) -> None:
        """Close the port."""
        ...

    def power_on(self) -> FloatArray:
        """Hold the joints where they are; returns these (6,) [rad].

        Raises:
            LinkError: When a servo does not answer.
            ServoError: When a servo refuses.
        """
        ...

    def power_off(self) -> None:
        """Torque off: the arm falls unless something holds it.

        Raises:
            LinkError: When a servo does not confirm it.
        """
        ...

    def send(self, q: FloatArray) -> None:
        """Goals (6,) [rad] for all joints in one packet that no servo answers.

        Raises:
            LinkError: When the port has gone.
        """
        ...

    def read(self) -> Reading:
        """The state of all servos.

        Raises:
            LinkError: When a servo does not answer, or its answer is damaged.
        """
        ...
