"""A schedule of a shop for the terminal: figures, and a line of characters for each resource."""

import string

from rich.console import Group
from rich.table import Table
from rich.text import Text

from controller.scheduling.shop import ShopProblem, ShopSchedule

_SIGNS = string.digits + string.ascii_lowercase + string.ascii_uppercase
_MOST_ROWS = 60


def shop_table(problem: ShopProblem, schedule: ShopSchedule, facts: dict[str, str], columns: int) -> Group:
    """The result, readable at a glance.

    Args:
        problem: What was scheduled.
        schedule: Its schedule.
        facts: More to tell, by name.
        columns: Characters for the time axis.
    """
    result = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    proved = ", proven optimal" if schedule.optimal else ""
    rows = {
        "makespan": f"{schedule.makespan}{proved}",
        "lower bound": f"{schedule.lower_bound}",
        "gap": f"{100 * schedule.gap:.2f} %",
        **facts,
    }
    for name, value in rows.items():
        result.add_row(Text(name), Text(value))
    chart = Table(box=None, show_header=False, pad_edge=False, padding=(0, 1, 0, 0))
    lines = _lines(problem, schedule, columns)
    for resource, (line, busy) in list(zip(problem.resources, lines, strict=True))[:_MOST_ROWS]:
        chart.add_row(
            Text(resource.name), Text(line, no_wrap=True), Text(f"{100 * busy:.0f} %", justify="right")
        )
    hidden = len(problem.resources) - _MOST_ROWS
    legend = "A sign is a job (0-9, a-z, A-Z, then from the start again), a dot is idle; at the end the share of time busy."
    if hidden > 0:
        legend += f" {hidden} more resources are not shown."
    return Group(result, Text(), chart, Text(legend, style="dim"))


def _lines(problem: ShopProblem, schedule: ShopSchedule, columns: int) -> list[tuple[str, float]]:
    """For each resource who has most of each slice of time, and its share of time busy."""
    slice_ = max(schedule.makespan, 1) / columns
    most = [[0.0] * columns for _ in problem.resources]
    signs = [["·"] * columns for _ in problem.resources]
    busy = [0] * len(problem.resources)
    for item in schedule.operations:
        for use in problem.jobs[item.job].operations[item.operation].modes[item.mode].uses:
            busy[use.resource] += item.end - item.start
            for k in range(int(item.start / slice_), min(int(item.end / slice_) + 1, columns)):
                share = min(item.end, (k + 1) * slice_) - max(item.start, k * slice_)
                if share > max(most[use.resource][k], slice_ / 2 - most[use.resource][k]):
                    most[use.resource][k] = share
                    signs[use.resource][k] = _SIGNS[item.job % len(_SIGNS)]
    return [("".join(row), total / max(schedule.makespan, 1)) for row, total in zip(signs, busy, strict=True)]
