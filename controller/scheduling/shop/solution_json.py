"""What `jointcell solve` found, for programs."""

import json

from controller.scheduling.shop.read import ShopFile
from controller.scheduling.shop.schedule import ShopSchedule
from controller.scheduling.shop.solve import ShopSolution

SCHEMA_VERSION = 1


def solution_json(
    file: ShopFile, solution: ShopSolution, schedule: ShopSchedule, *, seed: int, threads: int
) -> str:
    """A JSON document; jobs and operations count from 0, machines as in the file.

    Args:
        file: What was solved.
        solution: What the search took.
        schedule: The schedule, perhaps improved or proved since.
        seed: Seed of the search.
        threads: Threads of the search.
    """
    items = sorted(schedule.operations, key=lambda item: (item.job, item.operation))
    document = {
        "schema_version": SCHEMA_VERSION,
        "makespan": schedule.makespan,
        "lower_bound": schedule.lower_bound,
        "optimal": schedule.optimal,
        "gap": schedule.gap,
        "seconds": solution.seconds,
        "cpu_seconds": solution.cpu_seconds,
        "iterations": solution.iterations,
        "seed": seed,
        "threads": threads,
        "format": file.kind,
        "first_machine": file.first_machine,
        "schedule": [
            {
                "job": item.job,
                "operation": item.operation,
                "machine": file.first_machine
                + file.problem.jobs[item.job].operations[item.operation].modes[item.mode].uses[0].resource,
                "start": item.start,
                "end": item.end,
            }
            for item in items
        ],
    }
    return json.dumps(document) + "\n"
