"""Scheduling of any shop for the least makespan: job shops, flexible ones, assembly, setup times, blocking, dates.

`ShopProblem` says what has to be done, `solve` finds a `ShopSchedule`, `lower_bound` says how good any could be, and
`verify` checks the result with code of its own.
"""

from controller.scheduling.shop.bound import lower_bound
from controller.scheduling.shop.problem import Job, Mode, Operation, Resource, ShopProblem, Use, chain
from controller.scheduling.shop.schedule import ScheduledOperation, ShopSchedule
from controller.scheduling.shop.solve import ShopSolution, solve
from controller.scheduling.shop.verify import verify

__all__ = (
    "Job",
    "Mode",
    "Operation",
    "Resource",
    "ScheduledOperation",
    "ShopProblem",
    "ShopSchedule",
    "ShopSolution",
    "Use",
    "chain",
    "lower_bound",
    "solve",
    "verify",
)
