"""Which modules make up which suite."""

from collections.abc import Callable, Iterator

from controller.bench import (
    kernels_any_arm,
    kernels_inverse,
    kernels_motion,
    kernels_start,
    kernels_trajectories,
)
from controller.bench.row import Options, Row

Rows = Callable[[Options], Iterator[Row]]

SUITES: dict[str, tuple[Rows, ...]] = {
    "kernels": (
        kernels_motion.rows,
        kernels_inverse.rows,
        kernels_any_arm.rows,
        kernels_trajectories.rows,
        kernels_start.rows,
    ),
    "schedule": (),
}


def rows_of(suite: str, options: Options) -> Iterator[Row]:
    """The rows of a suite, one by one as they are measured."""
    for rows in SUITES[suite]:
        yield from rows(options)
