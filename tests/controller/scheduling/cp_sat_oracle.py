"""Optimal cycle time of a small dial cell by CP-SAT, modelled without the solver's order vector or graph.

Every operation has a phase within the cycle. Arms are circuits with one wrap; buffers choose among heights.
"""

from itertools import combinations, pairwise

from ortools.sat.python import cp_model

from controller.scheduling.problem import NO_ARM, OFF_DIAL


def optimal_cycle_time(problem, horizon):
    """Least cycle time in ticks, or None when no schedule exists."""
    model = cp_model.CpModel()
    period = model.new_int_var(1, horizon, "period")
    phase, window, uses = {}, {}, {}
    for o in problem.operations:
        phase[o.name] = model.new_int_var(0, horizon, "")
        window[o.name] = model.new_int_var(-3, problem.positions + 3, "")
        model.add(phase[o.name] <= period - 1)
        uses[o.name] = [model.new_bool_var("") for _ in o.modes]
        model.add_exactly_one(uses[o.name])
        for use, mode in zip(uses[o.name], o.modes, strict=True):
            if mode.position != OFF_DIAL:
                model.add(window[o.name] == mode.position).only_enforce_if(use)
                model.add(phase[o.name] >= problem.index_ticks).only_enforce_if(use)
                model.add(phase[o.name] + mode.inside <= period).only_enforce_if(use)

    picks = [
        (o.name, mode, use)
        for o in problem.operations
        for mode, use in zip(o.modes, uses[o.name], strict=True)
    ]

    for arm in range(problem.arms):
        own = [pick for pick in picks if pick[1].arm == arm]
        firsts, lasts = [model.new_bool_var("") for _ in own], [model.new_bool_var("") for _ in own]
        # Node 0 closes the circuit where the cycle wraps round.
        arcs = [(0, 0, model.new_bool_var(""))]
        for i, (a, one, use) in enumerate(own):
            arcs += [(i + 1, i + 1, use.negated()), (0, i + 1, firsts[i]), (i + 1, 0, lasts[i])]
            for j, (b, other, _) in enumerate(own):
                travel = int(problem.travel[arm, one.end, other.start])
                gap = one.inside + one.after + travel + other.before
                model.add(phase[b] + period >= phase[a] + gap).only_enforce_if(lasts[i], firsts[j])
                if i != j:
                    follows = model.new_bool_var("")
                    arcs.append((i + 1, j + 1, follows))
                    model.add(phase[b] >= phase[a] + gap).only_enforce_if(follows)
        model.add_circuit(arcs)

    for (a, one, use_a), (b, other, use_b) in combinations(picks, 2):
        if a == b or OFF_DIAL in (one.position, other.position):
            continue
        places = ((one.arm, one.position), (other.arm, other.position))
        if one.position == other.position:
            gap = problem.margin if one.arm != other.arm and NO_ARM not in (one.arm, other.arm) else 0
        elif places in problem.exclusions or places[::-1] in problem.exclusions:
            gap = 0
        else:
            continue
        order = model.new_bool_var("")
        model.add(phase[b] >= phase[a] + one.inside + gap).only_enforce_if(use_a, use_b, order)
        model.add(phase[a] >= phase[b] + other.inside + gap).only_enforce_if(use_a, use_b, order.negated())

    def wait(a, b, cycles, terms):
        """For the modes chosen: time of b in `cycles` more cycles >= time of a + terms(mode a, mode b)."""
        difference = [model.new_bool_var("") for _ in range(-12, 13)]
        model.add_exactly_one(difference)
        for height, literal in zip(range(-12, 13), difference, strict=True):
            model.add(window[b] - window[a] == height).only_enforce_if(literal)
            for x, one, use_a in picks:
                for y, other, use_b in picks:
                    if (x, y) == (a, b):
                        model.add(
                            phase[b] + (height + cycles) * period >= phase[a] + terms(one, other)
                        ).only_enforce_if(literal, use_a, use_b)

    def apart(one, other):
        return problem.margin if one.arm != other.arm else 0

    for a, b in problem.precedence:
        wait(a, b, 0, lambda one, other: one.inside)
    for buffer in problem.buffers:
        for a, b in pairwise(buffer.loads):
            wait(a, b, 0, lambda one, other: one.inside + apart(one, other))
        process, offset = buffer.process, buffer.unload_offset
        wait(
            buffer.loads[-1],
            buffer.unload,
            0,
            lambda one, other, t=process: one.inside + max(t, apart(one, other)) + other.before,
        )
        wait(
            buffer.unload,
            buffer.loads[0],
            1,
            lambda one, other, t=offset: t + apart(one, other) - one.before,
        )
    model.minimize(period)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    assert status in (cp_model.OPTIMAL, cp_model.INFEASIBLE)
    return round(solver.objective_value) if status == cp_model.OPTIMAL else None
