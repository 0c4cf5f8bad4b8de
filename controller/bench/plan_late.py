"""The plan of the mix executed with arms that are late and slow by any amount."""

from collections.abc import Iterator

from controller.bench import late_world, plan_delays
from controller.bench.plan_mix import CELL, mix_plan
from controller.bench.row import Options, Row
from controller.motion.plan import MotionPlanner
from controller.motion.reduction import reduced

_QUICK_JOINTS = 2  # of the order in simulation


def rows(options: Options) -> Iterator[Row]:
    """Random delays and feeds, on the arcs that are left once those that others imply are gone."""
    mix = mix_plan(options.seed)
    motion = mix.plan.motion
    graph = reduced(motion.graph)
    yield from plan_delays.rows_of(mix.cell, CELL, graph, options)
    if options.quick:
        short = MotionPlanner(mix.cell).plan(
            motion.schedule, motion.order[:_QUICK_JOINTS], retreats=motion.retreats
        )
        graph = reduced(short.graph)
    yield from late_world.rows_of(mix.cell, graph, options)
