"""CP-SAT on a job shop: the textbook model, stopped after the same CPU time as ours."""

import threading
import time

from controller.bench.peer import load_peer
from controller.scheduling.shop import ShopProblem

_LOOK_S = 0.05


def cp_sat_makespan(problem: ShopProblem, cpu_seconds: float, workers: int, seed: int) -> int:
    """The least makespan CP-SAT finds for a job shop without alternatives."""
    cp_model = load_peer("ortools.sat.python.cp_model")
    cp = cp_model.CpModel()
    modes = [operation.modes[0] for operation in problem.operations]
    horizon = sum(mode.duration for mode in modes)
    starts = [cp.new_int_var(0, horizon, "") for _ in modes]
    machines: list[list[object]] = [[] for _ in problem.resources]
    for start, mode in zip(starts, modes, strict=True):
        machines[mode.uses[0].resource].append(cp.new_fixed_size_interval_var(start, mode.duration, ""))
    for intervals in machines:
        cp.add_no_overlap(intervals)
    for a, b in problem.precedence:
        cp.add(starts[b] >= starts[a] + modes[a].duration)
    makespan = cp.new_int_var(0, horizon, "")
    cp.add_max_equality(makespan, [s + mode.duration for s, mode in zip(starts, modes, strict=True)])
    cp.minimize(makespan)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = workers
    solver.parameters.random_seed = seed
    finished = threading.Event()

    def watch() -> None:
        end = time.process_time() + cpu_seconds
        while not finished.wait(_LOOK_S):
            if time.process_time() >= end:
                solver.stop_search()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        solver.solve(cp)
    finally:
        finished.set()
        watcher.join()
    return int(solver.objective_value)
