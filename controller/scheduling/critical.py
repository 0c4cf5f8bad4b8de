"""What the critical circuit of a round is made of: who waits for whom, and for how long."""

import numpy as np

from controller.scheduling.mix import Mix
from controller.scheduling.mix_schedule import Wait
from controller.scheduling.moves import CHOICE, WINDOW, Int64Array
from controller.scheduling.problem import OFF_DIAL


def critical_waits(
    mix: Mix, candidate: Int64Array, release: Int64Array, arcs: Int64Array
) -> tuple[Wait, ...]:
    """The arcs (k, 4) of a critical circuit of a candidate's round, as waits with names."""
    operations, joints = mix.problems[0].operations, len(release)
    n = len(operations)
    first = np.cumsum([0, *(len(operation.modes) for operation in operations)])
    modes = [o.modes[candidate[CHOICE, v] - first[v]] for v, o in enumerate(operations)]
    loads = {(load, buffer.unload): buffer for buffer in mix.problems[0].buffers for load in buffer.loads}
    follows = {(buffer.unload, buffer.loads[0]): buffer for buffer in mix.problems[0].buffers}
    waits = []
    for tail, head, ticks, _ in arcs.tolist():
        (cycle, v), w = divmod(tail, n + 1), head % (n + 1)
        joint = (cycle - (int(candidate[WINDOW, v]) if v < n else 0)) % joints
        name = operations[v].name if v < n else "index"
        if v == n:
            reason = f"index, then {operations[w].name!r} may enter position {modes[w].position}"
        elif w == n:
            reason = f"inside position {modes[v].position} until the index"
        elif modes[v].arm == modes[w].arm >= 0:
            where = "" if modes[v].position == OFF_DIAL else f" at position {modes[v].position}"
            reason = f"arm {modes[v].arm} works{where}, travels and fetches for {operations[w].name!r}"
        elif (name, operations[w].name) in loads:
            reason = f"{loads[name, operations[w].name].name} processes before {operations[w].name!r}"
        elif (name, operations[w].name) in follows:
            reason = f"{follows[name, operations[w].name].name} is occupied until {operations[w].name!r}"
        elif modes[v].position == modes[w].position:
            reason = f"inside position {modes[v].position}, which {operations[w].name!r} needs"
        else:
            reason = f"before {operations[w].name!r} (order of assembly, or arms that cross)"
        waits.append(Wait(event=name, joint=joint, reason=reason, ticks=ticks))
    return tuple(waits)
