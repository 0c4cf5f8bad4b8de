"""End-of-line test of one joint: three stages measure it, limits judge it, a reason says why it is rejected.

Not modelled: temperature rise, and writing the serial number (its time is counted).
"""

import math
from dataclasses import dataclass

import numpy as np

from cells.joint_bus import ConnectJoint, JointBusError, direct
from cells.measurement import Measurement
from sim.end_of_line_limits import EndOfLineLimits
from sim.end_of_line_stages import Nest, bus_and_encoder, load_loops, no_load_run
from sim.joint_electronics import JointElectronics
from sim.joint_under_test import JointPhysics

__all__ = ("EndOfLineLimits", "EndOfLineResult", "end_of_line_test")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOfLineResult:
    """All measurements of one joint by name, the duration of stages A, B and C, and the verdict."""

    serial: str
    model: str
    measurements: dict[str, Measurement]
    stage_s: tuple[float, float, float]

    @property
    def good(self) -> bool:
        """True when every measurement lies inside its window."""
        return all(m.ok for m in self.measurements.values())

    @property
    def reason(self) -> str:
        """Why the joint is rejected, in test order; empty for a good one."""
        return "; ".join(str(m) for m in self.measurements.values() if not m.ok)


def end_of_line_test(
    joint: JointPhysics,
    limits: EndOfLineLimits,
    rng: np.random.Generator,
    connect: ConnectJoint = direct,
) -> EndOfLineResult:
    """Runs stages A, B and C on a joint; a joint that falls silent is not tested any further.

    Args:
        joint: the joint on the nest.
        limits: windows of the model it should be.
        rng: noise of the sensors and the rotor's angle at the start.
        connect: puts a bus between the test and the joint's electronics.
    """
    start_angle = float(rng.uniform(0.0, 2 * math.pi))
    electronics = JointElectronics(joint, limits.design, rng, start_angle)
    bus = connect(electronics, limits.design.full_scale_a)
    nest = Nest(joint=joint, electronics=electronics, bus=bus, limits=limits, rng=rng)
    measurements: dict[str, Measurement] = {}
    seconds = [0.0, 0.0, 0.0]
    try:
        for index, stage in enumerate((bus_and_encoder, no_load_run, load_loops)):
            measured, seconds[index] = stage(nest)
            measurements |= {m.name: m for m in measured}
    except JointBusError:
        silent = Measurement(name="bus", value=math.nan, unit="joints", low=1.0, high=1.0)
        measurements["bus"] = silent
    return EndOfLineResult(
        serial=joint.serial,
        model=joint.model,
        measurements=measurements,
        stage_s=(seconds[0], seconds[1], seconds[2]),
    )
