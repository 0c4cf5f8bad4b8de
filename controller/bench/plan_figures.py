"""The bundled mix: how long planning takes, what the plan reaches, what keeping arms apart costs, and the proof."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from cells.joint_model import JointModel
from controller.bench.plan_mix import CELL, JOINTS, MixPlan, cycle_s, mix_plan, order_of
from controller.bench.row import Figure, Options, Row
from controller.motion.edge_words import planned_waits
from controller.motion.event_graph import EventGraph
from controller.motion.plan import MotionPlanner
from controller.motion.plan_files import read_plan, write_plan
from controller.motion.plan_records import cell_record
from controller.motion.reduction import reduced
from controller.motion.verify import verify_plan


def rows(options: Options) -> Iterator[Row]:
    """Times of planning, cycle against bound, cost of coordination, arcs, verify."""
    mix = mix_plan(options.seed)
    motion = mix.plan.motion
    yield Figure(
        name=f"planning the mix of {len(mix.models)} models from cold",
        value=mix.seconds,
        unit="s",
        goal=10.0,
        note="processor time of the planning thread; the goal is for 12 models",
    )
    yield _one_more(mix, options.seed)
    cycle, bound = cycle_s(motion, motion.starts_s), mix.plan.lower_bound_s
    yield Figure(
        name=f"cycle time, {JOINTS} joints of the mix",
        value=cycle,
        unit="s",
        goal=25.0,
        note=f"proven bound {bound:.2f} s; {_critical(mix)}",
    )
    yield Figure(name="cycle time beside the proven bound", value=cycle / bound, goal=1.03)
    free = _ignoring_collisions(motion.graph)
    without = cycle_s(motion, free.planned_starts())
    yield Figure(
        name="cost of coordination",
        value=100 * (cycle / without - 1),
        unit="%",
        goal=3.0,
        note=f"{cycle:.2f} s beside {without:.2f} s for the same plan with collisions ignored",
    )
    yield from _arcs(mix)
    yield from _verified(mix)


def _one_more(mix: MixPlan, seed: int) -> Row:
    """An order with a size of model not seen before, all other visits being known."""
    motion = mix.plan.motion
    sizes = [_size(model) for model in mix.models]
    rarest = min(sizes, key=sizes.count)
    added = [model.name for model in mix.models if _size(model) == rarest]
    known = tuple(model for model in mix.models if _size(model) != rarest)
    planner = MotionPlanner(mix.cell)
    planner.plan(
        motion.schedule,
        order_of(mix.cell, known, JOINTS, seed),
        retreats=motion.retreats,
        rules=motion.rules,
    )
    began = time.thread_time()
    planner.plan(motion.schedule, motion.order, retreats=motion.retreats, rules=motion.rules)
    return Figure(
        name="planning an order with one more size of model",
        value=time.thread_time() - began,
        unit="s",
        goal=1.0,
        note=f"{', '.join(added)}; schedule, retreats and rules stay",
    )


def _size(model: JointModel) -> tuple[float, float]:
    return model.diameter_m, model.length_m


def _critical(mix: MixPlan) -> str:
    """What binds: the longest path summed by resource and operation, per cycle."""
    motion = mix.plan.motion
    parts: dict[str, float] = {}
    for index in motion.graph.critical(motion.starts_s):
        node = motion.graph.nodes[index]
        name = f"{node.resource} {node.operation or node.label.split()[0]}"
        parts[name] = parts.get(name, 0.0) + node.duration_s / len(motion.order)
    longest = sorted(parts.items(), key=lambda part: -part[1])[:5]
    return "binds: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in longest)


def _ignoring_collisions(graph: EventGraph) -> EventGraph:
    predecessors = tuple(
        tuple(node for node in before if (node, after) not in graph.coordination)
        for after, before in enumerate(graph.predecessors)
    )
    return replace(graph, predecessors=predecessors, coordination=frozenset())


def _arcs(mix: MixPlan) -> Iterator[Row]:
    graph = mix.plan.motion.graph
    kept = reduced(graph)
    gone = len(graph.coordination) - len(kept.coordination)
    waits = planned_waits(kept, mix.plan.motion.starts_s)
    yield Figure(
        name="arcs of coordination that others imply",
        value=100 * gone / max(len(graph.coordination), 1),
        unit="%",
        note=f"{len(graph.coordination)} before, {len(kept.coordination)} left, of which "
        f"{sum(wait > 0 for wait in waits.values())} keep an arm waiting when nobody is late",
    )


def _verified(mix: MixPlan) -> Iterator[Row]:
    """The plan written, read and checked; pairs of arms are compared however far apart they are planned."""
    motion = replace(mix.plan.motion, graph=reduced(mix.plan.motion.graph))
    with tempfile.TemporaryDirectory() as folder:
        write_plan(Path(folder), motion, mix.cell, CELL)
        began = time.thread_time()
        verdict = verify_plan(
            read_plan(Path(folder)), mix.cell, cell_record(mix.cell, CELL), tuple(mix.models)
        )
        seconds = time.thread_time() - began
    first = f": {verdict.violations[0]}" if verdict.violations else ""
    yield Figure(
        name="verify: violations in the plan",
        value=len(verdict.violations),
        goal=0,
        must_hold=True,
        note=f"{verdict.measured.arm_pairs} pairs of arms that no arcs order, whatever their times{first}",
    )
    yield Figure(name="verify: processor time", value=seconds, unit="s")
    yield Figure(
        name="smallest distance between arms",
        value=1000 * verdict.measured.arms_m,
        unit="mm",
        goal=1000 * mix.cell.clearance.arms_m,
        at_least=True,
        must_hold=True,
    )
