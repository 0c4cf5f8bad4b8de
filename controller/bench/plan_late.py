"""The plan of the mix executed with arms that are late and slow by any amount."""

from collections.abc import Iterator

from controller.bench import plan_delays
from controller.bench.plan_mix import CELL, mix_plan
from controller.bench.row import Options, Row
from controller.motion.reduction import reduced


def rows(options: Options) -> Iterator[Row]:
    """Random delays and feeds, on the arcs that are left once those that others imply are gone."""
    mix = mix_plan(options.seed)
    yield from plan_delays.rows_of(mix.cell, CELL, reduced(mix.plan.motion.graph), options)
