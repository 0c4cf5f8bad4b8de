"""Scheduling of any shop for the least makespan: job shops, flexible ones, assembly, setup times, blocking, dates.

`ShopProblem` says what has to be done, `solve` finds a `ShopSchedule`, `lower_bound` says how good any could be, and
`verify` checks the result with code of its own; `date_conflict` shows why dates cannot be met.
"""

from controller.scheduling.shop.bound import lower_bound
from controller.scheduling.shop.explain import DateConflict, Relaxation, date_conflict
from controller.scheduling.shop.problem import Job, Mode, Operation, Resource, ShopProblem, Use, chain
from controller.scheduling.shop.schedule import ScheduledOperation, ShopSchedule
from controller.scheduling.shop.solve import ShopSolution, solve
from controller.scheduling.shop.verify import verify

__all__ = (
    "DateConflict",
    "Job",
    "Mode",
    "Operation",
    "Relaxation",
    "Resource",
    "ScheduledOperation",
    "ShopProblem",
    "ShopSchedule",
    "ShopSolution",
    "Use",
    "chain",
    "date_conflict",
    "lower_bound",
    "solve",
    "verify",
)
