"""Which modules make up which suite."""

from collections.abc import Callable, Iterator

from controller.bench import (
    kernels_any_arm,
    kernels_distance,
    kernels_inverse,
    kernels_motion,
    kernels_search,
    kernels_start,
    kernels_trajectories,
    panel_load,
    schedule_cell,
    schedule_shop,
)
from controller.bench.row import Options, Row

Rows = Callable[[Options], Iterator[Row]]

SUITES: dict[str, tuple[Rows, ...]] = {
    "kernels": (
        kernels_motion.rows,
        kernels_inverse.rows,
        kernels_any_arm.rows,
        kernels_trajectories.rows,
        kernels_distance.rows,
        kernels_search.rows,
        kernels_start.rows,
    ),
    "schedule": (schedule_cell.rows, schedule_shop.rows),
    "panel": (panel_load.rows,),
}


def rows_of(suite: str, options: Options) -> Iterator[Row]:
    """The rows of a suite, one by one as they are measured."""
    for rows in SUITES[suite]:
        yield from rows(options)
