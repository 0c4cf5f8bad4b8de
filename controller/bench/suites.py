"""Which modules make up which suite."""

from collections.abc import Callable, Iterator

from controller.bench.kernels_distance import distance_rows
from controller.bench.kernels_search import search_rows
from controller.bench.row import Options, Row

Rows = Callable[[Options], Iterator[Row]]

SUITES: dict[str, tuple[Rows, ...]] = {"kernels": (distance_rows, search_rows), "schedule": ()}


def rows_of(suite: str, options: Options) -> Iterator[Row]:
    """The rows of a suite, one by one as they are measured."""
    for rows in SUITES[suite]:
        yield from rows(options)
