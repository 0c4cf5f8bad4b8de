"""The reference cell: six arms round a dial of eight nests, timed after a prototype of its motions.

Times are in ticks of 1 ms. `inside` is the process time and an approach; what an arm does elsewhere (pick,
dispense) is `before`; travel depends on the pair of visits. Arms are counted from 0.
"""

import numpy as np

from controller.scheduling.problem import NO_ARM, OFF_DIAL, Buffer, Mode, Operation, SchedulingProblem

# name: (before, inside, after, [(arm, position), ...])
VISITS = {
    "house": (5600, 3500, 100, [(0, 0), (5, 0), (0, 1)]),
    "stator": (1000, 7500, 100, [(0, 0), (5, 0), (0, 1)]),
    "hub": (1300, 1200, 150, [(0, OFF_DIAL), (1, OFF_DIAL)]),
    "rotor": (1650, 6500, 100, [(0, 0), (0, 1), (1, 1), (1, 2)]),
    "wave": (1350, 7500, 100, [(1, 1), (1, 2), (2, 2), (2, 3)]),
    "circular": (3500, 4500, 100, [(5, 0)]),
    "screws": (100, 13850, 100, [(0, 0), (0, 1), (1, 1), (1, 2)]),
    "flange": (1300, 1600, 150, [(2, OFF_DIAL), (3, OFF_DIAL)]),
    "spline": (1400, 1700, 150, [(2, OFF_DIAL), (3, OFF_DIAL)]),
    "insert": (1850, 8500, 100, [(2, 2), (2, 3)]),
    "output": (100, 7050, 100, [(2, 2), (2, 3), (3, 3)]),
    "leads": (100, 5750, 100, [(2, 4), (3, 4), (3, 5), (4, 4), (4, 5)]),
    "brake": (1400, 5250, 100, [(3, 4), (3, 5), (4, 4), (4, 5)]),
    "board": (1400, 9550, 100, [(3, 4), (3, 5), (4, 4), (4, 5)]),
    "connect": (100, 8250, 100, [(3, 4), (3, 5), (4, 5), (4, 6)]),
    "cap": (1400, 7950, 100, [(4, 5), (4, 6), (5, 6)]),
    "test": (0, 19500, 0, [(NO_ARM, 7)]),
    "unload": (100, 2200, 2250, [(5, 7)]),
}
NEEDS = [
    ("house", "stator"), ("stator", "leads"), ("stator", "rotor"), ("rotor", "wave"), ("stator", "circular"),
    ("circular", "screws"), ("wave", "insert"), ("screws", "insert"), ("rotor", "brake"), ("leads", "board"),
    ("brake", "board"), ("board", "connect"), ("insert", "output"), ("connect", "cap"), ("output", "cap"),
    ("cap", "test"), ("test", "unload"),
]  # fmt: skip
CROSSINGS = [((0, 1), (1, 0)), ((0, 7), (5, 0)), ((2, 4), (3, 3)), ((3, 5), (4, 4))]
POSES = 2 * len(VISITS)


def reference_problem():
    """Eighteen visits of six arms and a test, a press and a screw bench."""
    operations, end_angle, start_angle = [], {}, {}
    for k, (name, (before, inside, after, places)) in enumerate(VISITS.items()):
        modes = []
        for arm, position in places:
            if arm == NO_ARM:
                modes.append(Mode(arm=arm, position=position, inside=inside))
                continue
            modes.append(
                Mode(
                    arm=arm,
                    position=position,
                    before=before,
                    inside=inside,
                    after=after,
                    start=2 * k,
                    end=2 * k + 1,
                )
            )
        start_angle[2 * k], end_angle[2 * k + 1] = 37 * k % 100, 53 * k % 100
        operations.append(Operation(name=name, modes=tuple(modes)))
    # Shorter and longer swings, 0.5 to 0.8 s, fixed by a formula so that the case never changes.
    travel = np.full((6, POSES, POSES), 650)
    for end, a in end_angle.items():
        for start, b in start_angle.items():
            travel[:, end, start] = 500 + 3 * abs(a - b)
    return SchedulingProblem(
        positions=8,
        index_ticks=1200,
        operations=tuple(operations),
        travel=travel,
        precedence=tuple(NEEDS),
        buffers=(
            Buffer(name="press", loads=("hub",), process=6000, unload="rotor", unload_offset=700),
            Buffer(
                name="bench", loads=("flange", "spline"), process=9000, unload="insert", unload_offset=700
            ),
        ),
        exclusions=tuple(CROSSINGS),
        margin=300,
    )
