"""The scheduling core: who does which operation, where and in which order.

`SchedulingProblem` says what must be done, `solve` finds a `Schedule`, `lower_bound` says how good any could
be, and `verify` checks the result with code of its own. A `Mix` of several kinds of joints has `solve_mix`,
`verify_mix`, `prove` (the bound), `conflict` and `critical_costs` (why not better), and `repair` for a running
cell that has lost something. `max_cycle_ratio`, `earliest_starts` and
`longest_path` compute times of any event graph, cyclic or not.
"""

from controller.scheduling.bound import lower_bound
from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.cycle_ratio import CycleRatio, DeadlockError, earliest_starts, max_cycle_ratio
from controller.scheduling.exact import Proof, prove
from controller.scheduling.explain import Conflict, Cost, conflict, critical_costs
from controller.scheduling.longest_path import CyclicGraphError, find_circuit, longest_path
from controller.scheduling.mix import Mix, easiest_problem, mean_problem
from controller.scheduling.mix_schedule import MixSchedule, Wait
from controller.scheduling.problem import (
    NO_ARM,
    OFF_DIAL,
    Buffer,
    Mode,
    Operation,
    ProblemError,
    SchedulingProblem,
)
from controller.scheduling.repair import NotRepairable, Repaired, repair
from controller.scheduling.running import Finishing, FinishingVisit, JointInWork, Lost, RunningCell, Scrapped
from controller.scheduling.schedule import Schedule, ScheduledOperation
from controller.scheduling.solve import solve
from controller.scheduling.solve_mix import level_order, solve_mix
from controller.scheduling.verify import Violation, verify
from controller.scheduling.verify_finishing import verify_finishing
from controller.scheduling.verify_mix import verify_mix

__all__ = (
    "NO_ARM",
    "OFF_DIAL",
    "Buffer",
    "Conflict",
    "Cost",
    "CycleRatio",
    "CyclicGraphError",
    "DeadlockError",
    "Finishing",
    "FinishingVisit",
    "InfeasibleProblemError",
    "JointInWork",
    "Lost",
    "Mix",
    "MixSchedule",
    "Mode",
    "NotRepairable",
    "Operation",
    "ProblemError",
    "Proof",
    "Repaired",
    "RunningCell",
    "Schedule",
    "ScheduledOperation",
    "SchedulingProblem",
    "Scrapped",
    "Violation",
    "Wait",
    "conflict",
    "critical_costs",
    "earliest_starts",
    "easiest_problem",
    "find_circuit",
    "level_order",
    "longest_path",
    "lower_bound",
    "max_cycle_ratio",
    "mean_problem",
    "prove",
    "repair",
    "solve",
    "solve_mix",
    "verify",
    "verify_finishing",
    "verify_mix",
)
