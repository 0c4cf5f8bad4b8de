"""Prove or tighten with CP-SAT (the extra `exact`): the whole problem as a constraint model."""

from itertools import count
from typing import Any

from controller.scheduling.shop.bound import lower_bound
from controller.scheduling.shop.problem import ShopProblem, Use
from controller.scheduling.shop.schedule import ScheduledOperation, ShopSchedule
from controller.scheduling.shop.verify import verify


class MissingSolverError(RuntimeError):
    """OR-Tools is not installed."""


def load_solver() -> Any:
    """OR-Tools' module of CP-SAT.

    Raises:
        MissingSolverError: It is not installed.
    """
    try:
        from ortools.sat.python import cp_model
    except ImportError as error:
        raise MissingSolverError("OR-Tools is missing: pip install 'jointcell[exact]'") from error
    return cp_model


def prove(
    problem: ShopProblem,
    *,
    seconds: float,
    threads: int = 1,
    seed: int = 0,
    known: ShopSchedule | None = None,
) -> ShopSchedule | None:
    """Find a schedule and a lower bound with CP-SAT.

    Args:
        problem: What has to be done.
        seconds: Time limit.
        threads: Workers of CP-SAT.
        seed: Its random seed.
        known: A schedule to start from; the result is never worse and its bound never lower.

    Returns:
        A verified schedule with the best bound known; None when nothing was found, or nothing exists.

    Raises:
        MissingSolverError: OR-Tools is not installed.
    """
    cp_model = load_solver()
    model = _Model(problem, cp_model.CpModel(), lower_bound(problem), known)
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed
    status = solver.solve(model.cp)
    found = status in (cp_model.OPTIMAL, cp_model.FEASIBLE)
    if status == cp_model.INFEASIBLE or not (found or known):
        return known
    bound = max(round(solver.best_objective_bound), lower_bound(problem), known.lower_bound if known else 0)
    schedule = known if known is not None and not found else model.schedule(solver)
    if known is not None and known.makespan <= schedule.makespan:
        schedule = known
    result = ShopSchedule(operations=schedule.operations, makespan=schedule.makespan, lower_bound=bound)
    violations = verify(problem, result)
    if violations:
        raise AssertionError(f"CP-SAT broke a rule: {violations[0]}")
    return result


