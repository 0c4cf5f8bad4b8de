"""The cell in PyBullet: world, arms, grippers, process physics and the joint under test.

`World` holds everything and steps it. Its ``arms`` are `SimArm` (an `ArmDriver`), its ``stations`` are
`SimStations` (a `StationDriver`), and `SimClock` is the `Clock` of a run on it.

Simulated by the engine: arms as multibodies under torque limits, gravity and the reaction of what they
carry; contact of fingers, parts and fixtures; the first millimetres of an insertion; the dial and the
shuttles. Modelled in our own code: the friction cone of a grip (`sim.gripper`), the rest of an insertion
(`sim.insertion`), press and screws (`sim.press`, `sim.screwdriving`), servo errors (`sim.servo`) and the
joint on the test nest (`sim.joint_under_test`). Adhesive, grease, cables and connectors are only time.
"""

from sim.body import Seating, Workpiece
from sim.contact_watch import Collision
from sim.servo import ServoError
from sim.sim_arm import SimArm
from sim.snapshot import Snapshot
from sim.stations import SimStations
from sim.world import SimClock, StepTimes, World

__all__ = (
    "Collision",
    "Seating",
    "ServoError",
    "SimArm",
    "SimClock",
    "SimStations",
    "Snapshot",
    "StepTimes",
    "Workpiece",
    "World",
)
