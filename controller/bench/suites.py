"""Which parts make up which suite."""

from collections.abc import Callable, Iterator, Sequence

from controller.bench import (
    kernels_any_arm,
    kernels_distance,
    kernels_inverse,
    kernels_motion,
    kernels_search,
    kernels_start,
    kernels_trajectories,
    panel_load,
    plan_faults,
    plan_figures,
    plan_late,
    plan_layouts,
    plan_lost,
    plan_stops,
    schedule_cell,
    schedule_shop,
    serial_firmware,
    serial_line,
    serial_trials,
    supervision_commands,
    supervision_disk,
    supervision_journal,
    supervision_kill,
    supervision_soak,
    supervision_stop,
)
from controller.bench.row import Options, Row

Rows = Callable[[Options], Iterator[Row]]

SUITES: dict[str, dict[str, Rows]] = {
    "kernels": {
        "motion": kernels_motion.rows,
        "inverse": kernels_inverse.rows,
        "any-arm": kernels_any_arm.rows,
        "trajectories": kernels_trajectories.rows,
        "distance": kernels_distance.rows,
        "search": kernels_search.rows,
        "start": kernels_start.rows,
    },
    "schedule": {
        "cell": schedule_cell.rows,
        "repair": schedule_cell.repair_rows,
        "repeat": schedule_shop.repeat_rows,
        "classics": schedule_shop.classic_rows,
        "quickest": schedule_shop.quickest_rows,
        "cp-sat": schedule_shop.cp_sat_rows,
        "flexible": schedule_shop.flexible_rows,
        "families": schedule_shop.family_rows,
    },
    "plan": {
        "figures": plan_figures.rows,
        "faults": plan_faults.rows,
        "layouts": plan_layouts.rows,
        "late": plan_late.rows,
        "stops": plan_stops.rows,
        "lost": plan_lost.rows,
    },
    "supervision": {
        "journal": supervision_journal.rows,
        "disk": supervision_disk.rows,
        "kill": supervision_kill.rows,
        "commands": supervision_commands.rows,
        "soak": supervision_soak.rows,
        "stop": supervision_stop.rows,
    },
    "serial": {
        "firmware": serial_firmware.rows,
        "line": serial_line.rows,
        "trials": serial_trials.rows,
    },
    "panel": {
        "load": panel_load.rows,
    },
}


def rows_of(suite: str, options: Options, only: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of a suite, or of some of its parts, one by one as they are measured."""
    for part, rows in SUITES[suite].items():
        if not only or part in only:
            yield from rows(options)
