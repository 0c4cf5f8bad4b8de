"""Small random dial cells for comparing solvers."""

from itertools import pairwise

from controller.scheduling.problem import NO_ARM, OFF_DIAL, Buffer, Mode, Operation, SchedulingProblem


def random_cell(rng, *, operations, with_buffer):
    """Two arms, two or three positions, a test, an exclusion; optionally a bench with one or two loads."""
    positions = int(rng.integers(2, 4))
    poses = 4

    def mode(arm, position):
        return Mode(
            arm=arm,
            position=position,
            before=int(rng.integers(2, 8)),
            inside=int(rng.integers(2, 12)),
            after=int(rng.integers(0, 5)),
            start=int(rng.integers(poses)),
            end=int(rng.integers(poses)),
        )

    visits, buffers, pairs = [], [], []
    loads = []
    if with_buffer:
        loads = [f"load {k}" for k in range(int(rng.integers(1, 3)))]
        visits += [
            Operation(
                name=name,
                modes=tuple(
                    mode(arm, OFF_DIAL)
                    for arm in rng.choice(2, int(rng.integers(1, 3)), replace=False).tolist()
                ),
            )
            for name in loads
        ]
    while len(visits) < max(operations, len(loads) + 1):
        places = {
            (int(rng.integers(2)), int(rng.integers(positions))) for _ in range(int(rng.integers(1, 4)))
        }
        visits.append(
            Operation(name=f"work {len(visits)}", modes=tuple(mode(a, p) for a, p in sorted(places)))
        )
    if with_buffer:
        buffers.append(
            Buffer(
                name="bench",
                loads=tuple(loads),
                process=int(rng.integers(0, 15)),
                unload=visits[-1].name,
                unload_offset=int(rng.integers(0, 3)),
            )
        )
    work = [o.name for o in visits[len(loads) :]]
    for a, b in pairwise(work):
        if rng.random() < 0.4:
            pairs.append((a, b))
    if rng.random() < 0.5:
        visits.append(
            Operation(
                name="test",
                modes=(Mode(arm=NO_ARM, position=positions - 1, inside=int(rng.integers(2, 12))),),
            )
        )
    return SchedulingProblem(
        positions=positions,
        index_ticks=3,
        operations=tuple(visits),
        travel=rng.integers(0, 8, (2, poses, poses)),
        precedence=tuple(pairs),
        buffers=tuple(buffers),
        exclusions=(((0, 1), (1, 0)),),
        margin=int(rng.integers(0, 3)),
    )
