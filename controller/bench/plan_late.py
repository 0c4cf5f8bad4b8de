"""The plan of the mix executed with arms that are late, slow or stopped at any moment."""

from collections.abc import Iterator
from dataclasses import replace

from controller.bench import plan_delays, plan_stops
from controller.bench.plan_mix import CELL, mix_plan
from controller.bench.row import Options, Row
from controller.motion.reduction import reduced


def rows(options: Options) -> Iterator[Row]:
    """Random delays and feeds, then stops; on the arcs that are left once those that others imply are gone."""
    mix = mix_plan(options.seed)
    motion = replace(mix.plan.motion, graph=reduced(mix.plan.motion.graph))
    yield from plan_delays.rows_of(mix.cell, CELL, motion.graph, options)
    yield from plan_stops.rows_of(mix.cell, motion, options)
