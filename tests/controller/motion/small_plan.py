"""A plan of the bundled cell from a schedule found once, so that no test has to search for one."""

from functools import cache

import numpy as np

from cells.cell import load_cell
from cells.joint_model import joint_model_names, load_joint_model
from cells.order import mixed_order
from controller.motion.plan import MotionPlanner
from controller.scheduling.build import build_mix
from controller.scheduling.problem import NO_ARM, OFF_DIAL, Mode
from controller.scheduling.schedule import Schedule, ScheduledOperation

CELL = "six_arm"
CYCLE_MS = 26720
# operation: arm, position, start, enter, leave, end [ms]
VISITS = {
    "10": (0, 0, -6435, 2021, 5021, 5021),
    "30": (5, 0, 4429, 6221, 13221, 13221),
    "40": (2, 4, 116080, 116080, 122080, 122080),
    "50": (0, OFF_DIAL, 16360, 18234, 19362, 19362),
    "60": (0, 1, 32515, 34442, 40442, 40442),
    "70": (1, 2, 69266, 70835, 77835, 77835),
    "80": (5, 0, 13963, 20147, 23147, 23147),
    "90": (1, 2, 54640, 54640, 68640, 68640),
    "100a": (2, OFF_DIAL, 53819, 55821, 56933, 56933),
    "100b": (2, OFF_DIAL, 57386, 59174, 60229, 60229),
    "110": (3, 3, 79491, 81360, 89360, 89360),
    "120": (4, 5, 132780, 134800, 139800, 139800),
    "130": (3, 5, 143535, 145524, 154524, 154524),
    "140": (4, 6, 167061, 167061, 175061, 175061),
    "150": (2, 3, 95932, 95932, 102932, 102932),
    "160": (4, 6, 175615, 177501, 185501, 185501),
    "170": (NO_ARM, 7, 188240, 188240, 207240, 207240),
    "200": (5, 7, 210760, 210760, 213760, 215520),
}
RETREATS = (("R1", "50"), ("R3", "100b"), ("R3", "40"), ("R4", "110"), ("R6", "30"), ("R6", "80"))


def schedule():
    operations = tuple(
        ScheduledOperation(
            operation=name,
            mode=Mode(
                arm=arm, position=position, before=enter - start, inside=leave - enter, after=end - leave
            ),
            window=enter // CYCLE_MS,
            start=start,
            enter=enter,
            leave=leave,
            end=end,
        )
        for name, (arm, position, start, enter, leave, end) in VISITS.items()
    )
    return Schedule(
        cycle_time=CYCLE_MS,
        lower_bound=23770,
        operations=operations,
        arm_sequences=(),
        nest_orders=(),
        exclusion_orders=(),
        buffer_heights=(),
        critical=(),
    )


@cache
def cell():
    return load_cell(CELL)


@cache
def models():
    return tuple(load_joint_model(name) for name in joint_model_names())


@cache
def planner():
    """Shared: what it keeps is the same for whoever asks."""
    return MotionPlanner(cell())


@cache
def mix():
    return build_mix(cell(), models())


@cache
def planned(joints=2):
    order = mixed_order(models(), joints, np.random.default_rng(0))
    return planner().plan(schedule(), order, retreats=RETREATS)
