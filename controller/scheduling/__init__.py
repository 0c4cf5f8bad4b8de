"""The scheduling core: who does which operation, where and in which order.

`SchedulingProblem` says what must be done, `solve` finds a `Schedule`, `lower_bound` says how good any could
be, and `verify` checks the result with code of its own. `max_cycle_ratio`, `earliest_starts` and
`longest_path` compute times of any event graph, cyclic or not.
"""

from controller.scheduling.bound import lower_bound
from controller.scheduling.construct import InfeasibleProblemError
from controller.scheduling.cycle_ratio import CycleRatio, DeadlockError, earliest_starts, max_cycle_ratio
from controller.scheduling.longest_path import CyclicGraphError, find_circuit, longest_path
from controller.scheduling.problem import (
    NO_ARM,
    OFF_DIAL,
    Buffer,
    Mode,
    Operation,
    ProblemError,
    SchedulingProblem,
)
from controller.scheduling.schedule import Schedule, ScheduledOperation
from controller.scheduling.solve import solve
from controller.scheduling.verify import Violation, verify

__all__ = (
    "NO_ARM",
    "OFF_DIAL",
    "Buffer",
    "CycleRatio",
    "CyclicGraphError",
    "DeadlockError",
    "InfeasibleProblemError",
    "Mode",
    "Operation",
    "ProblemError",
    "Schedule",
    "ScheduledOperation",
    "SchedulingProblem",
    "Violation",
    "earliest_starts",
    "find_circuit",
    "longest_path",
    "lower_bound",
    "max_cycle_ratio",
    "solve",
    "verify",
)
