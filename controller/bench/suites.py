"""Which modules make up which suite."""

from collections.abc import Callable, Iterator

from controller.bench.row import Options, Row
from controller.bench.schedule_cell import cell_rows

Rows = Callable[[Options], Iterator[Row]]

SUITES: dict[str, tuple[Rows, ...]] = {"kernels": (), "schedule": (cell_rows,)}


def rows_of(suite: str, options: Options) -> Iterator[Row]:
    """The rows of a suite, one by one as they are measured."""
    for rows in SUITES[suite]:
        yield from rows(options)