class _Model:
    """Starts, modes and, where it matters, who follows whom on a resource."""

    def __init__(self, problem: ShopProblem, cp: Any, bound: int, known: ShopSchedule | None) -> None:
        self.problem, self.cp = problem, cp
        self.horizon = known.makespan if known is not None else _horizon(problem)
        self.names = [(j, k) for j, job in enumerate(problem.jobs) for k in range(len(job.operations))]
        operations = problem.operations
        self.start, self.end, self.taken = [], [], []
        for (j, _), operation in zip(self.names, operations, strict=True):
            job = problem.jobs[j]
            due = self.horizon if job.due is None else min(job.due, self.horizon)
            self.start.append(cp.new_int_var(min(job.release, self.horizon), self.horizon, ""))
            self.end.append(cp.new_int_var(0, due, ""))
            self.taken.append([cp.new_bool_var("") for _ in operation.modes])
            cp.add_exactly_one(self.taken[-1])
            cp.add(
                self.end[-1]
                == self.start[-1]
                + sum(
                    literal * mode.duration
                    for literal, mode in zip(self.taken[-1], operation.modes, strict=True)
                )
            )
        # Ranks order what begins at the same moment; only what holds, or takes no time, needs that.
        instant = any(mode.duration == 0 for operation in operations for mode in operation.modes)
        self.ranked = instant or not problem.is_plain
        self.rank = [cp.new_int_var(0, len(operations), "") for _ in operations]
        self.heir: dict[int, int] = {}
        for a, b in problem.precedence:
            cp.add(self.start[b] >= self.end[a])
            self.heir[a] = b
            if self.ranked:
                cp.add(self.rank[b] >= self.rank[a] + 1)
        for resource in range(len(problem.resources)):
            if problem.is_plain:
                self._one_at_a_time(resource)
            else:
                self._one_after_the_other(resource)
        self.makespan = cp.new_int_var(bound, self.horizon, "")
        cp.add_max_equality(self.makespan, self.end)
        cp.minimize(self.makespan)
        if known is not None:
            place = {(item.job, item.operation): item for item in known.operations}
            for v, name in enumerate(self.names):
                cp.add_hint(self.start[v], place[name].start)
                for m, literal in enumerate(self.taken[v]):
                    cp.add_hint(literal, int(m == place[name].mode))

    def _uses(self, resource: int) -> list[tuple[int, int, Use]]:
        """Operation, mode and use of everything that may use the resource."""
        return [
            (v, m, use)
            for v, operation in enumerate(self.problem.operations)
            for m, mode in enumerate(operation.modes)
            for use in mode.uses
            if use.resource == resource
        ]

    def _one_at_a_time(self, resource: int) -> None:
        intervals = []
        for v, m, _ in self._uses(resource):
            duration = self.problem.operations[v].modes[m].duration
            end = self.cp.new_int_var(0, self.horizon, "")
            intervals.append(
                self.cp.new_optional_interval_var(self.start[v], duration, end, self.taken[v][m], "")
            )
        self.cp.add_no_overlap(intervals)

    def _one_after_the_other(self, resource: int) -> None:
        """A circuit through the uses taken; each arc is a succession with its setup time."""
        uses = self._uses(resource)
        setup = self.problem.resources[resource].setup
        arcs = [(0, 0, self.cp.new_bool_var(""))]
        for i, (v, m, use) in enumerate(uses, 1):
            arcs.append((i, i, ~self.taken[v][m]))
            arcs += [(0, i, self.cp.new_bool_var("")), (i, 0, self.cp.new_bool_var(""))]
            for k, (w, _, following) in zip(count(1), uses):
                if w == v:
                    continue
                literal = self.cp.new_bool_var("")
                arcs.append((i, k, literal))
                ticks = setup[use.leave][following.enter] if setup else 0
                self.cp.add(self.start[w] >= self.end[v] + ticks).only_enforce_if(literal)
                last = v
                if use.hold and self.heir.get(v, w) != w:
                    last = self.heir[v]
                    self.cp.add(self.start[w] >= self.start[last] + ticks).only_enforce_if(literal)
                # Who lets go comes before who takes over, even at the same moment: there is no place to swap.
                self.cp.add(self.rank[w] >= self.rank[last] + 1).only_enforce_if(literal)
        self.cp.add_circuit(arcs)

    def schedule(self, solver: Any) -> ShopSchedule:
        """The schedule that the solver found."""
        # Where nothing is held, the rank only orders what takes no time; that comes before what begins with it.
        plain = self.problem.is_plain
        order = sorted(
            range(len(self.names)),
            key=lambda v: (
                solver.value(self.start[v]),
                plain and solver.value(self.end[v]),
                solver.value(self.rank[v]),
            ),
        )
        items = []
        for v in order:
            mode = next(m for m, literal in enumerate(self.taken[v]) if solver.value(literal))
            job, operation = self.names[v]
            items.append(
                ScheduledOperation(
                    job=job,
                    operation=operation,
                    mode=mode,
                    start=solver.value(self.start[v]),
                    end=solver.value(self.end[v]),
                )
            )
        return ShopSchedule(operations=tuple(items), makespan=max(item.end for item in items), lower_bound=0)


def _horizon(problem: ShopProblem) -> int:
    """Nothing need take longer than everything one after the other."""
    longest = sum(max(mode.duration for mode in operation.modes) for operation in problem.operations)
    setups = [max((max(row) for row in resource.setup), default=0) for resource in problem.resources]
    return max(job.release for job in problem.jobs) + longest + len(problem.operations) * sum(setups)
