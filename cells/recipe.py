"""From a joint model to its operation graph: the twenty operations of a harmonic joint.

An ``Operation`` is one visit of one arm to one nest (or a test that needs no arm). Its ``steps`` say what
the arm does in which place; places are roles (``nest``) or station names, so that a cell decides where they
are. Core times are the process plan's (estimates, E) except screws (1.5 to 3.0 s each, V) and the bus query
(0.5 s, V). An arm may spend longer than the core time at the nest, never less: the remainder is the
process' own dwell.
"""

import math
from dataclasses import dataclass

from cells.joint_model import JointModel
from cells.part import Side

NEST = "nest"

# The adhesive bead follows the stator's bore: 4.0 s at 80 mm diameter (E, 250 mm at 60-80 mm/s).
_BEAD_S_PER_M = 4.0 / 0.080
# One stroke of the spindles with the turn to the next screws: 12 screws in pairs, with the way in and out,
# take the 14.0 s of operation 90 (E); one screw alone takes 1.5 to 3.0 s (V).
_SCREW_STROKE_S = 2.2
_BENCH_SCREW_S = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Fetch the workpiece that ``station`` presents."""

    station: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispense:
    """Hold the part at a nozzle and turn it about its axis (adhesive, grease: timed, not simulated)."""

    station: str
    core_s: float
    turn_rad: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Put the held workpiece into ``station`` and let go; ``turn_rad`` is a slow turn while inserting."""

    station: str
    turn_rad: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Screw:
    """Drive ``count`` screws ``radius_m`` from the joint's axis, ``at_once`` at a time, to ``torque_nm``."""

    count: int
    at_once: int
    radius_m: float
    torque_nm: float
    core_s: float

    @property
    def strokes(self) -> int:
        """How often the spindles go down."""
        return -(-self.count // self.at_once)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """Timed handwork above the nest with the closed gripper (leads, connectors): moves without contact."""

    name: str
    turn_rad: float
    stroke_m: float


Step = Pick | Dispense | Place | Screw | Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One visit: ``number`` in the process plan, what it needs, what it does, how long it is at the nest.

    ``arm`` is False for a test that runs in the nest by itself. ``side`` is the side of the joint that must
    be up; None leaves it open. ``core_s`` counts inside the nest, from reaching it to having left it.
    """

    number: str
    name: str
    needs: tuple[str, ...]
    steps: tuple[Step, ...]
    core_s: float
    side: Side | None = None
    arm: bool = True

    @property
    def at_nest(self) -> bool:
        """Whether the visit works on the joint in its nest."""
        return not self.arm or any(
            isinstance(step, Screw | Work) or (isinstance(step, Pick | Place) and step.station == NEST)
            for step in self.steps
        )

    @property
    def spindle(self) -> bool:
        """Whether the visit needs a tool with screwdriving spindles."""
        return any(isinstance(step, Screw) for step in self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class StationProcess:
    """What a station does by itself once ``loads`` have loaded it, until ``unload`` takes the result."""

    station: str
    loads: tuple[str, ...]
    unload: str
    core_s: float
    screws: Screw | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Everything needed to make one joint of ``model``."""

    model: JointModel
    operations: tuple[Operation, ...]
    processes: tuple[StationProcess, ...]

    def operation(self, number: str) -> Operation:
        """The operation with this number of the process plan."""
        return next(operation for operation in self.operations if operation.number == number)


def recipe_for(model: JointModel) -> Recipe:
    """The recipe of one joint model: the same graph for all, with screws, beads and times by size."""
    spline, cup = model.circular_spline_screws, model.flexspline_screws

    def screws(count: int, at_once: int, radius_m: float, torque_nm: float) -> Screw:
        strokes = -(-count // at_once)
        return Screw(
            count=count,
            at_once=at_once,
            radius_m=radius_m,
            torque_nm=torque_nm,
            core_s=strokes * _SCREW_STROKE_S,
        )

    spline_screws = screws(spline.count, 2, spline.pitch_circle_m / 2, spline.torque_nm)
    bore = model.diameter_m / 2 - 0.008
    flange_screws = screws(6, 2, bore - 0.006, 2.0)
    board_screws = screws(3, 1, 0.018, 0.5)
    cap_screws = screws(4, 2, bore - 0.006, 1.0)
    bench = Screw(
        count=cup.count,
        at_once=1,
        radius_m=cup.pitch_circle_m / 2,
        torque_nm=cup.torque_nm,
        core_s=cup.count * _BENCH_SCREW_S,
    )
    turn = 2 * math.pi
    operations = (
        Operation(
            number="10",
            name="load housing with adhesive",  # operations 10 and 20: the fixed nozzle comes before the nest
            needs=(),
            steps=(
                Pick(station="feeder_housing"),
                Dispense(station="nozzle_adhesive", core_s=_BEAD_S_PER_M * model.diameter_m, turn_rad=turn),
                Place(station=NEST),
            ),
            core_s=3.0,
            side="front",
        ),
        Operation(
            number="30",
            name="insert stator",
            needs=("10",),
            steps=(Pick(station="feeder_stator"), Place(station=NEST)),
            core_s=7.0,
            side="front",
        ),
        Operation(
            number="40",
            name="route phase leads",
            needs=("30",),
            steps=(Work(name="route leads", turn_rad=turn / 3, stroke_m=0.010),),
            core_s=6.0,
            side="rear",
        ),
        Operation(
            number="50",
            name="load rotor hub and bearings",
            needs=(),
            steps=(Pick(station="feeder_rotor"), Place(station="press")),
            core_s=0.0,
        ),
        Operation(
            number="60",
            name="insert rotor",
            needs=("30", "50"),
            steps=(Pick(station="press"), Place(station=NEST)),
            core_s=6.0,
            side="front",
        ),
        Operation(
            number="70",
            name="mount wave generator",
            needs=("60",),
            steps=(Pick(station="feeder_wave_generator"), Place(station=NEST), screws(1, 1, 0.0, 2.0)),
            core_s=7.0,
            side="front",
        ),
        Operation(
            number="80",
            name="place circular spline",
            needs=("30",),
            steps=(
                Pick(station="feeder_circular_spline"),
                # 3.0 s of the 6.0 s of operation 80 are the grease bead (E).
                Dispense(station="nozzle_grease", core_s=3.0, turn_rad=turn),
                Place(station=NEST),
            ),
            core_s=3.0,
            side="front",
        ),
        Operation(
            number="90",
            name="screw circular spline",
            needs=("80",),
            steps=(spline_screws,),
            core_s=14.0 / 6 * spline_screws.strokes,
            side="front",
        ),
        Operation(
            number="100a",
            name="load flexspline",
            needs=(),
            steps=(Pick(station="feeder_flexspline"), Place(station="bench")),
            core_s=0.0,
        ),
        Operation(
            number="100b",
            name="load output flange",
            needs=("100a",),
            steps=(Pick(station="feeder_output_flange"), Place(station="bench")),
            core_s=0.0,
        ),
        Operation(
            number="110",
            name="insert flexspline set",
            needs=("70", "90", "100b"),
            steps=(Pick(station="bench"), Place(station=NEST, turn_rad=turn / 4)),
            core_s=8.0,
            side="front",
        ),
        Operation(
            number="120",
            name="insert brake",
            needs=("60",),
            steps=(Pick(station="feeder_brake"), Place(station=NEST)),
            core_s=5.0,
            side="rear",
        ),
        Operation(
            number="130",
            name="insert driver board",
            needs=("40", "120"),
            steps=(Pick(station="feeder_board"), Place(station=NEST), board_screws),
            core_s=9.0,
            side="rear",
        ),
        Operation(
            number="140",
            name="plug connectors",
            needs=("130",),
            steps=(Work(name="plug and tug", turn_rad=turn / 6, stroke_m=0.015),),
            core_s=8.0,
            side="rear",
        ),
        Operation(
            number="150",
            name="screw output bearing",
            needs=("110",),
            steps=(flange_screws,),
            core_s=7.0,
            side="front",
        ),
        Operation(
            number="160",
            name="close with cap",
            needs=("140", "150"),
            steps=(Pick(station="feeder_cap"), Place(station=NEST), cap_screws),
            core_s=8.0,
            side="rear",
        ),
        Operation(
            number="170",
            name="end-of-line test",  # operations 170, 180 and 190: 7.0 + 6.0 + 6.0 s without an arm
            needs=("160",),
            steps=(),
            core_s=19.0,
            side="rear",
            arm=False,
        ),
        Operation(
            number="200",
            name="unload joint",
            needs=("170",),
            steps=(Pick(station=NEST), Place(station="out_tray")),
            core_s=3.0,
            side="rear",
        ),
    )
    processes = (
        StationProcess(station="press", loads=("50",), unload="60", core_s=6.0),
        StationProcess(
            station="bench", loads=("100a", "100b"), unload="110", core_s=bench.core_s, screws=bench
        ),
    )
    return Recipe(model=model, operations=operations, processes=processes)
